"""The reference, the man page and the completions say what the program says today."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from docs.generator import commands, manual, pages, written
from docs.generator.words import ENVIRONMENT, EXIT_CODES, SET_FOR_OTHERS
from tsunami_cli import cli

ROOT = Path(__file__).parents[1]
AGAIN = "write it anew: .venv/bin/python docs/reference.py"


@pytest.mark.parametrize("path", written.WRITTEN)
def test_what_is_written_is_what_the_program_says(path: str) -> None:
    lines = written.stale(path)
    assert not lines, "\n".join([f"docs/{path} is stale, {AGAIN}", *lines[:40]])


def test_it_is_the_same_in_every_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"COLUMNS": "20", "FORCE_COLOR": "1", "LC_ALL": "C", "TERM": "dumb", "TZ": "Asia/Tokyo"}.items():
        monkeypatch.setenv(name, value)
    assert not [path for path in written.WRITTEN if written.stale(path)], AGAIN


def test_a_changed_flag_makes_it_stale(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from tsunami_cli.commands import halt

    def command(*, really: bool = False) -> None:
        """Halt."""

    monkeypatch.setattr(halt, "command", command)
    assert written.main(["--check"]) == 1
    said = capsys.readouterr().out
    assert "+| `--really`, `--no-really` |" in said, said
    assert "docs/man/tsunami.1, today" in said


def test_every_command_has_a_section_with_an_example() -> None:
    text = pages.commands()
    bare = [
        command.name
        for command in commands.each(commands.program())
        if f"# {command.name}\n" not in text or not (command.examples or command.verbs or command.name.endswith("demo"))
    ]
    assert set(cli.COMMANDS) == {command.name.split()[1] for command in commands.each(commands.program())}
    assert not bare, f"{bare} have no example in their help"


def test_every_link_leads_somewhere() -> None:
    for path in (path for path in written.WRITTEN if path.endswith(".md")):
        page = ROOT / "docs" / path
        text = page.read_text("utf-8")
        headings = {pages.anchor(heading) for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)}
        assert set(re.findall(r"\]\(#([^)]*)\)", text)) <= headings
        for target in re.findall(r"\]\(([^)#:]+)\)", text):
            assert (page.parent / target).exists(), f"{path} links to {target}"


def test_nouns_have_their_verbs_below_them(monkeypatch: pytest.MonkeyPatch) -> None:
    from tsunami_cli.commands import demo

    def load(what: str, as_json: bool = False) -> None:
        """Take it in.

        [dim]tsunami demo load hosts[/]
        """

    monkeypatch.setattr(demo, "COMMANDS", {"load": load}, raising=False)
    noun = next(one for one in commands.program().verbs if one.name == "tsunami demo")
    assert [(verb.name, verb.usage) for verb in noun.verbs] == [
        ("tsunami demo load", "tsunami demo load WHAT [OPTIONS]")
    ]
    assert noun.usage == "tsunami demo {load} ..."
    assert "#### tsunami demo load\n\nTake it in.\n" in pages.commands()
    assert "\\fBtsunami demo load WHAT [OPTIONS]\\fR" in manual.manual()


def test_the_environment_is_what_the_program_reads() -> None:
    read: set[str] = set()
    for file in Path(cli.__file__).parent.rglob("*.py"):
        read |= set(re.findall(r"\bTSUNAMI_[A-Z_]*[A-Z]\b", file.read_text("utf-8")))
    told = {name for group in ENVIRONMENT.values() for name in group if name.startswith("TSUNAMI_")}
    assert read == told | set(SET_FOR_OTHERS), "docs/generator/words.py has a table of them"


def test_the_exit_codes_are_those_of_errors() -> None:
    from tsunami_cli import errors

    codes = {kind.exit_code for kind in (errors.Refused, errors.Usage, errors.Unreachable)}
    assert codes | {0, 3, 130} == set(EXIT_CODES)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a-z", "a\\-z"),
        (".b c", "\\&.b c"),
        ("--to V", "\\-\\-to V"),
        ("'^\\d+$'", "\\(aq\\(ha\\ed+$\\(aq"),
        ("it's é", "it\\(aqs \\[u00E9]"),
    ],
)
def test_roff_takes_every_character_as_itself(text: str, expected: str) -> None:
    assert manual.typed(text) == expected


def test_the_man_page_is_what_groff_takes_without_a_warning() -> None:
    if shutil.which("groff") is None:
        pytest.skip("there is no groff")
    words = ("groff", "-man", "-ww", "-Tutf8", "-rLL=200n", str(ROOT / "docs" / "man" / "tsunami.1"))
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if "device directory" in done.stderr or "macro" in done.stderr:
        pytest.skip("this groff has no macros for man pages")
    assert (done.returncode, done.stderr) == (0, "")
    plain = re.sub(r"\x1b\[[0-9;]*m|.\x08", "", done.stdout)
    for example in ("--pattern '^\\d+\\.\\d+\\.\\d+$'", "tsunami start VAR --to V --over D", "EXIT STATUS"):
        assert example in plain, example


def test_markdown_takes_every_character_as_itself() -> None:
    table = {
        "a to z, _ and *": "a to z, \\_ and \\*",
        "in rollouts/<variable>.yaml": "in rollouts/\\<variable>.yaml",
        "at_most, see `limits`": "at_most, see `limits`",
        "else TSUNAMI_NOW=1 or --json": "else `TSUNAMI_NOW=1` or `--json`",
        "A $ref to #/$defs/NAME": "A `$ref` to `#/$defs/NAME`",
        "s3://bucket/prefix or [a]": "`s3://bucket/prefix` or \\[a\\]",
    }
    assert {text: pages.markdown(text) for text in table} == table
