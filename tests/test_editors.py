"""The schemas by themselves: what check-jsonschema and an editor's language server make of a variable's file."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from check_jsonschema.cli import main  # type: ignore[import-untyped]
from click.testing import CliRunner

ROOT = Path(__file__).parents[1]
SCHEMA = ROOT / "schemas" / "variable.schema.json"
EXAMPLES = ROOT / "tests" / "examples"
VALID = [*sorted((ROOT / "rollouts").glob("*.yaml")), *sorted((EXAMPLES / "valid").glob("*.yaml"))]
BY_SCHEMA = re.compile(r"# expect: .*# schema\n")
INVALID = [
    file
    for file in sorted((EXAMPLES / "invalid").glob("*.yaml"))
    if BY_SCHEMA.match(file.read_text("utf-8", "replace"))
]
"""Those that say in their first line that the schema alone can tell."""
NOT_TOLD = {"default-infinite"}
"""For JSON there is no infinity; a reader of YAML hands one on, and it is a number."""


def complaints(schema: str, files: list[Path]) -> dict[str, list[str]]:
    """Return what check-jsonschema says, by file."""
    words = ["--output-format", "json", "--schemafile", str(ROOT / "schemas" / schema), *map(str, files)]
    said = json.loads(CliRunner().invoke(main, words).output)
    found: dict[str, list[str]] = {}
    for one in [*said["errors"], *said.get("parse_errors", ())]:
        found.setdefault(Path(one["filename"]).stem, []).append(one["message"])
    return found


def test_check_jsonschema_has_nothing_against_what_is_valid() -> None:
    assert len(VALID) > 20
    assert complaints("variable.schema.json", VALID) == {}
    assert complaints("settings.schema.json", [ROOT / "tsunami.yaml"]) == {}


def test_check_jsonschema_finds_what_a_schema_can_find() -> None:
    assert len(INVALID) > 60
    silent = {file.stem for file in INVALID} - set(complaints("variable.schema.json", INVALID))
    assert silent == NOT_TOLD


class _Editor:
    """yaml-language-server, spoken to as an editor does: JSON-RPC over its standard streams."""

    def __init__(self, command: str, root: Path) -> None:
        self._process = subprocess.Popen((command, "--stdio"), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._root, self._asked, self._found = root, 0, dict[str, list[str]]()
        formats = {"textDocument": {"hover": {"contentFormat": ["markdown"]}, "publishDiagnostics": {}}}
        self._ask("initialize", {"processId": None, "rootUri": root.as_uri(), "capabilities": formats})
        self._send(method="initialized", params={})

    def open(self, file: str) -> list[str]:
        """Open a file; return the complaints, each as `LINE: text`."""
        text, uri = (self._root / file).read_text("utf-8"), (self._root / file).as_uri()
        document = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        self._send(method="textDocument/didOpen", params={"textDocument": document})
        while uri not in self._found:
            self._take(self._read())
        return self._found[uri]

    def hover(self, file: str, line: int, character: int) -> str:
        """Return what is shown for a place; both count from 0."""
        place = {"line": line, "character": character}
        uri = {"uri": (self._root / file).as_uri()}
        return str(self._ask("textDocument/hover", {"textDocument": uri, "position": place})["contents"]["value"])

    def close(self) -> None:
        """End the server."""
        self._process.kill()
        self._process.communicate()

    def _ask(self, method: str, params: dict[str, Any]) -> Any:
        self._asked += 1
        self._send(id=self._asked, method=method, params=params)
        while True:
            message = self._read()
            if message.get("id") == self._asked and "method" not in message:
                return message["result"]
            self._take(message)

    def _take(self, message: dict[str, Any]) -> None:
        if message.get("method") == "textDocument/publishDiagnostics":
            found = message["params"]["diagnostics"]
            lines = [f"{one['range']['start']['line'] + 1}: {one['message']}" for one in found]
            self._found[message["params"]["uri"]] = lines
        elif "method" in message and "id" in message:
            # It asks for the settings: they are to come from nowhere but the file's own first line.
            own = {"validate": True, "hover": True, "schemaStore": {"enable": False}}
            asked = message["params"].get("items", ()) if message["method"] == "workspace/configuration" else ()
            self._send(id=message["id"], result=[own if one["section"] == "yaml" else None for one in asked])

    def _send(self, **message: Any) -> None:
        assert self._process.stdin is not None
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self._process.stdin.flush()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        length = 0
        while header := self._process.stdout.readline().strip():
            if header.lower().startswith(b"content-length:"):
                length = int(header.split(b":")[1])
        message: dict[str, Any] = json.loads(self._process.stdout.read(length))
        return message


@pytest.fixture
def editor(tmp_path: Path) -> Iterator[_Editor]:
    """Return an editor in a copy of the example fleet."""
    command = shutil.which("yaml-language-server")
    if command is None:
        pytest.skip("there is no yaml-language-server: npm install --global yaml-language-server")
    for folder in ("rollouts", "schemas"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    editor = _Editor(command, tmp_path)
    yield editor
    editor.close()


@pytest.mark.slow
def test_an_editor_shows_what_is_wrong_and_what_a_key_means(editor: _Editor, tmp_path: Path) -> None:
    files = sorted((tmp_path / "rollouts").glob("*.yaml"))
    assert {file.stem: editor.open(f"rollouts/{file.name}") for file in files} == {file.stem: [] for file in files}
    lines = (tmp_path / "rollouts" / "docker.yaml").read_text("utf-8").splitlines()
    owner = next(number for number, line in enumerate(lines) if line.startswith("owner:"))
    assert "The team to ask." in editor.hover("rollouts/docker.yaml", owner, 1)

    broken = {}
    for file in INVALID:
        text = f"# yaml-language-server: $schema=../schemas/variable.schema.json\n{file.read_text('utf-8')}"
        (tmp_path / "rollouts" / f"its-{file.name}").write_text(text, "utf-8")
        broken[file.stem] = editor.open(f"rollouts/its-{file.name}")
    assert {name for name, found in broken.items() if not found} == NOT_TOLD
    assert broken["duration-bare"] == [
        "11: not a duration above zero: write 90s, 45m, 36h, 14d, 2w or a sum such as 1d12h"
    ]
    assert broken["unknown-key"] == ["5: Property defualt is not allowed."]
