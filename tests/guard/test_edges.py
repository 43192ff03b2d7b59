"""Numbers that are none, cohorts that are small, instants to the second, and a first publish."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.guard.world import BAD, BROKEN, HEALTHY, World, at, begun, fresh, moves, order, samples, slo
from tests.metrics_servers import Server, labels, openmetrics, start_prometheus

SECOND = 1 / 60


def but(query: str, hosts: list[str], other: str) -> str:
    """Return a query that gives another expression for some hosts."""
    among = "|".join(hosts)
    picked = f'on (instance) healthy{{instance=~"({among}):.*"}}'
    return f"({query} unless {picked}) or ({HEALTHY} and {picked}) * {other}"


@pytest.mark.parametrize("number", ["NaN", "Inf", "-Inf"])
def test_numbers_that_are_none(world: World, number: str) -> None:
    world.watch(slo(query=f"{HEALTHY} * 0 + {number}"))
    found = world.judge(30)
    assert (found["status"], found["action"], found["value"]) == ("no-data", "hold", None)
    world.watch(slo(query=but(HEALTHY, list(order()[:1]), number)))
    found = world.judge(30)
    assert found["status"] == "no-data", "one in eight is more than max_silent"
    world.watch(slo(query=but(HEALTHY, list(order()[:1]), number), max_silent="13%"))
    found = world.judge(30)
    assert (found["status"], found["value"]) == ("ok", 0.001)
    world.watch(slo(query=but(HEALTHY, list(order()[8:]), number)))
    assert world.judge(30)["status"] == "ok", "only the rest has none"
    world.watch(slo(query=but(HEALTHY, list(order()[8:]), number), compare="moved-minus-rest"))
    assert world.judge(30)["status"] == "no-data", "nothing to compare with"


@pytest.mark.parametrize("query", ["nothing", f"{HEALTHY} > 1", "sum(healthy)", "scalar(healthy)"])
def test_queries_without_an_answer(world: World, query: str) -> None:
    world.watch(slo(query=query))
    done = world.publish(30)
    assert [one["slo"] for one in done["held"]] == ["errors"]


def test_settle_to_the_second(world: World) -> None:
    world.watch(slo())
    told = [sum(minute <= bound for minute in moves().values()) for bound in (10, 20)]
    assert world.judge(20 - SECOND)["hosts"] == 0
    assert world.judge(20)["hosts"] == told[0]
    assert world.judge(30 - SECOND)["hosts"] == told[0]
    assert world.judge(30)["hosts"] == told[1]
    world.watch(slo(settle="10m1s"))
    assert world.judge(30)["hosts"] == told[0]
    assert world.judge(30 + SECOND)["hosts"] == told[1]


def test_not_a_sample_of_before_they_settled_counts(world: World) -> None:
    world.watch(slo(for_="10m"))
    assert world.judge(24)["status"] == "no-data", "5 of 11 samples"
    assert world.judge(30)["status"] == "violated"


def test_min_hosts_to_the_host(world: World) -> None:
    world.watch(slo(min_hosts=8))
    assert world.judge(29)["status"] == "no-data", "some of them still settle"
    assert world.judge(30)["hosts"] == 8
    world.watch(slo(min_hosts=9))
    found = world.judge(30)
    assert (found["status"], found["action"]) == ("not-judged", "none")
    assert "too thin to judge: 8 of at least 9 hosts have moved" in found["why"]
    assert world.publish(30)["held"] == []


def test_thirty_times_a_hundredth_is_not_more_than_it(world: World) -> None:
    for number, status in (("0.01", "ok"), ("0.010000000001", "violated"), ("0.1 / 10", "ok")):
        world.watch(slo(query=f"{HEALTHY} * 0 + {number}"))
        assert world.judge(30)["status"] == status, number
    for comparison, status in (("<", "violated"), (">=", "ok"), ("==", "ok"), ("!=", "violated"), (">", "violated")):
        world.watch(slo(query=f"{HEALTHY} * 0 + 0.07", objective=f"{comparison} 0.07"))
        assert world.judge(30)["status"] == status, comparison


def test_the_first_publish_is_not_judged_and_without_a_ledger_the_plan_counts(
    make: Callable[[Path], World], closed: str
) -> None:
    world = make(fresh())
    world.watch(slo(query=BAD))
    said = world.run(30, "guard", "--dry-run")
    assert "nothing is published" in said.out
    found = world.judge(30)
    assert (found["status"], found["action"]) == ("violated", "halt")
    planned = sum(one["quota"] for one in world.status(20)["roles"])
    assert found["hosts"] == planned
    world.fleet.patch.setenv("TSUNAMI_PROMETHEUS_URL", closed)
    done = world.publish(30)
    assert (done["guard"], done["held"]) == ([], [])
    assert len(world.have()) == 10


def test_without_a_ledger_the_command_halts_as_well(make: Callable[[Path], World]) -> None:
    world = make(fresh())
    world.watch(slo(query=BAD))
    (found,) = world.guard(30)
    assert found["commit"] == world.fleet.head()
    assert world.halted()


def test_what_is_complete_is_watched_until_all_have_settled(world: World) -> None:
    world.watch(slo(query=HEALTHY))
    world.fleet.at(at(20)).ok("pace", "agent", "--over", "10m")
    for minute in (30, 40):
        world.publish(minute)
    state = world.status(40)
    assert state["values"] == {"2": 100}, state
    assert state["state"] == "complete"
    world.watch(slo(query=BAD))
    found = world.judge(50)
    assert (found["status"], found["action"]) == ("violated", "none"), "there is nobody left to stop"
    assert world.judge(61)["status"] == "not-judged"
    inventory = world.fleet.read("inventory.csv")
    world.fleet.at(at(62)).commit({"inventory.csv": f"{inventory}web-80,web\n"}, "one machine more")
    world.watch(slo(query=HEALTHY))
    world.publish(70)
    assert "web-80" in world.have()
    world.watch(slo(query=BAD))
    found = world.judge(75)
    assert (found["status"], found["why"]) == ("not-judged", "complete: nobody was moved in the last 20m")


def test_what_is_complete_rolls_back_where_that_is_asked_for(world: World) -> None:
    world.fleet.at(at(20)).ok("pace", "agent", "--over", "10m")
    for minute in (30, 40):
        world.publish(minute)
    world.watch(slo(query=BAD, on_violation="rollback 20m"))
    assert world.publish(50)["guard"][0]["action"] == "rollback"


def test_pinned_hosts_count_on_neither_side(world: World) -> None:
    world.watch(slo(query=but(HEALTHY, list(order()[:1]), "1000"), compare="moved-minus-rest"))
    assert world.judge(30)["status"] == "violated"
    world.fleet.at(at(20)).ok("pin", "agent", "--to", "1", "--host", order()[0], "--reason", "odd")
    world.publish(30)
    found = world.judge(31)
    assert (found["status"], found["hosts"]) == ("ok", 7)


# A server with a lock


def run(folder: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[Server]:
    """Return a server that speaks TLS under a private CA, ca.pem in its folder's parent, and asks for a password."""
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    (tmp_path / "san").write_text("subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n")
    run(tmp_path, "req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=Test CA")
    run(tmp_path, "req", *key, "-keyout", "key.pem", "-out", "csr", "-subj", "/CN=metrics")
    signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "1", "-extfile", "san")
    run(tmp_path, "x509", "-req", "-in", "csr", *signed, "-out", "cert.pem")
    users = "basic_auth_users: {ada: '$2b$04$a5d7S1hAgoqF/TYD27JCgeMRBk46p0VMJEJgvd8GpreVqEvSCB.vC'}\n"
    web = f"tls_server_config: {{cert_file: {tmp_path}/cert.pem, key_file: {tmp_path}/key.pem}}\n{users}"
    kept = {
        ("broken", labels(instance=f"{host}:9100", role=host[:-3])): samples()[
            "broken", labels(instance=f"{host}:9100", role=host[:-3])
        ]
        for host in order()[:12]
    }
    server = start_prometheus(tmp_path / "prometheus", openmetrics(kept), web_config=web)
    yield server
    server.end()


