import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tsunami_cli.adapters.store.folder import FolderStore
from tsunami_cli.adapters.store.model import Kept, Overtaken, Store, bundle_sequence, manifest_sequence
from tsunami_cli.adapters.store.opening import open_store
from tsunami_cli.errors import Refused, Unreachable, Usage

ROOT = Path(__file__).resolve().parent.parent.parent
HOST, ROLE = "hosts/a.json", "roles/web.json"


def bundle(sequence: int, value: str = "1") -> bytes:
    return f'{{"role": "web", "sequence": {sequence}, "hosts": {{\n"a": {{"docker":"{value}"}}}}}}\n'.encode()


def manifest(sequence: int, note: str = "") -> bytes:
    return f'{{"fleet": "test", "sequence": {sequence}, "rendered_at": "{note}"}}\n'.encode()


def write(store: Store, objects: dict[str, bytes], sequence: int = 1) -> list[int]:
    reports: list[int] = []
    store.write(objects, sequence, (), reports.append)
    return reports


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".tsunami.lock"
    }


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "srv" / "public"


@pytest.fixture
def store(target: Path) -> Store:
    return FolderStore(target, "file:public")


class TestWriting:
    def test_a_life(self, store: Store, target: Path) -> None:
        assert store.read("manifest.json") is None
        assert not target.exists()
        with store.hold():
            assert write(store, {HOST: b"{}\n", ROLE: bundle(1)}) == [2]
            store.write_manifest(manifest(1), 1, None)
        kept = store.read("manifest.json")
        assert kept == Kept(manifest(1), None)
        assert files(target) == {HOST: b"{}\n", ROLE: bundle(1), "manifest.json": manifest(1)}
        write(store, {ROLE: bundle(2)}, 2)
        store.delete([HOST, "hosts/never.json", "gone/never.json"], 2)
        store.write_manifest(manifest(2), 2, kept)
        assert files(target) == {ROLE: bundle(2), "manifest.json": manifest(2)}

    def test_a_web_server_can_read_it(self, store: Store, target: Path) -> None:
        before = os.umask(0o022)
        try:
            write(store, {HOST: b"{}"})
        finally:
            os.umask(before)
        assert oct((target / HOST).stat().st_mode) == "0o100644"
        assert oct((target / "hosts").stat().st_mode) == "0o40755"
        assert oct(target.stat().st_mode) == "0o40755"

    def test_what_is_the_same_is_not_touched(self, store: Store, target: Path) -> None:
        write(store, {HOST: b"{}"})
        before = (target / HOST).stat().st_ino
        write(store, {HOST: b"{}"}, 2)
        assert (target / HOST).stat().st_ino == before

    def test_many_are_reported_now_and_then(self, store: Store, target: Path) -> None:
        objects = {f"hosts/h{number}.json": b"{}" for number in range(3000)}
        began = time.monotonic()
        reports = write(store, objects)
        assert reports[-1] == 3000
        assert reports == sorted(set(reports))
        assert len(reports) <= 20 * (time.monotonic() - began) + 2
        assert len(files(target)) == 3000

    @pytest.mark.parametrize("path", ["../a.json", "/etc/a", "hosts/../../a", ".git/config", "hosts//a", "", "a\0b"])
    def test_a_path_that_is_none_is_a_bug(self, store: Store, target: Path, path: str) -> None:
        for act in (lambda: write(store, {path: b""}), lambda: store.delete([path], 1)):
            with pytest.raises(ValueError, match="no path of an object"):
                act()
        assert files(target) == {}


