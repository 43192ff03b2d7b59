"""The door to the metrics server: what a real one answers, and every way in which one can fail to."""

import base64
import errno
import gzip
import json
import math
import random
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.adapters.store_servers import free_ports
from tests.metrics_servers import (
    Handler,
    Reply,
    Server,
    labels,
    openmetrics,
    says,
    scripted,
    shared_prometheus,
    start_prometheus,
    wants_token,
)
from tsunami_cli.adapters.prometheus import Prometheus, environment, prometheus
from tsunami_cli.core.guard.questions import Answer, Question, Window
from tsunami_cli.errors import Usage

ROOT = Path(__file__).resolve().parent.parent.parent
END = 1_600_000_000
WINDOW = Window(END, 60, 4)
UP = Question("up", WINDOW)
ALL = list(WINDOW.instants)
LIMIT = 1 << 20
HASH = "$2b$04$a5d7S1hAgoqF/TYD27JCgeMRBk46p0VMJEJgvd8GpreVqEvSCB.vC"
"""bcrypt of hunter2."""

DATA = openmetrics(
    {
        ("up", labels(instance="a1:9100", job="node")): [(at, 1.0) for at in ALL],
        ("up", labels(instance="b1:9100", job="node")): [(at, 0.25 * n) for n, at in enumerate(ALL)],
        ("odd", labels(instance="a1", le="+Inf", say='"x",+Inf')): [
            (ALL[0], math.inf),
            (ALL[1], -math.inf),
            (ALL[2], math.nan),
            (ALL[3], 1e-300),
            (ALL[4], 0.1 + 0.2),
        ],
        ("late", labels(instance="a1")): [(ALL[3], 7.0)],
    }
)


@pytest.fixture
def server() -> Server:
    return shared_prometheus(DATA)


def asked(url: str, *questions: Question, seconds: float = 30.0, limit: int = LIMIT) -> list[Answer]:
    given = questions or (UP,)
    answers = Prometheus(url, seconds=seconds, limit=limit).ask(given)
    assert list(answers) == list(dict.fromkeys(given))
    return [answers[question] for question in given]


def failure(url: str, *questions: Question, seconds: float = 30.0, limit: int = LIMIT) -> str:
    """Return the words in which all questions fail alike."""
    answers = asked(url, *questions, seconds=seconds, limit=limit)
    (said,) = {answer.failure for answer in answers}
    assert said is not None
    assert not any(answer.series for answer in answers)
    assert said.startswith(f"{url}: ")
    assert said.isprintable()
    assert "hunter2" not in said
    return said.removeprefix(f"{url}: ")


def q(query: str) -> Question:
    return Question(query, WINDOW)


def rows(answer: Answer) -> dict[str, Sequence[float | None]]:
    assert answer.failure is None
    return {series.labels.get("instance", ""): series.values for series in answer.series}


def matrix(*series: tuple[dict[str, str], Sequence[tuple[float, str]]], **more: object) -> str:
    result = [{"metric": metric, "values": values} for metric, values in series]
    return json.dumps({"status": "success", "data": {"resultType": "matrix", "result": result}, **more})


GOOD = matrix(({"instance": "a1"}, [(at, "1") for at in ALL]))

# A real server


@pytest.mark.server
def test_data(server: Server) -> None:
    (answer,) = asked(server.url)
    assert rows(answer) == {"a1:9100": (1.0,) * 5, "b1:9100": (0.0, 0.25, 0.5, 0.75, 1.0)}
    assert answer.series[0].labels == {"__name__": "up", "instance": "a1:9100", "job": "node"}


@pytest.mark.server
def test_what_is_no_plain_number(server: Server) -> None:
    odd, late, none, divided = asked(
        server.url,
        q("odd"),
        q("last_over_time(late[59s])"),
        q("nothing_of_that_name"),
        q("up / 0 > 0"),
    )
    (series,) = odd.series
    assert series.labels == {"__name__": "odd", "instance": "a1", "le": "+Inf", "say": '"x",+Inf'}
    assert str(series.values) == str((math.inf, -math.inf, math.nan, 1e-300, 0.1 + 0.2))
    assert rows(late)["a1"] == (None, None, None, 7.0, None)
    assert none == Answer()
    assert rows(divided)["a1:9100"] == (math.inf,) * 5
    assert rows(divided)["b1:9100"] == (None, *(math.inf,) * 4)


