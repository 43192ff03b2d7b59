# ruff: noqa: F811, the fixtures are imported
import contextlib
import http.client
import itertools
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
import urllib.request
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import cast

import obstore
import pytest

from tests.adapters.store_servers import BUCKET, S3_KEYS, proxy
from tests.servers import Place, azure, s3  # noqa: F401
from tsunami_cli.adapters.store import crew
from tsunami_cli.adapters.store.cloud import CloudStore
from tsunami_cli.adapters.store.model import Kept, Overtaken, Store
from tsunami_cli.adapters.store.opening import open_store
from tsunami_cli.errors import Unreachable

ROOT = Path(__file__).resolve().parent.parent.parent
HOST = "hosts/a.json"
SECRETS = (S3_KEYS["AWS_SECRET_ACCESS_KEY"], "hunter2", "Signature=", "X-Amz")

pytestmark = pytest.mark.server


@pytest.fixture(params=["s3", "azure"])
def place(request: pytest.FixtureRequest) -> Place:
    return cast(Place, request.getfixturevalue(request.param))


@pytest.fixture
def store(place: Place) -> Store:
    return opened(place.url)


def opened(url: str) -> CloudStore:
    store = open_store(url, Path("/nowhere"))
    assert isinstance(store, CloudStore)
    return store


def write(store: Store, objects: dict[str, bytes], sequence: int, known: set[str] | None = None) -> list[int]:
    reports: list[int] = []
    store.write(objects, sequence, known or set(), reports.append)
    return reports


def manifest(sequence: int, note: str = "") -> bytes:
    return json.dumps({"fleet": "test", "sequence": sequence, "rendered_at": note}).encode()


def data(store: Store, path: str) -> bytes | None:
    kept = store.read(path)
    return kept.data if kept else None


def headers(store: CloudStore, path: str) -> http.client.HTTPMessage:
    """Ask the server itself, as any client of HTTP would."""
    url = obstore.sign(store._bucket, "GET", path, timedelta(minutes=1))
    with urllib.request.urlopen(url, timeout=10) as answer:
        message: http.client.HTTPMessage = answer.headers
        return message


def failing(act: Callable[[], object], *words: str) -> str:
    with pytest.raises(Unreachable) as caught:
        act()
    text = str(caught.value)
    for word in words:
        assert word in text, text
    assert not any(secret in text for secret in SECRETS), text
    assert text.isprintable(), text
    assert len(text) < 500, text
    return text


