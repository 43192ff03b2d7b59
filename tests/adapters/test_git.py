"""Reading: the repository around a folder, its refs, files and history."""

import os
import shutil
import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.adapters.git_world import DOCKER, FILES, HELIOS, Clone, git, new_clone, new_remote, new_repository
from tsunami_cli.adapters.git import process
from tsunami_cli.adapters.git.history import decisions, parse_commit, parse_message
from tsunami_cli.adapters.git.remote import Settings, remote_of
from tsunami_cli.adapters.git.repository import Repository, differs
from tsunami_cli.adapters.git.trees import CommitTree, Tree, WorkTree
from tsunami_cli.errors import Refused, Usage


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return new_repository(tmp_path / "clone")


# The repository


def test_discover_looks_upward_from_any_folder(clone: Clone) -> None:
    found = Repository.discover(clone.root / "rollouts")
    assert (found.root, found.git_dir, found.common_dir) == (clone.root, clone.root / ".git", clone.root / ".git")
    link = clone.root.parent / "link"
    link.symlink_to(clone.root / "rollouts")
    assert Repository.discover(link).root == clone.root


def test_discover_in_a_linked_work_tree_and_a_submodule(clone: Clone, tmp_path: Path) -> None:
    clone.git("worktree", "add", "-q", "-b", "other", str(tmp_path / "linked"))
    linked = Repository.discover(tmp_path / "linked/rollouts")
    assert (linked.root, linked.common_dir) == (tmp_path / "linked", clone.root / ".git")
    assert linked.git_dir == clone.root / ".git/worktrees/linked"
    assert linked.head_commit() == linked.tip("other") == linked.tip("main") == clone.git("rev-parse", "HEAD")
    parent = new_repository(tmp_path / "parent")
    parent.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(clone.root), "sub")
    assert Repository.discover(parent.root / "sub/rollouts").root == parent.root / "sub"


def test_discover_refuses_what_is_no_work_tree(clone: Clone, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--bare", str(clone.root), "bare.git")
    plain = tmp_path / "plain"
    (plain / ".git").mkdir(parents=True)
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / ".git").write_text("gitdir: ../nowhere\n")
    for folder, text in {
        tmp_path / "bare.git": "is a bare repository",
        tmp_path / "bare.git/refs": "is a bare repository",
        clone.root / ".git": "is a bare repository or the inside of one",
        plain: r"not a git repository: .*git init",
        broken: r"leads to no git repository: see `git worktree repair`",
        tmp_path / "missing": "no such folder",
    }.items():
        with pytest.raises(Refused, match=text):
            Repository.discover(folder)


def test_refs_are_read_loose_packed_and_by_links(clone: Clone) -> None:
    first = clone.git("rev-parse", "HEAD")
    repository = clone.repository
    assert repository.tip("main") == repository.head_commit() == first
    assert repository.head_ref() == "refs/heads/main"
    clone.git("branch", "deep/er")
    clone.git("pack-refs", "--all")
    assert not (clone.root / ".git/refs/heads/main").exists()
    assert repository.tip("main") == repository.tip("deep/er") == first
    second = clone.commit("second", {"x": "x\n"})
    assert (repository.tip("main"), repository.tip("deep/er"), repository.tip("deep")) == (second, first, None)
    clone.git("symbolic-ref", "refs/heads/alias", "refs/heads/deep/er")
    assert repository.tip("alias") == first
    clone.git("checkout", "-q", "--detach", first)
    assert (repository.head_commit(), repository.head_ref()) == (first, None)
    clone.git("checkout", "-q", "--orphan", "unborn")
    assert (repository.head_commit(), repository.head_ref()) == (None, "refs/heads/unborn")
    assert repository.apart(first, second) == (0, 1)
    assert repository.descends(second, first)
    assert not repository.descends(first, second)
    assert not repository.descends(first, "0" * 40)


def test_damaged_refs_are_refused(clone: Clone) -> None:
    ref = clone.root / ".git/refs/heads/main"
    for text, why in {
        "": "is damaged",
        "\0\0": "is damaged",
        "é": "cannot be read",
        "ref: refs/heads/main\n": "circle",
    }.items():
        ref.write_text(text)
        with pytest.raises(Refused, match=why):
            clone.repository.tip("main")
    for name in ("../../config", "a..b", "-d", "a b", "a.lock", "x/.y", "@", "a@{1}", "a\\b", "a/", "/a", "a."):
        with pytest.raises(Refused, match="is no name for a branch"):
            clone.repository.tip(name)


