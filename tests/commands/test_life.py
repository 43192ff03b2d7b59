"""The whole life of a rollout, command by command, on a real repository."""

import json
import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.commands.fleet_world import (
    DOCKER,
    DOCKER_TEXT,
    HELIOS,
    HELIOS_HOSTS,
    HELIOS_TEXT,
    HOSTS,
    NOW,
    SIZES,
    UNPINNED,
    Fleet,
    assert_plain,
    git,
)

ID = "helios-20261116T090000Z"


def start(fleet: Fleet, *more: str) -> None:
    """Begin the usual rollout: helios, all day and night, 24 hours from now."""
    fleet.ok("start", "helios", "--to", "0.9.12", "--over", "24h", *more)


# The first day


def test_init_lays_out_what_validates_and_touches_nothing_else(fleet: Fleet, tmp_path: Path) -> None:
    root = tmp_path / "new"
    root.mkdir()
    git(root, "-c", "init.defaultBranch=trunk", "init", "-q")
    (root / "inventory.csv").write_text("host,role\nmine-1,web\n")
    fleet.ok("-C", str(root), "init")
    for path in ("tsunami.yaml", "schemas/variable.schema.json", "rollouts/docker.yaml"):
        assert (root / path).is_file(), path
    assert list((root / ".github/workflows").iterdir())
    assert (root / "inventory.csv").read_text() == "host,role\nmine-1,web\n"
    assert 'branch: "trunk"' in (root / "tsunami.yaml").read_text()
    again = fleet.json("-C", str(root), "init")
    assert again["made"] == []
    git(root, "add", "--all")
    git(root, "commit", "-q", "-m", "laid out")
    found = fleet.json("-C", str(root), "validate")
    assert found["ok"] is True
    fleet.ok("-C", str(root), "start", "docker", "--to", "1.12.3", "--over", "14d")
    assert git(root, "log", "-1", "--format=%s", "trunk") == "docker: start 1.12.1 -> 1.12.3 over 14d"


def test_validate_says_nothing_about_a_sound_fleet(fleet: Fleet) -> None:
    assert fleet.json("validate") == {"ok": True, "problems": []}
    assert "nothing wrong" in fleet.ok("validate")


def test_new_makes_a_variable_in_one_commit(fleet: Fleet) -> None:
    words = ("--default", "0.7.10", "--pattern", r"^\d+\.\d+\.\d+$", "--description", 'the "agent"', "--reason", "why")
    text = fleet.decide("new", "consul", *words)
    assert text.splitlines()[0].startswith("consul: new")
    assert text.endswith("\n\nwhy\n\nTsunami-Action: new\nTsunami-Variable: consul")
    assert fleet.status("consul")["values"] == {"0.7.10": HOSTS}
    assert fleet.json("validate")["ok"]
    assert fleet.json("get", "lon2-db-a1")["consul"] == "0.7.10"


@pytest.mark.parametrize(
    ("default", "kind", "line", "value"),
    [
        ("1.10", "string", 'default: "1.10"', "1.10"),
        ("no", "string", 'default: "no"', "no"),
        ("72225e2", "string", 'default: "72225e2"', "72225e2"),
        ("2016-11-14", "string", 'default: "2016-11-14"', "2016-11-14"),
        ("4096", "string", 'default: "4096"', "4096"),
        ("4096", "integer", "default: 4096", 4096),
        ("0.5", "number", "default: 0.5", 0.5),
        ("true", "boolean", "default: true", True),
    ],
)
def test_new_writes_text_quoted_and_other_values_bare(
    fleet: Fleet, default: str, kind: str, line: str, value: object
) -> None:
    fleet.decide("new", "thing", "--default", default, "--type", kind)
    assert line in fleet.read("rollouts/thing.yaml").splitlines()
    assert fleet.json("get", "lon2-db-a1")["thing"] == value


def test_values_that_are_not_text_are_keys_as_their_json_text(fleet: Fleet) -> None:
    fleet.decide("new", "flag", "--default", "true", "--type", "boolean")
    assert fleet.status("flag")["values"] == {"true": HOSTS}
    assert fleet.status("somaxconn")["values"] == {"128": SIZES["proxy"] + SIZES["search"]}


# Start


def test_a_dry_run_shows_the_plan_and_changes_nothing(fleet: Fleet) -> None:
    before = fleet.snapshot()
    words = ("start", "docker", "--from", "1.12.1", "--to", "1.12.3", "--over", "14d", "--dry-run")
    out = fleet.ok(*words)
    for part in (
        "1.12.1 -> 1.12.3",
        "Mon 16 Nov 10:00 CET",
        "Mon 30 Nov 10:00 CET",
        "in 14 d",
        f"{UNPINNED} hosts in 5 roles",
        "steepest",
        "search: up to 1 host an hour of 15",
        "login pinned to 1.12.1 (8 hosts)",
    ):
        assert part in out, part
    data = fleet.json(*words)
    assert data["commit"] is None
    assert data["decisions"][0]["action"] == "start"
    assert fleet.snapshot() == before


def test_a_start_is_one_commit_with_reason_and_trailers(fleet: Fleet) -> None:
    text = fleet.decide("start", "docker", "--to", "1.12.3", "--over", "14d", "--reason", "orphans (moby#25981)")
    assert text == (
        "docker: start 1.12.1 -> 1.12.3 over 14d\n\n"
        "orphans (moby#25981)\n\n"
        "Tsunami-Action: start\nTsunami-Variable: docker\nTsunami-Rollout: docker-20261116T090000Z"
    )
    assert fleet.git("log", "-1", "--format=%an <%ae>") == "Ada Operator <ada@example.com>"