def test_tls_of_a_private_authority_and_a_password(world: World, locked: Server) -> None:
    world.watch(slo(query=BROKEN))
    patch = world.fleet.patch
    patch.setenv("TSUNAMI_PROMETHEUS_URL", locked.url)
    done = world.publish(30, code=4)
    assert "SSL_CERT_FILE" in done["held"][0]["why"]
    patch.setenv("SSL_CERT_FILE", str(locked.folder.parent / "ca.pem"))
    assert "wants credentials (401)" in world.judge(30, code=4)["why"]
    patch.setenv("TSUNAMI_PROMETHEUS_USER", "ada")
    patch.setenv("TSUNAMI_PROMETHEUS_PASSWORD", "hunter22")
    refused = world.judge(30, code=4)["why"]
    assert "refuses our credentials" in refused
    assert "hunter" not in refused
    patch.setenv("TSUNAMI_PROMETHEUS_PASSWORD", "hunter2")
    assert world.publish(40)["guard"][0]["action"] == "halt"
    assert "hunter" not in world.fleet.message() + world.minutes(2)
    world.assert_halted(40)


def test_the_world_is_what_it_says(make: Callable[[Path], World]) -> None:
    """The other tests count on it."""
    world = make(begun())
    assert len([minute for minute in moves().values() if minute <= 20]) == 8
    assert world.have() == {host for host, minute in moves().items() if minute <= 20}