class TestSequences:
    def test_a_manifest_that_is_newer_stops_everything(self, store: Store, target: Path) -> None:
        write(store, {HOST: b"new"}, 5)
        store.write_manifest(manifest(5), 5, None)
        before = files(target)
        for act in (
            lambda: write(store, {HOST: b"old"}, 4),
            lambda: store.delete([HOST], 4),
            lambda: store.write_manifest(manifest(4), 4, store.read("manifest.json")),
        ):
            with pytest.raises(Overtaken, match="newer publish than 4"):
                act()
        assert files(target) == before

    @pytest.mark.parametrize("there", [b"", b"[]", b"{", b'{"sequence": true}', b'{"sequence": "9"}', b"\xff", b"null"])
    def test_a_manifest_put_by_hand_is_older_than_any(self, store: Store, target: Path, there: bytes) -> None:
        target.mkdir(parents=True)
        (target / "manifest.json").write_bytes(there)
        write(store, {HOST: b"{}"})
        store.write_manifest(manifest(1), 1, store.read("manifest.json"))
        assert files(target)["manifest.json"] == manifest(1)

    def test_a_bundle_that_is_newer_is_not_overwritten_nor_deleted(self, store: Store, target: Path) -> None:
        write(store, {ROLE: bundle(5)}, 5)
        with pytest.raises(Overtaken, match=r"roles/web\.json"):
            write(store, {HOST: b"{}", ROLE: bundle(4)}, 4)
        store.delete([ROLE], 4)
        assert files(target) == {ROLE: bundle(5)}
        store.delete([ROLE], 5)
        assert files(target) == {}

    def test_one_of_the_same_sequence_may_be_mended(self, store: Store, target: Path) -> None:
        write(store, {ROLE: bundle(5)}, 5)
        write(store, {ROLE: bundle(5, "2")}, 5)
        assert files(target) == {ROLE: bundle(5, "2")}

    def test_the_same_sequence_may_write_its_manifest_anew(self, store: Store) -> None:
        store.write_manifest(manifest(3, "first"), 3, None)
        store.write_manifest(manifest(3, "second"), 3, store.read("manifest.json"))
        kept = store.read("manifest.json")
        assert kept is not None
        assert kept.data == manifest(3, "second")

    def test_a_manifest_is_written_only_over_the_one_that_was_read(self, store: Store, target: Path) -> None:
        store.write_manifest(manifest(1), 1, None)
        with pytest.raises(Overtaken):
            store.write_manifest(manifest(2), 2, None)
        with pytest.raises(Overtaken):
            store.write_manifest(manifest(2), 2, Kept(manifest(1, "other"), None))
        store.write_manifest(manifest(1), 1, None)  # our own, once more
        assert files(target) == {"manifest.json": manifest(1)}

    @pytest.mark.parametrize(
        ("data", "sequence"), [(bundle(7), 7), (b'{"docker":"1"}', 0), (b"", 0), (b'{"role": "x", "sequence": -1,', 0)]
    )
    def test_the_sequence_of_a_bundle(self, data: bytes, sequence: int) -> None:
        assert bundle_sequence(data) == sequence

    def test_the_sequence_of_a_manifest(self) -> None:
        assert manifest_sequence(b'{"objects": {}, "sequence": 12}') == 12
        assert manifest_sequence(b"[" * 100_000) == 0


