"""The command line: the list of commands, the options before them, and the one place where errors become exit codes."""

import contextlib
import gc
import io
import os
import sys
import traceback
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from tsunami_cli import __version__
from tsunami_cli.core.problems import Refusal
from tsunami_cli.errors import TsunamiError

COMMANDS = {
    "start": "Decide",
    "halt": "Decide",
    "resume": "Decide",
    "freeze": "Decide",
    "unfreeze": "Decide",
    "pace": "Decide",
    "rollback": "Decide",
    "pin": "Decide",
    "unpin": "Decide",
    "retire": "Decide",
    "ack": "Decide",
    "publish": "Publish",
    "run": "Publish",
    "guard": "Publish",
    "pull": "Publish",
    "status": "Look",
    "plan": "Look",
    "explain": "Look",
    "get": "Look",
    "log": "Look",
    "audit": "Look",
    "slo": "Look",
    "preview": "Look",
    "init": "Set up",
    "new": "Set up",
    "inventory": "Set up",
    "validate": "Set up",
    "render": "Set up",
    "demo": "Set up",
}
"""Every command, with the panel of the help page that it stands in. Each is a module of its own in `commands`."""

_BUG = 3
_LONGEST_LINE = 1_500
"""Characters of an error: a value of any length may be part of it."""


class _Commands(TyperGroup):
    """Imports a command when it is called: one that runs every minute on a host must not pay for the others."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"tsunami_cli.commands.{cmd_name}")
        panel = COMMANDS[cmd_name]
        single = typer.Typer(add_completion=False, rich_markup_mode="rich")
        if hasattr(module, "COMMANDS"):  # a noun, with verbs of its own
            # While the shell completes, the options before the noun were read but not acted on.
            above = {"obj": ctx.obj or ctx.params.get("folder")}
            single = typer.Typer(
                add_completion=False, rich_markup_mode="rich", no_args_is_help=True, context_settings=above
            )
            for verb, function in module.COMMANDS.items():
                single.command(verb)(function)
            single.callback(help=module.__doc__, rich_help_panel=panel)(_nothing)
        else:
            single.command(cmd_name, rich_help_panel=panel, no_args_is_help=False)(module.command)
        found = typer.main.get_command(single)
        found.name = cmd_name
        return found


def _nothing() -> None:
    pass


app = typer.Typer(cls=_Commands, no_args_is_help=True, rich_markup_mode="rich")


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"tsunami {__version__}")
        raise typer.Exit


@app.callback(context_settings={"help_option_names": ["-h", "--help"]})
def _options(
    ctx: typer.Context,
    folder: Annotated[
        Path | None, typer.Option("-C", metavar="DIR", help="Work in the repository around DIR.", show_default=False)
    ] = None,
    version: Annotated[  # noqa: ARG001
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show it and exit.")
    ] = False,
) -> None:
    """Roll a change out to a fleet of hosts: slowly, unattended, under control.

    [bold]tsunami start docker --to 1.12.3 --over 14d[/]   starts; [bold]tsunami halt[/]   stops everything at once.
    """
    ctx.obj = folder


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit: 0 done, 1 the answer is no, 2 usage, 3 a bug, 4 could not ask or reach."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed: whoever closed it wants nothing said
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115
        elif isinstance(stream, io.TextIOWrapper):
            # A terminal without these characters shows others; that is no reason to fail.
            stream.reconfigure(errors="replace")
    # A process that ends in a moment has nothing to gain from collecting garbage.
    gc.disable()
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code. What is expected to go wrong becomes one line on stderr."""
    try:
        code = app(arguments, prog_name="tsunami", standalone_mode=False)
        sys.stdout.flush()
    except (Refusal, TsunamiError) as no:
        return _failed(str(no), getattr(no, "exit_code", 1), no)
    except typer.TyperException as wrong:
        context = getattr(wrong, "ctx", None)
        hint = f" (see {context.command_path} --help)" if context is not None else ""
        said = wrong.format_message()
        return _failed(f"{said}{hint}", wrong.exit_code, wrong) if said else wrong.exit_code
    except (KeyboardInterrupt, typer.Abort):
        return 130
    except (BrokenPipeError, SystemExit) as gone:
        # Whoever read our output has had enough (typer makes an exit of that); there is nobody left to tell. But a
        # shell that asks for completions is told by the code that there are none.
        if isinstance(gone, SystemExit) and (gone.code != 1 or "_TSUNAMI_COMPLETE" in os.environ):
            raise
        _drop_output()
        return 0
    except OSError as error:
        _drop_output()
        return _failed(f"{error.filename or 'the system'}: {error.strerror or error}", 1, error)
    except Exception as bug:  # the boundary: a bug is reported as one, with its exit code
        return _failed(
            f"this is a bug in tsunami ({type(bug).__name__}: {bug}): TSUNAMI_DEBUG=1 shows where", _BUG, bug
        )
    return code if isinstance(code, int) else 0


def _drop_output() -> None:
    """Let what is still to be written go nowhere, so that the interpreter does not fail over it when it ends."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _failed(message: str, code: int, error: BaseException) -> int:
    """Say what went wrong in one line; with TSUNAMI_DEBUG=1 also where."""
    if os.environ.get("TSUNAMI_DEBUG") == "1":
        traceback.print_exception(error)
    from tsunami_cli.core.values import printable

    line = printable(" ".join(message.split()))
    if len(line) > _LONGEST_LINE:
        line = f"{line[: _LONGEST_LINE // 2]} … {line[-_LONGEST_LINE // 2 :]}"
    red, plain = ("\033[31m", "\033[0m") if sys.stderr.isatty() and not os.environ.get("NO_COLOR") else ("", "")
    sys.stderr.write(f"{red}error:{plain} {line}\n")
    return code
