"""The man page, in roff: one for all commands."""

import re
from collections.abc import Iterable, Iterator, Mapping

from docs.generator.commands import Command, Parameter, Prose, each, program
from docs.generator.pages import said
from docs.generator.words import ENVIRONMENT, EXIT_CODES, FILES, PURPOSE, SET_FOR_OTHERS

_GLYPHS = {"\\": "\\e", "-": "\\-", "'": "\\(aq", "^": "\\(ha", "~": "\\(ti", "`": "\\(ga", '"': "\\(dq"}
NOTE = '.\\" Written by docs/reference.py, which asks the program: change it there.'


def manual() -> str:
    """Return `tsunami.1`."""
    tsunami = program()
    lines = [NOTE, '.TH TSUNAMI 1 "" "Tsunami" "User Commands"', ".SH NAME", f"tsunami \\- {_text(PURPOSE)}"]
    lines += [".SH SYNOPSIS", ".nf", *(f"\\fB{typed(one.usage)}\\fR" for one in _lowest(tsunami)), ".fi"]
    lines += [".SH DESCRIPTION", _sentence(tsunami.summary)]
    lines += [".SH OPTIONS", *_parameters(tsunami.options), ".TP", "\\fB\\-\\-help\\fR, \\fB\\-h\\fR"]
    lines += ["Of every command: how it is used."]
    lines += [".SH COMMANDS"]
    for panel in dict.fromkeys(command.panel for command in tsunami.verbs):
        lines += [f".SS {_text(panel)}"]
        for command in each(tsunami):
            if command.panel == panel:
                lines += _command(command)
    lines += [".SH EXIT STATUS", *_terms({str(code): text for code, text in EXIT_CODES.items()})]
    lines += [".SH ENVIRONMENT"]
    for group in (*ENVIRONMENT.values(), SET_FOR_OTHERS):
        lines += _terms(group)
    examples = [f"$ {typed(command.examples[0].line)}" for command in each(tsunami) if command.examples]
    lines += [".SH FILES", *_terms(FILES), ".SH EXAMPLES", ".EX", *examples, ".EE"]
    lines += [".SH SEE ALSO", ".BR git (1),", ".BR jq (1)"]
    return "\n".join(lines) + "\n"


def _lowest(command: Command) -> Iterator[Command]:
    """Yield the commands that do something."""
    return (one for one in each(command) if not one.verbs)


def _command(command: Command) -> Iterator[str]:
    yield from (".TP", f"\\fB{typed(command.usage)}\\fR", _sentence(command.summary))
    if command.paragraphs or command.parameters:
        yield ".RS"
        for paragraph in command.paragraphs:
            yield from (".PP", _sentence(paragraph))
        yield from _parameters([*command.arguments, *command.options])
        yield ".RE"


def _parameters(parameters: Iterable[Parameter]) -> Iterator[str]:
    for one in parameters:
        names = ", ".join(f"\\fB{typed(name)}\\fR" for name in one.names)
        yield from (".TP", f"{names} \\fI{typed(one.metavar)}\\fR" if one.metavar else names)
        must = " Required." if one.required and one.is_option else ""
        default = f" Default: {one.default}." if one.default else ""
        yield _text(f"{said(one.help)}{must}{default}") or "\\&"


def _terms(terms: Mapping[str, str]) -> Iterator[str]:
    for term, meaning in terms.items():
        yield from (".TP", f"\\fB{typed(term)}\\fR", _text(meaning))


def _sentence(prose: Prose) -> str:
    return _text(said(prose))


def typed(text: str) -> str:
    """Return what is typed: every character as itself, so that it can be copied."""
    return _shielded("".join(_GLYPHS.get(character, character) for character in text))


def _text(text: str) -> str:
    """Return running text, in which only a hyphen between letters is one."""
    kept = re.sub(r"(?<=[a-z])-(?=[a-z])", "\0", text)
    return typed(kept).replace("\0", "-")


def _shielded(line: str) -> str:
    """Keep a line's first character from being a request, and what is not ASCII from being lost."""
    line = "".join(one if one.isascii() else f"\\[u{ord(one):04X}]" for one in line)
    return f"\\&{line}" if line.startswith(".") else line