def test_a_start_without_a_reason_has_no_empty_paragraph(fleet: Fleet) -> None:
    for words in ((), ("--reason", ""), ("--reason", " \n\t ")):
        text = fleet.decide("start", "helios", "--to", "0.9.12", "--over", "1d", *words)
        assert text == (
            "helios: start 0.9.10 -> 0.9.12 over 1d\n\n"
            f"Tsunami-Action: start\nTsunami-Variable: helios\nTsunami-Rollout: {ID}"
        ), words
        assert fleet.json("log", "helios")[-1]["reason"] is None
        fleet.git("reset", "-q", "--hard", "HEAD^")


def test_a_start_adds_lines_and_touches_no_other(fleet: Fleet) -> None:
    fleet.decide("start", "docker", "--to", "1.12.3", "--over", "14d")
    old, new = DOCKER_TEXT.splitlines(), fleet.read(DOCKER).splitlines()
    assert new[: len(old) - 1] == old[:-1]
    assert new[len(old) - 1].startswith("rollouts:")
    assert "# tsunami start adds to it" in new[len(old) - 1]
    assert [line for line in new[len(old) :] if line.strip()] == [
        "  - id: docker-20261116T090000Z",
        "    selection: 1",
        '    from: ["1.12.1"]',
        '    to: "1.12.3"',
        "    over: 14d",
        "    schedule:",
        "      - {at: 2026-11-16T09:00:00Z, percent: 0}",
        "      - {at: 2026-11-30T09:00:00Z, percent: 100}",
    ]


def test_a_start_goes_through_points_and_begins_later(fleet: Fleet) -> None:
    words = ("--via", "10%@4d", "--via", "1%@1d", "--at", "2026-11-18T06:00:00Z", "--from", "1.12.1")
    fleet.decide("start", "docker", "--to", "1.12.3", "--over", "14d", *words)
    assert fleet.schedule("docker") == [
        ("2026-11-18T06:00:00Z", "0"),
        ("2026-11-19T06:00:00Z", "1"),
        ("2026-11-22T06:00:00Z", "10"),
        ("2026-12-02T06:00:00Z", "100"),
    ]
    assert fleet.state() == "scheduled"
    assert fleet.json("get", "lon2-search-a1")["docker"] == "1.12.1"


def test_a_start_a_minute_late_is_in_time(fleet: Fleet) -> None:
    fleet.decide("start", "helios", "--to", "0.9.12", "--over", "1d", "--at", "2026-11-16T08:59:00Z")
    assert fleet.schedule("helios")[0][0] in ("2026-11-16T08:59:00Z", "2026-11-16T09:00:00Z")
    assert fleet.state("helios") == "running"


def test_a_value_is_read_by_its_type(fleet: Fleet) -> None:
    fleet.decide("start", "somaxconn", "--from", "128", "--to", "4096", "--over", "1d")
    assert "    to: 4096\n" in fleet.read("rollouts/somaxconn.yaml")
    assert "    from: [128]\n" in fleet.read("rollouts/somaxconn.yaml")


def test_from_may_name_the_values_in_any_order(fleet: Fleet) -> None:
    start(fleet)
    fleet.at("2026-11-16T21:00:00Z").ok("halt", "helios")
    fleet.no("start", "helios", "--from", "0.9.12", "--to", "0.9.13", "--over", "1d", "--supersede")
    words = ("--from", "0.9.12", "--from", "0.9.10", "--supersede")
    text = fleet.decide("start", "helios", "--to", "0.9.13", "--over", "1d", *words)
    assert text.startswith("helios: start 0.9.10, 0.9.12 -> 0.9.13 over 1d\n")


def test_ids_of_one_second_differ(fleet: Fleet) -> None:
    fleet.decide("start", "helios", "--to", "0.9.12", "--over", "1d")
    fleet.decide("start", "helios", "--to", "0.9.13", "--over", "1d", "--supersede")
    fleet.decide("start", "helios", "--to", "0.9.14", "--over", "1d", "--supersede")
    trailers = fleet.git("log", "-3", "--format=%(trailers:key=Tsunami-Rollout,valueonly,separator=)", "main").split()
    assert trailers == [f"{ID}-3", f"{ID}-2", ID]


def test_a_scheduled_rollout_that_is_superseded_leaves_the_file(fleet: Fleet) -> None:
    fleet.decide("start", "helios", "--to", "0.9.12", "--over", "1d", "--at", "2026-11-20T09:00:00Z")
    fleet.decide("start", "helios", "--to", "0.9.13", "--over", "1d", "--supersede")
    assert fleet.read(HELIOS).count("- id:") == 1
    assert f"- id: {ID}-2" in fleet.read(HELIOS)
    assert "halted" not in fleet.read(HELIOS)


# Looking


def test_status_counts_exactly_and_has_the_keys_of_the_contract(fleet: Fleet) -> None:
    start(fleet)
    data = fleet.at("2026-11-16T15:00:00Z").json("status")
    assert set(data) == {"now", "source", "ledger", "freeze", "variables"}
    assert (data["now"], data["source"], data["ledger"]) == ("2026-11-16T15:00:00Z", fleet.head(), None)
    assert [one["name"] for one in data["variables"]] == ["docker", "helios", "somaxconn"]
    docker, helios, _ = data["variables"]
    assert set(helios) == {"name", "state", "values", "held", "frozen", "rollout", "roles"}
    assert docker["state"] == "settled"
    assert docker["rollout"] is None
    rollout = helios["rollout"]
    assert rollout == {
        "id": ID,
        "from": ["0.9.10"],
        "to": "0.9.12",
        "percent": 25.0,
        "told_percent": None,
        "starts_at": "2026-11-16T09:00:00Z",
        "ends_at": "2026-11-17T09:00:00Z",
        "halted_at": None,
        "after": None,
        "moved": rollout["moved"],
        "hosts": HELIOS_HOSTS,
    }
    assert helios["held"] is None
    assert helios["state"] == "running"
    assert sum(helios["values"].values()) == HELIOS_HOSTS
    assert helios["values"]["0.9.12"] == rollout["moved"] == sum(role["moved"] for role in helios["roles"])
    for role in helios["roles"]:
        assert set(role) == {"role", "hosts", "pinned", "moved", "quota"}
        assert role["hosts"] == SIZES[role["role"]]
        assert role["moved"] == role["quota"]
        assert abs(role["quota"] - role["hosts"] / 4) < 1, role


