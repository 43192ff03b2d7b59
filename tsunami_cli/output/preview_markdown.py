"""What a change will do, as a comment on a pull request: Markdown as GitHub and GitLab read it.

Text from outside stands in code spans and code blocks alone: nothing in those is a link, an image, a mention, a
reference to an issue or a command, and HTML is text there.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from tsunami_cli.core.previewing.preview import Preview, VariableChange
from tsunami_cli.core.previewing.remark import Remark
from tsunami_cli.core.values import printable
from tsunami_cli.output.preview import WORDS
from tsunami_cli.output.preview_headlines import headline
from tsunami_cli.output.preview_words import (
    Foreign,
    Sentence,
    cut,
    decided_lines,
    details,
    effect_text,
    ends_text,
    inventory_details,
    inventory_headline,
    key_text,
    nothing_text,
    source_text,
    states_text,
)
from tsunami_cli.output.streams import count_of
from tsunami_cli.output.times import local

LIMIT = 60_000
"""Characters of a comment: GitHub takes 65,536, and whoever posts it may want to add a line."""
MOST = 40
"""Variables and problems that are listed."""
SIGNS = {"error": "❌", "warning": "⚠️", "info": "💬"}
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_RUN = re.compile("`+")
_MARGIN = 10
"""Characters that a label has within a code block."""


def comment(found: Preview) -> str:
    """Return the comment, no longer than such a comment may be."""
    if found.empty:
        return f"### Rollouts\n\n{said(nothing_text(found))}\n"
    parts, size, left = [], 0, 0
    for part in _parts(found):
        # Once one does not fit, none does: a reader must not take what follows for all there is.
        if left or size + len(part) > LIMIT:
            left += 1
            continue
        parts.append(part)
        size += len(part)
    note = (
        f"\nCut here, {count_of(left, 'part')} did not fit: `tsunami preview --json` has all of it.\n" if left else ""
    )
    return "".join(parts) + note


def said(sentence: Sentence) -> str:
    """Return a sentence with what is not ours in code spans."""
    return "".join(code(piece) if isinstance(piece, Foreign) else piece for piece in sentence)


def code(text: str) -> str:
    """Return text as a code span, whatever it holds."""
    line = printable(text).strip() or " "
    fence = "`" * (max(map(len, _RUN.findall(line)), default=0) + 1)
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def cell(text: str) -> str:
    """Return text as a code span in a table, where a bar would end the cell, even in code and after a backslash."""
    return code(text.replace("|", "¦"))


def block(lines: Iterable[str]) -> str:
    """Return lines as a code block, whatever they hold."""
    text = "\n".join(printable(line).rstrip() for line in lines)
    fence = "`" * max(3, max(map(len, _RUN.findall(text)), default=0) + 1)
    return f"{fence}text\n{text}\n{fence}\n"


def _parts(found: Preview) -> Iterator[str]:
    """Yield the comment in parts that each stand alone, the most important first."""
    yield f"### Rollouts: {said(ends_text(found))}\n\n"
    yield from _capped(_headlines(found), "more to say")
    yield from _problems(found.problems)
    if found.variables:
        yield _table(found.variables)
    for one in found.variables:
        yield _details(one.name, details(one, found.now))
    if found.inventory is not None:
        yield _details("inventory", inventory_details(found.inventory))
    if found.settings:
        labels = ("changed", *[""] * len(found.settings))
        lines = zip(labels, map(key_text, found.settings), strict=False)
        yield _details("settings", [*lines, *decided_lines(found.decisions)])
    yield f"\n{local(found.now)}, {source_text(found)}.\n"


def _headlines(found: Preview) -> Iterator[str]:
    for one in found.variables:
        yield f"- {_bold(one.name)} {said(headline(one, found.now))}\n"
    if found.inventory is not None:
        yield f"- **inventory** {inventory_headline(found.inventory)}\n"
    if found.settings:
        more = f" and {len(found.settings) - 3} more" if len(found.settings) > 3 else ""
        yield f"- **settings** {', '.join(code(key_text(change)) for change in found.settings[:3])}{more}\n"
    for effect in found.effects:
        yield f"- {_bold(effect.name)} its file stays, but {code(effect_text(effect))}\n"


def _capped(lines: Iterable[str], what: str) -> Iterator[str]:
    listed = list(lines)
    yield from listed[:MOST]
    if len(listed) > MOST:
        yield f"- and {len(listed) - MOST:,} {what}: `tsunami preview --json` has all\n"


def _problems(problems: Sequence[Remark]) -> Iterator[str]:
    if problems:
        yield "\n"
        yield from _capped(map(_problem, problems), "more to stop at")


def _problem(remark: Remark) -> str:
    place = code(cut(f"{remark.file}:{remark.line}"))
    where = f" {code(cut(remark.where))}" if remark.where else ""
    return f"- {SIGNS[remark.severity]} **{WORDS[remark.severity]}** {place}{where} {code(cut(remark.message))}\n"


def _table(variables: Sequence[VariableChange]) -> str:
    """Return a row for each variable: state, and exact counts by value."""
    rows = ["\n| variable | state | hosts by value | told anew at once |\n", "|---|---|---|---:|\n"]
    for one in variables[:MOST]:
        rows.append(f"| {cell(one.name)} | {states_text(one, ' → ')} | {_values(one)} | {len(one.turns):,} |\n")
    if len(variables) > MOST:
        rows.append(f"\nand {len(variables) - MOST:,} more variables.\n")
    return "".join(rows)


def _values(one: VariableChange) -> str:
    from tsunami_cli.core.values import brief

    old, new = (side.values if side else {} for side in (one.before, one.after))
    values = list({**old, **new})
    sizes = ((value, old.get(value, 0), new.get(value, 0)) for value in values[:4])
    parts = [f"{cell(brief(v))} {a:,}" if a == b else f"{cell(brief(v))} {a:,} → {b:,}" for v, a, b in sizes]
    more = f" and {len(values) - 4} more" if len(values) > 4 else ""
    return ", ".join(parts) + more if parts else "-"


def _details(name: str, lines: Iterable[tuple[str, str]]) -> str:
    # In the summary Markdown is not read, and HTML is: nothing but a plain name may stand there.
    summary = name if _NAME.fullmatch(name) else "another file"
    text = block(f"{label:<{_MARGIN}} {line}" for label, line in lines)
    return f"\n<details><summary>{summary}</summary>\n\n{text}\n</details>\n"


def _bold(name: str) -> str:
    """Return a variable's name in bold; a file may have any name."""
    return f"**{name}**" if _NAME.fullmatch(name) and "_" not in name else f"**{code(cut(name))}**"
