"""Workflows as data, and the values of their expressions. What is not known here fails the test."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
_WORD = re.compile(r"'(?:[^']|'')*'|[A-Za-z_][\w.-]*\(?|&&|\|\||[!=]=|!|\s+|.")
_WORDS = {"&&": " and ", "||": " or ", "!": " not ", "true": "True", "false": "False"}

Contexts = Mapping[str, Mapping[str, Any]]


def load(path: Path) -> dict[str, Any]:
    """Read a workflow, whose `on:` is no boolean."""
    found: dict[Any, Any] = yaml.safe_load(path.read_text("utf-8"))
    return {("on" if key is True else key): value for key, value in found.items()}


def run_steps(path: str, root: Path = ROOT) -> set[tuple[str, str]]:
    """Return the steps of a file that run a script."""
    found = load(root / path)
    jobs = [found["runs"]] if "runs" in found else found["jobs"].values()
    return {(path, step["name"]) for job in jobs for step in job.get("steps", ()) if "run" in step}


def evaluate(expression: str, contexts: Contexts) -> Any:
    """Return the value of an expression; KeyError or NameError for what is not known."""

    def look(name: str) -> Any:
        context, _, key = name.partition(".")
        return contexts[context][key]

    def word(text: str) -> str:
        if text[0] == "'":
            return repr(text[1:-1].replace("''", "'"))
        return _WORDS.get(text) or (f"look({text!r})" if re.fullmatch(r"[A-Za-z_].*[^(]", text) else text)

    def format(text: str, *values: object) -> str:
        return text.format(*values)

    python = "".join(word(match[0]) for match in _WORD.finditer(expression.strip()))
    return eval(python.strip(), {"look": look, "format": format, "cancelled": lambda: False})


def resolved(value: Any, contexts: Contexts) -> Any:
    """Put the values of expressions into a value of a workflow."""
    if not isinstance(value, str):
        return value
    if whole := re.fullmatch(r"\$\{\{((?:(?!\}\}).)*)\}\}", value):
        return evaluate(whole[1], contexts)
    return re.sub(r"\$\{\{(.*?)\}\}", lambda match: shown(evaluate(match[1], contexts)), value)


def shown(value: Any) -> str:
    """Return a value as it gets into an environment."""
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