def test_status_counts_pinned_hosts_in_their_role_but_not_as_moved(fleet: Fleet) -> None:
    fleet.ok("start", "docker", "--to", "1.12.3", "--over", "14d")
    found = fleet.at("2026-12-01T12:00:00Z").status()
    login = next(role for role in found["roles"] if role["role"] == "login")
    assert (login["hosts"], login["pinned"], login["moved"], login["quota"]) == (8, 8, 0, 0)
    assert found["values"] == {"1.12.3": UNPINNED, "1.12.1": 8}
    assert (found["state"], found["rollout"]["moved"], found["rollout"]["hosts"]) == ("complete", UNPINNED, UNPINNED)


def test_percent_is_rounded_to_four_decimals(fleet: Fleet) -> None:
    start(fleet)
    assert fleet.at("2026-11-16T17:00:01Z").status("helios")["rollout"]["percent"] == 33.3345


def test_the_status_screen_says_what_its_json_says(fleet: Fleet) -> None:
    start(fleet)
    fleet.at("2026-11-16T15:00:00Z")
    moved = fleet.status("helios")["rollout"]["moved"]
    out = fleet.ok("status")
    assert "backend" in out
    assert f"{HOSTS} hosts" in out
    line = next(line for line in out.splitlines() if line.startswith("helios"))
    for part in ("running", "25.0 %", f"{moved} on 0.9.12", "next: "):
        assert part in line, line
    assert "1.12.1 everywhere" in next(line for line in out.splitlines() if line.startswith("docker"))


def test_nothing_moves_while_the_calendar_is_closed(fleet: Fleet) -> None:
    fleet.ok("start", "docker", "--to", "1.12.3", "--over", "14d")
    evening, saturday, monday = "2026-11-20T16:00:00Z", "2026-11-21T12:00:00Z", "2026-11-23T08:00:00Z"
    counts = {at: fleet.status("docker", "--at", at)["values"] for at in (evening, saturday, monday)}
    assert counts[evening] == counts[saturday] == counts[monday]
    assert fleet.status("docker", "--at", monday)["rollout"]["percent"] == 48.75  # 39 of the 80 open hours


def test_plan_tells_every_move_and_when(fleet: Fleet) -> None:
    start(fleet)
    fleet.at("2026-11-16T15:00:00Z")
    data = fleet.json("plan")
    assert set(data) == {"now", "variables"}
    (helios,) = data["variables"]
    assert set(helios) == {"name", "rollout", "moves"}
    assert (helios["name"], helios["rollout"]) == ("helios", ID)
    moves = helios["moves"]
    assert len(moves) == HELIOS_HOSTS - fleet.status("helios")["rollout"]["moved"]
    assert all(set(move) == {"at", "host", "role", "from", "to"} for move in moves)
    assert [(move["at"], move["host"]) for move in moves] == sorted((move["at"], move["host"]) for move in moves)
    assert {(move["from"], move["to"]) for move in moves} == {("0.9.10", "0.9.12")}
    first, last = moves[0], moves[-1]
    assert "2026-11-16T15:00:00Z" < first["at"] < last["at"] <= "2026-11-17T09:00:00Z"
    assert fleet.json("get", first["host"], "--at", first["at"])["helios"] == "0.9.12"
    assert fleet.json("get", last["host"], "--at", _second_before(last["at"]))["helios"] == "0.9.10"
    assert fleet.json("get", last["host"], "--at", last["at"])["helios"] == "0.9.12"


def _second_before(instant: str) -> str:
    return (datetime.fromisoformat(instant) - timedelta(seconds=1)).isoformat().replace("+00:00", "Z")


def test_explain_agrees_with_plan_and_get(fleet: Fleet) -> None:
    start(fleet, "--reason", "agent memory leak")
    fleet.at("2026-11-16T15:00:00Z")
    commit = fleet.head()
    moves = {move["host"]: move["at"] for move in fleet.json("plan", "helios")["variables"][0]["moves"]}
    waiting = next(iter(moves))
    moved = next(f"lon2-search-a{n}" for n in range(1, 16, 2) if f"lon2-search-a{n}" not in moves)
    keys = {
        "host", "role", "variable", "value", "because", "rollout", "position", "of", "quota",
        "not_before", "told", "told_at", "publish", "commit", "author", "action", "reason", "sequence", "held",
    }  # fmt: skip
    found = fleet.json("explain", waiting, "helios")
    assert set(found) == keys
    assert (found["value"], found["because"], found["not_before"]) == ("0.9.10", "default", moves[waiting])
    assert found["position"] > found["quota"]
    assert 1 <= found["position"] <= found["of"] == SIZES[found["role"]]
    found = fleet.json("explain", moved, "helios")
    assert set(found) == keys
    assert (found["value"], found["because"], found["rollout"]) == ("0.9.12", "rollout", ID)
    assert found["position"] <= found["quota"]
    assert found["not_before"] is None
    assert (found["commit"], found["action"], found["reason"]) == (commit, "start", "agent memory leak")
    assert found["author"] == "Ada Operator <ada@example.com>"
    assert (found["told"], found["told_at"], found["publish"]) == (None, None, None)
    out = fleet.ok("explain", moved, "helios")
    for part in (f"{moved} (search) has helios 0.9.12", "of 15 in its role", "start", commit[:7], "agent memory leak"):
        assert part in out, out


