"""Commands as values, read from the objects that parse the command line."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import typer
from rich.text import Text

from tsunami_cli.cli import COMMANDS, app

PROGRAM = "tsunami"
_EXAMPLE = "[dim]"
"""What a paragraph of a help text begins with that is a line to type."""
_SHELL_OPTIONS = {"install_completion", "show_completion"}


@dataclass(frozen=True, slots=True)
class Words:
    """A piece of a text; `code` where it is to be typed."""

    text: str
    code: bool = False


Prose = tuple[Words, ...]


@dataclass(frozen=True, slots=True)
class Example:
    """A command line, and what stands behind it: the answer."""

    line: str
    answer: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """An argument or an option."""

    names: tuple[str, ...]
    """What is typed: of an argument its place holder, of an option all its names."""
    metavar: str
    """The place holder of an option's value; empty for a flag."""
    help: Prose
    required: bool
    default: str
    """As text; empty where there is none worth showing."""
    is_option: bool

    @property
    def spelled(self) -> str:
        """The last of its names, with the place holder of its value: `--over D`."""
        return f"{self.names[-1]} {self.metavar}".rstrip()


@dataclass(frozen=True, slots=True)
class Command:
    """A command, or a noun with its verbs."""

    name: str
    """With the program and the noun: `tsunami inventory list`."""
    panel: str
    summary: Prose
    paragraphs: tuple[Prose, ...]
    """What the help says after the summary."""
    examples: tuple[Example, ...]
    parameters: tuple[Parameter, ...]
    verbs: tuple["Command", ...] = ()

    @property
    def usage(self) -> str:
        """The command line: what must be given, then what may be."""
        if self.verbs:
            return f"{self.name} {{{'|'.join(verb.name.split()[-1] for verb in self.verbs)}}} ..."
        given = [one.names[0] for one in self.arguments]
        given += [one.spelled for one in self.options if one.required]
        return " ".join([self.name, *given, *(["[OPTIONS]"] if any(not one.required for one in self.options) else [])])

    @property
    def arguments(self) -> tuple[Parameter, ...]:
        """Its arguments, in their order."""
        return tuple(one for one in self.parameters if not one.is_option)

    @property
    def options(self) -> tuple[Parameter, ...]:
        """Its options, what must be given first."""
        return tuple(sorted((one for one in self.parameters if one.is_option), key=lambda one: not one.required))


def program() -> Command:
    """Return the program itself, with every command as a verb, in the order of the help page."""
    group: Any = typer.main.get_command(app)
    context = typer.Context(group, info_name=PROGRAM)
    commands = [_command(f"{PROGRAM} {name}", COMMANDS[name], group.get_command(context, name)) for name in COMMANDS]
    return _command(PROGRAM, "", group, tuple(commands))


def each(command: Command) -> Iterator[Command]:
    """Yield the commands below this one, each with its verbs behind it."""
    for verb in command.verbs:
        yield verb
        yield from each(verb)


def _command(name: str, panel: str, found: Any, verbs: tuple[Command, ...] | None = None) -> Command:
    if verbs is None:
        below = getattr(found, "commands", {})
        verbs = tuple(_command(f"{name} {verb}", panel, command) for verb, command in below.items())
    blocks = re.split(r"\n\s*\n", found.help or "")
    examples = tuple(_example(_prose(block)) for block in blocks if block.startswith(_EXAMPLE))
    summary, *rest = [_prose(block) for block in blocks if not block.startswith(_EXAMPLE)]
    shown = [one for one in found.params if not one.hidden and one.name not in _SHELL_OPTIONS]
    return Command(name, panel, summary, tuple(rest), examples, tuple(_parameter(one) for one in shown), verbs)


def _parameter(found: Any) -> Parameter:
    is_option = found.param_type_name == "option"
    flag = is_option and found.is_flag
    choices = getattr(found.type, "choices", None)
    shape = "|".join(map(str, choices)) if choices else str(found.type.name if is_option else found.name).upper()
    metavar = found.metavar or shape
    names = tuple(sorted([*found.opts, *found.secondary_opts], key=len)) if is_option else (metavar,)
    shown = bool(found.show_default) and found.default not in (None, False, "", [], ())
    return Parameter(
        names, "" if flag or not is_option else metavar, _prose(found.help or ""), found.required,
        str(getattr(found.default, "value", found.default)) if shown else "", is_option,
    )  # fmt: skip


def _prose(marked: str) -> Prose:
    """Read text with rich's markup: what it sets apart is code."""
    text = Text.from_markup(marked, emoji=False)
    cuts = sorted({0, len(text), *(cut for span in text.spans for cut in (span.start, span.end))})
    pieces = []
    for start, end in pairwise(cuts):
        code = any(span.start <= start < span.end for span in text.spans)
        pieces.append(Words(text.plain[start:end], code))
    return tuple(pieces)


def _example(block: Prose) -> Example:
    line, *rest = block
    return Example(line.text, "".join(piece.text for piece in rest).strip())
