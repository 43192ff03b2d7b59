"""What is said about clouds that nobody can start here, and what obstore must not get to see."""

from pathlib import Path

import pytest

from tsunami_cli.adapters.store import clouds, crew, failures
from tsunami_cli.adapters.store.opening import open_store
from tsunami_cli.errors import Unreachable, Usage

ROOT = Path("/nowhere")
ASKED = "Error performing GET https://user:hunter2@s3.example.com:9000/b/x?X-Amz-Signature=hunter2 in 1ms"


def answer(status: int, code: str = "") -> str:
    body = f"<Error><Code>{code}</Code></Error>" if code else ""
    return (
        f"Generic S3 error: {ASKED}, after 3 retries - Server returned non-2xx status code: {status} X: {body}\nDebug"
    )


def silence(source: str) -> str:
    return f"Generic S3 error: {ASKED} - HTTP error: error sending request\n\nDebug source:\n{source}"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (answer(403, "AccessDenied"), "denies access (403 AccessDenied)"),
        (answer(403, "RequestTimeTooSkewed"), "clock"),
        (answer(400, "ExpiredToken"), "expired"),
        (answer(400, "AuthorizationHeaderMalformed"), "another region"),
        (answer(404, "NoSuchBucket"), "no such bucket"),
        (answer(501, "NotImplemented"), "conditional writes"),
        (answer(503, "SlowDown"), "overloaded (503 SlowDown): publish again later (tried 4 times)"),
        (answer(400, "Teapot"), "answers 400 Teapot"),
        (silence("kind: Timeout"), "no answer from s3.example.com:9000 within 20 s"),
        (silence('kind: Connect, "dns error"'), "has no address"),
        (silence("kind: Connect, kind: ConnectionRefused"), "refuses the connection"),
        (silence("kind: Connect, InvalidCertificate(UnknownIssuer)"), "SSL_CERT_FILE"),
        (silence("kind: Connect, InvalidMessage(InvalidContentType)"), "does not speak TLS"),
        (silence('kind: Connect, "tcp connect error", code: 113'), "cannot be reached"),
        (silence("kind: Request, IncompleteMessage"), "broke the connection off"),
        (silence("URL scheme is not allowed"), "https://"),
        ("Generic S3 error: Missing SecretAccessKey", "no credentials: set AWS_ACCESS_KEY_ID"),
        ("Generic: odd https://a/b?sig=hunter2 \x1b[31m thing\nDebug: hunter2", "Generic: odd its address [31m thing"),
    ],
)
def test_failures(text: str, words: str) -> None:
    said = str(failures.explained(OSError(text), "s3://b", "x cannot be read", clouds.S3))
    assert said.startswith("s3://b: x cannot be read: ")
    assert words in said
    assert "hunter2" not in said
    assert said.isprintable()


@pytest.mark.parametrize(
    ("url", "env", "words"),
    [
        ("s3://b", {"AWS_ACCESS_KEY_ID": "hunter2\n"}, "AWS_ACCESS_KEY_ID has a line break"),
        ("s3://b", {"AWS_SESSION_TOKEN": "hunter2\r"}, "AWS_SESSION_TOKEN has a line break"),
        ("s3://b", {"AWS_SECRET_ACCESS_KEY": " hunter2"}, "AWS_SECRET_ACCESS_KEY has"),
        ("s3://b", {"AWS_ENDPOINT_URL": "nonsense"}, "AWS_ENDPOINT_URL is no address"),
        ("s3://b", {"AWS_ENDPOINT_URL_S3": ""}, "AWS_ENDPOINT_URL_S3 is no address of a server"),
        ("s3://b", {"AWS_ENDPOINT": "https://a:b@[1"}, "AWS_ENDPOINT is no address"),
        ("s3://b", {"AWS_ENDPOINT": "ftp://host"}, "AWS_ENDPOINT is no address"),
        ("s3://b", {"AWS_ENDPOINT": "https://u:hunter2@host"}, "AWS_ENDPOINT is no address"),
        ("gs://b", {"GOOGLE_APPLICATION_CREDENTIALS": "/no/such/file"}, "/no/such/file"),
        ("az://b", {}, "no credentials: set AZURE_STORAGE_ACCOUNT_NAME"),
        ("az://b", {"AZURE_STORAGE_ACCOUNT_NAME": "a", "AZURE_STORAGE_ACCOUNT_KEY": "hunter2!"}, "Invalid Access Key"),
    ],
)
def test_environments(monkeypatch: pytest.MonkeyPatch, url: str, env: dict[str, str], words: str) -> None:
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(Unreachable) as caught:
        open_store(url, ROOT)
    said = str(caught.value)
    assert said.startswith(f"{url}: ")
    assert words in said
    assert "hunter2" not in said
    assert said.isprintable()


@pytest.mark.parametrize(
    ("url", "words"), [("gs://b/x", "GOOGLE_APPLICATION_CREDENTIALS"), ("az://b", "AZURE_STORAGE")]
)
def test_no_credentials(monkeypatch: pytest.MonkeyPatch, url: str, words: str) -> None:
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
    monkeypatch.setenv("TSUNAMI_STORE_TIMEOUT", "1")
    with pytest.raises(Unreachable, match=f"no credentials.*{words}"):
        open_store(url, ROOT).read("manifest.json")


@pytest.mark.parametrize("url", ["s3://bucket", "s3://bucket/a/b/", "gs://bucket/x"])
def test_addresses(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("GOOGLE_BEARER_TOKEN", "x")
    assert open_store(url, ROOT).address == url.rstrip("/")


@pytest.mark.parametrize("text", ["0", "-1", "1e9", "soon", "٢"])
def test_timeouts(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("TSUNAMI_STORE_TIMEOUT", text)
    for url in ("s3://bucket", "file:public"):
        with pytest.raises(Usage, match="TSUNAMI_STORE_TIMEOUT"):
            open_store(url, ROOT)


def test_a_failure_ends_the_rest() -> None:
    done: list[int] = []

    def work(item: int) -> None:
        if item == 100:
            raise Unreachable("here")
        done.append(item)

    with pytest.raises(Unreachable, match="here"):
        crew.work_off(range(1_000_000), work, lambda _: None)
    assert len(done) < 900_000