def test_explain_names_the_pin(fleet: Fleet) -> None:
    fleet.ok("start", "docker", "--to", "1.12.3", "--over", "14d")
    found = fleet.at("2026-12-01T12:00:00Z").json("explain", "lon2-login-a1", "docker")
    assert (found["value"], found["because"], found["rollout"], found["position"]) == ("1.12.1", "pin", None, None)
    assert "holds sessions" in fleet.ok("explain", "lon2-login-a1", "docker")


def test_explain_names_the_cap_that_holds_a_host(fleet: Fleet) -> None:
    fleet.commit({HELIOS: HELIOS_TEXT + "limits:\n  search: {at_most: 30%}\n"})
    start(fleet)
    fleet.at("2026-11-18T09:00:00Z")
    assert fleet.state("helios") == "capped"
    search = next(role for role in fleet.status("helios")["roles"] if role["role"] == "search")
    assert (search["moved"], search["quota"]) == (4, 4)
    hosts = [f"lon2-search-a{n}" for n in range(1, 16, 2)]
    held = next(host for host in hosts if fleet.json("get", host)["helios"] == "0.9.10")
    found = fleet.json("explain", held, "helios")
    assert (found["because"], found["quota"], found["not_before"]) == ("default", 4, None)
    assert "search is capped at 30 %" in fleet.ok("explain", held, "helios")


def test_get_gives_the_flat_object_or_one_value_bare(fleet: Fleet) -> None:
    assert fleet.json("get", "lon2-search-a1") == {"docker": "1.12.1", "helios": "0.9.10", "somaxconn": 128}
    assert json.loads(fleet.ok("get", "lon2-search-a1")) == fleet.json("get", "lon2-search-a1")
    assert fleet.json("get", "lon2-db-a1") == {"docker": "1.12.1"}, "what does not apply to its role is absent"
    assert fleet.ok("get", "lon2-search-a1", "docker") == "1.12.1\n"
    assert fleet.ok("get", "lon2-search-a1", "somaxconn") == "128\n"
    assert fleet.json("get", "lon2-search-a1", "docker") == "1.12.1"


def test_render_writes_what_get_says_and_only_what_changed(fleet: Fleet) -> None:
    start(fleet)
    out = fleet.root.parent / "out"
    data = fleet.json("render", "--out", str(out))
    assert sorted(place.name for place in (out / "roles").iterdir()) == sorted(f"{role}.json" for role in SIZES)
    text = (out / "roles/search.json").read_text()
    bundle = json.loads(text)
    assert set(bundle) == {"role", "sequence", "hosts"}
    assert bundle["role"] == "search"
    assert list(bundle["hosts"]) == sorted(bundle["hosts"])
    assert len(bundle["hosts"]) == SIZES["search"]
    assert len(text.splitlines()) >= SIZES["search"], "one host a line"
    assert text.endswith("}\n")
    for host in ("lon2-search-a1", "sto1-search-a2"):
        assert bundle["hosts"][host] == fleet.json("get", host)
    assert data["written"] == len(SIZES)
    (out / "roles/gone.json").write_text("{}\n")
    again = fleet.json("render", "--out", str(out))
    assert (again["written"], again["unchanged"], again["deleted"]) == (0, len(SIZES), 1)
    assert fleet.json("render", "--out", str(out), "--role", "db", "--at", "2026-11-30T09:00:00Z")["written"] == 0
    later = fleet.json("render", "--out", str(out), "--at", "2026-11-30T09:00:00Z")
    assert later["written"] == 3, "the roles that helios applies to"


def test_looking_ahead_and_back_uses_the_files_as_they_stand(fleet: Fleet) -> None:
    start(fleet)
    assert fleet.state("helios", "--at", "2026-11-15T09:00:00Z") == "scheduled"
    assert fleet.state("helios", "--at", "2026-11-16T21:00:00Z") == "running"
    assert fleet.state("helios", "--at", "2026-11-17T09:00:00Z") == "complete"
    assert fleet.json("status", "--at", "2026-11-16T21:00:00Z")["now"] == "2026-11-16T21:00:00Z"
    assert fleet.json("plan", "--at", "2026-11-17T09:00:00Z")["variables"][0]["moves"] == []
    assert len(fleet.json("plan", "--at", "2026-11-15T09:00:00Z")["variables"][0]["moves"]) == HELIOS_HOSTS
    assert fleet.json("explain", "lon2-search-a1", "helios", "--at", "2026-11-17T09:00:00Z")["value"] == "0.9.12"


def test_log_is_the_journal_oldest_first(fleet: Fleet) -> None:
    start(fleet, "--reason", "agent memory leak")
    started = fleet.head()
    fleet.at("2026-11-16T10:00:00Z")
    edited = fleet.commit({HELIOS: fleet.read(HELIOS) + "owner: containers\n"}, "helios: who owns it")
    fleet.at("2026-11-16T11:00:00Z").ok("halt", "helios", "docker", "--reason", "errors")
    data = fleet.json("log", "helios")
    assert all(
        set(one) == {"at", "commit", "author", "action", "variable", "rollout", "reason", "guard"} for one in data
    )
    assert [(one["at"], one["commit"], one["action"], one["reason"]) for one in data[1:]] == [
        ("2026-11-16T09:00:00Z", started, "start", "agent memory leak"),
        ("2026-11-16T10:00:00Z", edited, "edit", "helios: who owns it"),
        ("2026-11-16T11:00:00Z", fleet.head(), "halt", "errors"),
    ]
    assert (data[1]["rollout"], data[3]["rollout"]) == (ID, ID)
    assert {one["author"] for one in data} == {"Ada Operator <ada@example.com>"}
    assert {one["variable"] for one in fleet.json("log")} == {"docker", "helios", "somaxconn"}
    assert [line.split()[3] for line in fleet.ok("log", "helios").splitlines()[2:]] == ["start", "edit", "halt"]