@pytest.mark.server
def test_same_numbers_as_float_reads(server: Server) -> None:
    query = "".join(f'label_replace(vector({n}/7), "n", "{n}", "", "") or ' for n in range(50)) + "vector(0)"
    (answer,) = asked(server.url, q(query))
    assert answer.failure is None
    assert {float(series.labels.get("n", 0)) / 7: series.values for series in answer.series} == {
        n / 7: (n / 7,) * 5 for n in range(50)
    }


@pytest.mark.server
def test_labels_made_by_the_query(server: Server) -> None:
    replaced, without = asked(
        server.url,
        q('label_replace(up, "instance", "$1 \\"å", "instance", "(.*):.*")'),
        q("sum(up)"),
    )
    assert set(rows(replaced)) == {'a1 "å', 'b1 "å'}
    assert rows(without) == {"": (1.0, 1.25, 1.5, 1.75, 2.0)}


@pytest.mark.server
@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("up{", "parse error: unexpected end of input"),
        ("up[5m]", "refuses the query: "),
        ("\ud800", "refuses the query: "),
        ('"text"', "refuses the query: "),
        ("up * on (job) up", "cannot evaluate the query: "),
    ],
)
def test_wrong_query(server: Server, query: str, words: str) -> None:
    bad, good = asked(server.url, q(query), UP)
    assert words in str(bad.failure), bad
    assert "\n" not in str(bad.failure)
    assert good.failure is None


@pytest.mark.server
def test_many_questions(server: Server) -> None:
    questions = [q(f"up + {n}") for n in range(40)]
    answers = asked(server.url, *questions, *questions)
    assert [rows(answer)["a1:9100"][0] for answer in answers] == [1.0 + n for n in range(40)] * 2
    assert Prometheus(server.url, seconds=1, limit=1).ask([]) == {}


@pytest.mark.server
def test_query_that_takes_the_server_too_long(tmp_path: Path) -> None:
    server = start_prometheus(tmp_path / "p", flags=["--query.timeout=20ms"])
    try:
        said = failure(server.url, q("sum_over_time(vector(1)[10d:1s])"))
    finally:
        server.end()
    assert said.startswith("gave the query up: query timed out"), said


@pytest.mark.server
def test_server_that_stands_still(server: Server) -> None:
    server.pause()
    try:
        begun = time.monotonic()
        said = failure(server.url, seconds=0.6)
        assert time.monotonic() - begun < 0.5
    finally:
        server.resume()
    assert said.startswith("no answer in time"), said


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a private CA, ca.pem, and the certificate and key of a server that it vouches for."""
    folder = tmp_path_factory.mktemp("authority")
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    signed = ["-days", "1", "-extfile", "san", "-out", "cert.pem"]
    (folder / "san").write_text("subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n")
    for words in (
        ["req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=Test CA"],
        ["req", *key, "-keyout", "key.pem", "-out", "csr", "-subj", "/CN=metrics"],
        [*("x509", "-req", "-in", "csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"), *signed],
    ):
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def locked(authority: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a server that speaks TLS and asks for a password."""
    web = (
        f"tls_server_config: {{cert_file: {authority}/cert.pem, key_file: {authority}/key.pem}}\n"
        f"basic_auth_users: {{ada: '{HASH}'}}\n"
    )
    server = start_prometheus(tmp_path_factory.mktemp("locked") / "p", DATA, web_config=web)
    yield server
    server.end()


@pytest.mark.server
def test_tls_and_a_password(locked: Server, authority: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert failure(locked.url).startswith("its certificate is not trusted (")
    assert "SSL_CERT_FILE" in failure(locked.url)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority / "ca.pem"))
    assert failure(locked.url).startswith("wants credentials (401): set TSUNAMI_PROMETHEUS_TOKEN, or ")
    monkeypatch.setenv("TSUNAMI_PROMETHEUS_USER", "ada")
    monkeypatch.setenv("TSUNAMI_PROMETHEUS_PASSWORD", "hunter2")
    assert "a1:9100" in rows(prometheus(locked.url, 1).ask([UP])[UP])
    monkeypatch.setenv("TSUNAMI_PROMETHEUS_PASSWORD", "hunter22")
    said = str(prometheus(locked.url, 1).ask([UP])[UP].failure)
    assert "refuses our credentials (401)" in said
    assert "hunter2" not in said
    other_name = locked.url.replace("127.0.0.1", "localhost")
    assert failure(other_name).startswith("its certificate is for another name")


