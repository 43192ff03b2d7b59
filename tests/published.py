"""A published fleet, written the way `publish` writes it, and a web server of it that misbehaves on demand."""

import hashlib
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

HOST = "lon2-accesspoint-a1"
ROLE = "accesspoint"
VALUES = {"docker": "1.12.1", "helios": "0.9.10", "somaxconn": 4096}

Fleet = dict[str, dict[str, dict[str, Any]]]
FLEET: Fleet = {
    ROLE: {HOST: VALUES, "lon2-accesspoint-a2": VALUES | {"docker": "1.12.3"}},
    "db": {"lon2-db-a1": {"docker": "1.12.1", "ratio": 0.1, "slow": False, "name": "Ö"}},
}


def flat(values: object) -> bytes:
    """Return an object as `publish` writes it."""
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode() + b"\n"


def bundle(role: str, sequence: int, hosts: dict[str, dict[str, Any]]) -> bytes:
    """Return a role's bundle: one host a line."""
    lines = ",\n".join(f'"{host}": {flat(values).decode().strip()}' for host, values in sorted(hosts.items()))
    return f'{{"role": "{role}", "sequence": {sequence}, "hosts": {{\n{lines}}}}}\n'.encode()


def entry(data: bytes) -> dict[str, Any]:
    """Return what a manifest says of an object."""
    return {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}


def manifest(found: dict[str, bytes], /, **others: Any) -> bytes:
    """Return the manifest of some objects; a field that is given as None is left out."""
    fields = {
        "fleet": "backend",
        "sequence": 812,
        "rendered_at": "2026-11-16T09:00:00Z",
        "expires_at": "2026-11-16T10:00:00Z",
        "source": "1" * 40,
        "ledger": "2" * 40,
        "objects": {name: entry(data) for name, data in sorted(found.items())},
    } | others
    kept = {name: value for name, value in fields.items() if value is not None}
    return json.dumps(kept, ensure_ascii=False, indent=1).encode() + b"\n"


def objects(fleet: Fleet = FLEET, sequence: int = 812, *, per_host: bool = True) -> dict[str, bytes]:
    """Return all published objects but the manifest, by name."""
    found = {f"roles/{role}.json": bundle(role, sequence, hosts) for role, hosts in fleet.items()}
    if per_host:
        found |= {f"hosts/{host}.json": flat(values) for hosts in fleet.values() for host, values in hosts.items()}
    return found


def publish(folder: Path, fleet: Fleet = FLEET, /, *, per_host: bool = True, **fields: Any) -> None:
    """Write a fleet into a folder: objects first, the manifest last."""
    found = objects(fleet, fields.get("sequence", 812), per_host=per_host)
    for name, data in found.items():
        put(folder / name, data)
    put(folder / "manifest.json", manifest(found, **fields))


def put(file: Path, data: bytes) -> None:
    """Write one object, whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_suffix(".new")
    new.write_bytes(data)
    new.replace(file)


def with_value(host: str, name: str, value: object, fleet: Fleet = FLEET) -> Fleet:
    """Return the fleet with one value of one host changed."""
    return {
        role: {h: (v | {name: value} if h == host else v) for h, v in hosts.items()} for role, hosts in fleet.items()
    }


Answer = Callable[[BaseHTTPRequestHandler], bool]


class Server:
    """A web server of a folder. `answer` comes first: where it says True, it has answered itself."""

    def __init__(self, folder: Path, tls: tuple[Path, Path] | None = None) -> None:
        self.folder = folder
        self.answer: Answer = lambda request: False
        self.asked: list[tuple[str, str | None, int]] = []
        """Every request: its path, its If-None-Match, and the status that it got."""
        server = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *words: object) -> None:
                pass

            def do_GET(self) -> None:
                try:
                    if not server.answer(self):
                        server.give(self)
                except OSError:
                    self.close_connection = True  # the client has had enough

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: object, client_address: object) -> None:
                pass  # a client that does not trust us hangs up

        self._server = Quiet(("127.0.0.1", 0), Handler)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"http{'s' if tls else ''}://localhost:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def give(self, request: BaseHTTPRequestHandler) -> bool:
        """Answer from the folder, with an etag."""
        condition = request.headers.get("If-None-Match")
        file = self.folder / request.path.lstrip("/")
        if not file.is_file():
            return self.say(request, 404, b"not found")
        data = file.read_bytes()
        etag = f'"{hashlib.md5(data).hexdigest()}"'
        if condition == etag:
            return self.say(request, 304, b"", ETag=etag)
        return self.say(request, 200, data, ETag=etag)

    def say(self, request: BaseHTTPRequestHandler, status: int, data: bytes, **headers: str) -> bool:
        """Answer with these bytes, and say so; headers may say something else than the truth."""
        self.asked.append((request.path.lstrip("/"), request.headers.get("If-None-Match"), status))
        request.send_response(status)
        for name, value in (
            {"Content-Length": str(len(data))} | {k.replace("_", "-"): v for k, v in headers.items()}
        ).items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(data)
        return True

    def close(self) -> None:
        """Stop; the port is free again."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def serving(folder: Path, tls: tuple[Path, Path] | None = None) -> Iterator[Server]:
    """Run a server of a folder."""
    server = Server(folder, tls)
    try:
        yield server
    finally:
        server.close()


def silent(seconds: float) -> Answer:
    """Return an answer that does not come."""

    def answer(request: BaseHTTPRequestHandler) -> bool:
        time.sleep(seconds)
        request.close_connection = True
        return True

    return answer


def dribble(seconds: float) -> Answer:
    """Return an answer that promises much and sends it byte by byte."""

    def answer(request: BaseHTTPRequestHandler) -> bool:
        request.send_response(200)
        request.send_header("Content-Length", "100000")
        request.end_headers()
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            request.wfile.write(b" ")
            request.wfile.flush()
            time.sleep(0.05)
        return True

    return answer