# Halt, resume, pace, rollback


def test_a_halt_freezes_every_host_and_adds_one_line(fleet: Fleet) -> None:
    start(fleet)
    before = fleet.read(HELIOS)
    fleet.at("2026-11-16T15:00:00Z")
    text = fleet.decide("halt", "helios", "--reason", "errors on search")
    assert text.startswith("helios: halt")
    trailers = f"Tsunami-Action: halt\nTsunami-Variable: helios\nTsunami-Rollout: {ID}"
    assert text.endswith(f"\n\nerrors on search\n\n{trailers}")
    added = [line for line in fleet.read(HELIOS).splitlines() if line not in before.splitlines()]
    assert [line.strip() for line in added] == ["halted: 2026-11-16T15:00:00Z"]
    found = fleet.status("helios")
    assert found["state"] == "halted"
    assert (found["rollout"]["halted_at"], found["rollout"]["percent"]) == ("2026-11-16T15:00:00Z", 25.0)
    later = fleet.status("helios", "--at", "2026-12-24T00:00:00Z")
    assert later["values"] == found["values"]
    assert fleet.json("plan", "helios")["variables"][0]["moves"] == []


def test_a_second_halt_is_done_already(fleet: Fleet) -> None:
    start(fleet)
    fleet.ok("halt", "helios")
    before = fleet.snapshot()
    assert "helios was halted already" in fleet.at("2026-11-16T15:00:00Z").ok("halt", "helios")
    fleet.ok("halt")
    assert fleet.snapshot() == before


def test_a_halt_of_nothing_is_done_and_says_so(fleet: Fleet) -> None:
    before = fleet.snapshot()
    for words in ((), ("docker",), ("docker", "helios")):
        assert "nothing to halt" in fleet.ok("halt", *words)
    assert fleet.snapshot() == before


def test_a_bare_halt_takes_all_that_is_not_finished_in_one_commit(fleet: Fleet) -> None:
    start(fleet)
    fleet.ok("start", "docker", "--to", "1.12.3", "--over", "14d", "--at", "2026-11-20T09:00:00Z")
    fleet.ok("start", "somaxconn", "--to", "4096", "--over", "1h")
    before = fleet.head()
    fleet.at("2026-11-16T15:00:00Z")
    assert "somaxconn is complete" in fleet.ok("halt", "--reason", "stop everything")
    assert fleet.git("rev-parse", "main^") == before
    assert fleet.changed(before) == [DOCKER, HELIOS]
    assert fleet.message().endswith(
        "\n\nstop everything\n\n"
        "Tsunami-Action: halt\nTsunami-Variable: docker\nTsunami-Rollout: docker-20261116T090000Z\n"
        f"Tsunami-Action: halt\nTsunami-Variable: helios\nTsunami-Rollout: {ID}"
    )
    halts = [one for one in fleet.json("log") if one["action"] == "halt"]
    assert [one["variable"] for one in halts] == ["docker", "helios"]
    assert {one["reason"] for one in halts} == {"stop everything"}
    assert (fleet.state("docker"), fleet.state("helios"), fleet.state("somaxconn")) == ("halted", "halted", "complete")


def test_what_was_halted_before_it_began_is_shifted_whole(fleet: Fleet) -> None:
    start(fleet, "--at", "2026-11-16T12:00:00Z", "--via", "10%@4h")
    fleet.at("2026-11-16T10:00:00Z").decide("halt", "helios")
    fleet.at("2026-11-16T15:00:00Z").decide("resume", "helios")
    assert fleet.schedule("helios") == [
        ("2026-11-16T17:00:00Z", "0"),
        ("2026-11-16T21:00:00Z", "10"),
        ("2026-11-17T17:00:00Z", "100"),
    ]


def test_a_resume_keeps_the_open_time_that_was_left(fleet: Fleet) -> None:
    fleet.decide("start", "docker", "--to", "1.12.3", "--over", "14d")
    fleet.at("2026-11-20T12:00:00Z").decide("halt", "docker")
    before = fleet.status()["values"]
    fleet.at("2026-11-23T12:00:00Z")
    text = fleet.decide("resume", "docker", "--reason", "fixed")
    trailers = "Tsunami-Action: resume\nTsunami-Variable: docker\nTsunami-Rollout: docker-20261116T090000Z"
    assert text.endswith(f"\n\nfixed\n\n{trailers}")
    assert "halted" not in fleet.read(DOCKER)
    assert fleet.status()["values"] == before
    # 45 open hours: 4 on Monday, 8 a day until Friday, 8 on the Monday after, 1 on Tuesday.
    assert fleet.schedule("docker") == [
        ("2026-11-16T09:00:00Z", "0"),
        ("2026-11-20T12:00:00Z", "43.75"),
        ("2026-11-23T12:00:00Z", "43.75"),
        ("2026-12-01T09:00:00Z", "100"),
    ]