class TestInTheWay:
    """Whatever is in the way: one line, exit 4, and what was there is there still."""

    def refused(self, store: Store, *words: str, objects: dict[str, bytes] | None = None) -> None:
        with pytest.raises(Unreachable) as caught:
            write(store, objects or {HOST: b"new", ROLE: bundle(9)}, 9)
        text = str(caught.value)
        for word in words:
            assert word in text
        assert "\n" not in text

    def test_a_symlink_in_the_place_of_a_file(self, store: Store, target: Path, tmp_path: Path) -> None:
        outside = tmp_path / "outside"
        outside.write_text("mine")
        (target / "hosts").mkdir(parents=True)
        (target / HOST).symlink_to(outside)
        self.refused(store, HOST, "symlink")
        assert outside.read_text() == "mine"
        assert (target / HOST).is_symlink()
        with pytest.raises(Unreachable, match="symlink"):
            store.read(HOST)

    def test_a_symlink_in_the_place_of_a_folder(self, store: Store, target: Path, tmp_path: Path) -> None:
        outside = tmp_path / "outside"
        outside.mkdir()
        (outside / "a.json").write_text("mine")
        target.mkdir(parents=True)
        (target / "hosts").symlink_to(outside)
        self.refused(store, "hosts: ", "symlink")
        with pytest.raises(Unreachable, match="symlink"):
            store.delete([HOST], 9)
        assert {path.name: path.read_text() for path in outside.iterdir()} == {"a.json": "mine"}

    def test_a_symlink_for_the_lock(self, store: Store, target: Path, tmp_path: Path) -> None:
        target.mkdir(parents=True)
        (target / ".tsunami.lock").symlink_to(tmp_path / "made")
        self.refused(store, ".tsunami.lock", "symlink")
        assert not (tmp_path / "made").exists()

    def test_a_file_where_a_folder_should_be(self, store: Store, target: Path) -> None:
        target.mkdir(parents=True)
        (target / "hosts").write_text("mine")
        self.refused(store, "hosts", "a file, where a folder should be")
        assert (target / "hosts").read_text() == "mine"

    def test_a_file_where_the_target_should_be(self, store: Store, target: Path) -> None:
        target.parent.mkdir(parents=True)
        target.write_text("mine")
        self.refused(store, str(target), "a file")
        with pytest.raises(Unreachable):
            store.read("manifest.json")
        target.unlink()
        target.parent.rmdir()
        target.parent.write_text("mine")
        self.refused(store, str(target))

    def test_a_folder_where_a_file_should_be(self, store: Store, target: Path) -> None:
        (target / HOST).mkdir(parents=True)
        self.refused(store, HOST)
        with pytest.raises(Unreachable, match=HOST):
            store.delete([HOST], 9)

    def test_a_pipe_where_a_file_should_be(self, store: Store, target: Path) -> None:
        (target / "hosts").mkdir(parents=True)
        os.mkfifo(target / HOST)
        self.refused(store, HOST, "not a regular file")

    def test_a_name_too_long_for_the_disk(self, store: Store, target: Path) -> None:
        self.refused(store, "takes no such name", objects={f"hosts/{'a' * 253}.json": b"{}", HOST: b"{}"})
        assert files(target) == {}

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read and write everything")
    def test_a_folder_without_rights(self, store: Store, target: Path) -> None:
        (target / "hosts").mkdir(parents=True)
        (target / "hosts").chmod(0o500)
        self.refused(store, HOST, "Permission denied", "give this user the right")
        (target / "hosts").chmod(0o000)
        with pytest.raises(Unreachable, match="Permission denied"):
            store.read(HOST)

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
    def test_a_folder_without_rights_for_somebody_else(self) -> None:
        # Not below pytest's folder, which is nobody else's business.
        with tempfile.TemporaryDirectory(prefix="tsunami-store-") as name:
            Path(name).chmod(0o755)
            target = Path(name) / "public"
            (target / "hosts").mkdir(parents=True)
            target.chmod(0o777)
            (target / "hosts").chmod(0o700)
            done = elsewhere(
                target,
                """
                import os
                os.setegid(65534)
                os.seteuid(65534)
                new = {"hosts/a.json": b""}
                for act in (lambda: STORE.read("hosts/a.json"), lambda: STORE.write(new, 1, (), print)):
                    try:
                        act()
                    except Unreachable as error:
                        print(error)
                os.seteuid(0)  # coverage writes at the end
                os.setegid(0)
                """,
            )
        assert done.stderr == ""
        lines = done.stdout.splitlines()
        assert len(lines) == 2, lines
        assert all("hosts" in line and "Permission denied: give this user the right" in line for line in lines), lines

    def test_a_full_disk_changes_nothing(self, tmp_path: Path) -> None:
        target = tmp_path / "small"
        with small_disk(target):
            store = FolderStore(target, "file:small")
            write(store, {HOST: b"old"})
            self.refused(
                store,
                "No space left",
                "make room",
                objects={HOST: b"new", **{f"hosts/{n}.json": b"x" * 99_999 for n in range(20)}},
            )
            assert files(target) == {HOST: b"old"}
            write(store, {HOST: b"new"})
            assert files(target) == {HOST: b"new"}

    def test_a_limit_on_the_size_of_files(self, target: Path) -> None:
        write(FolderStore(target, "file:public"), {HOST: b"old"})
        done = elsewhere(
            target,
            """
            import resource
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
            try:
                STORE.write({"hosts/a.json": b"new", "hosts/b.json": b"x" * 9999}, 2, (), print)
            except Unreachable as error:
                print(error)
            """,
        )
        assert done.stdout.startswith(f"{target}/hosts/b.json: cannot be written: File too large"), done
        assert files(target) == {HOST: b"old"}