# Differences from the branch


def test_differs_names_what_is_edited_staged_deleted_and_untracked(clone: Clone) -> None:
    def names(*paths: str) -> tuple[str, ...] | None:
        return differs(clone.repository, "main", paths or ("rollouts", "tsunami.yaml")).names()

    assert names() == ()
    clone.write("other.txt", "edited\n")
    (clone.root / DOCKER).touch()
    assert names() == ()
    clone.git("checkout", "-q", "-b", "feature")
    clone.commit("committed elsewhere", {"rollouts/new.yaml": "x\n"})
    clone.write(DOCKER, "edited\n")
    (clone.root / HELIOS).unlink()
    clone.write("rollouts/untracked.yaml", "x\n")
    clone.write("rollouts/ignored.yaml", "x\n")
    clone.write(".gitignore", "ignored.yaml\n")
    clone.write("tsunami.yaml", "staged\n")
    clone.git("add", "tsunami.yaml")
    assert names() == (
        DOCKER,
        HELIOS,
        "rollouts/ignored.yaml",
        "rollouts/new.yaml",
        "rollouts/untracked.yaml",
        "tsunami.yaml",
    )
    assert names("rollouts/*") == ()


def test_differs_cannot_be_told_without_the_branch(clone: Clone, tmp_path: Path) -> None:
    assert differs(clone.repository, "nothing", ["rollouts"]).names() is None
    remote = new_remote(tmp_path / "remote.git", clone)
    other = new_clone(tmp_path / "other", remote)
    other.git("checkout", "-q", "--detach")
    other.git("branch", "-q", "-D", "main")
    other.write(DOCKER, "edited\n")
    assert differs(other.repository, "main", ["rollouts"]).names() == (DOCKER,)
    (other.root / ".git/index").write_bytes(b"broken")
    assert differs(other.repository, "main", ["rollouts"]).names() is None
    begun = differs(other.repository, "main", ["rollouts"])
    begun.close()


# Files


def trees(clone: Clone) -> list[Tree]:
    return [WorkTree(clone.root), CommitTree(clone.repository, clone.git("rev-parse", "HEAD"))]


def test_both_trees_read_the_same(clone: Clone) -> None:
    clone.commit("names", {"rollouts/sub/x.yaml": "x\n", "rollouts/grün.yaml": "g\n", "rollouts/empty.yaml": ""})
    for tree in trees(clone):
        assert tree.names("rollouts") == ("docker.yaml", "empty.yaml", "grün.yaml", "helios.yaml", "sub")
        assert tree.names("rollouts/sub") == ("x.yaml",)
        assert tree.names("missing") == tree.names("missing/deep") == ()
        assert set(tree.names("")) >= {"rollouts", "tsunami.yaml"}
        assert tree.read(DOCKER) == FILES[DOCKER].encode()
        assert tree.read("rollouts/grün.yaml") == b"g\n"
        assert tree.read("rollouts/empty.yaml") == b""
        assert tree.read("rollouts/missing.yaml") is tree.read("missing/x.yaml") is None
        with pytest.raises(Refused, match="rollouts: "):
            tree.read("rollouts")
        with pytest.raises(Refused, match=r"tsunami\.yaml: "):
            tree.names("tsunami.yaml")
        for path in ("../x", "/etc/passwd", ".git/config", "rollouts/../../x", "rollouts//x", "a\0b", "./x"):
            with pytest.raises(Refused, match="is no path from the repository's root"):
                tree.read(path)