def test_the_whole_life_of_a_rollout(fleet: Fleet) -> None:
    start(fleet)
    fleet.at("2026-11-16T15:00:00Z").decide("halt", "helios")
    moved = fleet.status("helios")["rollout"]["moved"]

    fleet.at("2026-11-16T16:00:00Z").decide("resume", "helios")
    resumed = [
        ("2026-11-16T09:00:00Z", "0"),
        ("2026-11-16T15:00:00Z", "25"),
        ("2026-11-16T16:00:00Z", "25"),
    ]
    assert fleet.schedule("helios") == [*resumed, ("2026-11-17T10:00:00Z", "100")]
    assert fleet.state("helios") == "running"
    assert fleet.status("helios")["rollout"]["moved"] == moved

    # c is rounded up where it goes on: 25 + 75/18.
    fleet.at("2026-11-16T17:00:00Z")
    assert "Tsunami-Action: pace\n" in fleet.decide("pace", "helios", "--over", "11h")
    paced = [*resumed, ("2026-11-16T17:00:00Z", "29.166666667")]
    assert fleet.schedule("helios") == [*paced, ("2026-11-17T04:00:00Z", "100")]

    # and down where it goes back.
    fleet.at("2026-11-16T22:30:00Z")
    ahead = fleet.status("helios")["rollout"]["moved"]
    assert "Tsunami-Action: rollback\n" in fleet.decide("rollback", "helios", "--over", "2h", "--reason", "loses DNS")
    back = [*paced, ("2026-11-16T22:30:00Z", "64.583333333"), ("2026-11-17T00:30:00Z", "0")]
    assert fleet.schedule("helios") == back
    assert fleet.state("helios") == "rolling-back"
    assert 0 < fleet.status("helios", "--at", "2026-11-16T23:30:00Z")["rollout"]["moved"] < ahead
    returns = fleet.json("plan", "helios")["variables"][0]["moves"]
    assert {(move["from"], move["to"]) for move in returns} == {("0.9.12", "0.9.10")}

    fleet.at("2026-11-16T23:00:00Z").decide("halt", "helios")
    assert fleet.state("helios") == "halted"
    fleet.at("2026-11-16T23:20:00Z").decide("resume", "helios")
    assert fleet.state("helios") == "rolling-back", "a halted rollback goes on falling"
    assert fleet.schedule("helios")[-1] == ("2026-11-17T00:50:00Z", "0")

    fleet.at("2026-11-17T01:00:00Z")
    found = fleet.status("helios")
    assert (found["state"], found["values"]) == ("rolled-back", {"0.9.10": HELIOS_HOSTS})
    assert "--over" in fleet.no("resume", "helios")
    fleet.decide("resume", "helios", "--over", "12h")
    assert {percent for _, percent in fleet.schedule("helios")[:-1]} == {"0"}
    assert fleet.schedule("helios")[-2:] == [("2026-11-17T01:00:00Z", "0"), ("2026-11-17T13:00:00Z", "100")]
    assert fleet.state("helios", "--at", "2026-11-17T07:00:00Z") == "running"

    fleet.at("2026-11-17T13:00:00Z")
    assert fleet.state("helios") == "complete"
    fleet.decide("start", "helios", "--to", "0.9.13", "--over", "24h")
    text = fleet.read(HELIOS)
    assert text.count("- id:") == 1
    assert ID not in text, "the finished one leaves the file"
    assert 'default: "0.9.12"   # quoted, always\n' in text
    assert fleet.json("get", "lon2-search-a1")["helios"] == "0.9.12", "and no host moves by that"
    assert fleet.status("helios")["rollout"]["from"] == ["0.9.12"]
    assert fleet.json("validate")["ok"]

    actions = [one["action"] for one in fleet.json("log", "helios")[1:]]
    assert actions == ["start", "halt", "resume", "pace", "rollback", "halt", "resume", "resume", "start"]


def test_progress_is_rounded_up_where_it_goes_on_and_down_where_it_goes_back(fleet: Fleet) -> None:
    start(fleet)
    fleet.at("2026-11-16T15:00:01Z").decide("halt", "helios")  # 25.001157407407... %
    fleet.at("2026-11-16T16:00:00Z").decide("resume", "helios")
    assert [percent for _, percent in fleet.schedule("helios")] == ["0", "25.001157408", "25.001157408", "100"]
    fleet.git("reset", "-q", "--hard", "HEAD^")
    fleet.decide("rollback", "helios", "--over", "1h")
    assert [percent for _, percent in fleet.schedule("helios")] == ["0", "25.001157407", "25.001157407", "0"]


def test_resume_over_puts_the_end_where_it_is_wanted(fleet: Fleet) -> None:
    start(fleet, "--via", "10%@2h", "--via", "50%@20h")
    fleet.at("2026-11-16T11:00:00Z").decide("halt", "helios")
    fleet.at("2026-11-16T12:00:00Z").decide("resume", "helios", "--over", "6h")
    assert fleet.schedule("helios") == [
        ("2026-11-16T09:00:00Z", "0"),
        ("2026-11-16T11:00:00Z", "10"),
        ("2026-11-16T12:00:00Z", "10"),
        ("2026-11-16T18:00:00Z", "100"),
    ]


def test_a_complete_rollout_can_be_rolled_back_outside_the_calendar(fleet: Fleet) -> None:
    fleet.ok("start", "docker", "--to", "1.12.3", "--over", "4d")
    fleet.at("2026-11-21T23:00:00Z")  # a Saturday night
    assert fleet.state() == "complete"
    fleet.decide("rollback", "docker", "--over", "2h")
    assert fleet.status("docker", "--at", "2026-11-22T00:00:00Z")["rollout"]["percent"] == 50.0
    found = fleet.status("docker", "--at", "2026-11-22T01:00:00Z")
    assert (found["state"], found["values"]) == ("rolled-back", {"1.12.1": HOSTS})


