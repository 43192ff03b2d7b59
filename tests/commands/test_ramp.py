"""Named points that rollouts go through."""

from datetime import timedelta

import pytest

from tests.commands.fleet_world import SETTINGS_TEXT, Fleet
from tests.core.fleets import after, inventory, val, variable
from tsunami_cli.commands.fleet import load_settings
from tsunami_cli.core.lineup import roles_of
from tsunami_cli.core.starting import Order, start

DAY = timedelta(days=1)

START = ("start", "helios", "--to", "0.9.12", "--over", "14d")
RAMPS = SETTINGS_TEXT + "ramps:\n  careful: [1%@1d, 10%@4d]   # as agreed\n  once: ['5%@2d']\n"
HELIOS_POINTS = [
    ("2026-11-16T09:00:00Z", "0"),
    ("2026-11-17T09:00:00Z", "1"),
    ("2026-11-20T09:00:00Z", "10"),
    ("2026-11-30T09:00:00Z", "100"),
]


def test_a_ramp_is_its_points(fleet: Fleet) -> None:
    fleet.commit({"tsunami.yaml": RAMPS})
    fleet.ok("validate")
    fleet.ok(*START, "--ramp", "careful")
    assert fleet.schedule("helios") == HELIOS_POINTS
    assert fleet.read("tsunami.yaml") == RAMPS
    # What was decided does not change with the settings.
    fleet.commit({"tsunami.yaml": SETTINGS_TEXT})
    assert fleet.schedule("helios") == HELIOS_POINTS


def test_the_same_as_via(fleet: Fleet) -> None:
    fleet.commit({"tsunami.yaml": RAMPS})
    fleet.ok(*START, "--via", "1%@1d", "--via", "10%@4d")
    assert fleet.schedule("helios") == HELIOS_POINTS


def test_a_dry_run_shows_it_and_commits_nothing(fleet: Fleet) -> None:
    fleet.commit({"tsunami.yaml": RAMPS})
    before = fleet.snapshot()
    assert "30 Nov" in fleet.ok(*START, "--ramp", "careful", "--dry-run")
    fleet.json(*START, "--ramp", "careful", "--dry-run")
    assert fleet.snapshot() == before


def test_unknown_ramps_are_refused_with_what_there_is(fleet: Fleet) -> None:
    assert "ramps:" in fleet.no(*START, "--ramp", "careful")
    fleet.commit({"tsunami.yaml": RAMPS})
    before = fleet.snapshot()
    assert "do you mean careful?" in fleet.no(*START, "--ramp", "carefull")
    error = fleet.no(*START, "--ramp", "x\x1b[31m")
    assert "careful, once" in error
    fleet.no(*START, "--ramp", "")
    assert fleet.snapshot() == before


def test_a_ramp_that_does_not_fit_into_the_length_is_refused(fleet: Fleet) -> None:
    fleet.commit({"tsunami.yaml": RAMPS})
    before = fleet.snapshot()
    error = fleet.no("start", "helios", "--to", "0.9.12", "--over", "3d", "--ramp", "careful")
    assert "careful" in error, "it is not --via that was said"
    assert fleet.snapshot() == before


def test_via_and_ramp_contradict_each_other(still: Fleet) -> None:
    before = still.snapshot()
    error = still.no(*START, "--ramp", "careful", "--via", "1%@1d", code=2)
    assert "--via" in error
    assert "--ramp" in error
    assert still.snapshot() == before


@pytest.mark.parametrize("ramp", ["[0%@0s, 100%@14d]", "[0%@1d]", "[50%@1d, 50%@2d]", "[100%@14d]", "[0.5%@1d12h]"])
def test_ramps_at_the_edges_are_sound(ramp: str) -> None:
    found, problems = load_settings(f"{SETTINGS_TEXT}ramps: {{edge: {ramp}}}\n".encode())
    assert found is not None, problems
    order = Order(val("2"), 14 * DAY, "14d", via=found.ramps["edge"])
    change = start(variable(), roles_of(inventory(a=3)), after(0), order)
    assert len(change.variable.rollouts[-1].schedule.waypoints) == len(found.ramps["edge"]) + 2


BAD = {
    # text after `ramps: `, and the column of the first problem
    "{a: [10%@1d, 5%@2d]}": 21,
    "{a: [10%@1d, 20%@1d]}": 21,
    "{a: [10%@2d, 20%@1d]}": 21,
    "{a: [10%@24h, 20%@1d]}": 22,
    "{a: [10@1d]}": 13,
    "{a: [10%]}": 13,
    "{a: [110%@1d]}": 13,
    "{a: [10%@1x]}": 13,
    "{a: [10%@1h1d]}": 13,
    "{a: [10%@-1d]}": 13,
    "{a: [-1%@1d]}": 13,
    "{a: [' 10%@1d']}": 13,
    "{a: ['10%@1d\n']}": 13,
    "{a: [1]}": 13,
    "{a: []}": 12,
    "{a: 10%@1d}": 12,
    "{a: }": 11,
    "{A: [10%@1d]}": 12,
    "{'': [10%@1d]}": 13,
    "[10%@1d]": 8,
    "": 7,
}


@pytest.mark.parametrize("text", BAD)
def test_bad_ramps_are_errors_with_their_place(text: str) -> None:
    found, problems = load_settings(f"{SETTINGS_TEXT}# here\nramps: {text}\n".encode())
    assert found is None
    assert all(p.where.startswith("ramps") for p in problems), problems
    assert (problems[0].line, problems[0].column) == (SETTINGS_TEXT.count("\n") + 2, BAD[text]), problems


def test_a_bad_ramp_lets_nothing_start(fleet: Fleet) -> None:
    fleet.commit({"tsunami.yaml": f"{SETTINGS_TEXT}ramps: {{a: [10%@1d, 5%@2d]}}\n"})
    assert "ramps.a" in fleet.no(*START)
    said = fleet.run("validate", "--json")
    assert (said.code, said.data["problems"][0]["where"]) == (1, "ramps.a[1]")


def test_names_are_completed(fleet: Fleet) -> None:
    fleet.commit({"tsunami.yaml": RAMPS})
    fleet.patch.setenv("_TSUNAMI_COMPLETE", "complete_bash")
    for line, expected in (
        ("tsunami start helios --ramp ", ["careful", "once"]),
        ("tsunami start helios --ramp ca", ["careful"]),
        ("tsunami start helios --after so", ["somaxconn"]),
        ("tsunami freeze --except do", ["docker"]),
        ("tsunami unfreeze he", ["helios"]),
    ):
        fleet.patch.setenv("COMP_WORDS", line.replace(" ", "\n"))
        fleet.patch.setenv("COMP_CWORD", str(line.count(" ")))
        with pytest.raises(SystemExit):
            fleet.run()
        assert fleet.capture.readouterr().out.split() == expected, line
