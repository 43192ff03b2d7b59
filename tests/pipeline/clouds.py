"""What signs tokens and gives credentials for them: GitHub, and three clouds, on loopback with TLS."""

import json
import ssl
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

GOOGLE = ("sts.googleapis.com", "iamcredentials.googleapis.com")


@dataclass
class Clouds:
    """A server that stands for all of them."""

    url: str
    certificate: Path
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    """Path, Authorization and body of every request."""
    failing: bool = False
    tokens: Mapping[str, str] = field(default_factory=lambda: {"federated": "fed.1", "access": "ya29.token-1"})

    @property
    def id_token(self) -> dict[str, str]:
        """What GitHub gives a job that may ask for tokens."""
        return {"ACTIONS_ID_TOKEN_REQUEST_URL": f"{self.url}/token?v=1", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "of-the-job"}

    def answer(self, path: str, authorization: str, body: str) -> tuple[int, object]:
        """Answer a request, and remember it."""
        self.asked.append((path, authorization, body))
        if path.startswith("/token"):
            audience = parse_qs(urlsplit(path).query)["audience"][0]
            good = authorization == "Bearer of-the-job" and not self.failing
            return (200, {"value": f"jwt.for.{audience.partition('//')[2] or audience}"}) if good else (403, {})
        if path == "/v1/token":
            return 200, {"access_token": self.tokens["federated"]}
        if path.endswith(":generateAccessToken"):
            return 200, {"accessToken": self.tokens["access"]}
        return 400, {}

    def curl(self, home: Path) -> None:
        """Send what asks Google to this server instead, by curl's own settings."""
        place = urlsplit(self.url).netloc.partition(":")[2]
        lines = [f'connect-to = "{name}:443:localhost:{place}"' for name in GOOGLE]
        (home / ".curlrc").write_text("\n".join([*lines, "insecure", 'noproxy = "*"', "retry = 0"]) + "\n")


@contextmanager
def clouds(folder: Path) -> Iterator[Clouds]:
    """Run the server; its certificate is for localhost alone."""
    new = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key.pem -out cert.pem -days 2"
    names = "-subj /CN=localhost -addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE"
    subprocess.run(["openssl", *new.split(), *names.split()], cwd=folder, check=True, capture_output=True)
    found = Clouds("", folder / "cert.pem")

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *words: object) -> None:
            pass

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            status, data = found.answer(self.path, self.headers.get("Authorization", ""), body)
            self.send_response(status)
            self.send_header("Content-Length", str(len(json.dumps(data))))
            self.end_headers()
            self.wfile.write(json.dumps(data).encode())

        do_POST = do_PUT = do_GET

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    found.url = f"https://localhost:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