def test_a_rollback_returns_first_who_moved_last(fleet: Fleet) -> None:
    start(fleet)
    forth = [move["host"] for move in fleet.json("plan", "helios")["variables"][0]["moves"] if move["role"] == "search"]
    fleet.at("2026-11-17T10:00:00Z").ok("rollback", "helios", "--over", "2h")
    back = [move["host"] for move in fleet.json("plan", "helios")["variables"][0]["moves"] if move["role"] == "search"]
    assert back == forth[::-1]


def test_what_was_rolled_back_leaves_the_file_with_the_next_start(fleet: Fleet) -> None:
    start(fleet)
    fleet.at("2026-11-16T15:00:00Z").ok("rollback", "helios", "--over", "1h")
    fleet.at("2026-11-16T17:00:00Z").decide("start", "helios", "--to", "0.9.13", "--over", "1d")
    assert fleet.read(HELIOS).count("- id:") == 1
    assert 'default: "0.9.10"   # quoted, always\n' in fleet.read(HELIOS)


def test_supersede_halts_what_runs_and_goes_on_top_of_it(fleet: Fleet) -> None:
    start(fleet)
    fleet.at("2026-11-16T21:00:00Z")
    before = fleet.status("helios")["values"]
    assert "--supersede" in fleet.no("start", "helios", "--to", "0.9.13", "--over", "24h")
    fleet.decide("start", "helios", "--to", "0.9.13", "--over", "24h", "--supersede")
    text = fleet.read(HELIOS)
    assert text.count("- id:") == 2
    assert "    halted: 2026-11-16T21:00:00Z\n" in text
    assert fleet.status("helios")["values"] == before
    assert fleet.status("helios")["rollout"]["from"] == ["0.9.10", "0.9.12"]
    fleet.at("2026-11-17T09:00:00Z")
    assert set(fleet.status("helios")["values"]) == {"0.9.10", "0.9.12", "0.9.13"}
    fleet.at("2026-11-17T21:00:00Z")
    assert fleet.status("helios")["values"] == {"0.9.13": HELIOS_HOSTS}
    fleet.decide("start", "helios", "--to", "0.9.14", "--over", "1d")
    assert fleet.read(HELIOS).count("- id:") == 1
    assert 'default: "0.9.13"   # quoted, always\n' in fleet.read(HELIOS)


def test_a_halted_rollout_below_stays_when_the_one_on_top_was_rolled_back(fleet: Fleet) -> None:
    start(fleet)
    fleet.at("2026-11-16T21:00:00Z").ok("start", "helios", "--to", "0.9.13", "--over", "24h", "--supersede")
    mixed = fleet.status("helios")["values"]
    fleet.at("2026-11-16T23:00:00Z").ok("rollback", "helios", "--over", "1h")
    fleet.at("2026-11-17T01:00:00Z")
    assert fleet.status("helios")["values"] == mixed
    fleet.decide("start", "helios", "--to", "0.9.14", "--over", "1d")
    assert fleet.read(HELIOS).count("- id:") == 2
    assert fleet.status("helios")["values"] == mixed
    assert 'default: "0.9.10"' in fleet.read(HELIOS)


def test_a_last_waypoint_below_100_never_completes(fleet: Fleet) -> None:
    start(fleet)
    fleet.commit({HELIOS: fleet.read(HELIOS).replace("percent: 100", "percent: 60")})
    assert fleet.state("helios", "--at", "2027-01-01T00:00:00Z") == "running"
    (problem,) = fleet.json("validate")["problems"]
    assert problem["severity"] == "warning"
    assert "60 %" in problem["message"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("resume", "docker"), "settled"),
        (("pace", "docker", "--over", "1d"), "settled"),
        (("rollback", "docker", "--over", "1d"), "settled"),
        (("unpin", "docker", "--role", "db"), "db"),
        (("resume", "helios"), "running"),
        (("pace", "somaxconn", "--over", "1d"), "halted"),
        (("start", "helios", "--to", "0.9.13", "--over", "1d"), ID),
        (("start", "somaxconn", "--to", "256", "--over", "1d"), "tsunami resume somaxconn"),
    ],
)
def test_a_decision_that_does_not_fit_the_state_is_refused(fleet: Fleet, words: tuple[str, ...], says: str) -> None:
    start(fleet)
    fleet.ok("start", "somaxconn", "--to", "4096", "--over", "1d")
    fleet.at("2026-11-16T15:00:00Z").ok("halt", "somaxconn")
    before = fleet.snapshot()
    assert says in fleet.no(*words)
    assert fleet.snapshot() == before


# Pins


def test_a_pin_holds_its_hosts_until_it_is_lifted(fleet: Fleet) -> None:
    start(fleet)
    fleet.at("2026-11-18T09:00:00Z")
    whom = ("--host", "lon2-search-*", "--role", "proxy")
    text = fleet.decide("pin", "helios", "--to", "0.9.10", *whom, "--reason", 'needs "it"')
    assert text == (
        'helios: pin lon2-search-*, proxy to 0.9.10\n\nneeds "it"\n\nTsunami-Action: pin\nTsunami-Variable: helios'
    )
    assert fleet.json("get", "lon2-search-a1")["helios"] == "0.9.10"
    assert fleet.json("get", "sto1-search-a2")["helios"] == "0.9.12"
    assert fleet.json("explain", "lon2-search-a1", "helios")["because"] == "pin"
    pins = {role["role"]: role["pinned"] for role in fleet.status("helios")["roles"]}
    assert pins == {"accesspoint": 0, "proxy": 8, "search": 8}
    text = fleet.decide("unpin", "helios", "--role", "proxy")
    assert text == "helios: unpin proxy\n\nTsunami-Action: unpin\nTsunami-Variable: helios"
    assert fleet.json("get", "lon2-proxy-a1")["helios"] == "0.9.12"
    assert fleet.json("get", "lon2-search-a1")["helios"] == "0.9.10"
    fleet.decide("unpin", "helios", "--host", "lon2-search-*")
    assert fleet.status("helios")["values"] == {"0.9.12": HELIOS_HOSTS}
    assert fleet.json("validate")["ok"]