def test_links_may_stay_inside_the_work_tree_only(clone: Clone, tmp_path: Path) -> None:
    (tmp_path / "secret.yaml").write_text("secret\n")
    links = {
        "inside.yaml": "../other.txt",
        "chain.yaml": "inside.yaml",
        "outside.yaml": "../../secret.yaml",
        "absolute.yaml": str(tmp_path / "secret.yaml"),
        "config.yaml": "../.git/config",
        "dangling.yaml": "nowhere",
        "dangling-out.yaml": "../../nowhere",
        "loop.yaml": "loop.yaml",
        "folder.yaml": "../rollouts",
    }
    for name, target in links.items():
        (clone.root / "rollouts" / name).symlink_to(target)
    (clone.root / "away").symlink_to(tmp_path)
    tree = WorkTree(clone.root)
    assert tree.read("rollouts/inside.yaml") == tree.read("rollouts/chain.yaml") == b"other\n"
    assert tree.read("rollouts/folder.yaml/docker.yaml") == FILES[DOCKER].encode()
    for name in ("outside", "absolute", "config", "dangling-out"):
        with pytest.raises(Refused, match=rf"rollouts/{name}\.yaml: a link leads out of the repository"):
            tree.read(f"rollouts/{name}.yaml")
    for name in ("dangling", "loop", "folder"):
        with pytest.raises(Refused, match=rf"rollouts/{name}\.yaml: is a link that cannot be followed"):
            tree.read(f"rollouts/{name}.yaml")
    for call in (lambda: tree.read("away/secret.yaml"), lambda: tree.names("away")):
        with pytest.raises(Refused, match="a link leads out of the repository"):
            call()
    clone.git("add", "-A")
    clone.git("commit", "-qm", "links")
    commit = CommitTree(clone.repository, clone.git("rev-parse", "HEAD"))
    for path in ("rollouts/inside.yaml", "away/secret.yaml"):
        with pytest.raises(Refused, match=r"\(mode 120000\)"):
            commit.read(path)
    with pytest.raises(Refused, match=r"away: is no folder in git \(mode 120000\)"):
        commit.names("away")


def test_what_is_no_plain_file_is_refused_and_does_not_hang(clone: Clone) -> None:
    os.mkfifo(clone.root / "rollouts/fifo.yaml")
    with socket.socket(socket.AF_UNIX) as server:
        os.chdir(clone.root / "rollouts")
        server.bind("socket.yaml")
        tree = WorkTree(clone.root)
        for name in ("fifo", "socket"):
            with pytest.raises(Refused, match=rf"rollouts/{name}\.yaml: cannot be read"):
                tree.read(f"rollouts/{name}.yaml")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_refused(clone: Clone) -> None:
    (clone.root / DOCKER).chmod(0)
    with pytest.raises(Refused, match="cannot be read: Permission denied"):
        WorkTree(clone.root).read(DOCKER)
    (clone.root / "rollouts").chmod(0)
    with pytest.raises(Refused, match="Permission denied"):
        WorkTree(clone.root).names("rollouts")
    (clone.root / "rollouts").chmod(0o700)


def test_five_hundred_files_of_a_commit_take_one_process(clone: Clone) -> None:
    clone.commit("many", {f"rollouts/v{number}.yaml": f"{number}\n" for number in range(500)})
    tree = CommitTree(clone.repository, clone.git("rev-parse", "HEAD"))
    assert len([tree.read(f"rollouts/{name}") for name in tree.names("rollouts")]) == 502


def test_a_commit_that_is_missing_is_refused(clone: Clone) -> None:
    repository = clone.repository
    for name in ("0" * 40, clone.git("rev-parse", f"HEAD:{DOCKER}")):
        with pytest.raises(Refused, match=r"there is no tree \S+ here: see `git fsck`"):
            CommitTree(repository, name).read(DOCKER)
    assert repository.objects.read("0" * 40) is None
    repository.close()
    assert repository.objects.blob(clone.git("rev-parse", f"HEAD:{DOCKER}")) == FILES[DOCKER].encode()
    (clone.root / ".git/HEAD").unlink()
    broken = Repository(clone.root, clone.root / ".git", clone.root / ".git")
    with pytest.raises(Refused, match=r"git cat-file failed: not a git repository"):
        broken.objects.read("0" * 40)


# History


def subjects(clone: Clone, *paths: str) -> list[tuple[str, tuple[str, ...]]]:
    head = clone.git("rev-parse", "HEAD")
    return [(found.subject, found.paths) for found in decisions(clone.repository, head, paths or ("rollouts",))]


