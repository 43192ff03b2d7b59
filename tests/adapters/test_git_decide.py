"""Decisions as commits, in every state a clone can be in."""

import os
import socket
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.adapters.git_world import DOCKER, HELIOS, Clone, adding, git, new_clone, new_remote, new_repository
from tsunami_cli.adapters.git.decider import Decision, decide
from tsunami_cli.adapters.git.trees import CommitTree
from tsunami_cli.errors import Refused, Unreachable


@pytest.fixture
def alone(tmp_path: Path) -> Clone:
    """Return a repository without a remote."""
    return new_repository(tmp_path / "alone")


@pytest.fixture
def clone(tmp_path: Path, alone: Clone) -> Clone:
    """Return a clone whose `origin` is a bare repository."""
    new_remote(tmp_path / "remote.git", alone)
    return alone


@pytest.fixture
def remote(tmp_path: Path, clone: Clone) -> Path:
    """Return the bare repository that `clone` has as its origin."""
    return tmp_path / "remote.git"


@pytest.fixture
def colleague(tmp_path: Path, remote: Path) -> Clone:
    """Return another clone of the same remote."""
    return new_clone(tmp_path / "colleague", remote)


def untouched(clone: Clone, tip: str) -> None:
    assert clone.git("rev-parse", "main") == tip
    assert clone.status() == ""


def forbid(clone_or_remote: Path, hook: str, text: str) -> None:
    place = clone_or_remote / "hooks" / hook
    place.parent.mkdir(exist_ok=True)
    place.write_text(f"#!/bin/sh\n{text}\n")
    place.chmod(0o755)


# The commit


def test_a_decision_is_one_commit_that_changes_its_files_only(alone: Clone) -> None:
    before = alone.git("rev-parse", "main")
    outcome = alone.decide("halted: now")
    assert outcome.commit == alone.git("rev-parse", "main")
    assert (outcome.pushed, outcome.remote, outcome.notes, outcome.failure) == (False, None, (), None)
    assert alone.git("rev-parse", "main^") == before
    assert alone.git("diff", "--name-only", before, "main") == DOCKER
    assert alone.read(DOCKER) == alone.show(DOCKER) + "\n" == "name: docker\ndefault: one\nhalted: now\n# end\n"
    assert alone.status() == ""
    assert (
        alone.git("log", "-1", "--format=%an <%ae>|%B")
        == "Ada Operator <ada@example.com>|docker: halted: now\n\nTsunami-Action: halt"
    )
    assert alone.git("reflog", "-1", "--format=%gs", "main") == "tsunami: docker: halted: now"
    assert alone.git("fsck", "--strict", "--no-dangling") == ""


def test_dates_are_those_of_the_given_clock(alone: Clone) -> None:
    now = datetime(2016, 11, 14, 9, 55, 12, tzinfo=UTC)
    decide(alone.repository, "main", adding("x: 1"), now=now)
    assert alone.git("log", "-1", "--format=%aI %cI") == "2016-11-14T09:55:12+00:00 2016-11-14T09:55:12+00:00"


def test_nothing_to_do_makes_no_commit(clone: Clone) -> None:
    tip = clone.git("rev-parse", "main")
    for change in (lambda tree: None, lambda tree: Decision("same", {DOCKER: tree.read(DOCKER)})):
        outcome = decide(clone.repository, "main", change)
        assert (outcome.commit, outcome.pushed, outcome.notes) == (None, True, ())
    untouched(clone, tip)


def test_what_the_change_raises_goes_through(clone: Clone) -> None:
    tip = clone.git("rev-parse", "main")

    def change(tree: CommitTree) -> Decision:
        raise Refused("not this one")

    with pytest.raises(Refused, match="not this one"):
        decide(clone.repository, "main", change)
    untouched(clone, tip)


def test_files_are_made_deleted_and_keep_their_mode(alone: Clone) -> None:
    (alone.root / DOCKER).chmod(0o755)
    alone.git("commit", "-qam", "mode")
    (alone.root / DOCKER).chmod(0o700)
    files = {DOCKER: b"new\n", "rollouts/deep/er/new.yaml": b"n\n", HELIOS: None}
    decide(alone.repository, "main", lambda tree: Decision("many", files))
    assert alone.status() == ""
    assert alone.read("rollouts/deep/er/new.yaml") == "n\n"
    assert not (alone.root / HELIOS).exists()
    assert alone.git("ls-tree", "main", DOCKER).startswith("100755")
    assert stat.S_IMODE((alone.root / DOCKER).stat().st_mode) == 0o700


