"""What only a process of its own shows: exit codes, pipes, terminals, limits."""

import json
import os
import pty
import re
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO

import pytest

from tests.commands.fleet_world import HELIOS, ROOT, SIZES, Fleet, Said, assert_plain, assert_refused
from tsunami_cli import cli

COMMAND = (sys.executable, "-m", "tsunami_cli")
START = ("start", "helios", "--to", "0.9.12", "--over", "24h")


def run(
    fleet: Fleet,
    *words: str,
    stdout: int | IO[bytes] = subprocess.PIPE,
    before: Callable[[], None] | None = None,
    **environment: str,
) -> Said:
    """Run a command as a process of its own."""
    done = subprocess.run(
        (*COMMAND, *words),
        cwd=fleet.root,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
        preexec_fn=before,
    )
    return Said(done.returncode, (done.stdout or b"").decode(), done.stderr.decode())


def on_terminal(fleet: Fleet, *words: str, **environment: str) -> tuple[int, str]:
    """Run a command on a terminal; return its exit code and all that it wrote there."""
    main, side = pty.openpty()
    kept = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    process = subprocess.Popen(
        (*COMMAND, *words),
        cwd=fleet.root,
        env=kept | {"PYTHONPATH": str(ROOT), "TERM": "xterm-256color"} | environment,
        stdin=side,
        stdout=side,
        stderr=side,
    )
    os.close(side)
    written = b""
    try:
        while chunk := os.read(main, 65536):
            written += chunk
    except OSError:  # Linux: the other side was closed
        pass
    os.close(main)
    return process.wait(timeout=60), written.decode()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("get", "lon2-db-a1"), 0),
        (("--version",), 0),
        (("--help",), 0),
        (("start", "--help"), 0),
        (("get", "nope"), 1),
        (("validate", "nope"), 1),
        (("bogus",), 2),
        (("get",), 2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_the_process_exits_as_the_contract_says(still: Fleet, words: tuple[str, ...], code: int) -> None:
    said = run(still, *words)
    if code:
        assert_refused(said, code)
    else:
        assert (said.code, said.err) == (0, "")
        assert said.out


def test_a_dead_remote_is_exit_4(fleet: Fleet) -> None:
    fleet.git("remote", "add", "origin", str(fleet.root.parent / "gone.git"))
    assert_refused(run(fleet, *START), 4)


def test_a_bug_is_exit_3_and_one_line(fleet: Fleet) -> None:
    broken = fleet.root.parent / "broken"
    broken.mkdir()
    (broken / "sitecustomize.py").write_text(
        "import tsunami_cli.core.status as s\ndef f(*a, **k): raise ZeroDivisionError('one\\ntwo')\ns.status_of = f\n"
    )
    said = run(fleet, "status", PYTHONPATH=f"{broken}{os.pathsep}{ROOT}")
    assert_refused(said, 3)
    assert "ZeroDivisionError" in said.err
    assert "TSUNAMI_DEBUG=1" in said.err


@pytest.mark.parametrize(
    ("words", "code"),
    [(("get", "nope"), 1), (("bogus",), 2), (("get", "lon2-db-a1", "--at", "x"), 2)],
    ids=["a name", "a command", "an instant"],
)
def test_tsunami_debug_shows_where_and_changes_no_exit_code(still: Fleet, words: tuple[str, ...], code: int) -> None:
    said = run(still, *words, TSUNAMI_DEBUG="1")
    assert "Traceback" in said.err
    assert "tsunami_cli" in said.err
    assert said.out == ""
    assert said.code == code
    assert "Traceback" not in run(still, *words, TSUNAMI_DEBUG="0").err


@pytest.mark.parametrize(
    "words",
    [
        ("status",),
        ("plan",),
        ("log",),
        ("validate",),
        ("get", "lon2-search-a1"),
        ("explain", "lon2-search-a1", "helios"),
        ("render", "--out", "../out"),
        ("halt",),
    ],
    ids=lambda words: words[0],
)
def test_with_json_stdout_is_one_document_whatever_there_is_to_say(fleet: Fleet, words: tuple[str, ...]) -> None:
    fleet.ok(*START)
    fleet.git("checkout", "-q", "-b", "feature", "HEAD^")
    said = run(fleet, *words, "--json")
    assert said.code == 0
    json.loads(said.out)
    assert said.out.count("\n") == said.out.rstrip("\n").count("\n") + 1
    if words[0] not in ("log", "validate", "halt"):
        assert HELIOS in said.err, "that the checkout is not the branch goes to stderr"


def test_text_outside_of_ascii_is_written_whatever_the_locale(fleet: Fleet) -> None:
    fleet.ok("new", "motd", "--default", "grün → blau")
    for locale in ("C", "POSIX", "C.UTF-8"):
        said = run(fleet, "get", "lon2-db-a1", "--json", LC_ALL=locale, PYTHONUTF8="", PYTHONCOERCECLOCALE="0")
        assert (said.code, json.loads(said.out)["motd"]) == (0, "grün → blau"), locale
        assert run(fleet, "status", LC_ALL=locale).code == 0


def test_a_reader_that_has_had_enough_is_no_error(fleet: Fleet) -> None:
    fleet.ok(*START)
    for words in (("plan", "--json"), ("plan", "--all"), ("status",), ("--help",)):
        reader, writer = os.pipe()
        os.close(reader)
        with os.fdopen(writer, "wb") as out:
            said = run(fleet, *words, stdout=out)
        assert said.err == "", words
        assert said.code in (0, 141, -13), words


def test_a_full_disk_behind_stdout_is_one_line(still: Fleet) -> None:
    with Path("/dev/full").open("wb") as out:
        for words in (("status",), ("get", "lon2-db-a1"), ("plan", "--json")):
            assert_refused(run(still, *words, stdout=out), 1, words)


def test_a_closed_stdout_is_no_bug(still: Fleet) -> None:
    assert run(still, "status", stdout=subprocess.DEVNULL, before=lambda: os.close(1)).code != 3


def test_colours_are_for_terminals_alone(fleet: Fleet) -> None:
    fleet.ok(*START)
    fleet.at("2026-11-16T15:00:00Z").ok("halt", "helios")
    colour = re.compile(r"\x1b\[[0-9;]*3[0-7]m")
    code, out = on_terminal(fleet, "status")
    assert code == 0
    assert colour.search(out), "trouble is red"
    code, out = on_terminal(fleet, "status", NO_COLOR="1")
    assert code == 0
    assert not colour.search(out)
    assert_plain(run(fleet, "status").out)


def test_an_error_is_red_on_a_terminal_unless_asked_not_to(still: Fleet) -> None:
    code, out = on_terminal(still, "get", "nope")
    assert (code, "\x1b[31m" in out) == (1, True)
    code, out = on_terminal(still, "get", "nope", NO_COLOR="1")
    assert (code, out.replace("\r\n", "\n").count("\n")) == (1, 1)
    assert_plain(out.replace("\r\n", "\n"))
    assert out.startswith("error: ")


def test_json_stays_json_on_a_terminal(still: Fleet) -> None:
    code, out = on_terminal(still, "status", "--json")
    assert code == 0
    assert json.loads(out)["variables"]
    assert "\x1b" not in out


UNMEASURED = ""
"""What measures the tests would meet the full disk too."""


def _files_of(size: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def test_a_full_disk_leaves_bundles_whole_or_as_they_were(fleet: Fleet) -> None:
    out = fleet.root.parent / "out"
    fleet.ok("render", "--out", str(out))
    before = {place.name: place.read_bytes() for place in (out / "roles").iterdir()}
    assert len(before) == len(SIZES)
    fleet.ok(*START)
    fleet.ok("start", "docker", "--to", "1.12.3", "--over", "14d")
    after = "2027-01-01T00:00:00Z"
    said = run(
        fleet, "render", "--out", str(out), "--at", after, before=_files_of(300), COVERAGE_PROCESS_CONFIG=UNMEASURED
    )
    assert_refused(said, 1)
    assert str(out) in said.err
    names = sorted(place.name for place in (out / "roles").iterdir())
    assert names == sorted(before), "nothing half-written is left"
    for place in (out / "roles").iterdir():
        assert json.loads(place.read_text())["hosts"], place
    assert fleet.json("render", "--out", str(out), "--at", after)["written"] > 0


@pytest.mark.parametrize("words", [START, ("halt",), ("new", "other", "--default", "1")], ids=lambda words: words[0])
def test_a_full_disk_leaves_the_repository_as_it_was(fleet: Fleet, words: tuple[str, ...]) -> None:
    if words == ("halt",):
        fleet.ok(*START)
    before = fleet.snapshot()
    said = run(fleet, *words, before=_files_of(10), COVERAGE_PROCESS_CONFIG=UNMEASURED)
    assert (said.code, said.err.startswith("error: "), said.err.count("\n")) == (1, True, 1), said
    assert fleet.snapshot() == before
    assert fleet.git("fsck", "--strict") is not None
    assert fleet.git("status", "--porcelain") == ""
    fleet.ok(*words)


# Completion


def tab(line: str, shell: str = "bash") -> dict[str, str]:
    """Return what a shell sets when Tab is pressed at the end of a line, by typer's protocol."""
    count = str(len(line.split(" ")) - 1)
    return {"_TSUNAMI_COMPLETE": f"complete_{shell}", "COMP_WORDS": line, "COMP_CWORD": count}


def complete(fleet: Fleet, line: str) -> list[str]:
    """Return the answer, in this process."""
    fleet.capture.readouterr()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(fleet.root)
        for name, value in tab(line).items():
            patch.setenv(name, value)
        with pytest.raises(SystemExit) as end:
            cli.run([])
    assert end.value.code == 0
    out, err = fleet.capture.readouterr()
    assert err == ""
    return out.split()


def complete_apart(fleet: Fleet, line: str) -> list[str]:
    """Return the answer of a process of its own."""
    said = run(fleet, stdout=subprocess.PIPE, before=None, **tab(line))
    assert said.err == "", said
    return said.out.split()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("tsunami st", {"start", "status"}),
        ("tsunami start ", {"docker", "helios", "somaxconn"}),
        ("tsunami start do", {"docker"}),
        ("tsunami halt docker h", {"helios"}),
        ("tsunami status s", {"somaxconn"}),
        ("tsunami get lon2-db-", {"lon2-db-a1", "lon2-db-a3", "lon2-db-a5"}),
        ("tsunami get lon2-db-a1 d", {"docker"}),
        ("tsunami explain lon2-db-a1 h", {"helios"}),
        ("tsunami render --out x --role ", set(SIZES)),
        ("tsunami pin docker --to 1 --host lon2-metrics-", {"lon2-metrics-a1", "lon2-metrics-a3"}),
        ("tsunami unpin docker --role l", {"login"}),
        ("tsunami start nothing-like-it", set()),
    ],
)
def test_the_shell_completes_what_there_is(still: Fleet, line: str, expected: set[str]) -> None:
    assert set(complete(still, line)) == expected


@pytest.mark.parametrize("line", ["tsunami -C fleet start do", "tsunami start -C fleet do"])
def test_the_shell_completes_from_the_named_repository(fleet: Fleet, line: str) -> None:
    assert complete_apart(Fleet(fleet.root.parent, fleet.capture, fleet.patch), line) == ["docker"]


def test_completion_outside_of_a_repository_is_silent(fleet: Fleet) -> None:
    assert complete_apart(Fleet(fleet.root.parent, fleet.capture, fleet.patch), "tsunami start ") == []


def test_completion_survives_a_repository_that_is_broken(fleet: Fleet) -> None:
    fleet.write({HELIOS: "<<<<<<<\n"})
    assert set(complete_apart(fleet, "tsunami start ")) == {"docker", "helios", "somaxconn"}
    fleet.write({"tsunami.yaml": "<<<<<<<\n"})
    assert complete_apart(fleet, "tsunami get l") == []