def test_history_is_newest_first_and_of_the_paths_only(clone: Clone) -> None:
    clone.commit("docker", {DOCKER: "1\n"})
    clone.commit("other", {"other.txt": "1\n"})
    clone.commit("both", {HELIOS: "1\n", "tsunami.yaml": "x\n", DOCKER: "2\n"})
    clone.git("mv", DOCKER, "rollouts/renamed.yaml")
    clone.git("commit", "-qm", "renamed")
    assert subjects(clone) == [
        ("renamed", (DOCKER, "rollouts/renamed.yaml")),
        ("both", (DOCKER, HELIOS)),
        ("docker", (DOCKER,)),
        ("start", (DOCKER, HELIOS)),
    ]
    assert [subject for subject, _ in subjects(clone, "tsunami.yaml")] == ["both", "start"]
    assert subjects(clone, "rollouts/*") == subjects(clone, ":(glob)**") == []
    clone.git("config", "log.showRoot", "false")
    clone.git("config", "log.showSignature", "true")
    clone.git("config", "log.follow", "true")
    assert subjects(clone)[-1][0] == "start"
    newest = next(decisions(clone.repository, clone.git("rev-parse", "HEAD"), ["rollouts"]))
    assert newest.subject == "renamed"
    with pytest.raises(Refused, match="git log failed"):
        list(decisions(clone.repository, "0" * 40, ["rollouts"]))


def test_merges_lose_nothing_and_double_nothing(clone: Clone) -> None:
    clone.git("checkout", "-q", "-b", "clean")
    clone.commit("by request", {"rollouts/a.yaml": "a\n"})
    clone.git("checkout", "-q", "main")
    clone.commit("meanwhile", {HELIOS: "h\n"})
    clone.git("merge", "-q", "--no-ff", "-m", "merge clean", "clean")
    clone.git("checkout", "-q", "-b", "conflict")
    clone.commit("theirs", {DOCKER: "theirs\n"})
    clone.git("checkout", "-q", "main")
    clone.commit("ours", {DOCKER: "ours\n"})
    clone.git("merge", "-q", "conflict", check=False)
    clone.write(DOCKER, "ours\n")
    clone.git("commit", "-qam", "merge that takes ours")
    clone.git("checkout", "-q", "-b", "dropped", "HEAD~1")
    clone.commit("lost", {"rollouts/lost.yaml": "x\n"})
    clone.git("checkout", "-q", "main")
    clone.git("merge", "-q", "-s", "ours", "-m", "merge that drops", "dropped")
    found = subjects(clone)
    assert sorted(found) == sorted(
        [
            ("merge that drops", ("rollouts/lost.yaml",)),
            ("lost", ("rollouts/lost.yaml",)),
            ("merge that takes ours", (DOCKER,)),
            ("theirs", (DOCKER,)),
            ("ours", (DOCKER,)),
            ("by request", ("rollouts/a.yaml",)),
            ("meanwhile", (HELIOS,)),
            ("start", (DOCKER, HELIOS)),
        ]
    )


