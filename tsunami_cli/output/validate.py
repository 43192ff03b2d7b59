"""Problems, as lines and as JSON."""

from collections.abc import Sequence
from dataclasses import asdict

from tsunami_cli.core.problems import Problem
from tsunami_cli.core.values import printable
from tsunami_cli.output.streams import OLD, TROUBLE, console, count_of, emit


def show(problems: Sequence[Problem], files: int, *, as_json: bool) -> None:
    """Write every problem, and how many there are, to stdout."""
    errors = [problem for problem in problems if problem.severity == "error"]
    if as_json:
        emit({"ok": not errors, "problems": [asdict(problem) for problem in problems]})
        return
    from rich.text import Text

    out = console()
    for problem in problems:
        line = Text(f"{printable(problem.file)}:{problem.line}:{problem.column}", OLD)
        if problem.where:
            line.append(f"  {printable(problem.where)}", "default")
        kind = "  warning: " if problem.severity == "warning" else "  "
        out.print(
            line.append(f"{kind}{printable(problem.message)}", TROUBLE if problem.severity == "error" else "default")
        )
    out.print(_summary(problems, errors, files))


def _summary(problems: Sequence[Problem], errors: Sequence[Problem], files: int) -> str:
    warnings = len(problems) - len(errors)
    counts = [count_of(len(errors), "error"), count_of(warnings, "warning")]
    said = " and ".join(count for count, n in zip(counts, (len(errors), warnings), strict=True) if n)
    if not problems:
        return f"{count_of(files, 'file')}: nothing wrong"
    return f"{said} in {len({problem.file for problem in problems})} of {count_of(files, 'file')}"