@pytest.mark.server
def test_wrong_scheme(locked: Server, server: Server) -> None:
    # It closes before it has read our question, so that its own words may be lost.
    said = failure(locked.url.replace("https", "http"))
    assert said.startswith(
        ("answers 400: Client sent an HTTP request to an HTTPS", "answers 400: check the address", "closes the conn")
    ), said
    assert failure(server.url.replace("http", "https")).startswith("does not speak TLS with us")


@pytest.mark.server
def test_token(server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("hunter2\n")
    with scripted(wants_token(server.url, "hunter2")) as proxy:
        assert failure(proxy.url).startswith("wants credentials (401)")
        monkeypatch.setenv("TSUNAMI_PROMETHEUS_TOKEN", "hunter3")
        assert "refuses our credentials (401)" in str(prometheus(proxy.url, 1).ask([UP])[UP].failure)
        monkeypatch.setenv("TSUNAMI_PROMETHEUS_TOKEN", "hunter2")
        assert "a1:9100" in rows(prometheus(proxy.url, 1).ask([UP])[UP])
        monkeypatch.delenv("TSUNAMI_PROMETHEUS_TOKEN")
        monkeypatch.setenv("TSUNAMI_PROMETHEUS_TOKEN_FILE", str(tmp_path / "token"))
        monkeypatch.setenv("TSUNAMI_PROMETHEUS_URL", f"{proxy.url}/")
        assert "a1:9100" in rows(prometheus("http://elsewhere", 1).ask([UP])[UP])


# What a real one cannot be brought to do


def hang(handler: Handler) -> None:
    handler.over.wait(20)
    handler.close_connection = True


def drop(handler: Handler) -> None:
    handler.close_connection = True


def trickle(handler: Handler) -> None:
    handler.send_response_only(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    while not handler.over.wait(0.02):
        handler.wfile.write(b" ")


def trickled_chunks(handler: Handler) -> None:
    handler.send_response_only(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    while not handler.over.wait(0.02):
        handler.wfile.write(b"1\r\n \r\n")


def dies(handler: Handler) -> None:
    handler.send_response_only(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"status":')
    handler.close_connection = True


def dies_between_chunks(handler: Handler) -> None:
    handler.send_response_only(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    handler.wfile.write(b"3\r\nabc\r\n")
    handler.close_connection = True


def no_http(handler: Handler) -> None:
    handler.wfile.write(b"220 mail.example.com ESMTP\r\n")
    handler.close_connection = True


def error(kind: str, message: str) -> str:
    return json.dumps({"status": "error", "errorType": kind, "error": message})


def typed(kind: str, result: object) -> str:
    return json.dumps({"status": "success", "data": {"resultType": kind, "result": result}})


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (says(401), "wants credentials (401): set TSUNAMI_PROMETHEUS_TOKEN, or TSUNAMI_PROMETHEUS_USER and"),
        (says(403, "no\x1b[31m\nway", Content_Type="text/plain"), "wants credentials (403): no[31m way: set TSUN"),
        (says(404, "<h1>hunter2"), "has no Prometheus API at that address (404): write the address without /api/v1"),
        (says(400, error("bad_data", "a\nb\x1b" + "c" * 400)), f"refuses the query: a b{'c' * 296}…"),
        (says(422, error("execution", "too many samples")), "cannot evaluate the query: too many samples"),
        (says(500), "answers 500: look into its log"),
        (says(500, error("internal", "disk")), "answers 500: disk"),
        (says(503, error("timeout", "slow")), "gave the query up: slow: make it cheaper"),
        (says(503), "answers 503: look into its log"),
        (says(500, "x" * (65 << 10)), "answers 500: look into its log"),
        (says(418), "answers 418: check the address"),
        (says(302, Location="https://u:hunter2@x/y?s=hunter2#z"), "redirects to https://x/y: write the address it"),
        (says(307), "redirects to nowhere"),
        (says(200, "<html>"), "its answer is no JSON: check the address"),
        (says(200, b"\xff\xfe"), "its answer is no JSON: check the address"),
        (says(200, ""), "its answer is no JSON: check the address"),
        (says(200, GOOD[:-1]), "its answer is no JSON: check the address"),
        (says(200, "[" * 100_000), "its answer is n"),
        (says(200, '{"x":' + "[" * 100_000), "its answer is no JSON"),
        (says(200, b'{"data":{"resultType":"matrix","result":[{"metric":{"a":"\xff"}}]}}'), "its answer is no JSON"),
        (says(200, "[]"), "its answer is not that of Prometheus's API"),
        (says(200, '{"status":"success"}'), "its answer is not that of Prometheus's API"),
        (says(200, typed("matrix", [{"metric": {}, "values": [[1, "x"]]}])), "its answer is not that of Prometheus"),
        (says(200, typed("matrix", [{"metric": {}, "values": [[1]]}])), "its answer is not that of Prometheus's API"),
        (says(200, typed("matrix", [{"metric": {"a": None}}])), "its answer is not that of Prometheus's API"),
        (says(200, typed("scalar", [1, "1"])), "answers with a scalar, not with series over time"),
        (says(200, typed("vector", [{"metric": {}, "value": [1, "1"]}])), "answers with a vector, not with"),
        (says(200, typed("matrix", [{"metric": {}, "histograms": []}])), "answers with native histograms"),
        (says(200, matrix(({}, [(WINDOW.start - 60, "1")]))), "answers for other instants than it was asked for"),
        (says(200, matrix(({}, [(END + 60, "1")]))), "answers for other instants than it was asked for"),
        (says(200, matrix(({}, [(at, "1") for at in (*ALL, END + 60)]))), "answers for other instants than it was"),
        (
            says(200, matrix(warnings=["PromQL info: x", "store a1\nis down"])),
            "warns that its answer may be partial: store a1 is down",
        ),
        (
            says(200, matrix(({}, [(END, "1"), (math.nan, "1")])).replace("NaN", '"NaN"')),
            "answers for other instants than it was asked for",
        ),
        (says(200, GOOD.replace('"data"', '"isPartial":true,"data"')), "says that its answer is partial"),
        (says(200, matrix(isPartial=1, warnings=["x"])), "warns that its answer may be partial: x"),
        (says(200, GOOD, Content_Encoding="gzip"), "its answer cannot be unpacked"),
        (dies, "broke off in the middle of its answer"),
        (dies_between_chunks, "broke off in the middle of its answer"),
        (drop, "closes the connection without an answer"),
        (no_http, "does not speak HTTP"),
        (hang, "no answer in time: make the query cheaper, or set TSUNAMI_PROMETHEUS_TIMEOUT"),
        (trickle, "no answer in time"),
        (trickled_chunks, "no answer in time"),
    ],
)
def test_failures(reply: Reply, words: str) -> None:
    with scripted(reply) as server:
        slow = reply in (hang, trickle, trickled_chunks)
        begun = time.monotonic()
        said = failure(server.url, seconds=0.6 if slow else 30)
        assert not slow or time.monotonic() - begun < 0.5
    assert said.startswith(words), said


@pytest.mark.parametrize("infinity", ['"+Inf"', '"+Inf" ', ' "+Inf"'])
def test_what_is_let_pass(infinity: str) -> None:
    samples = f'[[{ALL[0]}.0,{infinity}],[{ALL[2]},"NaN"],[{ALL[4]},"-Inf"]]'
    result = f'[{{"metric":{{"+Inf":"+Inf","a":"+Inf"}},"values":{samples}}}]'
    text = f'{{"infos":["x"],"warnings":["PromQL info: y"],"data":{{"resultType":"matrix","result":{result}}}}}'
    with scripted(says(200, text), says(200, matrix(warnings=None))) as server:
        assert [(one.labels, str(one.values)) for one in asked(server.url)[0].series] == [
            ({"+Inf": "+Inf", "a": "+Inf"}, "(inf, None, nan, None, -inf)")
        ]
        assert asked(server.url) == [Answer()]


def test_numbers_are_those_of_float() -> None:
    source = random.Random(1)
    numbers = [source.uniform(-1, 1) * 10 ** source.randint(-308, 308) for _ in range(5000)] + [5e-324, 1.8e308, -0.0]
    made = [({"n": str(n)}, [(END, repr(number))]) for n, number in enumerate(numbers)]
    with scripted(says(200, matrix(*made))) as server:
        (answer,) = asked(server.url)
    assert [repr(series.values[-1]) for series in answer.series] == [repr(number) for number in numbers]


def test_what_is_asked() -> None:
    with scripted(says(200, GOOD)) as server:
        asked(f"{server.url}/prom/", q("a + b\n& 'å'"))
        asked(server.url, q("a"), q("a"))
    form = dict(server.seen[0])
    assert 0 < float(form.pop("timeout")) < 10
    assert form == {"query": "a + b\n& 'å'", "start": str(ALL[0]), "end": str(END), "step": "60"}
    assert len(server.seen) == 2
    assert server.headers[0]["accept-encoding"] == "identity"
    assert "authorization" not in server.headers[0]


def test_packed_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tsunami_cli.adapters.prometheus.exchange._LOOPBACK", re.compile("none"))
    bomb = gzip.compress(b" " * 300_000)
    with scripted(
        says(200, gzip.compress(GOOD.encode()), Content_Encoding="gzip"), says(200, bomb, Content_Encoding="gzip")
    ) as server:
        assert "a1" in rows(asked(server.url)[0])
        assert server.headers[0]["accept-encoding"] == "gzip"
        assert failure(server.url, limit=200_000).startswith("an answer of more than 200000 bytes: aggregate by host")


def test_reading_stops_at_the_limit() -> None:
    sent = []

    def endless(handler: Handler) -> None:
        handler.send_response_only(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        while not handler.over.is_set():
            handler.wfile.write(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
            sent.append(0x10000)

    with scripted(endless) as server:
        assert failure(server.url, limit=2 << 20).startswith("an answer of more than 2 MiB: aggregate by host")
    assert sum(sent) < 32 << 20  # what the sockets hold
    with scripted(says(200, GOOD)) as server:
        assert rows(asked(server.url, limit=len(GOOD))[0])
        assert "more than" in failure(server.url, limit=len(GOOD) - 1)


@pytest.mark.parametrize("first", [says(502), says(503), says(504), drop])
def test_asked_once_more(first: Reply) -> None:
    with scripted(first, says(200, GOOD)) as server:
        assert "a1" in rows(asked(server.url)[0])
    assert len(server.seen) == 2


@pytest.mark.parametrize(
    ("reply", "seconds", "times"),
    [(says(503), 30, 2), (drop, 30, 2), (says(500), 30, 1), (says(400), 30, 1), (dies, 30, 1), (says(503), 0.25, 1)],
)
def test_how_often_it_is_asked(reply: Reply, seconds: float, times: int) -> None:
    with scripted(reply) as server:
        failure(server.url, seconds=seconds)
    assert len(server.seen) == times


def test_refused() -> None:
    (port,) = free_ports(1)
    begun = time.monotonic()
    said = failure(f"http://127.0.0.1:{port}", *(q(str(n)) for n in range(60)))
    assert said == "refuses the connection: is it running there?"
    assert time.monotonic() - begun < 1.5  # and not 60 pauses


def test_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_up = []

    def unknown(host: str, *arguments: object, **options: object) -> None:
        looked_up.append(host)
        time.sleep(0.05)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    said = failure("http://metrics.invalid:9090", *(q(str(n)) for n in range(60)))
    assert said == "has no address: check the name, or this machine's DNS"
    assert len(looked_up) <= 4


@pytest.mark.parametrize("host", ["...", "a..b", "x" * 70, "-", "_"])
def test_name_that_is_none(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(name: str, *arguments: object, **options: object) -> None:
        name.encode("idna")
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert re.match(r"has no address: |cannot be asked \(LocationParseError\): check", failure(f"http://{host}:9090"))


def test_no_way_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_way(*arguments: object, **options: object) -> None:
        raise OSError(errno.EHOSTUNREACH, "No route to host")

    monkeypatch.setattr("urllib3.util.connection.create_connection", no_way)
    assert failure("http://127.0.0.1") == "cannot be reached: No route to host"


def test_name_server_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()

    def silent(*arguments: object, **options: object) -> None:
        over.wait(5)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", silent)
    begun = time.monotonic()
    assert failure("http://metrics.invalid", seconds=0.2).startswith("no answer before the time for all questions")
    assert time.monotonic() - begun < 0.4
    over.set()


@pytest.mark.skipif(sys.platform != "linux", reason="how a full queue of connections behaves")
def test_connection_that_is_never_taken() -> None:
    with socket.socket() as listening, socket.socket() as first, socket.socket() as second:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for each in (first, second):
            each.setblocking(False)
            each.connect_ex(listening.getsockname())
        begun = time.monotonic()
        said = failure(f"http://127.0.0.1:{listening.getsockname()[1]}", *map(q, "abcdefghijkl"), seconds=0.9)
        assert said == "cannot be reached in time: check the address, and what filters the way to it"
        assert time.monotonic() - begun < 0.6


def test_one_slow_answer_spoils_no_other() -> None:
    def reply(handler: Handler) -> None:
        (hang if handler.form["query"] == "slow" else says(200, GOOD))(handler)

    with scripted(reply) as server:
        answers = asked(server.url, *map(q, ("a", "slow", "b", "c", "d")), seconds=0.9)
    assert [answer.failure is None for answer in answers] == [True, False, True, True, True]


def test_all_questions_together_have_an_end() -> None:
    with scripted(hang) as server:
        begun = time.monotonic()
        answers = asked(server.url, *(q(str(n)) for n in range(60)), seconds=0.45)
        assert time.monotonic() - begun < 0.7
    words = [str(answer.failure).removeprefix(server.url) for answer in answers]
    assert words[0].startswith(": no answer in time")
    assert words[-1].startswith(": no answer before the time for all questions")


def test_trickled_headers() -> None:
    def reply(handler: Handler) -> None:
        while not handler.over.wait(0.02):
            handler.wfile.write(b"H")

    with scripted(reply) as server:
        begun = time.monotonic()
        assert failure(server.url, seconds=0.3).startswith("no answer before the time for all questions")
        assert time.monotonic() - begun < 0.5


def test_a_bug_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object) -> Answer:
        raise ZeroDivisionError

    monkeypatch.setattr("tsunami_cli.adapters.prometheus.asking.ask", broken)
    (answer,) = asked("http://127.0.0.1:9")
    assert answer.failure == "this is a bug in tsunami (ZeroDivisionError: )"


@pytest.mark.parametrize(
    "bugs",
    [1, 4, 8],
)
def test_bugs_cost_no_other_its_answer(monkeypatch: pytest.MonkeyPatch, bugs: int) -> None:
    def broken(*arguments: object) -> bytearray:
        question = next(one for one in arguments if isinstance(one, Question))
        if int(question.query) < bugs:
            raise ZeroDivisionError
        return bytearray(GOOD.encode())

    monkeypatch.setattr("tsunami_cli.adapters.prometheus.asking.ask", broken)
    found = [answer.failure for answer in asked("http://127.0.0.1:9", *(q(str(n)) for n in range(9)), seconds=0.3)]
    assert found == ["this is a bug in tsunami (ZeroDivisionError: )"] * bugs + [None] * (9 - bugs)


def test_an_interrupt_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*arguments: object) -> bytearray:
        raise KeyboardInterrupt

    monkeypatch.setattr("tsunami_cli.adapters.prometheus.asking.ask", interrupted)
    with pytest.raises(KeyboardInterrupt):
        asked("http://127.0.0.1:9")


# What the environment says


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({"TOKEN": "hunter2", "TOKEN_FILE": "/x"}, "TOKEN and TSUNAMI_PROMETHEUS_TOKEN_FILE: set one of them"),
        ({"TOKEN": "hunter2", "USER": "a", "PASSWORD": "hunter2"}, "set one of them"),
        ({"TOKEN_FILE": "/x", "PASSWORD": "hunter2"}, "set one of them"),
        ({"USER": "a"}, "TSUNAMI_PROMETHEUS_USER is set and TSUNAMI_PROMETHEUS_PASSWORD is not"),
        ({"PASSWORD": "hunter2"}, "TSUNAMI_PROMETHEUS_PASSWORD is set and TSUNAMI_PROMETHEUS_USER is not"),
        ({"USER": "a", "PASSWORD": ""}, "TSUNAMI_PROMETHEUS_PASSWORD is not"),
        ({"USER": "a:b", "PASSWORD": "hunter2"}, "has no colon"),
        ({"TOKEN": "hunter2\n"}, "TSUNAMI_PROMETHEUS_TOKEN: is no token"),
        ({"TOKEN": "hunter2å"}, "TSUNAMI_PROMETHEUS_TOKEN: is no token"),
        ({"TOKEN_FILE": "/nowhere/\x1b"}, "TOKEN_FILE: /nowhere/ cannot be read: No such file or directory"),
        ({"TOKEN_FILE": "/dev/null"}, "TOKEN_FILE: is no token"),
        ({"TIMEOUT": "10s"}, "TSUNAMI_PROMETHEUS_TIMEOUT: '10s' is no number of seconds above 0"),
        ({"TIMEOUT": "0"}, "is no number of seconds"),
        ({"TIMEOUT": "nan"}, "is no number of seconds"),
        ({"TIMEOUT": "-1"}, "is no number of seconds"),
        ({"URL": "localhost:9090"}, "TSUNAMI_PROMETHEUS_URL: not the address of a metrics server"),
        ({"URL": "http://a:hunter2@x"}, "not the address"),
        ({"URL": "http://x?hunter2"}, "not the address"),
        ({"URL": "http://x:70000"}, "not the address"),
        ({"URL": "http://x:0"}, "not the address"),
        ({"URL": "http://[:::1:::]"}, "not the address"),
        ({"URL": "ftp://x"}, "not the address"),
    ],
)
def test_environment_without_meaning(env: dict[str, str], words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in env.items():
        monkeypatch.setenv(f"TSUNAMI_PROMETHEUS_{name}", value)
    with pytest.raises(Usage) as caught:
        prometheus("http://localhost:9090", 1)
    assert words in str(caught.value)
    assert str(caught.value).isprintable()
    assert "hunter2" not in str(caught.value)


def test_address_in_the_settings() -> None:
    with pytest.raises(Usage, match=r"guard\.prometheus: not the address"):
        prometheus("http://u:p@x", 1)
    schema = json.loads((ROOT / "schemas/settings.schema.json").read_text())
    pattern = schema["properties"]["guard"]["properties"]["prometheus"]["pattern"]
    assert pattern == f"^{environment._ADDRESS.pattern}$(?!\\n)"


@pytest.mark.parametrize(("hosts", "limit"), [(0, 64 << 20), (10_000, 64 << 20), (100_000, 4096 * 100_000)])
def test_limit_grows_with_the_fleet(hosts: int, limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TSUNAMI_PROMETHEUS_TIMEOUT", "0.5")
    made = prometheus("http://localhost:9090", hosts)
    assert (made._limit, made._seconds) == (limit, 1.5)


@pytest.mark.parametrize(
    ("env", "header"),
    [
        ({}, None),
        ({"TOKEN": "", "USER": ""}, None),
        ({"TOKEN": "a.b-c"}, "Bearer a.b-c"),
        ({"USER": "ada", "PASSWORD": "å:b c"}, f"Basic {base64.b64encode('ada:å:b c'.encode()).decode()}"),
    ],
)
def test_who_we_are(env: dict[str, str], header: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in env.items():
        monkeypatch.setenv(f"TSUNAMI_PROMETHEUS_{name}", value)
    with scripted(says(200, GOOD)) as server:
        prometheus(server.url, 1).ask([UP])
    assert server.headers[0].get("authorization") == header


def test_importing_costs_nothing() -> None:
    code = "import sys, tsunami_cli.adapters.prometheus as p; print({'urllib3', 'msgspec', 'ssl'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "set()"


def test_an_answer_that_is_said_to_be_whole() -> None:
    with scripted(says(200, matrix(isPartial=False, stats={"seriesFetched": "0"}))) as server:
        assert asked(server.url) == [Answer()]


@pytest.mark.parametrize("early", [1, 20, 59, 0.001])
def test_a_server_that_moves_the_instants_to_multiples_of_the_step(early: float) -> None:
    """A sample counts for the next instant."""
    made = matrix(({"instance": "a1"}, [(at - early, str(place)) for place, at in enumerate(ALL)]))
    with scripted(says(200, made)) as server:
        (answer,) = asked(server.url)
    assert rows(answer) == {"a1": (0.0, 1.0, 2.0, 3.0, 4.0)}


def test_instants_that_are_late_and_those_that_are_missing() -> None:
    late = [(at + 20, str(place)) for place, at in enumerate(ALL)]
    made = matrix(({"instance": "a1"}, late), ({"instance": "b1"}, [late[1], late[3]]), ({"instance": "c1"}, late[:1]))
    with scripted(says(200, made)) as server:
        (answer,) = asked(server.url)
    # The last two are for the same one; the later counts.
    assert rows(answer) == {
        "a1": (None, 0.0, 1.0, 2.0, 4.0),
        "b1": (None, None, 1.0, None, 3.0),
        "c1": (None, 0.0, None, None, None),
    }
