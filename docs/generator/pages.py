"""The reference of commands, exit codes and the environment, as Markdown."""

import re
from collections.abc import Iterable, Iterator, Mapping

from docs.generator.commands import Command, Parameter, Prose, each, program
from docs.generator.words import ENVIRONMENT, EXIT_CODES, SET_FOR_OTHERS

NOTE = "<!-- Written by docs/reference.py, which asks the program: change it there. -->"
_TYPED = re.compile(
    r"`([^`]+)`|(?<![\w/.-])"
    r"(--[a-z][a-z-]*|[A-Z]+(?:_[A-Z0-9]+)+(?:=\d+)?|(?:s3|gs|az)://[\w/]*|(?:publish|guard)\.[a-z_]+|[#/]*\$\w[\w/]*)"
)
"""What is code in a plain text: what stands in backquotes; options, variables, addresses, keys, `$ref`."""


def commands() -> str:
    """Return `commands.md`."""
    tsunami = program()
    lines = [NOTE, "", "# Commands", "", escaped(said(tsunami.summary)), ""]
    lines += ["Every command has `--help`, or `-h`. Before any command, or in the place of one:", ""]
    lines += [*table(("option", "does"), _rows(tsunami.options)), ""]
    panels = dict.fromkeys(command.panel for command in tsunami.verbs)
    for panel in panels:
        names = [command.name for command in tsunami.verbs if command.panel == panel]
        links = ", ".join(f"[{name.split(' ', 1)[1]}](#{anchor(name)})" for name in names)
        lines += [f"- **{panel}**: {links}"]
    for panel in panels:
        lines += ["", f"## {panel}"]
        for command in tsunami.verbs:
            if command.panel == panel:
                for one in (command, *each(command)):
                    lines += ["", *_section(one)]
    return "\n".join(lines) + "\n"


def exit_codes() -> str:
    """Return `exit-codes.md`."""
    lines = [NOTE, "", "# Exit codes and environment", "", "## Exit codes", ""]
    lines += table(("code", "means"), ((f"`{code}`", markdown(text)) for code, text in EXIT_CODES.items()))
    lines += ["", "An error is one line on stderr that names the file or the thing, and the way out.", ""]
    lines += ["## Environment", ""]
    for group, variables in ENVIRONMENT.items():
        lines += [f"### {group}", "", *_meanings(variables), ""]
    lines += ["### For others", "", *_meanings(SET_FOR_OTHERS)]
    return "\n".join(lines) + "\n"


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    """Return the lines of a table whose cells are Markdown."""
    lines = [head, tuple("---" for _ in head), *(tuple(cell.replace("|", "\\|") for cell in row) for row in rows)]
    return [f"| {' | '.join(cells)} |" for cells in lines]


def markdown(text: str) -> str:
    """Return plain text as Markdown, in which what can be typed is code."""
    parts, end = [], 0
    for typed in _TYPED.finditer(text):
        parts += [escaped(text[end : typed.start()]), f"`{typed[1] or typed[2]}`"]
        end = typed.end()
    return "".join([*parts, escaped(text[end:])])


def escaped(text: str) -> str:
    """Return plain text in which Markdown finds nothing to format."""
    return re.sub(r"([\\`*<\[\]]|(?<!\w)_|_(?!\w))", r"\\\1", text)


def said(prose: Prose) -> str:
    """Return a text in one line, without what sets its pieces apart."""
    return " ".join("".join(piece.text for piece in prose).split())


def anchor(heading: str) -> str:
    """Return what a heading is called in a link."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def _section(command: Command) -> Iterator[str]:
    yield f"{'####' if command.name.count(' ') > 1 else '###'} {command.name}"
    yield from ("", _prose(command.summary), "", "```text", command.usage, "```")
    for paragraph in command.paragraphs:
        yield from ("", _prose(paragraph))
    if command.parameters:
        yield from ("", *table(("argument or option", "does"), _rows([*command.arguments, *command.options])))
    if command.examples:
        yield from ("", "```console")
        for example in command.examples:
            yield from (f"$ {example.line}", *([example.answer] if example.answer else []))
        yield "```"


def _rows(parameters: Iterable[Parameter]) -> Iterator[tuple[str, str]]:
    for one in parameters:
        names = ", ".join(f"`{name}`" for name in [*one.names[:-1], one.spelled])
        must = " Required." if one.required and one.is_option else ""
        default = f" Default: `{one.default}`." if one.default else ""
        yield names, f"{_prose(one.help)}{must}{default}"


def _prose(prose: Prose) -> str:
    pieces = (f"`{piece.text.strip()}`" if piece.code else markdown(piece.text) for piece in prose)
    return " ".join("".join(pieces).split())


def _meanings(variables: Mapping[str, str]) -> list[str]:
    return table(("variable", "does"), ((f"`{name}`", markdown(text)) for name, text in variables.items()))
