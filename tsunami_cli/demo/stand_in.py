"""What answers in the place of a Prometheus where none is installed: the story's rates, whatever the query."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

from tsunami_cli.demo.story import Story


@contextmanager
def stand_in(story: Story) -> Iterator[str]:
    """Answer on loopback as Prometheus's HTTP API does; give the address."""
    own = type("_Own", (_Handler,), {"story": story})
    with _Quiet(("127.0.0.1", 0), own) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: whoever asked has hung up."""


class _Handler(BaseHTTPRequestHandler):
    story: Story

    def do_POST(self) -> None:
        """Answer a range query."""
        form = parse_qs(self.rfile.read(int(self.headers.get("content-length", "0"))).decode())
        start, end, step = (int(form[name][0]) for name in ("start", "end", "step"))
        moments = range(start, end + 1, step)
        found = [
            {
                "metric": {"instance": f"{host}:9100"},
                "values": [[at, repr(rate)] for at, rate in zip(moments, rates, strict=True)],
            }
            for host, rates in self.story.rates(moments)
        ]
        data = json.dumps({"status": "success", "data": {"resultType": "matrix", "result": found}}).encode()
        self.send_response_only(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""