class TestHolding:
    def test_two_publishers_wait_for_each_other(
        self, store: Store, target: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TSUNAMI_STORE_TIMEOUT", "0.3")
        with other_holder(target):
            for act in (lambda: write(store, {HOST: b""}), lambda: store.write_manifest(b"{}", 1, None)):
                began = time.monotonic()
                with pytest.raises(Unreachable, match=r"file:public: another publish is writing to it, for 0\.3 s"):
                    act()
                assert 0.2 < time.monotonic() - began < 3
        assert write(store, {HOST: b""}) == [1]

    def test_the_one_that_waits_gets_it(self, store: Store, target: Path) -> None:
        with other_holder(target, "time.sleep(0.5)"), store.hold():
            write(store, {HOST: b"{}"})
        assert files(target) == {HOST: b"{}"}

    def test_it_may_be_held_for_several_writes(self, store: Store, target: Path) -> None:
        with store.hold():
            with store.hold():
                write(store, {HOST: b"{}"})
            with (target / ".tsunami.lock").open("r+") as file, pytest.raises(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def test_a_killed_publisher_leaves_nothing_for_long(self, store: Store, target: Path) -> None:
        write(store, {HOST: b"old"})
        process = start(
            target,
            """
            places = Places(FOLDER)
            with STORE.hold(), places:
                places.stage("hosts/a.json", b"half", durable=True)
                places.stage("manifest.json", b"half", durable=True)
                print("staged", flush=True)
                time.sleep(60)
            """,
        )
        with process:
            assert process.stdout is not None
            assert process.stdout.readline() == "staged\n"
            process.kill()
        assert sorted(map(len, files(target).values())) == [3, 4, 4]
        (target / "hosts" / ".tsunami-mine.tmp").write_text("not one of ours")
        write(store, {"roles/web.json": bundle(1)})
        assert files(target) == {HOST: b"old", ROLE: bundle(1), "hosts/.tsunami-mine.tmp": b"not one of ours"}

    def test_ctrl_c_leaves_nothing(self, store: Store, target: Path) -> None:
        def interrupt(done: int) -> None:
            raise KeyboardInterrupt

        objects = {f"hosts/h{number}.json": b"{}" * 2000 for number in range(3000)}
        with pytest.raises(KeyboardInterrupt):
            store.write(objects, 1, (), interrupt)
        assert not list(target.rglob("*.tmp"))
        assert write(store, {HOST: b""}) == [1]

    def test_a_timeout_that_is_none(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TSUNAMI_STORE_TIMEOUT", "soon\n")
        with pytest.raises(Usage, match="TSUNAMI_STORE_TIMEOUT: 'soon' is no number of seconds"):
            write(store, {HOST: b""})


class TestOpening:
    def test_folders(self, tmp_path: Path) -> None:
        for url, folder in {
            "file:public": tmp_path / "public",
            "file:a/../public/": tmp_path / "public",
            f"file:{tmp_path}/x": tmp_path / "x",
            f"file://{tmp_path}/x": tmp_path / "x",
            "file:/srv/www": Path("/srv/www"),
        }.items():
            store = open_store(url, tmp_path)
            assert store.address == url
            assert isinstance(store, FolderStore)
            assert store._folder == folder, url

    @pytest.mark.parametrize("url", ["file:../out", "file:a/../../out", "file:away/x"])
    def test_folders_outside(self, tmp_path: Path, url: str) -> None:
        (tmp_path / "away").symlink_to("/")
        with pytest.raises(Refused, match="leads out of the repository"):
            open_store(url, tmp_path)

    @pytest.mark.parametrize("url", ["file:.", "file:.git", "file:.git/hooks", "file:a/..", "file:{root}"])
    def test_folders_that_are_not_for_it(self, tmp_path: Path, url: str) -> None:
        with pytest.raises(Refused, match="not a folder for publishing"):
            open_store(url.format(root=tmp_path), tmp_path)

    @pytest.mark.parametrize(
        "url",
        [
            *(
                "",
                "public",
                "file:",
                "file://host/x",
                "file:a\0b",
                "ftp://a/b",
                "http://a/b",
                "s3:bucket",
                "s3://",
                "s3:///x",
            ),
            *(
                "s3://b/a//b",
                "s3://b/../c",
                "s3://b/./c",
                "S3://b",
                "s3://b/a b",
                "s3://b\n",
                "az://ü/x",
                "s3://b:80/x",
            ),
        ],
    )
    def test_what_is_no_store(self, tmp_path: Path, url: str) -> None:
        with pytest.raises(Usage, match="write file:PATH") as caught:
            open_store(url, tmp_path)
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize("url", ["s3://key:hunter2@bucket/x", "s3://b/x?sig=hunter2", "az://c/x#hunter2"])
    def test_credentials_are_not_shown(self, tmp_path: Path, url: str) -> None:
        with pytest.raises(Usage) as caught:
            open_store(url, tmp_path)
        assert "hunter2" not in str(caught.value)

    def test_a_folder_does_not_pay_for_obstore(self, target: Path) -> None:
        done = elsewhere(target, 'STORE.write({"hosts/a.json": b""}, 1, (), lambda _: print("obstore" in sys.modules))')
        assert done.stdout == "False\n"


HEAD = """
import sys, time
from pathlib import Path
from tsunami_cli.adapters.store.opening import open_store
from tsunami_cli.adapters.store.places import Places
from tsunami_cli.errors import Unreachable
FOLDER = Path(sys.argv[1])
STORE = open_store("file:" + sys.argv[1], Path("/nowhere"))
"""


def start(target: Path, text: str) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", HEAD + textwrap.dedent(text), str(target)]
    return subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def elsewhere(target: Path, text: str) -> subprocess.CompletedProcess[str]:
    """Run lines in a process of their own."""
    with start(target, text) as process:
        out, err = process.communicate(timeout=60)
    return subprocess.CompletedProcess((), process.returncode, out, err)


@contextlib.contextmanager
def other_holder(target: Path, then: str = "sys.stdin.read()") -> Iterator[None]:
    """Have another process hold a folder."""
    words = [
        sys.executable,
        "-c",
        f"{HEAD}\nwith STORE.hold():\n    print('held', flush=True)\n    {then}",
        str(target),
    ]
    with subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            assert process.stdout.readline() == "held\n"
            yield
        finally:
            process.stdin.close()


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """Mount a disk of one megabyte; skip where that is not allowed."""
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if not shutil.which("mount") or subprocess.run(words, capture_output=True, check=False).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