def test_a_folder_that_becomes_empty_is_gone(alone: Clone) -> None:
    decide(alone.repository, "main", lambda tree: Decision("all", {DOCKER: None, HELIOS: None}))
    assert alone.git("ls-tree", "--name-only", "main").split() == ["inventory.csv", "other.txt", "tsunami.yaml"]


@pytest.mark.parametrize("path", ["../x", "/x", ".git/config", "a//b", "a/./b", "", "a/.GIT/b", "a\nb", "rollouts"])
def test_paths_that_are_no_files_of_ours_are_refused(alone: Clone, path: str) -> None:
    tip = alone.git("rev-parse", "main")
    with pytest.raises(Refused):
        decide(alone.repository, "main", lambda tree: Decision("bad", {path: b"x"}))
    untouched(alone, tip)


def test_a_link_in_the_place_of_a_file_is_refused(alone: Clone) -> None:
    (alone.root / "rollouts/link.yaml").symlink_to("docker.yaml")
    alone.git("add", "-A")
    alone.git("commit", "-qm", "link")
    with pytest.raises(Refused, match=r"rollouts/link\.yaml: is no plain file in git \(mode 120000\)"):
        decide(alone.repository, "main", lambda tree: Decision("bad", {"rollouts/link.yaml": b"x"}))


def test_a_message_that_forges_a_header_is_text(alone: Clone) -> None:
    message = "subject\n\nparent 0000\nauthor Eve <e@x> 0 +0000\n\ud800\n\nTsunami-Action: pin\n"
    outcome = decide(alone.repository, "main", lambda tree: Decision(message, {DOCKER: b"x\n"}))
    assert alone.git("log", "-1", "--format=%an") == "Ada Operator"
    assert outcome.commit
    with pytest.raises(Refused, match="NUL"):
        decide(alone.repository, "main", lambda tree: Decision("a\0b", {DOCKER: b"y\n"}))


# Who decides