def test_an_old_git_tells_of_a_merge_what_differs_from_all_sides(
    clone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone.git("checkout", "-q", "-b", "side")
    clone.commit("theirs", {DOCKER: "theirs\n"})
    clone.git("checkout", "-q", "main")
    clone.commit("ours", {DOCKER: "ours\n"})
    clone.git("merge", "-q", "side", check=False)
    clone.write(DOCKER, "both\n")
    clone.git("commit", "-qam", "merge")
    old = tmp_path / "old/git"
    old.parent.mkdir()
    old.write_text(f'#!/bin/sh\ncase "$*" in *--remerge-diff*) exit 129;; esac\nexec {shutil.which("git")} "$@"\n')
    old.chmod(0o755)
    monkeypatch.setenv("PATH", str(old.parent), prepend=os.pathsep)
    assert sorted(subject for subject, _ in subjects(clone)) == ["merge", "ours", "start", "theirs"]


def test_history_of_odd_names_and_texts(clone: Clone) -> None:
    odd = 'rollouts/ tab\t"quote" \n:100644 newline'
    clone.write(odd, "x\n")
    clone.git("add", "-A")
    message = (
        "subject\x1b[2J\nsecond line\n\n:000000 100644 forged\n\nTsunami-Action: start\nTsunami-Variable: docker\n"
    )
    clone.git("commit", "-q", "--cleanup=verbatim", "-m", message)
    (found, *_) = decisions(clone.repository, clone.git("rev-parse", "HEAD"), ["rollouts"])
    assert found.paths == (odd,)
    assert found.subject == "subject\x1b[2J second line"
    assert found.reason == ":000000 100644 forged"
    assert found.trailers == (("Tsunami-Action", "start"), ("Tsunami-Variable", "docker"))
    assert found.values("Tsunami-Variable") == ("docker",)
    assert found.author == "Ada Operator <ada@example.com>"
    assert found.at.tzinfo is UTC
    assert found.parents == (clone.git("rev-parse", "HEAD^"),)


@pytest.mark.parametrize(
    ("message", "subject", "reason", "trailers"),
    [
        ("", "", None, ()),
        ("\n\n", "", None, ()),
        ("one", "one", None, ()),
        ("one\n\ntext\n", "one", "text", ()),
        ("one\n\nKey: value\n", "one", None, (("Key", "value"),)),
        ("Key: value\n", "Key: value", None, ()),
        ("one\nKey: value\n", "one Key: value", None, ()),
        ("one\n\ntext\nKey: value\n", "one", "text\nKey: value", ()),
        ("one\n\nKey: value\n\ntext\n", "one", "Key: value\n\ntext", ()),
        ("one\n\nKey: forged\n\nKey: real\nKey: twice\n", "one", "Key: forged", (("Key", "real"), ("Key", "twice"))),
        ("one\n\nKey: value\n continued\n", "one", "Key: value\n continued", ()),
        ("one\n\nKey:value\n", "one", "Key:value", ()),
        ("one\n\nKey: \n", "one", "Key:", ()),
        ("one\n \t\nKey: value\n\t\n", "one", None, (("Key", "value"),)),
        ("one\r\n\r\nKey: value\r\n", "one", None, (("Key", "value"),)),
        ("one\n\nKey: a\x0bOther: b\n", "one", None, (("Key", "a\x0bOther: b"),)),
        ("one\n\nKey: a\u2028Other: b\n", "one", None, (("Key", "a\u2028Other: b"),)),
    ],
)
def test_messages(message: str, subject: str, reason: str | None, trailers: tuple[tuple[str, str], ...]) -> None:
    assert parse_message(message) == (subject, reason, trailers), message


TEXT = st.text(
    alphabet=st.one_of(st.sampled_from("\n\r \t:-Ab"), st.characters(exclude_characters="\0"))
) | st.sampled_from(
    ["Tsunami-Action: halt", "\n\nTsunami-Action: halt", "\n\nTsunami-Action: halt\n\n", "x\n \nTsunami-Variable: y\n"]
)


@given(reason=TEXT)
def test_no_reason_forges_a_trailer(reason: str) -> None:
    trailers = (("Tsunami-Action", "start"), ("Tsunami-Variable", "docker"))
    message = f"docker: start\n\n{reason}\n\nTsunami-Action: start\nTsunami-Variable: docker\n"
    assert parse_message(message)[2] == trailers


@pytest.mark.parametrize(
    ("raw", "author", "at"),
    [
        (b"author A <a@b> 0 +0000\ncommitter C <c@d> 86400 +0200\n\ns", "A <a@b>", datetime(1970, 1, 2, tzinfo=UTC)),
        (b"author  <> 0 +0000\ncommitter C <c@d> -86400 -0000\n\ns", " <>", datetime(1969, 12, 31, tzinfo=UTC)),
        (b"author A <a> 0 +0\ncommitter C <c> 99999999999999999 +0\n\ns", "A <a>", datetime(1970, 1, 1, tzinfo=UTC)),
        (b"author broken\ncommitter \n\ns", "broken <>", datetime(1970, 1, 1, tzinfo=UTC)),
        (b"", " <>", datetime(1970, 1, 1, tzinfo=UTC)),
        (b"author \xe9 <a> 0 +0\ncommitter C <c> 0 +0\nencoding latin1\n\n", "é <a>", datetime(1970, 1, 1, tzinfo=UTC)),
        (b"author \xe9 <a@b> 0 +0\nencoding rot13\n\n\xe9", "\ufffd <a@b>", datetime(1970, 1, 1, tzinfo=UTC)),
        (
            b"author A <a> 0 +0\ncommitter C <c> 0 +0\ngpgsig -----\n author Eve <e> 0 +0\n\nauthor Eve <e> 0 +0",
            "A <a>",
            datetime(1970, 1, 1, tzinfo=UTC),
        ),
    ],
)  # fmt: skip
def test_raw_commits(raw: bytes, author: str, at: datetime) -> None:
    found = parse_commit("x", raw, ["b", "a", "b"])
    assert (found.author, found.at, found.paths) == (author, at, ("a", "b")), raw


# The process and its configuration


def test_the_environment_of_git(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_AUTHOR_NAME", "SSH_AUTH_SOCK", "GIT_CONFIG_COUNT"):
        monkeypatch.setenv(name, "x")
    kept = process.environment({"EXTRA": "1"})
    assert not {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"} & set(kept)
    expected = {"GIT_AUTHOR_NAME": "x", "SSH_AUTH_SOCK": "x", "GIT_CONFIG_COUNT": "x", "EXTRA": "1"}
    assert expected.items() <= kept.items()
    assert (kept["LC_ALL"], kept["GIT_TERMINAL_PROMPT"]) == ("C", "0")


def test_every_variable_that_git_calls_local_is_dropped_or_configures(clone: Clone) -> None:
    local = set(clone.git("rev-parse", "--local-env-vars").split())
    assert local - process.REDIRECTING == {"GIT_CONFIG_PARAMETERS", "GIT_CONFIG_COUNT"}


def test_the_time_limit_is_read_strictly(monkeypatch: pytest.MonkeyPatch) -> None:
    assert process.network_limit() == 20
    for text, seconds in {"": 20, " 3 ": 3, "0.5": 0.5}.items():
        monkeypatch.setenv("TSUNAMI_GIT_TIMEOUT", text)
        assert process.network_limit() == seconds
    for text in ("0", "-1", "nan", "inf", "1e9", "20s", "٣"):
        monkeypatch.setenv("TSUNAMI_GIT_TIMEOUT", text)
        with pytest.raises(Usage, match="TSUNAMI_GIT_TIMEOUT"):
            process.network_limit()


def test_a_time_limit_ends_the_whole_group(clone: Clone) -> None:
    done = process.run(clone.root, "-c", "alias.nap=!sleep 600 & wait", "nap", limit=0.2)
    assert done.status < 0
    assert done.why == "no answer within 0.2 s (TSUNAMI_GIT_TIMEOUT)"


def test_git_that_is_not_there_is_refused(clone: Clone, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="No such file"):
        process.run(tmp_path / "gone", "version")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Refused, match="install git and put it on the PATH"):
        process.run(clone.root, "version")


def test_what_git_says_is_one_clean_line() -> None:
    err = "warning: w\nfatal: unable to access 'https://bob:secret@host/x': \x1b[2Jboo\nhint: h\n"
    assert process.Done(1, b"", err).why == "unable to access 'https://host/x':  [2Jboo"
    assert process.Done(3, b"", "").why == "it ended with status 3"
    assert process.Done(3, b"", "first\nlast\n").why == "last"
    err = "fatal: detected dubious ownership\nTo add:\n\n\tgit config --global --add safe.directory /x\n"
    assert process.Done(128, b"", err).why.endswith(": `git config --global --add safe.directory /x`")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, None),
        ({"remote.other.url": "u"}, None),
        ({"remote.origin.url": "u"}, ("origin", "refs/heads/main", "refs/remotes/origin/main")),
        (
            {"branch.main.remote": "a.b", "branch.main.merge": "refs/heads/t", "remote.a.b.url": "u"},
            ("a.b", "refs/heads/t", "refs/remotes/a.b/t"),
        ),
        ({"branch.main.remote": ".", "branch.main.merge": "refs/heads/dev"}, None),
        (
            {"branch.main.remote": ".", "branch.main.merge": "refs/heads/dev", "remote.origin.url": "u"},
            ("origin", "refs/heads/main", "refs/remotes/origin/main"),
        ),
        (
            {"branch.main.remote": "ssh://h/x", "branch.main.merge": "refs/heads/main"},
            ("ssh://h/x", "refs/heads/main", "refs/tsunami/upstream/main"),
        ),
    ],
)
def test_the_remote_of_a_branch(values: dict[str, str | None], expected: tuple[str, str, str] | None) -> None:
    found = remote_of(Settings(values), "main")
    assert (found and (found.name, found.ref, found.tracking)) == expected, values


def test_remotes_that_are_options_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Refused, match="is no upstream"):
        remote_of(Settings({"branch.main.remote": "--upload-pack=evil"}), "main")
    origin = {"remote.origin.url": "u"}
    for values, plain in ((origin, True), (origin | {"core.sshcommand": "ssh -v"}, False)):
        remote = remote_of(Settings(values), "main")
        assert remote
        assert remote.plain_ssh is plain
    monkeypatch.setenv("GIT_SSH_COMMAND", "ssh -v")
    assert (remote := remote_of(Settings(origin), "main"))
    assert not remote.plain_ssh
