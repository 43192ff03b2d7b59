"""`tsunami new`: a variable."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import typer

from tsunami_cli.commands.deciding import Decider, Made
from tsunami_cli.commands.fleet import FOLDER, Fleet, load_variable
from tsunami_cli.commands.options import Folder, Json, Reason
from tsunami_cli.core.decisions import Change
from tsunami_cli.core.values import brief, read_as, yaml_quoted, yaml_text
from tsunami_cli.errors import Refused


class Kind(StrEnum):
    """What a value is."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"


def command(
    var: Annotated[str, typer.Argument(metavar="VAR", help="The variable's name: a to z, 0 to 9, _ and -.")],
    default: Annotated[str, typer.Option("--default", metavar="V", help="What every host has to begin with.")],
    kind: Annotated[Kind, typer.Option("--type", help="What its values are.")] = Kind.STRING,
    pattern: Annotated[
        str | None,
        typer.Option("--pattern", metavar="RE", help="A regular expression for text values.", show_default=False),
    ] = None,
    description: Annotated[str, typer.Option("--description", metavar="D", help="What it is, in a line.")] = "",
    reason: Reason = None,
    as_json: Json = False,
    folder: Folder = None,
) -> int:
    r"""Make a variable: one file under rollouts/, committed.

    [dim]tsunami new docker --default 1.12.1 --pattern '^\d+\.\d+\.\d+$' --description "Docker Engine"[/]

    [dim]tsunami new somaxconn --default 4096 --type integer[/]
    """
    from tsunami_cli.output import decided as screen

    file = f"{FOLDER}/{var}.yaml"
    data = _text(var, default, kind, pattern, description).encode()

    def make(fleet: Fleet) -> Sequence[Made]:
        if var in fleet.names:
            raise Refused(f"{file}: is there already: change it with an editor, or start a rollout of it")
        loaded = load_variable(data, file, tuple(fleet.inventory.labels))
        if loaded.variable is None:
            raise Refused(f"{var}: {loaded.errors[0].where}: {loaded.errors[0].message}")
        subject = f"{var}: new, {brief(loaded.variable.default)} everywhere"
        return [Made(Change("new", loaded.variable, (), subject), loaded)]

    decider = Decider(folder)
    decided = decider.decide(make, reason)
    screen.show(decided, decider.now, as_json=as_json)
    return decided.exit_code


def _text(name: str, default: str, kind: Kind, pattern: str | None, description: str) -> str:
    """Return the file of a new variable."""
    try:
        value = read_as(default, (kind.value,))
    except ValueError as reason:
        raise Refused(f"{name}: --default {reason}") from None
    schema = f"type: {kind.value}" + (f", pattern: {yaml_quoted(pattern)}" if pattern else "")
    lines = [
        "# yaml-language-server: $schema=../schemas/variable.schema.json",
        f"name: {yaml_quoted(name)}",
        f"description: {yaml_quoted(description or name)}",
        f"value: {{{schema}}}",
        f"default: {yaml_text(value)}",
        "rollouts: []",
    ]
    return "\n".join(lines) + "\n"