def test_without_a_name_a_decision_is_refused_and_a_halt_is_not(alone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("LOGNAME", "ada")
    tip = alone.repository.head_commit()
    with pytest.raises(Refused, match=r"git config user\.name NAME.*git config user\.email"):
        alone.decide("x: 1")
    assert alone.repository.head_commit() == tip
    outcome = alone.decide("halted: now", urgent=True)
    assert alone.git("log", "-1", "--format=%an <%ae>") == f"ada <ada@{socket.gethostname()}>"
    assert "git knows no user.name and user.email here" in outcome.notes[0]
    alone.git("config", "user.name", "Bo")
    alone.git("config", "user.email", "bo@example.com")
    alone.decide("x: 1")
    assert alone.git("log", "-1", "--format=%an <%ae>") == "Bo <bo@example.com>"


def test_commits_are_signed_where_git_is_told_to(alone: Clone, tmp_path: Path) -> None:
    key = tmp_path / "key"
    assert os.spawnlp(os.P_WAIT, "ssh-keygen", "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)) == 0
    for name, value in {"gpg.format": "ssh", "user.signingkey": str(key), "commit.gpgsign": "true"}.items():
        alone.git("config", name, value)
    alone.decide("x: 1")
    assert "gpgsig" in alone.git("cat-file", "commit", "main")
    key.unlink()
    with pytest.raises(Refused, match="could not be written"):
        alone.decide("x: 2")
    outcome = alone.decide("halted: now", urgent=True)
    assert "committed without a signature" in outcome.notes[0]
    assert "gpgsig" not in alone.git("cat-file", "commit", "main")


def test_a_message_is_utf_8_whatever_the_configuration_says(alone: Clone) -> None:
    alone.git("config", "i18n.commitEncoding", "ISO-8859-1")
    decide(alone.repository, "main", lambda tree: Decision("grün → blau", {DOCKER: b"x\n"}))
    raw = alone.repository.objects.commit(alone.git("rev-parse", "main"))
    assert "grün → blau".encode() in raw
    assert b"\nencoding" not in raw


# Where the clone stands


def test_a_feature_branch_that_is_checked_out_stays_as_it_is(clone: Clone, remote: Path) -> None:
    clone.git("checkout", "-q", "-b", "feature")
    clone.write(DOCKER, "edited\n")
    clone.write(HELIOS, "staged\n")
    clone.git("add", HELIOS)
    before = clone.status()
    outcome = clone.decide("x: 1")
    assert clone.status() == before
    assert clone.read(DOCKER) == "edited\n"
    assert outcome.commit == clone.git("rev-parse", "main") == git(remote, "rev-parse", "main")
    assert outcome.notes == ()


def test_a_detached_head_stays_where_it_is(alone: Clone) -> None:
    alone.git("checkout", "-q", "--detach")
    head = alone.repository.head_commit()
    outcome = alone.decide("x: 1")
    assert alone.repository.head_commit() == head != outcome.commit
    assert alone.repository.tip("main") == outcome.commit
    assert alone.status() == ""


def test_other_things_staged_dirty_and_untracked_stay_so(clone: Clone) -> None:
    clone.write("other.txt", "staged\n")
    clone.git("add", "other.txt")
    clone.write("other.txt", "edited\n")
    clone.write(HELIOS, "edited\n")
    clone.write("new.txt", "new\n")
    before = clone.status()
    clone.decide("x: 1")
    assert clone.status() == before
    assert clone.git("show", ":other.txt") == "staged"
    assert "x: 1" in clone.read(DOCKER)


@pytest.mark.parametrize("how", ["edited", "staged", "staged and edited back", "deleted", "untracked"])
def test_an_own_file_that_is_edited_is_refused_beforehand(clone: Clone, remote: Path, how: str) -> None:
    path = DOCKER
    text = clone.read(DOCKER)
    if how == "untracked":
        path = "rollouts/new.yaml"
        clone.write(path, "mine\n")
    elif how == "deleted":
        (clone.root / path).unlink()
    else:
        clone.write(path, "edited\n")
        if how.startswith("staged"):
            clone.git("add", path)
        if how.endswith("back"):
            clone.write(path, text)
    before, tip = clone.status(), clone.git("rev-parse", "main")
    with pytest.raises(Refused, match=rf"{path}: has changes in .* not committed; nothing was changed: .*git stash"):
        decide(clone.repository, "main", lambda tree: Decision("s", {path: b"decided\n"}))
    assert clone.status() == before
    assert clone.git("rev-parse", "main") == tip == git(remote, "rev-parse", "main")


def test_a_halt_is_written_into_an_edited_file_too(clone: Clone) -> None:
    clone.write(DOCKER, "name: docker\nstaged: 1\ndefault: one\n# end\n")
    clone.git("add", DOCKER)
    clone.write(DOCKER, "name: docker\nstaged: 1\nedited: 1\ndefault: one\n# end\n")
    outcome = clone.decide("halted: now", urgent=True)
    assert outcome.notes == ()
    assert clone.show(DOCKER) == "name: docker\ndefault: one\nhalted: now\n# end"
    assert clone.git("show", f":{DOCKER}") == "name: docker\nstaged: 1\ndefault: one\nhalted: now\n# end"
    assert clone.read(DOCKER) == "name: docker\nstaged: 1\nedited: 1\ndefault: one\nhalted: now\n# end\n"
    clone.git("commit", "-qm", "the index")
    assert "halted: now" in clone.show(DOCKER)


def test_a_halt_leaves_what_it_cannot_read_and_says_so(clone: Clone) -> None:
    clone.write(DOCKER, "<<<<<<< mine\n")
    outcome = clone.decide("halted: now", urgent=True)
    assert clone.read(DOCKER) == "<<<<<<< mine\n"
    assert "halted: now" in clone.git("show", f":{DOCKER}")
    assert outcome.pushed
    assert "has changes that are not committed (it does not parse), and was left as it is" in outcome.notes[0]


def test_a_halt_leaves_what_is_no_file_any_more(clone: Clone) -> None:
    (clone.root / DOCKER).unlink()
    assert "is deleted, and was left" in clone.decide("halted: now", urgent=True).notes[0]
    assert not (clone.root / DOCKER).exists()
    (clone.root / DOCKER).symlink_to("/etc/passwd")
    clone.decide("halted: again", urgent=True)
    assert "is no plain file" in clone.decide("halted: a third time", urgent=True).notes[0]
    assert (clone.root / DOCKER).is_symlink()


def test_a_folder_that_has_become_a_link_is_not_written_through(clone: Clone, tmp_path: Path) -> None:
    (clone.root / "rollouts").rename(tmp_path / "moved")
    (clone.root / "rollouts").symlink_to(tmp_path / "moved")
    outcome = clone.decide("halted: now", urgent=True)
    assert "is no plain file" in outcome.notes[0]
    assert "halted" not in (tmp_path / "moved/docker.yaml").read_text()


def half_merge(clone: Clone, theirs: dict[str, str], ours: dict[str, str]) -> None:
    clone.git("checkout", "-q", "-b", "side")
    clone.commit("theirs", theirs)
    clone.git("checkout", "-q", "main")
    clone.commit("ours", ours)
    clone.git("push", "-q", "origin", "main")
    clone.git("merge", "-q", "--no-commit", "side", check=False)


def test_half_a_merge_without_own_files_goes_on(clone: Clone) -> None:
    half_merge(clone, {"other.txt": "theirs\n"}, {"other.txt": "ours\n", "x": "x\n"})
    before = clone.status()
    outcome = clone.decide("x: 1")
    assert clone.status() == before
    assert "UU other.txt" in before
    assert "x: 1" in clone.read(DOCKER)
    clone.write("other.txt", "both\n")
    clone.git("commit", "-qam", "merged")
    assert clone.git("rev-parse", "main^1") == outcome.commit
    assert "x: 1" in clone.show(DOCKER)


def test_half_a_merge_with_a_conflict_in_an_own_file(clone: Clone, remote: Path) -> None:
    half_merge(clone, {DOCKER: "theirs\n# end\n"}, {DOCKER: "ours\n# end\n"})
    text, before = clone.read(DOCKER), clone.git("ls-files", "-s")
    with pytest.raises(Refused, match="not committed"):
        clone.decide("x: 1")
    outcome = clone.decide("halted: now", urgent=True)
    assert outcome.commit == clone.git("rev-parse", "main") == git(remote, "rev-parse", "main")
    assert (clone.read(DOCKER), clone.git("ls-files", "-s")) == (text, before)
    assert len(outcome.notes) == 1
    assert "is in a conflict, and was left as it is" in outcome.notes[0]


def test_half_a_merge_that_brought_an_own_file_gets_the_halt_into_it(clone: Clone) -> None:
    half_merge(clone, {DOCKER: "name: docker\nside: 1\n# end\n", "other.txt": "t\n"}, {"other.txt": "ours\n"})
    assert clone.decide("halted: now", urgent=True).notes == ()
    clone.write("other.txt", "both\n")
    clone.git("commit", "-qam", "merged")
    assert clone.show(DOCKER) == "name: docker\nside: 1\nhalted: now\n# end"


@pytest.mark.parametrize("path", [DOCKER, "other.txt"])
def test_half_a_rebase_of_another_branch(clone: Clone, path: str) -> None:
    clone.git("checkout", "-q", "-b", "feature")
    clone.commit("feature", {path: "feature\n# end\n"})
    clone.git("checkout", "-q", "main")
    clone.commit("main", {path: "main\n# end\n"})
    clone.git("push", "-q", "origin", "main")
    clone.git("rebase", "-q", "main", "feature", check=False)
    before = clone.status()
    outcome = clone.decide("x: 1")
    assert outcome.commit == clone.git("rev-parse", "main")
    assert clone.status() == before
    clone.write(path, "both\n")
    clone.git("add", path)
    clone.git("-c", "core.editor=true", "rebase", "--continue")
    assert clone.git("rev-parse", "--abbrev-ref", "HEAD") == "feature"


def test_half_a_rebase_of_the_branch_itself(alone: Clone) -> None:
    alone.git("checkout", "-q", "-b", "onto")
    alone.commit("onto", {"other.txt": "onto\n"})
    alone.git("checkout", "-q", "main")
    alone.commit("main", {"other.txt": "main\n"})
    alone.git("rebase", "-q", "onto", check=False)
    outcome = alone.decide("halted: now", urgent=True)
    assert outcome.commit == alone.repository.tip("main")
    alone.write("other.txt", "both\n")
    alone.git("add", "other.txt")
    alone.git("-c", "core.editor=true", "rebase", "--continue", check=False)
    # git itself refuses to move a branch that has moved: the halt is not rebased away.
    assert "halted: now" in alone.show(DOCKER)


def test_a_linked_work_tree_follows_where_it_has_the_branch(clone: Clone, tmp_path: Path) -> None:
    clone.git("checkout", "-q", "-b", "feature")
    clone.git("worktree", "add", "-q", str(tmp_path / "linked"), "main")
    linked = Clone(tmp_path / "linked")
    for number, place in enumerate((clone, linked)):
        outcome = place.decide(f"x: {number}")
        assert outcome.notes == ()
        assert linked.repository.head_commit() == outcome.commit
        assert f"x: {number}" in linked.read(DOCKER)
        assert (linked.status(), clone.status()) == ("", "")
    linked.write(DOCKER, "edited\n")
    with pytest.raises(Refused, match=rf"in {tmp_path}/linked"):
        clone.decide("x: 3")


def test_line_ends_of_the_work_tree_stay_as_git_makes_them(alone: Clone) -> None:
    alone.commit("attributes", {".gitattributes": "*.yaml text eol=crlf\n"})
    (alone.root / DOCKER).unlink()
    alone.git("checkout", "-q", "--", DOCKER)
    assert b"\r\n" in (alone.root / DOCKER).read_bytes()
    alone.decide("x: 1")
    assert (alone.root / DOCKER).read_bytes() == b"name: docker\r\ndefault: one\r\nx: 1\r\n# end\r\n"
    assert alone.status() == ""


def test_a_sparse_checkout_stays_sparse(alone: Clone) -> None:
    alone.git("update-index", "--refresh")
    alone.git("sparse-checkout", "set", "nothing")
    assert not (alone.root / DOCKER).exists()
    assert alone.decide("x: 1").notes == ()
    assert alone.status() == ""
    assert not (alone.root / DOCKER).exists()
    alone.git("sparse-checkout", "disable")
    assert "x: 1" in alone.read(DOCKER)


def test_a_held_index_does_not_hold_a_decision(clone: Clone, remote: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tsunami_cli.adapters.git.checkout._LOCK_WAIT", 0.2)
    (clone.root / ".git/index.lock").touch()
    outcome = clone.decide("x: 1")
    assert outcome.commit == git(remote, "rev-parse", "main") != clone.git("rev-parse", "main")
    assert f"index.lock): `git -C {clone.root} pull`" in outcome.notes[0]
    clone.git("remote", "remove", "origin")
    outcome = clone.decide("x: 2")
    assert outcome.commit == clone.git("rev-parse", "main")
    assert f"`git checkout main -- {DOCKER}` first" in outcome.notes[0]
    (clone.root / ".git/index.lock").unlink()
    clone.git("checkout", "main", "--", DOCKER)
    assert clone.status() == ""


def test_what_a_killed_process_left_is_not_taken_for_the_index(alone: Clone) -> None:
    (alone.root / f".git/index.tsunami-{os.getpid()}").write_bytes(b"half")
    (alone.root / f".git/index.tsunami-{os.getpid()}.old").write_bytes(b"old")
    alone.decide("x: 1")
    assert alone.status() == ""
    assert not list((alone.root / ".git").glob("*tsunami*"))


def test_hooks_and_redirections_around_us_lead_nowhere_else(
    alone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = new_repository(tmp_path / "other")
    monkeypatch.setenv("GIT_DIR", str(other.root / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(tmp_path / "objects"))
    monkeypatch.setenv("GIT_NAMESPACE", "elsewhere")
    monkeypatch.setenv("GIT_COMMITTER_DATE", "@0 +0000")
    alone.decide("x: 1")
    monkeypatch.undo()
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    assert "x: 1" in alone.show(DOCKER)
    assert "x: 1" not in other.show(DOCKER)
    assert alone.git("log", "-1", "--format=%ct") != "0"


# Refusals


def test_a_branch_without_commits_is_refused(tmp_path: Path, alone: Clone) -> None:
    for branch in ("master", "no/such", "-x", "a..b", "HEAD", ""):
        with pytest.raises(Refused, match=r"nothing is committed on it yet|no name for a branch"):
            decide(alone.repository, branch, adding("x: 1"))
    git(tmp_path, "-c", "init.defaultBranch=main", "init", "-q", "empty")
    with pytest.raises(Refused, match="nothing is committed on it yet"):
        decide(Clone(tmp_path / "empty").repository, "main", adding("x: 1"))


def test_objects_that_cannot_be_written_are_refused(alone: Clone) -> None:
    tip = alone.git("rev-parse", "main")
    objects = alone.root / ".git/objects"
    for number in range(256):
        if not (objects / f"{number:02x}").exists():
            (objects / f"{number:02x}").touch()

    def fifty() -> None:
        for number in range(50):
            alone.decide(f"x: {number}")

    with pytest.raises(Refused, match=r"git hash-object failed|git mktree failed|could not be written"):
        fifty()
    assert alone.status() == ""
    assert alone.git("rev-list", "main").endswith(tip)


def test_a_hook_on_the_branch_refuses(alone: Clone) -> None:
    tip = alone.git("rev-parse", "main")
    forbid(alone.root / ".git", "reference-transaction", 'test "$1" != prepared')
    with pytest.raises(Refused, match="main cannot be moved"):
        alone.decide("x: 1")
    (alone.root / ".git/hooks/reference-transaction").unlink()
    untouched(alone, tip)


# The remote


def test_a_decision_is_pushed_and_the_checkout_follows(clone: Clone, remote: Path) -> None:
    outcome = clone.decide("x: 1")
    assert (outcome.pushed, outcome.remote) == (True, "origin")
    assert outcome.commit == git(remote, "rev-parse", "main") == clone.git("rev-parse", "main")
    assert clone.git("rev-parse", "origin/main") == outcome.commit
    assert clone.status() == ""
    assert "x: 1" in clone.read(DOCKER)


def test_local_commits_ahead_are_pushed_along(clone: Clone, remote: Path) -> None:
    ahead = clone.commit("by hand", {"other.txt": "more\n"})
    outcome = clone.decide("x: 1")
    assert git(remote, "rev-parse", "main^") == ahead
    assert outcome.notes == ("earlier local commits pushed to origin along with it: 1",)
    ahead = clone.commit("by hand", {"other.txt": "still more\n"})
    outcome = clone.decide("x: 1")
    assert (outcome.commit, outcome.pushed) == (None, True)
    assert git(remote, "rev-parse", "main") == ahead


def test_where_the_remote_had_moved_on_it_says_git_pull(clone: Clone, colleague: Clone) -> None:
    theirs = colleague.decide("x: theirs").commit
    tip = clone.git("rev-parse", "main")
    outcome = clone.decide("x: ours")
    assert colleague.git("ls-remote", "origin", "main").split()[0] == outcome.commit
    assert clone.git("rev-parse", f"{outcome.commit}^") == theirs
    untouched(clone, tip)
    assert f"`git -C {clone.root} pull`" in outcome.notes[0]
    clone.git("pull", "-q", "--ff-only")
    assert "x: theirs\nx: ours" in clone.read(DOCKER)
    colleague.decide("x: more")
    clone.git("checkout", "-q", "--detach")
    assert clone.decide("x: last").notes == ()
    assert clone.git("rev-parse", "main") == clone.git("rev-parse", "origin/main")


def test_diverged_is_refused_and_a_halt_goes_to_the_remote(clone: Clone, colleague: Clone, remote: Path) -> None:
    colleague.decide("x: theirs")
    tip = clone.commit("by hand", {"other.txt": "more\n"})
    with pytest.raises(Refused, match=r"diverged by 1 and 1 commits; nothing was changed: `git pull --rebase`"):
        clone.decide("x: ours")
    outcome = clone.decide("halted: now", urgent=True)
    assert outcome.pushed
    assert outcome.commit == git(remote, "rev-parse", "main")
    assert "git" in outcome.notes[0]
    assert "pull" in outcome.notes[0]
    untouched(clone, tip)


def test_the_race_is_run_again_on_the_new_tip(clone: Clone, colleague: Clone) -> None:
    seen: list[str] = []
    change = adding("x: ours")

    def racing(tree: CommitTree) -> Decision | None:
        seen.append(tree.commit)
        if len(seen) < 3:
            colleague.git("pull", "-q")
            colleague.decide(f"x: theirs {len(seen)}")
        return change(tree)

    outcome = decide(clone.repository, "main", racing)
    assert outcome.pushed
    assert len(set(seen)) == 3
    clone.git("pull", "-q", "--ff-only")
    assert "x: theirs 1\nx: theirs 2\nx: ours\n" in clone.read(DOCKER)


def test_a_race_that_is_lost_at_the_last_moment(clone: Clone, colleague: Clone) -> None:
    # The hook runs after git has asked the remote for its tip, and before it pushes.
    once = clone.root / ".git/once"
    forbid(
        clone.root / ".git",
        "pre-push",
        f"test -e {once} && exit 0; touch {once}; cd {colleague.root}; unset $(git rev-parse --local-env-vars)\n"
        "echo moved >> other.txt; git commit -qam moved; git push -q",
    )
    outcome = clone.decide("x: ours")
    assert outcome.pushed
    assert once.exists()
    assert clone.git("log", "--format=%s", "-2", str(outcome.commit)).split("\n") == ["docker: x: ours", "moved"]


def test_a_race_that_never_ends_is_given_up(clone: Clone, colleague: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tsunami_cli.adapters.git.decider._TRIES", 3)
    change = adding("x: ours")

    def racing(tree: CommitTree) -> Decision | None:
        colleague.git("pull", "-q")
        colleague.decide(f"x: {tree.commit}")
        return change(tree)

    with pytest.raises(Refused, match="given up after 3 tries, as others were faster"):
        decide(clone.repository, "main", racing)
    outcome = decide(clone.repository, "main", racing, urgent=True)
    assert isinstance(outcome.failure, Refused)
    assert clone.repository.tip("main") == outcome.commit


def dead_remotes(tmp_path: Path) -> list[str]:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    return [str(tmp_path / "gone.git"), f"git://127.0.0.1:{port}/x"]


@pytest.mark.parametrize("which", [0, 1])
def test_a_dead_remote_stops_a_decision_and_no_halt(clone: Clone, remote: Path, tmp_path: Path, which: int) -> None:
    tip = clone.git("rev-parse", "main")
    clone.git("remote", "set-url", "origin", dead_remotes(tmp_path)[which])
    with pytest.raises(Unreachable, match=r"origin cannot be reached: .*try `git fetch origin`"):
        clone.decide("x: 1")
    untouched(clone, tip)
    outcome = clone.decide("halted: now", urgent=True)
    assert (outcome.commit, outcome.pushed) == (clone.git("rev-parse", "main"), False)
    assert isinstance(outcome.failure, Unreachable)
    assert outcome.notes[0].startswith("LOCAL ONLY: not on origin, so no host sees it")
    assert "halted: now" in clone.read(DOCKER)
    assert clone.status() == ""
    again = clone.decide("halted: now", urgent=True)
    assert (again.commit, again.pushed) == (None, False)
    clone.git("remote", "set-url", "origin", f"file://{remote}")
    last = clone.decide("x: 1")
    assert git(remote, "rev-parse", "main", "main^").split() == [last.commit, outcome.commit]


def test_a_halt_that_is_local_only_is_pushed_by_the_same_halt_again(clone: Clone, remote: Path) -> None:
    clone.git("remote", "set-url", "origin", "file:///nowhere")
    halt = clone.decide("halted: now", urgent=True)
    clone.git("remote", "set-url", "origin", f"file://{remote}")
    again = clone.decide("halted: now", urgent=True)
    assert (again.commit, again.pushed, again.failure) == (None, True, None)
    assert git(remote, "rev-parse", "main") == halt.commit


def test_a_remote_that_never_answers_is_given_up(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        clone.git("remote", "set-url", "origin", f"git://127.0.0.1:{silent.getsockname()[1]}/x")
        monkeypatch.setenv("TSUNAMI_GIT_TIMEOUT", "0.3")
        with pytest.raises(Unreachable, match=r"no answer within 0\.3 s \(TSUNAMI_GIT_TIMEOUT\)"):
            clone.decide("x: 1")
        assert clone.decide("halted: now", urgent=True).commit == clone.git("rev-parse", "main")


def test_a_remote_that_dies_before_the_push(clone: Clone, remote: Path) -> None:
    tip = clone.git("rev-parse", "main")
    change = adding("halted: now")

    def dying(tree: CommitTree) -> Decision | None:
        if remote.exists():
            remote.rename(remote.with_suffix(".away"))
        return change(tree)

    with pytest.raises(Unreachable, match="nothing was changed here"):
        decide(clone.repository, "main", dying)
    untouched(clone, tip)
    remote.with_suffix(".away").rename(remote)
    outcome = decide(clone.repository, "main", dying, urgent=True)
    assert isinstance(outcome.failure, Unreachable)
    assert outcome.commit == clone.git("rev-parse", "main")


def test_a_remote_that_dies_after_it_had_moved_on(clone: Clone, colleague: Clone, remote: Path) -> None:
    colleague.decide("x: theirs")
    tip = clone.git("rev-parse", "main")
    change = adding("halted: now")

    def dying(tree: CommitTree) -> Decision | None:
        if remote.exists():
            remote.rename(remote.with_suffix(".away"))
        return change(tree)

    outcome = decide(clone.repository, "main", dying, urgent=True)
    assert clone.git("rev-parse", "main", "main^").split() == [outcome.commit, tip]
    assert clone.status() == ""
    assert "halted: now" in clone.read(DOCKER)


def test_a_hook_of_the_remote_that_says_no(clone: Clone, remote: Path) -> None:
    tip = clone.git("rev-parse", "main")
    forbid(remote, "pre-receive", "echo 'main wants a review' >&2; printf 'two\\033[2Jlines' >&2; exit 1")
    with pytest.raises(Refused) as caught:
        clone.decide("x: 1")
    text = str(caught.value)
    assert "pre-receive hook declined) / main wants a review" in text
    assert "nothing was changed here" in text
    assert text.isprintable()
    untouched(clone, tip)
    outcome = clone.decide("halted: now", urgent=True)
    assert isinstance(outcome.failure, Refused)
    assert f"`git push origin {outcome.commit}:refs/heads/tsunami/docker-halted-now`" in str(outcome.failure)
    assert outcome.notes[0].startswith("LOCAL ONLY")
    assert str(outcome.failure) in outcome.notes[0]
    assert clone.git("rev-parse", "main") == outcome.commit
    (remote / "hooks/pre-receive").unlink()
    clone.git("push", "-q", "origin", f"{outcome.commit}:refs/heads/tsunami/docker-halted-now")


def test_a_hook_of_our_own_that_says_no(clone: Clone) -> None:
    tip = clone.git("rev-parse", "main")
    forbid(clone.root / ".git", "pre-push", "echo 'not on a Friday' >&2; exit 1")
    with pytest.raises(Refused, match="the pre-push hook said no / not on a Friday"):
        clone.decide("x: 1")
    untouched(clone, tip)


def test_a_remote_that_cannot_write_is_refused(clone: Clone, remote: Path) -> None:
    tip = clone.git("rev-parse", "main")
    git(remote, "config", "receive.denyUpdates", "x")
    git(remote, "config", "receive.certNonceSeed", "x")
    forbid(remote, "update", "exit 1")
    with pytest.raises(Refused, match=r"origin refuses the push: .*hook declined"):
        clone.decide("x: 1")
    untouched(clone, tip)


def test_an_upstream_of_another_name_counts(clone: Clone, remote: Path) -> None:
    git(remote, "branch", "-m", "main", "trunk")
    clone.git("remote", "rename", "origin", "hub")
    clone.git("config", "branch.main.merge", "refs/heads/trunk")
    outcome = clone.decide("x: 1")
    assert (outcome.remote, outcome.commit) == ("hub", git(remote, "rev-parse", "trunk"))
    clone.git("config", "--unset", "branch.main.remote")
    outcome = clone.decide("x: 2")
    assert (outcome.remote, outcome.pushed) == (None, False)
    assert "git branch -u hub/main main" in outcome.notes[0]


def test_an_upstream_that_is_an_address(clone: Clone, remote: Path) -> None:
    clone.git("config", "branch.main.remote", f"file://{remote}")
    assert clone.decide("x: 1").pushed
    assert clone.git("rev-parse", "main") == git(remote, "rev-parse", "main")


def test_the_first_push_makes_the_branch(alone: Clone, tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--bare", "new.git")
    alone.git("remote", "add", "origin", str(tmp_path / "new.git"))
    outcome = alone.decide("x: 1")
    assert outcome.commit == git(tmp_path / "new.git", "rev-parse", "main")
    git(tmp_path / "new.git", "update-ref", "-d", "refs/heads/main")
    with pytest.raises(Refused, match="origin has no branch main any more"):
        alone.decide("x: 2")
    assert alone.decide("halted: now", urgent=True).pushed


def test_a_clone_without_the_local_branch(remote: Path, tmp_path: Path) -> None:
    ci = new_clone(tmp_path / "ci", remote)
    ci.git("checkout", "-q", "--detach")
    ci.git("branch", "-q", "-D", "main")
    outcome = ci.decide("x: 1")
    assert outcome.commit == git(remote, "rev-parse", "main")
    assert ci.repository.tip("main") is None
    ci.git("remote", "set-url", "origin", "file:///nowhere")
    outcome = ci.decide("halted: now", urgent=True)
    assert ci.repository.tip("main") == outcome.commit
    assert ci.status() == ""


def test_a_shallow_clone_decides(remote: Path, tmp_path: Path, clone: Clone) -> None:
    clone.decide("x: 1")
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{remote}", "shallow")
    shallow = Clone(tmp_path / "shallow")
    assert shallow.repository.shallow
    assert not clone.repository.shallow
    assert shallow.decide("x: 2").pushed
    assert "x: 2" in shallow.read(DOCKER)