class TestWriting:
    def test_what_a_client_gets(self, store: CloudStore) -> None:
        store.write({HOST: b'{"docker":"1"}\n'}, 7, (), lambda _: None)
        store.write_manifest(manifest(7), 7, None)
        for path in (HOST, "manifest.json"):
            got = headers(store, path)
            assert got["Content-Type"] == "application/json; charset=utf-8"
            assert got["Cache-Control"] == "no-cache"
            assert got["x-amz-meta-sequence"] == "7" or got["x-ms-meta-sequence"] == "7"
            assert got["ETag"]

    def test_a_life(self, store: Store, place: Place) -> None:
        assert store.address == place.url
        with store.hold():
            assert store.read("manifest.json") is None
            objects = {f"hosts/h{number}.json": b"{}" for number in range(100)}
            assert write(store, objects, 1)[-1] == 100
            store.write_manifest(manifest(1), 1, None)
        kept = store.read("manifest.json")
        assert kept is not None
        assert kept.data == manifest(1)
        write(store, {"hosts/h1.json": b"2", "hosts/h100.json": b"2"}, 2, set(objects))
        store.delete(["hosts/h2.json", "hosts/never.json"], 2)
        store.write_manifest(manifest(2), 2, kept)
        assert data(store, "hosts/h0.json") == b"{}"
        assert data(store, "hosts/h1.json") == b"2"
        assert data(store, "hosts/h2.json") is None
        assert data(store, "manifest.json") == manifest(2)

    def test_nothing_to_write(self, store: Store) -> None:
        assert write(store, {}, 1) == []
        store.delete([], 1)

    @pytest.mark.parametrize("known", [set(), {HOST}], ids=["unknown", "known"])
    def test_only_over_a_lower_sequence(self, store: Store, known: set[str]) -> None:
        write(store, {HOST: b"5"}, 5, known)
        with pytest.raises(Overtaken, match=r"hosts/a\.json is of publish 5, newer than 4"):
            write(store, {HOST: b"4"}, 4, known)
        write(store, {HOST: b"again"}, 5, known)
        assert data(store, HOST) == b"5"
        write(store, {HOST: b"6"}, 6, known)
        assert data(store, HOST) == b"6"

    @pytest.mark.parametrize("stated", [None, "", "many", "-1", "1.5", "9" * 30])
    def test_an_object_put_by_hand_is_older_than_any(self, store: CloudStore, place: Place, stated: str | None) -> None:
        obstore.put(store._bucket, HOST, b"mine", attributes={"sequence": stated} if stated is not None else {})
        write(store, {HOST: b"1"}, 1)
        assert data(store, HOST) == b"1"

    def test_deletes_nothing_that_is_newer(self, store: Store) -> None:
        write(store, {HOST: b"5"}, 5)
        store.delete([HOST], 4)
        assert data(store, HOST) == b"5"
        store.delete([HOST], 5)
        assert data(store, HOST) is None

    def test_a_prefix_keeps_to_itself(self, place: Place) -> None:
        store, below, top = opened(place.url), opened(place.url + "/below/"), opened(f"{place.url.rsplit('/', 1)[0]}")
        write(below, {HOST: b"below"}, 1)
        assert below.address == place.url + "/below"
        assert data(store, HOST) is None
        assert data(store, f"below/{HOST}") == b"below"
        assert data(top, f"{place.prefix}/below/{HOST}") == b"below"


