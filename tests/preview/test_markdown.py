"""The comment on a pull request: as it looks, and that nothing in a file can forge any of it."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.commands.fleet_world import DOCKER, HELIOS, Fleet, assert_plain
from tsunami_cli.core.values import printable
from tsunami_cli.output.preview_markdown import LIMIT, block, cell, code

GOLDEN = Path(__file__).parent / "golden"
OURS = re.compile(r"</?(details|summary)>")
EVIL = "EVIL"

FORGED = {
    "a mention": f"@{EVIL}/team and @{EVIL}",
    "a link": f"[{EVIL}](https://{EVIL}.example) <https://{EVIL}.example> https://{EVIL}.example www.{EVIL}.example",
    "an image": f"![{EVIL}](https://{EVIL}.example/x.png)",
    "HTML": f"<img src=x onerror={EVIL}> <!-- {EVIL} </details></summary><b>{EVIL}</b>",
    "the end of the code": f"`{EVIL}` ``{EVIL}`` ```{EVIL}``` `",
    "a bar": f"x | **{EVIL}** | \\| **{EVIL}** \\\\| **{EVIL}** |",
    "a backslash": f"{EVIL}\\",
    "a fence": f"```\n**{EVIL}**\n~~~\n# {EVIL}",
    "a heading": f"\n\n# {EVIL}\n\n- [x] {EVIL}",
    "an issue": f"#1 !1 ~{EVIL} %{EVIL} &1 $1 :tada: GH-1 {EVIL}/x#1 {EVIL}@example.com",
    "a command": f"\n/close {EVIL}\n/label ~{EVIL}",
    "a CI command": f"::error::{EVIL} ##[error]{EVIL}",
    "a reference": f"\n\n[{EVIL}]: https://{EVIL}.example\n\n[{EVIL}]",
    "entities": f"&lt;b&gt; &#64;{EVIL} &#x40;{EVIL}",
    "math": f"$`{EVIL}`$ $${EVIL}$$",
    "directions": f"\u202e{EVIL}\u2066\u200f",
    "escapes": f"\x1b[31m{EVIL}\x07",
    "long": EVIL * 200,
}


def inner(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from inner(token.children or [])


def assert_only_code(comment: str, text: str = EVIL) -> None:
    """Assert that a text stands in code alone, and that all HTML, links and images are ours: there are none."""
    parser = MarkdownIt("commonmark", {"html": True}).enable("table")
    for token in inner(parser.parse(comment)):
        if token.type in ("code_inline", "fence") or token.type == "inline":
            continue
        assert token.type not in ("link_open", "image", "code_block"), token
        if token.type in ("html_block", "html_inline"):
            assert re.fullmatch(r"[a-z0-9 _-]*", OURS.sub("", token.content).strip()), token.content
        assert text not in token.content, token
        assert "@" not in token.content, token


def forge(fleet: Fleet, text: str) -> None:
    """Put a text wherever a file lets anybody write."""
    quoted = json.dumps(text)
    fleet.write(
        {
            HELIOS: f"name: helios\nvalue: {{type: string}}\ndefault: {quoted}\n"
            f"description: {quoted}\nowner: {quoted}\n"
            f"pins: [{{hosts: ['*-a1'], value: {quoted}, reason: {quoted}}}]\n"
            f"slos: [{{name: slow, query: {quoted}, objective: '<= 1'}}]\n"
            f"limits: {{{quoted}: {{at_least: 1}}}}\nfirst: [{quoted}]\n"
            'rollouts:\n  - id: helios-20261116T090000Z\n    selection: 1\n    from: ["0.9.10"]\n'
            f"    to: {json.dumps(text + '2')}\n    over: 1h\n    schedule:\n"
            "      - {at: 2026-11-16T09:00:00Z, percent: 0}\n      - {at: 2026-11-16T09:00:00Z, percent: 50}\n"
            "      - {at: 2026-11-16T10:00:00Z, percent: 100}\n",
            "rollouts/broken.yaml": f"name: broken\n{quoted}: {quoted}\n",
            "tsunami.yaml": fleet.read("tsunami.yaml").replace("fleet: backend", f"fleet: backend\n{quoted}: {quoted}"),
        }
    )


@pytest.mark.parametrize("text", FORGED.values(), ids=FORGED)
def test_text_from_files_is_code_and_nothing_else(fleet: Fleet, text: str) -> None:
    forge(fleet, text)
    said = fleet.run("preview", "--markdown")
    assert (said.code, said.err) == (1, ""), said
    assert EVIL in said.out
    assert_only_code(said.out)
    assert_plain(said.out)
    assert not re.search(r"^\s*(::|/)", said.out, re.MULTILINE)
    assert "::error::" not in said.out
    screen = fleet.run("preview")
    assert_plain(screen.out)
    assert "::error::" not in screen.out


@pytest.mark.parametrize("name", [f"@{EVIL} <b>{EVIL}`|", f"[{EVIL}](x)", f"__{EVIL}__", f"{EVIL}\x1b[31m"])
def test_names_of_files_are_code_too(fleet: Fleet, name: str) -> None:
    fleet.write({f"rollouts/{name}.yaml": "name: x\n"})
    said = fleet.run("preview", "--markdown")
    assert said.code == 1
    assert_only_code(said.out)
    assert_plain(said.out)


def test_reasons_and_branches_are_code_too(fleet: Fleet) -> None:
    """All of them one after the other: of each decision the reason is shown."""
    base = f"{EVIL}<b>@{EVIL}`#1"
    fleet.git("branch", base)
    fleet.ok("start", "helios", "--to", "0.9.12", "--over", "24h", "--reason", "\n".join(FORGED.values()))
    for place, text in enumerate([*FORGED.values()][:7]):
        fleet.ok("pin", "helios", "--to", "0.9.10", "--host", f"*-a{place + 1}", "--reason", text)
    out = fleet.ok("preview", "--base", base, "--markdown")
    assert out.count("pin by Ada Operator") == 7
    assert_only_code(out)
    assert_plain(out)


@pytest.mark.parametrize("text", FORGED.values(), ids=FORGED)
@pytest.mark.parametrize(
    "write", [code, lambda text: f"|{cell(text)}|b|\n|-|-|\n|{cell(text)}|b|", lambda t: block([t])]
)
def test_code_is_one_piece_that_says_what_it_held(text: str, write) -> None:  # type: ignore[no-untyped-def]
    parser = MarkdownIt("commonmark", {"html": True}).enable("table")
    found = [token for token in inner(parser.parse(write(text))) if token.type in ("code_inline", "fence")]
    assert len(found) in (1, 2)
    for token in found:
        said = token.content.strip()
        assert said.replace("¦", "|") == printable(text).strip()
    assert_only_code(write(text))


def test_a_comment_is_never_too_long(fleet: Fleet) -> None:
    text = "name: {0}\nvalue: {{type: string}}\ndefault: {1}\n"
    files = {f"rollouts/v{number}.yaml": text.format(f"v{number}", "x" * 400) for number in range(300)}
    fleet.write({**files, "rollouts/a.yaml": f"name: a\n{'?' * 200}\n"})
    said = fleet.run("preview", "--markdown")
    assert len(said.out) < LIMIT + 200
    assert "did not fit: `tsunami preview --json` has all of it." in said.out
    assert "261 more to say: `tsunami preview --json` has all" in said.out
    assert said.out.count("<details>") == said.out.count("</details>")
    assert_only_code(said.out)


def golden(name: str, text: str) -> None:
    """Compare with what is stored; PYTEST_GOLDEN=write stores it anew."""
    file = GOLDEN / name
    text = re.sub(r"\b[0-9a-f]{7}\b", "c0ffee5", text)
    if os.environ.get("PYTEST_GOLDEN") == "write":
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    assert text == file.read_text()


def test_the_comment_on_a_rollout(fleet: Fleet) -> None:
    fleet.git("branch", "before")
    fleet.ok(
        "start", "docker", "--to", "1.12.3", "--over", "14d", "--at", "2026-11-23T08:00:00Z", "--reason", "proxy fix"
    )
    fleet.write(
        {DOCKER: fleet.read(DOCKER).replace("accesspoint: {at_least: 1", "accesspoint: {at_least: 1, at_most: 30%")}
    )
    golden("rollout.md", fleet.ok("preview", "--base", "before", "--markdown"))


def test_the_comment_on_trouble(running: Fleet) -> None:
    text = running.read(HELIOS)
    running.write(
        {
            HELIOS: text.replace("at: 2026-11-16T09:00:00Z", "at: 2020-11-16T09:00:00Z"),
            DOCKER: running.read(DOCKER).replace('default: "1.12.1"', "default: 1.10"),
            "inventory.csv": running.read("inventory.csv").replace("sto1-search-a2,search", "sto1-search-a2,proxy"),
            "tsunami.yaml": running.read("tsunami.yaml").replace("every: 1h", "every: 2h"),
        }
    )
    (running.root / "rollouts/somaxconn.yaml").unlink()
    said = running.run("preview", "--markdown")
    assert said.code == 1
    golden("trouble.md", said.out)


def test_the_screen(running: Fleet) -> None:
    running.patch.setenv("COLUMNS", "100")
    running.write({HELIOS: running.read(HELIOS).replace("2026-11-17T09:00:00Z", "2026-11-16T21:00:00Z")})
    screen = running.ok("preview")
    assert max(map(len, screen.splitlines())) <= 100
    assert not [line for line in screen.splitlines() if line != line.rstrip()]
    golden("screen.txt", screen)
