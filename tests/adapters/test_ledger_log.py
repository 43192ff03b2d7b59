"""The tellings of a ledger in real repositories."""

import subprocess
import threading
from pathlib import Path

import pytest

from tests.adapters.git_world import Clone, git, new_repository
from tests.ledgers import LEDGER, write
from tsunami_cli.adapters.git.ledger_log import tellings
from tsunami_cli.errors import Refused


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return new_repository(tmp_path / "fleet")


def read(clone: Clone, tip: str) -> list[tuple[str, bytes]]:
    return list(tellings(clone.repository, tip))


def test_oldest_first_whatever_bytes_they_hold(clone: Clone) -> None:
    texts = [b"a\n", b"", b"\xff\x00 missing\n", b"no newline", b"", b"x missing\nblob 3 y\n"]
    commits = write(clone.root, [{"changes.ndjson": text} for text in texts])
    assert read(clone, commits[-1]) == list(zip(commits, texts, strict=True))


def test_commits_without_the_file_are_passed_over(clone: Clone) -> None:
    commits = write(clone.root, [{"other": b"1"}, {"changes.ndjson": b"a\n"}, {"other": b"2"}])
    # Each commit says what its tree holds; one that did not change the file would repeat it, so publishes write it.
    assert read(clone, commits[0]) == []
    assert read(clone, commits[1]) == [(commits[1], b"a\n")]


def test_by_first_parent_alone(clone: Clone) -> None:
    ours = write(clone.root, [{"changes.ndjson": b"1\n"}, {"changes.ndjson": b"2\n"}])
    theirs = write(clone.root, [{"changes.ndjson": b"other\n"}], "refs/heads/other")
    merge = clone.git("commit-tree", f"{ours[-1]}^{{tree}}", "-p", ours[-1], "-p", theirs[-1], "-m", "merged")
    assert [commit for commit, _ in read(clone, merge)] == [*ours, merge]


def test_many_publishes_of_which_one_is_large(clone: Clone) -> None:
    """Neither git process may wait for one that waits for it."""
    large = b"x" * 99 + b"\n"
    commits = write(
        clone.root, [{"changes.ndjson": large * (200_000 if n == 0 else n % 3) or b""} for n in range(5_000)]
    )
    found = read(clone, commits[-1])
    assert [commit for commit, _ in found] == commits
    assert [len(data) for _, data in found] == [20_000_000, *(100 * (n % 3) for n in range(1, 5_000))]


def test_nothing_is_left_running_where_the_reader_stops(clone: Clone) -> None:
    commits = write(clone.root, [{"changes.ndjson": b"x" * 100_000} for _ in range(200)])
    # Other tests of this process may have left some that nobody has waited for yet.
    before, running = threading.active_count(), gits()
    for _ in tellings(clone.repository, commits[-1]):
        break
    assert threading.active_count() == before
    assert gits() <= running


def gits() -> set[str]:
    """The git processes that this thread started, by number; none where the system does not say."""
    children = Path(f"/proc/self/task/{threading.get_native_id()}/children")
    pids = children.read_text().split() if children.exists() else []
    return {pid for pid in pids if Path(f"/proc/{pid}/comm").read_text().strip() == "git"}


def test_a_user_s_configuration_changes_nothing(clone: Clone) -> None:
    commits = write(clone.root, [{"changes.ndjson": b"a\n"}, {"changes.ndjson": b"b\n"}])
    for key, value in (
        ("log.showSignature", "true"),
        ("log.decorate", "full"),
        ("color.ui", "always"),
        ("format.pretty", "raw"),
        ("log.follow", "true"),
        ("log.date", "relative"),
        ("log.diffMerges", "on"),
    ):
        clone.git("config", key, value)
    assert [data for _, data in read(clone, commits[-1])] == [b"a\n", b"b\n"]


def test_no_such_commit(clone: Clone) -> None:
    with pytest.raises(Refused, match="git log failed"):
        read(clone, "0" * 40)


def lose(clone: Clone, name: str) -> None:
    """Lose an object."""
    sha = clone.git("rev-parse", name)
    packs = sorted((clone.root / ".git/objects/pack").glob("*.pack"))
    for pack in packs:
        data = pack.read_bytes()
        pack.with_suffix(".idx").unlink()
        pack.unlink()
        subprocess.run(("git", "unpack-objects", "-q"), cwd=clone.root, input=data, check=True)
    (clone.root / ".git/objects" / sha[:2] / sha[2:]).unlink()


@pytest.mark.parametrize("name", [":changes.ndjson", "^{tree}", ""])
def test_what_is_lost_is_never_passed_over(clone: Clone, name: str) -> None:
    commits = write(clone.root, [{"changes.ndjson": f"{number}\n".encode()} for number in range(3)])
    lose(clone, f"{commits[1]}{name}")
    with pytest.raises(Refused, match=r"fsck|git log failed"):
        read(clone, commits[-1])


def test_a_folder_in_its_place_is_damage(clone: Clone) -> None:
    commits = write(clone.root, [{"changes.ndjson/x": b"1"}])
    with pytest.raises(Refused, match=r"changes\.ndjson of .* is damaged"):
        read(clone, commits[-1])


def test_a_shallow_clone_has_what_it_has(clone: Clone, tmp_path: Path) -> None:
    commits = write(clone.root, [{"changes.ndjson": f"{number}\n".encode()} for number in range(5)])
    git(tmp_path, "clone", "-q", "--depth=2", "-b", "tsunami-ledger", f"file://{clone.root}", "cut")
    cut = Clone(tmp_path / "cut")
    assert cut.repository.shallow
    assert read(cut, cut.git("rev-parse", LEDGER)) == [(commits[3], b"3\n"), (commits[4], b"4\n")]