class TestRaces:
    """Sixteen at once, each with a store of its own as if on machines of their own."""

    def race(self, place: Place, act: Callable[[CloudStore, int], object]) -> list[int]:
        start, won = threading.Barrier(16), []

        def one(number: int) -> None:
            store = opened(place.url)
            start.wait(30)
            with contextlib.suppress(Overtaken):
                act(store, number)
                won.append(number)

        threads = [threading.Thread(target=one, args=(number,)) for number in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return won

    def test_one_creates_the_manifest(self, place: Place) -> None:
        won = self.race(place, lambda store, n: store.write_manifest(manifest(1, str(n)), 1, None))
        assert len(won) == 1
        assert data(opened(place.url), "manifest.json") == manifest(1, str(won[0]))

    @pytest.mark.slow
    def test_one_updates_the_manifest(self, place: Place) -> None:
        opened(place.url).write_manifest(manifest(1), 1, None)
        read = opened(place.url).read("manifest.json")
        won = self.race(place, lambda store, n: store.write_manifest(manifest(2, str(n)), 2, read))
        assert len(won) == 1
        assert data(opened(place.url), "manifest.json") == manifest(2, str(won[0]))

    @pytest.mark.parametrize("first", [False, True], ids=["created", "updated"])
    def test_one_entry_of_a_sequence_is_kept(self, place: Place, first: bool) -> None:
        store = opened(place.url)
        if first:
            write(store, {HOST: b"first"}, 1)
        won = self.race(place, lambda store, n: write(store, {HOST: b"%d" % n}, 2))
        assert len(won) == 16  # the same ledger entry: all of them count as written
        assert data(store, HOST) in {b"%d" % n for n in range(16)}

    def test_the_newest_stays(self, place: Place) -> None:
        won = self.race(place, lambda store, n: write(store, {HOST: b"%d" % n}, n + 1))
        assert won
        # Who lost four times in a row gave up; nobody who won was overwritten by an older one.
        assert data(opened(place.url), HOST) == b"%d" % max(won)


class TestManifest:
    def test_lost_to_another(self, store: Store) -> None:
        store.write_manifest(manifest(1), 1, None)
        kept = store.read("manifest.json")
        store.write_manifest(manifest(2), 2, kept)
        for over in (kept, None):
            for sequence in (1, 2, 3):
                with pytest.raises(Overtaken):
                    store.write_manifest(manifest(sequence, "mine"), sequence, over)
        assert data(store, "manifest.json") == manifest(2)

    def test_older_than_what_was_read(self, store: Store) -> None:
        store.write_manifest(manifest(5), 5, None)
        with pytest.raises(Overtaken, match="newer publish than 4"):
            store.write_manifest(manifest(4), 4, store.read("manifest.json"))

    def test_the_same_sequence_anew(self, store: Store) -> None:
        store.write_manifest(manifest(5), 5, None)
        store.write_manifest(manifest(5, "later"), 5, store.read("manifest.json"))
        assert data(store, "manifest.json") == manifest(5, "later")

    def test_deleted_meanwhile(self, store: CloudStore) -> None:
        store.write_manifest(manifest(1), 1, None)
        kept = store.read("manifest.json")
        obstore.delete(store._bucket, "manifest.json")
        with pytest.raises(Overtaken):
            store.write_manifest(manifest(2), 2, kept)

    def test_written_anew_with_the_same_bytes(self, store: CloudStore) -> None:
        store.write_manifest(manifest(1), 1, None)
        kept = store.read("manifest.json")
        assert kept is not None
        obstore.put(store._bucket, "manifest.json", kept.data)
        store.write_manifest(manifest(2), 2, kept)
        assert data(store, "manifest.json") == manifest(2)

    def test_our_own_whose_answer_was_lost(self, s3: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        store = opened(s3.url)
        store.write_manifest(manifest(1), 1, None)
        store.write_manifest(manifest(1), 1, None)
        write(store, {HOST: b"1"}, 1)
        assert data(store, "manifest.json") == manifest(1)


class TestAnswers:
    def test_wrong_secret(self, s3: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
        store = opened(s3.url)
        failing(lambda: store.read("manifest.json"), s3.url, "SignatureDoesNotMatch", "AWS_", s3.server.place)
        failing(lambda: write(store, {HOST: b""}, 1), "hosts/a.json cannot be written", "SignatureDoesNotMatch")
        failing(lambda: write(store, {HOST: b""}, 1, {HOST}), "cannot be looked at", "403", "s3:ListBucket")
        failing(lambda: store.write_manifest(b"{}", 1, None), "manifest.json cannot be written")
        failing(lambda: store.delete([HOST], 1), "denies access")

    def test_wrong_key(self, azure: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", "aHVudGVyMg==")
        store = opened(azure.url)
        failing(lambda: store.read("manifest.json"), "credentials", "AZURE_")
        failing(lambda: write(store, {HOST: b""}, 1), "hosts/a.json cannot be written")

    def test_no_bucket(self, place: Place) -> None:
        url = place.url.replace(BUCKET, "no-such-bucket")
        store = opened(url)
        for act in (
            lambda: store.read("manifest.json"),
            lambda: write(store, {HOST: b""}, 1),
            lambda: write(store, {HOST: b""}, 1, {HOST}),
            lambda: store.write_manifest(manifest(1), 1, None),
            lambda: store.write_manifest(manifest(1), 1, Kept(b"{}", {"e_tag": '"1"'})),
        ):
            failing(act, url, "has no such", "create it")

    @pytest.mark.parametrize("missing", [["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"], ["AWS_SECRET_ACCESS_KEY"]])
    def test_no_credentials(
        self,
        s3: Place,
        monkeypatch: pytest.MonkeyPatch,
        missing: list[str],
    ) -> None:
        for name in missing:
            monkeypatch.delenv(name)
        monkeypatch.setenv("AWS_METADATA_ENDPOINT", "http://127.0.0.1:9")
        monkeypatch.setenv("TSUNAMI_STORE_TIMEOUT", "2")
        folder = Path.home() / ".aws"
        folder.mkdir()
        (folder / "credentials").write_text("[default]\naws_access_key_id = a\naws_secret_access_key = b\n")
        failing(lambda: opened(s3.url).read("x"), "no credentials: set AWS_ACCESS_KEY_ID", "~/.aws are not read")

    def test_a_metadata_service_that_is_silent(self, s3: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
        monkeypatch.setenv("TSUNAMI_STORE_TIMEOUT", "1")
        with proxy(s3.server.place, lambda number, method: "hang") as silent:
            monkeypatch.setenv("AWS_METADATA_ENDPOINT", f"http://{silent.place}")
            began = time.monotonic()
            failing(lambda: opened(s3.url).read("x"), "no credentials")
            assert time.monotonic() - began < 3

    def test_somebody_elses_404_is_not_taken_for_a_missing_object(
        self,
        s3: Place,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        with proxy(s3.server.place, lambda number, method: "404") as other:
            monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{other.place}")
            store = opened(s3.url)
            failing(lambda: store.read("manifest.json"), "answers 404", "check publish.to")
            failing(lambda: write(store, {HOST: b""}, 1), "answers 404")

    @pytest.mark.parametrize(
        ("status", "words"),
        [
            (301, "another region"),
            (401, "denies access"),
            (418, "answers 418"),
            (501, "conditional writes"),
            (503, "publish again later"),
        ],
    )
    def test_other_answers(
        self,
        s3: Place,
        monkeypatch: pytest.MonkeyPatch,
        status: int,
        words: str,
    ) -> None:
        monkeypatch.setenv("TSUNAMI_STORE_TIMEOUT", "4")
        with proxy(s3.server.place, lambda number, method: str(status)) as other:
            monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{other.place}")
            failing(lambda: write(opened(s3.url), {HOST: b""}, 1), s3.url, HOST, words)
            assert len(other.seen) <= 4


class TestTrouble:
    def test_a_server_that_hangs(self, s3: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TSUNAMI_STORE_TIMEOUT", "1")
        store = opened(s3.url)
        write(store, {HOST: b"1"}, 1)
        s3.pause()
        for act in (lambda: store.read(HOST), lambda: write(store, {f"hosts/{n}.json": b"" for n in range(99)}, 2)):
            began = time.monotonic()
            failing(act, "no answer from 127.0.0.1", "within 1 s (TSUNAMI_STORE_TIMEOUT)")
            assert time.monotonic() - began < 2.5
        s3.resume()
        write(store, {HOST: b"2"}, 2)
        assert data(store, HOST) == b"2"

    def test_nobody_there(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        name, path = ("AWS_ENDPOINT_URL", "") if place.url.startswith("s3") else ("AZURE_STORAGE_ENDPOINT", "/account")
        monkeypatch.setenv(name, f"http://127.0.0.1:9{path}")
        monkeypatch.setenv("TSUNAMI_STORE_TIMEOUT", "3")
        began = time.monotonic()
        failing(lambda: opened(place.url).read("x"), "127.0.0.1:9 refuses the connection")
        assert time.monotonic() - began < 4

    def test_no_such_name(self, s3: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://store.localhost.invalid:1")
        monkeypatch.setenv("TSUNAMI_STORE_TIMEOUT", "2")
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.delenv(name)
        failing(lambda: opened(s3.url).read("x"), "store.localhost.invalid:1")

    def test_no_tls(self, s3: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"https://{s3.server.place}")
        monkeypatch.setenv("TSUNAMI_STORE_TIMEOUT", "10")
        failing(lambda: opened(s3.url).read("x"), "does not speak TLS")

    @pytest.mark.parametrize("what", ["drop", "503"])
    def test_trouble_that_passes(self, s3: Place, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
        rule = lambda number, method: what if number % 3 == 1 else "pass"  # noqa: E731
        with proxy(s3.server.place, rule) as shaky:
            monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{shaky.place}")
            store = opened(s3.url)
            assert write(store, {f"hosts/{n}.json": b"1" for n in range(5)}, 1)[-1] == 5
            store.write_manifest(manifest(1), 1, None)
            assert data(store, "manifest.json") == manifest(1)

    def test_an_answer_that_is_lost(self, s3: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        """The object is there, and the next try finds it: of our own sequence."""
        direct = opened(s3.url)

        def rule(number: int, method: str) -> str:
            if number == 1:
                direct.write_manifest(manifest(1), 1, None)
                return "drop"
            return "pass"

        with proxy(s3.server.place, rule) as shaky:
            monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{shaky.place}")
            opened(s3.url).write_manifest(manifest(1), 1, None)
            assert shaky.seen == ["PUT", "PUT", "GET"]

    def test_half_way(self, s3: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        objects = {f"hosts/{n}.json": b"%d" % n for n in range(500)}
        monkeypatch.setenv("TSUNAMI_STORE_TIMEOUT", "4")
        with proxy(s3.server.place, lambda number, method: "pass" if number <= 100 else "drop") as shaky:
            monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{shaky.place}")
            failing(lambda: write(opened(s3.url), objects, 1), "cannot be written")
            assert len(shaky.seen) <= 100 + 4 * crew.CREW
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{s3.server.place}")
        store = opened(s3.url)
        assert data(store, "manifest.json") is None
        assert write(store, objects, 1)[-1] == 500  # the next publish finishes it
        assert all(data(store, path) == objects[path] for path in itertools.islice(objects, 0, 500, 50))

    @pytest.mark.parametrize("path", [HOST, "manifest.json"])
    def test_losing_again_and_again(self, s3: Place, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
        store = opened(s3.url)
        write(store, {path: b"{}"}, 1)
        kept = store.read(path)
        with proxy(s3.server.place, lambda number, method: "412" if method == "PUT" else "pass") as refusing:
            monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{refusing.place}")
            other = opened(s3.url)
            with pytest.raises(Overtaken):
                other.write_manifest(b"{ }", 2, kept) if path == "manifest.json" else write(other, {path: b"2"}, 2)
            assert refusing.seen.count("PUT") == 4

    def test_a_version_that_is_gone_is_a_lost_race(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        """Some say 404 rather than 412 to If-Match."""
        write(opened(place.url), {HOST: b"1"}, 1)
        name = next(name for name in place.env if "ENDPOINT" in name)
        code = "NoSuchKey" if place.url.startswith("s3") else "BlobNotFound"
        rule = lambda number, method: f"404:{code}" if (number, method) == (2, "PUT") else "pass"  # noqa: E731
        with proxy(place.server.place, rule) as other:
            monkeypatch.setenv(name, place.env[name].replace(place.server.place, other.place))
            write(opened(place.url), {HOST: b"2"}, 2, {HOST})
            assert other.seen == ["HEAD", "PUT", "HEAD", "PUT"]
            assert data(opened(place.url), HOST) == b"2"

    def test_a_delete_that_is_refused(self, s3: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        write(opened(s3.url), {HOST: b"1"}, 1)
        with proxy(s3.server.place, lambda number, method: "pass" if method == "HEAD" else "403:AccessDenied") as other:
            monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{other.place}")
            failing(lambda: opened(s3.url).delete([HOST], 1), HOST, "cannot be deleted", "s3:DeleteObject")

    def test_somebody_else_deletes_first(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        store = opened(place.url)
        write(store, {HOST: b"1"}, 1)
        look = store._look

        def late(path: str) -> object:
            seen = look(path)
            obstore.delete(store._bucket, path)
            return seen

        monkeypatch.setattr(store, "_look", late)
        store.delete([HOST], 1)
        assert data(store, HOST) is None

    def test_ctrl_c(self, s3: Place) -> None:
        """It ends within the time of a request, with no thread's complaint."""
        text = """
            import sys
            from pathlib import Path
            from tsunami_cli.adapters.store.opening import open_store
            store = open_store(sys.argv[1], Path("/"))
            objects = {f"hosts/{n}.json": b"" for n in range(100_000)}
            started = []
            def report(done):
                if not started:
                    started.append(print("on its way", flush=True))
            try:
                store.write(objects, 1, (), report)
            except KeyboardInterrupt:
                print("interrupted")
        """
        words = [sys.executable, "-c", textwrap.dedent(text), s3.url]
        with subprocess.Popen(
            words, cwd=ROOT, env=dict(os.environ), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "on its way\n"
            process.send_signal(signal.SIGINT)
            try:
                out, err = process.communicate(timeout=20)
            finally:
                process.kill()
        assert (out, err, process.returncode) == ("interrupted\n", "", 0)
