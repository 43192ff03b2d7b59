"""Edits of variables' files, and what must be said of each."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.commands.fleet_world import DOCKER, HELIOS, HELIOS_HOSTS, HOSTS, UNPINNED, Fleet

SOMAXCONN = "rollouts/somaxconn.yaml"


def entry(
    name: str, at: str, until: str, *, value: str = "0.9.12", was: str = "0.9.10", percent: int = 0, over: str = "14d"
) -> str:
    """Return a rollout as a person types it."""
    return (
        f'rollouts:\n  - id: {name}\n    selection: 1\n    from: ["{was}"]\n    to: "{value}"\n    over: {over}\n'
        f"    schedule:\n      - {{at: {at}, percent: {percent}}}\n      - {{at: {until}, percent: 100}}\n"
    )


def plus(text: str) -> Callable[[str], str]:
    return lambda before: before + text


def swap(old: str, new: str) -> Callable[[str], str]:
    def edit(before: str) -> str:
        assert re.search(old, before), old
        return re.sub(old, new, before)

    return edit


def shown(fleet: Fleet, name: str) -> dict[str, Any]:
    """Return what the JSON says of one variable, the only one that differs."""
    said = fleet.run("preview", "--json")
    (found,) = said.data["variables"]
    assert found["name"] == name
    assert said.code == int(any(one["severity"] == "error" for one in said.data["problems"])), said
    return dict(found)


SAID: dict[str, tuple[str, str, Callable[[str], str], int | None, list[str], list[str]]] = {
    # name: (state of the fleet, file, edit, hosts told anew at once, warnings, what the screen has)
    "a comment": (
        "fleet",
        DOCKER,
        swap("# engine, not the client", "# an engine"),
        0,
        [],
        ["nothing but comments or layout differs"],
    ),
    "the owner": (
        "fleet",
        DOCKER,
        swap("owner: containers", "owner: platform"),
        0,
        [],
        ["docker  owner differs; no host changes at once", "owner: containers -> platform"],
    ),
    "a limit": (
        "fleet",
        DOCKER,
        swap("accesspoint: {at_least: 1", "accesspoint: {at_least: 1, at_most: 30%"),
        0,
        [],
        ["limits.accesspoint.at_most: + 30%"],
    ),
    "an objective": (
        "fleet",
        DOCKER,
        swap(">= 0.99", ">= 0.5"),
        0,
        [],
        ["slos.docker-running.objective: >= 0.99 -> >= 0.5"],
    ),
    "hours": (
        "fleet",
        DOCKER,
        swap("09:00-17:00", "10:00-17:00"),
        0,
        [],
        ["calendar.hours: 09:00-17:00 -> 10:00-17:00"],
    ),
    "a pin more": (
        "fleet",
        DOCKER,
        swap("pins:\n", 'pins:\n  - {hosts: ["*-db-a1"], value: "1.12.0", reason: "slow disk"}\n'),
        1,
        [],
        ["pins: + {hosts: [*-db-a1], value: 1.12.0, reason: slow disk}", "1 host changes value", "lon2-db-a1"],
    ),
    "a pin less": (
        "fleet",
        DOCKER,
        swap(r"pins:\n.*\n", ""),
        0,
        [],
        ["pins: - {roles: [login], value: 1.12.1, reason: holds sessions}"],
    ),
    "the type of a default": (
        "fleet",
        SOMAXCONN,
        lambda text: text.replace("default: 128", "default: 256"),
        23,
        ["128 -> 256 by hand changes 23 hosts at once: tsunami start does it slowly"],
        ["default: 128 -> 256"],
    ),
    "a default by hand": (
        "fleet",
        HELIOS,
        swap('default: "0.9.10"', 'default: "0.9.11"'),
        HELIOS_HOSTS,
        [f"0.9.10 -> 0.9.11 by hand changes {HELIOS_HOSTS} hosts at once: tsunami start does it slowly"],
        [
            f"helios  default differs; {HELIOS_HOSTS} hosts change value with the next publish",
            "accesspoint: 20 -> 0 on 0.9.10",
        ],
    ),
    "other roles": (
        "fleet",
        HELIOS,
        swap(r"roles: \[accesspoint, ", "roles: ["),
        20,
        [],
        ["roles: [accesspoint, proxy, search] -> [proxy, search]", "20 hosts lose it with the next publish"],
    ),
    "a rollout next week": (
        "fleet",
        HELIOS,
        plus(entry("helios-20261116T090000Z", "2026-11-23T09:00:00Z", "2026-12-07T09:00:00Z")),
        0,
        [],
        [
            "helios  0.9.10 -> 0.9.12 over 14 d: 43 hosts in 3 roles; at most 1 an hour in any role; "
            "starts Mon 23 Nov 09:00 UTC (in 7 d); no host changes at once",
            "state      settled -> scheduled",
            "half       Mon 30 Nov 09:00 UTC",
            "guarded by nothing",
            "note       line 7  rollouts[0]  no SLO watches over it",
        ],
    ),
    "a year that is a typo": (
        "fleet",
        HELIOS,
        plus(entry("helios-20201116T090000Z", "2020-11-16T09:00:00Z", "2020-11-30T09:00:00Z")),
        HELIOS_HOSTS,
        [
            "starts 6 years ago (2020-11-16), and has ended: is the year a typo? By the plan 100 % have moved, and 43 "
            "hosts change with the next publish"
        ],
        ["43 hosts change value with the next publish", "state      settled -> complete"],
    ),
    "a year too many": (
        "fleet",
        HELIOS,
        plus(entry("helios-20261116T090000Z", "2028-11-16T09:00:00Z", "2028-11-30T09:00:00Z")),
        0,
        ["starts on 2028-11-16, over a year ahead: is the year right?"],
        [],
    ),
    "yesterday": (
        "fleet",
        HELIOS,
        plus(entry("helios-20261115T090000Z", "2026-11-15T09:00:00Z", "2026-11-25T09:00:00Z")),
        4,
        ["starts in the past (2026-11-15T09:00:00Z) though it is new: 10 % would move at once"],
        ["4 hosts change value"],
    ),
    "over already": (
        "fleet",
        HELIOS,
        plus(entry("helios-20261115T090000Z", "2026-11-10T09:00:00Z", "2026-11-15T09:00:00Z")),
        HELIOS_HOSTS,
        [
            "starts in the past (2026-11-10T09:00:00Z) though it is new: 100 % would move at once",
            "has ended already (2026-11-15T09:00:00Z): every host is to have moved by now",
        ],
        [],
    ),
    "half an hour": (
        "fleet",
        HELIOS,
        plus(entry("helios-20261116T090000Z", "2026-11-17T09:00:00Z", "2026-11-17T09:30:00Z", over="30m")),
        0,
        [
            "moves up to 16.7 % between two publishes (5m): is that slow enough?",
            "20 of 20 hosts of accesspoint move within an hour (and 2 more roles): is that slow enough?",
            "no host has had 0.9.12 yet, and all of them get it within a day",
        ],
        [],
    ),
    "in one step": (
        "fleet",
        HELIOS,
        plus(entry("helios-20261116T090000Z", "2026-11-17T09:00:00Z", "2026-12-17T09:00:00Z", percent=60)),
        0,
        [
            "moves up to 60 % between two publishes (5m): is that slow enough?",
            "13 of 20 hosts of accesspoint move within an hour (and 2 more roles): is that slow enough?",
        ],
        [],
    ),
    "with a rate that limits bound": (
        "fleet",
        HELIOS,
        plus(
            "limits: {'*': {per_hour: 2}}\n"
            + entry("helios-20261116T090000Z", "2026-11-17T09:00:00Z", "2026-12-17T09:00:00Z", percent=60)
        ),
        0,
        ["moves up to 60 % between two publishes (5m): is that slow enough?"],
        [],
    ),
    # Under way, by what hosts were told
    "another value on the way": (
        "running",
        HELIOS,
        swap('to: "0.9.12"', 'to: "0.9.13"'),
        11,
        [
            "was 0.9.12 when the rollout began: 11 hosts change with the next publish, and whoever moves from now on "
            "gets 0.9.13; tsunami start begins another"
        ],
        ["11 -> 0 on 0.9.12", "0 -> 11 on 0.9.13"],
    ),
    "another origin on the way": (
        "running",
        HELIOS,
        swap(r'from: \["0.9.10"\]', 'from: ["0.9.9"]'),
        0,
        ["differs from what was there when the rollout began: it is a record, no setting"],
        [],
    ),
    "another id on the way": (
        "running",
        HELIOS,
        swap("id: helios-20261116T090000Z", "id: helios-20261116T090001Z"),
        None,
        [
            "the id of helios-20261116T090000Z differs (helios-20261116T090001Z) while it is running at 25.0 %: the id",
            "starts in the past (2026-11-16T09:00:00Z) though it is new",
        ],
        [],
    ),
    "another order on the way": (
        "running",
        HELIOS,
        plus('first: ["*-a1"]\n'),
        0,
        ["differs while helios-20261116T090000Z is running: who moved stays, the others go in another order"],
        [],
    ),
    "taken out on the way": (
        "running",
        HELIOS,
        swap(r"rollouts:\n(.*\n)*", ""),
        11,
        [
            "helios-20261116T090000Z is taken out while it is running at 25.0 %: 11 hosts change with the next "
            "publish; tsunami rollback helios --over ... takes it back slowly"
        ],
        ["state      running -> settled", "11 -> 0 on 0.9.12"],
    ),
    "a default under a rollout": (
        "running",
        HELIOS,
        swap('default: "0.9.10"', 'default: "0.9.11"'),
        0,
        ["0.9.10 -> 0.9.11 under a rollout: hosts keep what they were told, those that join get it"],
        [],
    ),
    "twice as fast": (
        "running",
        HELIOS,
        swap("2026-11-17T09:00:00Z", "2026-11-16T21:00:00Z"),
        None,
        [],
        ["is rescheduled: complete Mon 16 Nov 21:00 UTC (in 6 h), was Tue 17 Nov 09:00 UTC", "state      running\n"],
    ),
    "moved to the past": (
        "running",
        HELIOS,
        swap("at: 2026-11-16T09:00:00Z", "at: 2026-11-12T09:00:00Z"),
        None,
        ["is moved to start in the past (2026-11-12T09:00:00Z)"],
        [],
    ),
    "halted": (
        "running",
        HELIOS,
        plus("    halted: 2026-11-16T15:00:00Z\n"),
        0,
        [],
        ["helios  is halted, was running", "rollouts.helios-20261116T090000Z.halted: + 2026-11-16T15:00:00Z"],
    ),
}


@pytest.mark.parametrize("name", SAID)
def test_what_is_said_of_an_edit(name: str, request: pytest.FixtureRequest) -> None:
    state, file, edit, at_once, warnings, lines = SAID[name]
    fleet: Fleet = request.getfixturevalue(state)
    fleet.write({file: edit(fleet.read(file))})
    variable = file.partition("/")[2].removesuffix(".yaml")
    found = shown(fleet, variable)
    assert at_once is None or found["at_once"]["hosts"] == at_once, found["at_once"]
    said = [one["message"] for one in found["problems"] if one["severity"] != "info"]
    assert len(said) == len(warnings), said
    for message, expected in zip(sorted(said), sorted(warnings), strict=True):
        assert message.startswith(expected), said
    screen = fleet.ok("preview")
    for line in lines:
        assert line in screen, screen


def test_a_new_variable(fleet: Fleet) -> None:
    fleet.write({"rollouts/agent.yaml": 'name: agent\nvalue: {type: string}\ndefault: "1"\n'})
    found = shown(fleet, "agent")
    assert (found["change"], found["state"]) == ("added", {"before": None, "after": "settled"})
    assert found["values"] == {"before": {}, "after": {"1": HOSTS}}
    assert (found["at_once"]["hosts"], found["at_once"]["gained"]) == (HOSTS, HOSTS)
    assert f"agent  is new: {HOSTS} hosts on 1\n" in fleet.ok("preview")


def test_a_renamed_file_goes_and_comes(fleet: Fleet) -> None:
    fleet.git("mv", HELIOS, "rollouts/agent.yaml")
    fleet.write({"rollouts/agent.yaml": fleet.read("rollouts/agent.yaml").replace("name: helios", "name: agent")})
    data = fleet.json("preview")
    assert [(one["name"], one["change"]) for one in data["variables"]] == [("agent", "added"), ("helios", "removed")]
    assert "is gone without a decision" in data["problems"][0]["message"]


def test_a_variable_that_is_deleted_while_hosts_are_told_it_is_kept(running: Fleet) -> None:
    (running.root / HELIOS).unlink()
    found = shown(running, "helios")
    assert (found["change"], found["at_once"]["hosts"]) == ("removed", 0)
    assert found["values"]["before"] == found["values"]["after"] == {"0.9.10": 32, "0.9.12": 11}
    (problem,) = found["problems"]
    assert problem["message"].startswith(
        "is gone, though 43 hosts are told helios: they keep it, and every publish fails"
    )
    assert "without a decision: 43 hosts keep what they have" in running.ok("preview")


def test_one_that_is_retired_goes(running: Fleet) -> None:
    running.git("branch", "before")
    running.ok("retire", "helios", "--reason", "nobody asks")
    data = running.json("preview", "--base", "before")
    (found,) = data["variables"]
    assert (found["problems"], found["change"]) == ([], "removed")
    assert (found["at_once"]["lost"], found["state"]["after"]) == (HELIOS_HOSTS, None)
    assert [(one["action"], one["reason"]) for one in found["decisions"]] == [("retire", "nobody asks")]
    assert f"goes: {HELIOS_HOSTS} hosts are told it no more" in running.ok("preview", "--base", "before")


def test_decisions_among_the_commits_are_named_and_safe(running: Fleet) -> None:
    running.git("branch", "before")
    running.ok("halt", "helios", "--reason", "load is high")
    running.commit({DOCKER: running.read(DOCKER) + "# x\n"}, "an edit by hand")
    running.at("2026-11-16T16:00:00Z").ok("resume", "helios")
    data = running.json("preview", "--base", "before")
    helios = next(one for one in data["variables"] if one["name"] == "helios")
    assert [one["action"] for one in helios["decisions"]] == ["halt", "resume"]
    assert [one["message"] for one in helios["problems"] if one["severity"] != "info"] == []
    # Without the halt two more would move with this publish; with it they do not.
    assert (helios["rollout"]["change"], helios["at_once"]["hosts"], len(helios["spared"])) == ("rescheduled", 0, 2)
    screen = running.ok("preview", "--base", "before")
    assert "decided    halt by Ada Operator (" in screen
    assert "): load is high" in screen


def test_a_halt_that_is_taken_away_by_hand_jumps(running: Fleet) -> None:
    running.ok("halt", "helios")
    running.at("2026-11-16T21:00:00Z")
    running.write({HELIOS: re.sub(r"    halted: .*\n", "", running.read(HELIOS))})
    (problem,) = shown(running, "helios")["problems"]
    assert problem["message"] == (
        "its halt is taken away by hand, and the plan jumps from 25.0 % to 50.0 %: tsunami resume goes on from there"
    )


def test_objectives_that_go_on_the_way_are_missed(fleet: Fleet) -> None:
    fleet.ok("start", "docker", "--to", "1.12.3", "--over", "14d")
    fleet.at("2026-11-18T10:00:00Z")
    fleet.write({DOCKER: re.sub(r"slos:\n.*\n", "", fleet.read(DOCKER))})
    messages = [one["message"] for one in shown(fleet, "docker")["problems"]]
    assert messages == ["are gone while docker-20261116T090000Z is running: nothing halts it but a person any more"]


def test_a_start_says_all_that_its_own_screen_says(fleet: Fleet) -> None:
    fleet.git("branch", "before")
    plan = fleet.ok("start", "docker", "--to", "1.12.3", "--over", "14d", "--at", "2026-11-23T08:00:00Z")
    screen = fleet.ok("preview", "--base", "before")
    for line in plan.splitlines()[2:]:
        if line.startswith("  "):
            assert line in screen, (line, screen)
    found = fleet.json("preview", "--base", "before")["variables"][0]["rollout"]
    assert (found["change"], found["hosts"], found["begins_at"]) == ("new", UNPINNED, "2026-11-23T08:00:00Z")
    assert [one["name"] for one in found["milestones"]] == ["starts", "1 %", "half", "complete"]
    assert abs(found["milestones"][2]["hosts"] - UNPINNED // 2) <= 1
    login = next(one for one in found["roles"] if one["role"] == "login")
    assert login == {"role": "login", "hosts": 8, "pinned": 8, "moves": 0, "per_hour": 0}


def test_the_first_hour_is_the_first_open_one(fleet: Fleet) -> None:
    rollout = entry(
        "docker-20261116T090000Z", "2026-11-21T09:00:00Z", "2026-11-24T16:00:00Z", value="1.12.3", was="1.12.1"
    )
    fleet.write({DOCKER: fleet.read(DOCKER).partition("rollouts:")[0] + rollout})
    found = shown(fleet, "docker")["rollout"]
    # From Saturday on, in office hours: Monday and Tuesday have eight each.
    assert (found["starts_at"], found["begins_at"]) == ("2026-11-21T09:00:00Z", "2026-11-23T08:00:00Z")
    assert UNPINNED / 16 - 6 < found["first_hour"] < UNPINNED / 16 + 6
    assert abs(found["first_day"] - UNPINNED // 2) <= 1


def test_a_rollout_that_was_copied_from_another_file(fleet: Fleet) -> None:
    fleet.ok("start", "helios", "--to", "0.9.12", "--over", "24h")
    copy = fleet.git("show", f"main:{HELIOS}").replace("name: helios", "name: agent")
    fleet.write({"rollouts/agent.yaml": copy})
    said = fleet.run("preview", "--json")
    errors = [one["message"] for one in said.data["problems"] if one["severity"] == "error"]
    assert said.code == 1
    assert errors == ["helios-20261116T090000Z is a rollout of helios: give this one another id"]
