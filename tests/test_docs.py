"""The docs hang together: every link leads to a file and a heading, and every page is reached from the index."""

import re
from pathlib import Path

import pytest

from tests.pages import DOCS

ROOT = DOCS.parent
INDEX = DOCS / "README.md"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]

_FENCE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
_CODE = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)", re.DOTALL)
_LINK = re.compile(r"\]\(\s*([^)\s]+)\s*\)")
_HEADING = re.compile(r"^#{1,6} +(.*?) *#*$", re.MULTILINE)


def targets(text: str) -> list[str]:
    """Return where the links of a page lead within the repository; what is shown as code is no link."""
    prose = _CODE.sub("", _FENCE.sub("", text))
    return [target for target in _LINK.findall(prose) if not re.match(r"[a-z]+:", target)]


def anchors(text: str) -> set[str]:
    """Return the names that GitHub gives to the headings of a page."""
    found: set[str] = set()
    for heading in _HEADING.findall(_FENCE.sub("", text)):
        words = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower()
        name = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        count = 0
        while (numbered := f"{name}-{count}" if count else name) in found:
            count += 1
        found.add(numbered)
    return found


def problem(page: Path, target: str) -> str | None:
    """Say what is wrong with a link."""
    path, _, anchor = target.partition("#")
    file = (page.parent / path).resolve() if path else page
    if not file.exists():
        return f"{target}: there is no such file"
    if anchor and (file.suffix != ".md" or anchor not in anchors(file.read_text("utf-8"))):
        return f"{target}: there is no such heading"
    return None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_a_file_and_a_heading(page: Path) -> None:
    assert not [found for target in targets(page.read_text("utf-8")) if (found := problem(page, target))]


def test_every_page_is_reached_from_the_index() -> None:
    seen, waiting = {INDEX}, [INDEX]
    while waiting:
        page = waiting.pop()
        reached = {(page.parent / target.partition("#")[0]).resolve() for target in targets(page.read_text("utf-8"))}
        new = {file for file in reached - seen if file.suffix == ".md" and file.is_file()}
        seen |= new
        waiting += new
    assert not [str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md") if page not in seen]


def test_the_index_itself_names_every_page_once() -> None:
    named = [target for target in targets(INDEX.read_text("utf-8")) if target.endswith(".md") and target[0] != "."]
    assert sorted(named) == sorted(str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md") if page != INDEX)


@pytest.mark.parametrize(
    ("text", "leads", "names"),
    [
        ("# A role of ten hosts\n[a](b.md#c)", ["b.md#c"], {"a-role-of-ten-hosts"}),
        ("## Again\n## Again\n", [], {"again", "again-1"}),
        ("## `at_most`, 30 %: *no*\n", [], {"at_most-30--no"}),
        ("```text\n# no heading\n[no](link.md)\n```\n", [], set()),
        ("`[no](link.md)` ![yes](a.svg)\n[out](https://example.com)", ["a.svg"], set()),
        ("## [A page](x.md)\n", ["x.md"], {"a-page"}),
    ],
)
def test_links_and_headings_are_found(text: str, leads: list[str], names: set[str]) -> None:
    assert (targets(text), anchors(text)) == (leads, names)


@pytest.mark.parametrize(
    ("target", "wrong"), [("halts.md", False), ("#halts", True), ("halts.md#by-hand", False), ("halt.md", True)]
)
def test_a_wrong_link_is_noticed(target: str, wrong: bool) -> None:
    assert bool(problem(INDEX, target)) is wrong
