"""What docs/hosts.md offers to copy is run: units, the curl script, facts; and https with a CA of one's own."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from tests.published import HOST, VALUES, Server, flat, manifest, objects, publish, put, serving, with_value
from tsunami_cli import cli

ROOT = Path(__file__).parents[1]
OFFERED = ROOT / "docs" / "hosts"
CHANGED = with_value(HOST, "docker", "1.12.3")
MUST = os.environ.get("TSUNAMI_REQUIRE_SERVERS") == "1"


def needs(*tools: str, always: bool = True) -> pytest.MarkDecorator:
    """Skip where a tool is not installed; `always`: not where everything must be tested."""
    missing = [tool for tool in tools if not shutil.which(tool)]
    return pytest.mark.skipif(bool(missing) and not (MUST and always), reason=f"not installed: {' '.join(missing)}")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """Make a CA and a server's certificate for localhost, as `ca`, `certificate` and `key`."""
    folder = tmp_path_factory.mktemp("authority")
    (folder / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    new = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
    for words in (
        f"req -x509 {new} -keyout ca.key -out ca.pem -days 2 -subj /CN=Tsunami-tests",
        f"req {new} -keyout server.key -out server.csr -subj /CN=localhost",
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.pem",
    ):
        subprocess.run(["openssl", *words.split()], cwd=folder, check=True, capture_output=True)
    return {"ca": folder / "ca.pem", "certificate": folder / "server.pem", "key": folder / "server.key"}


@pytest.fixture
def published(tmp_path: Path) -> Path:
    folder = tmp_path / "published"
    publish(folder, expires_at="2999-01-01T00:00:00Z")
    return folder


@pytest.fixture
def server(published: Path, authority: Mapping[str, Path]) -> Iterator[Server]:
    with serving(published, (authority["certificate"], authority["key"])) as server:
        yield server


def again(folder: Path, fleet: Any = CHANGED, **fields: Any) -> None:
    settled: dict[str, Any] = {"sequence": 813, "expires_at": "2999-01-01T00:00:00Z"}
    publish(folder, fleet, **(settled | fields))


class Script:
    """The curl script as a host runs it."""

    def __init__(self, folder: Path, server: Server, authority: Path) -> None:
        self.file = folder / "values.json"
        self.url = server.url
        self.environment = {"SSL_CERT_FILE": str(authority), "TSUNAMI_FLEET": "backend"}
        self.err = ""

    def run(self, *words: str, **environment: str) -> int:
        done = subprocess.run(
            [OFFERED / "tsunami-curl.sh", *(words or (HOST,))],
            env=os.environ
            | {"TSUNAMI_FROM": self.url, "TSUNAMI_FILE": str(self.file)}
            | self.environment
            | environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.stdout == ""
        self.err = done.stderr
        return done.returncode

    def refuses(self, code: int, says: str, **environment: str) -> None:
        before = self.file.read_bytes()
        assert self.run(**environment) == code, self.err
        assert says in self.err
        assert f"{self.file} stays as it was" in self.err
        assert self.file.read_bytes() == before


@pytest.fixture
def script(tmp_path: Path, server: Server, authority: Mapping[str, Path]) -> Script:
    (tmp_path / "host").mkdir()
    return Script(tmp_path / "host", server, authority["ca"])


CURL = needs("curl", "jq", "openssl", "flock", "sha256sum")


@CURL
def test_the_curl_script_keeps_a_file_up_to_date(script: Script, server: Server, published: Path) -> None:
    assert script.run() == 0, script.err
    assert script.err == ""
    assert script.file.read_bytes() == flat(VALUES)
    assert script.file.stat().st_mode & 0o777 == 0o644
    server.asked.clear()
    assert script.run() == 0, script.err
    assert [(name, status) for name, _, status in server.asked] == [("manifest.json", 304)]
    script.file.write_text("{}")
    assert script.run() == 0, script.err
    assert script.file.read_bytes() == flat(VALUES)
    again(published)
    assert script.run() == 0, script.err
    assert json.loads(script.file.read_bytes())["docker"] == "1.12.3"
    assert sorted(path.name for path in script.file.parent.iterdir()) == [".values.json.kept", "values.json"]
    assert sorted(path.name for path in (script.file.parent / ".values.json.kept").iterdir()) == [
        "etag",
        "lock",
        "manifest.json",
    ]


@CURL
def test_the_curl_script_checks_what_it_gets(script: Script, server: Server, published: Path) -> None:
    again(published, sequence=812)
    script.run()
    script.refuses(1, "is not of fleet staging", TSUNAMI_FLEET="staging")
    again(published, sequence=811)
    script.refuses(1, "has sequence 811, the one before had 812")
    for data in (b"<html>", b"{}", b"", manifest(objects())[:-30]):
        put(published / "manifest.json", data)
        script.refuses(1, "the manifest is ")
    again(published, {"db": CHANGED["db"]})
    script.refuses(1, f"the manifest has no hosts/{HOST}.json")
    again(published)
    again(published, with_value(HOST, "docker", "6.66.6"))
    put(published / f"hosts/{HOST}.json", flat(VALUES))
    script.refuses(1, "is not what the manifest names")
    for odd in (None, {"a": 1}, [1]):
        again(published, with_value(HOST, "docker", odd))
        script.refuses(1, "is not a flat JSON object")
    again(published)
    assert script.run() == 0, script.err


@CURL
def test_the_curl_script_where_nothing_comes(script: Script, server: Server, published: Path) -> None:
    script.run()
    script.refuses(4, "could not be fetched", SSL_CERT_FILE="/etc/hostname")
    script.refuses(4, "could not be fetched", TSUNAMI_FROM="https://127.0.0.1:9")
    script.refuses(4, "could not be fetched", TSUNAMI_FROM=server.url.replace("https", "http"))

    def huge(request: BaseHTTPRequestHandler) -> bool:
        return server.say(request, 200, b"", Content_Length=str(1 << 40))

    def cut(request: BaseHTTPRequestHandler) -> bool:
        return server.say(request, 200, manifest(objects())[:100], Content_Length="1000")

    def redirect(request: BaseHTTPRequestHandler) -> bool:
        return server.say(request, 302, b"", Location="/elsewhere")

    for answer in (huge, cut):
        server.answer = answer
        script.refuses(4, "could not be fetched")
    server.answer = redirect
    script.refuses(4, "manifest.json answers 302")


@CURL
def test_the_curl_script_warns_of_an_old_manifest(script: Script, published: Path) -> None:
    again(published, expires_at="2020-01-01T00:00:00Z")
    assert script.run() == 0, script.err
    assert "the manifest is old" in script.err
    assert json.loads(script.file.read_bytes())["docker"] == "1.12.3"


@CURL
def test_the_curl_script_minds_names_and_links(script: Script, tmp_path: Path) -> None:
    assert script.run("../x") == 1
    assert script.run("") != 0
    script.file.symlink_to(tmp_path / "target")
    assert script.run() == 1
    assert not (tmp_path / "target").exists()


@needs("openssl")
def test_https_with_a_ca_of_ones_own(server: Server, authority: Mapping[str, Path], tmp_path: Path) -> None:
    file = tmp_path / "values.json"
    words = ["pull", "--from", server.url, "--host", HOST, "--out", str(file), "--timeout", "10s"]

    def pull(**environment: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "tsunami_cli", *words],
            env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    done = pull()
    assert done.returncode == 4
    assert "its certificate is not trusted (UnknownIssuer): SSL_CERT_FILE names your CA's" in done.stderr
    assert not file.exists()

    trusted = {"SSL_CERT_FILE": str(authority["ca"])}
    done = pull(**trusted)
    assert (done.returncode, done.stderr) == (0, "")
    assert file.read_bytes() == flat(VALUES)

    with serving(server.folder) as plain:
        server.answer = lambda request: server.say(request, 302, b"", Location=f"{plain.url}{request.path}")
        done = pull(**trusted)
        assert plain.asked == []
    assert done.returncode == 4
    assert "it redirects to plain http" in done.stderr
    assert file.read_bytes() == flat(VALUES)


@needs("systemd-analyze", always=False)
def test_the_units_are_right(tmp_path: Path) -> None:
    for unit in sorted(OFFERED.glob("tsunami-pull.*")):
        # systemd-analyze looks whether the command is there.
        text = unit.read_text().replace("/usr/local/bin/tsunami", "/bin/true")
        (tmp_path / unit.name).write_text(text)
    units = sorted(str(path) for path in tmp_path.glob("tsunami-pull.*"))
    assert len(units) == 2
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True, check=False
    )
    ours = [line for line in done.stderr.splitlines() if "tsunami" in line]
    assert (done.returncode, ours) == (0, []), done.stderr


def test_the_commands_of_the_docs_are_right(published: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (ROOT / "docs" / "hosts.md").read_text("utf-8")
    service = (OFFERED / "tsunami-pull.service").read_text("utf-8")
    lines = re.findall(r"tsunami pull (--from .*?)(?:\n```|\n[A-Z])", text + "\n" + service, re.DOTALL)
    assert len(lines) == 2
    for line in lines:
        words = shlex.split(line.replace("\\\n", " ").replace("%H", HOST))
        for flag, value in (("--from", f"file:{published}"), ("--host", HOST), ("--out", "v.json"), ("--exec", "true")):
            if flag in words:
                words[words.index(flag) + 1] = value
        assert cli.run(["pull", *words]) == 0, capsys.readouterr().err
        assert Path("v.json").read_bytes() == flat(VALUES)


def fact(name: str, file: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [OFFERED / name], env=os.environ | {"TSUNAMI_FILE": str(file)}, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("name", ["tsunami.fact", "facter-tsunami.sh"])
def test_facts_are_json_and_fail_without_a_file(name: str, tmp_path: Path) -> None:
    file = tmp_path / "values.json"
    done = fact(name, file)
    assert done.returncode != 0
    assert done.stdout == ""
    file.write_bytes(flat(VALUES))
    done = fact(name, file)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == (VALUES if name == "tsunami.fact" else {"tsunami": VALUES})


@needs("facter", always=False)
def test_facter_has_the_fact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TSUNAMI_FILE", str(tmp_path / "values.json"))
    (tmp_path / "values.json").write_bytes(flat(VALUES))
    (tmp_path / "facts.d").mkdir()
    shutil.copy(OFFERED / "facter-tsunami.sh", tmp_path / "facts.d" / "tsunami.sh")
    words = ["facter", "--external-dir", str(tmp_path / "facts.d"), "--json", "tsunami", "tsunami.docker"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"tsunami": VALUES, "tsunami.docker": "1.12.1"}


@needs("facter", always=False)
def test_facter_minds_nothing_that_lies_beside_a_file(published: Path, tmp_path: Path) -> None:
    folder = tmp_path / "facts.d"
    folder.mkdir()
    assert cli.run(["pull", "--from", str(published), "--host", HOST, "--out", str(folder / "tsunami.json")]) == 0
    words = ["facter", "--external-dir", str(folder), "--json", "docker", "somaxconn"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert json.loads(done.stdout) == {"docker": "1.12.1", "somaxconn": 4096}
    assert "tsunami" not in done.stderr, done.stderr


@needs("ansible")
def test_ansible_has_the_fact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TSUNAMI_FILE", str(tmp_path / "values.json"))
    (tmp_path / "values.json").write_bytes(flat(VALUES))
    (tmp_path / "facts.d").mkdir()
    shutil.copy(OFFERED / "tsunami.fact", tmp_path / "facts.d")
    asked = f"fact_path={tmp_path / 'facts.d'} filter=ansible_local gather_subset=!all,!min,local"
    ansible = shutil.which("ansible") or ""
    words = [ansible, "localhost", "--connection", "local", "--one-line", "-m", "setup", "-a", asked]
    # Its own interpreter, not the one of these tests; its home is the test's.
    done = subprocess.run(
        words,
        env=os.environ | {"PATH": "/usr/bin:/bin", "ANSIBLE_LOCALHOST_WARNING": "False", "ANSIBLE_NOCOLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    answer = json.loads(done.stdout.partition("=>")[2])
    assert answer["ansible_facts"]["ansible_local"]["tsunami"] == VALUES