def test_a_new_pin_wins_over_older_ones_and_leaves_their_lines_alone(fleet: Fleet) -> None:
    fleet.decide("pin", "docker", "--to", "1.12.9", "--host", "lon2-login-a1", "--reason", "a canary")
    lines = fleet.read(DOCKER).splitlines()
    old = '  - {roles: [login], value: "1.12.1", reason: "holds sessions"}   # until they drain by themselves'
    place = lines.index(old)
    assert "lon2-login-a1" in lines[place - 1]
    assert '"1.12.9"' in lines[place - 1]
    assert fleet.json("get", "lon2-login-a1")["docker"] == "1.12.9"
    assert fleet.json("get", "lon2-login-a3")["docker"] == "1.12.1"
    fleet.decide("unpin", "docker", "--host", "lon2-login-a1")
    assert fleet.read(DOCKER) == DOCKER_TEXT


# What every decision leaves alone


def test_comments_order_and_formatting_survive_a_whole_life(fleet: Fleet) -> None:
    fleet.decide("start", "docker", "--to", "1.12.3", "--over", "14d")
    fleet.at("2026-11-17T09:00:00Z").decide("halt", "docker")
    fleet.at("2026-11-17T10:00:00Z").decide("resume", "docker")
    fleet.at("2026-11-17T11:00:00Z").decide("pin", "docker", "--to", "1.12.1", "--role", "db", "--reason", "r")
    fleet.at("2026-11-17T12:00:00Z").decide("rollback", "docker", "--over", "1h")
    fleet.at("2026-11-18T09:00:00Z").decide("unpin", "docker", "--role", "db")
    fleet.decide("start", "docker", "--to", "1.12.4", "--over", "14d")
    fleet.at("2026-12-10T09:00:00Z").decide("start", "docker", "--to", "1.12.5", "--over", "14d")
    kept = [line for line in DOCKER_TEXT.splitlines() if not line.startswith(("default:", "rollouts:"))]
    assert [line for line in fleet.read(DOCKER).splitlines() if line in kept] == kept
    for comment in re.findall("#.*", DOCKER_TEXT):
        assert comment in fleet.read(DOCKER), comment
    assert 'default: "1.12.4"' in fleet.read(DOCKER)
    assert fleet.json("validate")["ok"]


def test_values_stay_quoted_whatever_they_look_like(fleet: Fleet) -> None:
    fleet.decide("new", "rev", "--default", "no")
    fleet.decide("start", "rev", "--to", "72225e2", "--over", "1h")
    text = fleet.read("rollouts/rev.yaml")
    assert '    from: ["no"]\n' in text
    assert '    to: "72225e2"\n' in text
    fleet.at("2026-11-17T09:00:00Z").decide("pin", "rev", "--to", "1.10", "--host", "lon2-db-a1", "--reason", "yes")
    assert 'value: "1.10"' in fleet.read("rollouts/rev.yaml")
    fleet.decide("start", "rev", "--to", "2016-11-14", "--over", "1h")
    assert 'default: "72225e2"' in fleet.read("rollouts/rev.yaml")
    assert fleet.json("validate")["ok"]


def test_what_else_is_staged_or_edited_stays_as_it_is(fleet: Fleet) -> None:
    fleet.write({"rollouts/somaxconn.yaml": "staged\n", "notes.txt": "new\n"})
    fleet.git("add", "rollouts/somaxconn.yaml")
    fleet.write({"inventory.csv": fleet.read("inventory.csv") + "# edited\n"})
    status = fleet.git("status", "--porcelain")
    before = fleet.head()
    start(fleet)
    assert fleet.changed(before) == [HELIOS]
    assert fleet.git("status", "--porcelain") == status
    assert f"- id: {ID}" in fleet.read(HELIOS), "the checkout follows"


def test_every_decision_says_what_it_did_in_json(fleet: Fleet) -> None:
    words = [
        (NOW, "start", "helios", "--to", "0.9.12", "--over", "24h"),
        ("2026-11-16T10:00:00Z", "halt", "helios"),
        ("2026-11-16T11:00:00Z", "resume", "helios"),
        ("2026-11-16T12:00:00Z", "pace", "helios", "--over", "2h"),
        ("2026-11-16T13:00:00Z", "rollback", "helios", "--over", "2h"),
        ("2026-11-16T13:30:00Z", "pin", "helios", "--to", "0.9.10", "--role", "proxy", "--reason", "r"),
        ("2026-11-16T13:30:00Z", "unpin", "helios", "--role", "proxy"),
        ("2026-11-16T13:30:00Z", "new", "other", "--default", "1"),
    ]
    for at, *command in words:
        data = fleet.at(at).json(*command)
        assert data["commit"] == fleet.head(), command
        (decision,) = data["decisions"]
        assert (decision["action"], decision["variable"]) == (command[0], command[1])


def test_screens_hold_no_terminal_sequences_in_a_pipe(fleet: Fleet) -> None:
    start(fleet)
    fleet.at("2026-11-16T15:00:00Z").ok("halt")
    for words in (("status",), ("plan",), ("log",), ("explain", "lon2-search-a1", "helios"), ("validate",)):
        assert_plain(fleet.ok(*words))
