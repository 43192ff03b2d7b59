"""The metrics of a publish: every series once, sorted, and labels that read back as they were."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.fleets import EVERY, HOUR, T0, after, globs, inventory, pin, rollout, val, variable
from tests.core.paper import Paper
from tsunami_cli.core.holds import Hold
from tsunami_cli.core.lineup import roles_of
from tsunami_cli.core.metrics import HELP, metrics_text
from tsunami_cli.core.model import Rollout, Slo, Variable
from tsunami_cli.core.problems import Problem
from tsunami_cli.core.published import Published
from tsunami_cli.core.publishing import Publication
from tsunami_cli.core.schedule import Schedule, Waypoint
from tsunami_cli.core.status import State, status_of

FLEET = inventory(db=4, web=10)
NASTY = 'say "hi" \\n \\ now\nand then'
_LINE = re.compile(r'([a-z_]+)\{((?:[a-z]+="(?:[^"\\\n]|\\[\\n"])*",?)*)\} (\S+)')
_LABEL = re.compile(r'([a-z]+)="((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPES = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}

Found = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def read(text: str) -> Found:
    """Every series of a text; none stands twice."""
    found: Found = {}
    assert text.endswith("\n")
    for line in text[:-1].split("\n"):
        if line.startswith("# "):
            continue
        match = _LINE.fullmatch(line)
        assert match, line
        labels = tuple(
            (name, re.sub(r"\\.", lambda one: _ESCAPES[one[0]], label)) for name, label in _LABEL.findall(match[2])
        )
        assert (match[1], labels) not in found, line
        found[match[1], labels] = float(match[3])
    return found


def of(text: str, metric: str, **labels: str) -> dict[str, float]:
    """The series of a metric that have these labels, by those that they have beside them and the fleet."""
    wanted = {("fleet", "backend"), *labels.items()}
    return {
        ",".join(value for name, value in found if (name, value) not in wanted): number
        for (name, found), number in read(text).items()
        if name == metric and wanted <= set(found)
    }


def published(plan: Publication, *, fleet: str = "backend", problems: Sequence[Problem] = ()) -> Published:
    return Published(
        plan, fleet, "a" * 40, "b" * 40, plan.worth_recording, "file:public", 3, 0, 3, (), problems, dry_run=False
    )


def text_of(
    plan: Publication, *, held: Mapping[str, Sequence[str]] | None = None, left: timedelta = HOUR, **of_publish: Any
) -> str:
    statuses = [status_of(v, plan.roles, plan.now, plan.told[v.name]) for v in plan.variables]
    holds = {name: [Hold(slo, "no data", plan.now) for slo in slos] for name, slos in (held or {}).items()}
    vars(plan)["holds"] = holds
    return metrics_text(published(plan, **of_publish), statuses, plan.now + left, EVERY)


def under_way(now: datetime, name: str, *, halted: datetime | None = None, to: str = "2") -> Rollout:
    """A rollout that is half through at `now`."""
    day = timedelta(days=1)
    schedule = Schedule((Waypoint(now - day, Fraction(0)), Waypoint(now + day, Fraction(1))))
    return Rollout(name, (val("1"),), val(to), 2 * day, schedule, halted)


def world(now: datetime) -> list[Variable]:
    """A rollout that runs, one that is halted, one that is over, and none."""
    slos = (Slo("crashes", "up", "> 0"), Slo("latency", "up", "> 0"))
    return [
        replace(variable(under_way(now, "docker-1"), pins=(pin("1", "db-0"),)), name="docker", slos=slos),
        replace(variable(under_way(now, "helios-1", halted=now), roles=globs("web")), name="helios"),
        replace(variable(default=NASTY), name="motd"),
        replace(variable(default=4096), name="somaxconn"),
    ]


def test_the_text() -> None:
    plan = Paper().publish([replace(world(T0)[0], roles=globs("db"))], FLEET, T0)
    assert text_of(plan, held={"docker": ["latency"]}).split("\n") == [
        "# HELP tsunami_held Whether this objective keeps the variable from going on: 1 while it does.",
        "# TYPE tsunami_held gauge",
        'tsunami_held{fleet="backend",variable="docker",slo="crashes"} 0',
        'tsunami_held{fleet="backend",variable="docker",slo="latency"} 1',
        "# HELP tsunami_hosts Hosts of a role that were told this value of the variable.",
        "# TYPE tsunami_hosts gauge",
        'tsunami_hosts{fleet="backend",variable="docker",value="1",role="db"} 2',
        'tsunami_hosts{fleet="backend",variable="docker",value="2",role="db"} 2',
        "# HELP tsunami_last_publish_sequence Number of the newest entry of the ledger.",
        "# TYPE tsunami_last_publish_sequence gauge",
        'tsunami_last_publish_sequence{fleet="backend"} 1',
        "# HELP tsunami_last_publish_timestamp_seconds When the last publish went through.",
        "# TYPE tsunami_last_publish_timestamp_seconds gauge",
        'tsunami_last_publish_timestamp_seconds{fleet="backend"} 1772445600',
        "# HELP tsunami_last_publish_told_hosts Hosts that the last publish told anything new.",
        "# TYPE tsunami_last_publish_told_hosts gauge",
        'tsunami_last_publish_told_hosts{fleet="backend"} 4',
        "# HELP tsunami_manifest_expiry_timestamp_seconds Until when what was published counts as fresh.",
        "# TYPE tsunami_manifest_expiry_timestamp_seconds gauge",
        'tsunami_manifest_expiry_timestamp_seconds{fleet="backend"} 1772449200',
        "# HELP tsunami_problems Errors in files that the last publish went round: their hosts keep what they have.",
        "# TYPE tsunami_problems gauge",
        'tsunami_problems{fleet="backend"} 0',
        "# HELP tsunami_publish_interval_seconds How often publishes are meant to run.",
        "# TYPE tsunami_publish_interval_seconds gauge",
        'tsunami_publish_interval_seconds{fleet="backend"} 300',
        "# HELP tsunami_rollout_eligible_hosts Hosts that the rollout is about: they have the variable, and no pin.",
        "# TYPE tsunami_rollout_eligible_hosts gauge",
        'tsunami_rollout_eligible_hosts{fleet="backend",variable="docker",rollout="docker-1"} 3',
        "# HELP tsunami_rollout_end_timestamp_seconds When the rollout is planned to end.",
        "# TYPE tsunami_rollout_end_timestamp_seconds gauge",
        'tsunami_rollout_end_timestamp_seconds{fleet="backend",variable="docker",rollout="docker-1"} 1772532000',
        "# HELP tsunami_rollout_moved_hosts Hosts that the rollout has moved.",
        "# TYPE tsunami_rollout_moved_hosts gauge",
        'tsunami_rollout_moved_hosts{fleet="backend",variable="docker",rollout="docker-1"} 2',
        "# HELP tsunami_rollout_planned_ratio How far the rollout is meant to be now.",
        "# TYPE tsunami_rollout_planned_ratio gauge",
        'tsunami_rollout_planned_ratio{fleet="backend",variable="docker",rollout="docker-1"} 0.5',
        "# HELP tsunami_rollout_start_timestamp_seconds When the rollout is planned to start.",
        "# TYPE tsunami_rollout_start_timestamp_seconds gauge",
        'tsunami_rollout_start_timestamp_seconds{fleet="backend",variable="docker",rollout="docker-1"} 1772359200',
        "# HELP tsunami_rollout_state 1 for the state that the variable is in, 0 for all others.",
        "# TYPE tsunami_rollout_state gauge",
        *(
            f'tsunami_rollout_state{{fleet="backend",variable="docker",rollout="docker-1",state="{state}"}} '
            f"{int(state == 'running')}"
            for state in sorted(get_args(State))
        ),
        "# HELP tsunami_rollout_told_ratio How far the rollout is by what hosts were told.",
        "# TYPE tsunami_rollout_told_ratio gauge",
        'tsunami_rollout_told_ratio{fleet="backend",variable="docker",rollout="docker-1"} 0.5',
        "",
    ]


def test_variables_in_all_states() -> None:
    text = text_of(Paper().publish(world(T0), FLEET, T0))
    states = of(text, "tsunami_rollout_state")
    assert [name for name, number in sorted(states.items()) if number] == [
        "docker,docker-1,running",
        "helios,helios-1,halted",
        "motd,,settled",
        "somaxconn,,settled",
    ]
    assert len(states) == 4 * len(get_args(State))
    assert of(text, "tsunami_rollout_planned_ratio") == {"docker,docker-1": 0.5, "helios,helios-1": 0.5}
    assert sum(of(text, "tsunami_hosts", variable="docker").values()) == 14
    assert set(of(text, "tsunami_hosts", variable="helios")) == {"1,web", "2,web"}
    assert of(text, "tsunami_hosts", variable="somaxconn") == {"4096,db": 4, "4096,web": 10}
    assert {metric for metric, _ in read(text)} == set(HELP)


def test_told_lags_behind_the_plan() -> None:
    paper, one = Paper(), variable(rollout((0, 0), (100, 100)))
    paper.publish([one], FLEET, T0)
    text = text_of(paper.publish([one], FLEET, after(60)))
    assert of(text, "tsunami_rollout_planned_ratio") == {"x,x-1": 0.6}
    # Two intervals of open time count, at twice the plan.
    assert of(text, "tsunami_rollout_told_ratio") == {"x,x-1": 0.2}


def test_a_value_that_nobody_has_is_zero() -> None:
    before = text_of(Paper().publish([variable(rollout((60, 0), (120, 100)))], inventory(db=3), T0))
    assert of(before, "tsunami_hosts", variable="x") == {"1,db": 3, "2,db": 0}
    complete = text_of(Paper().publish([variable(rollout((-60, 0), (-1, 100)))], inventory(db=3), T0))
    assert of(complete, "tsunami_hosts", variable="x") == {"1,db": 0, "2,db": 3}


def test_values_that_read_alike_are_one_series() -> None:
    one = variable(default="1", pins=(pin(1, "db-0"), pin("true", "db-1"), pin(True, "db-2")))
    text = text_of(Paper().publish([one], FLEET, T0))
    assert of(text, "tsunami_hosts", variable="x") == {"1,db": 2, "true,db": 2, "1,web": 10}


def test_hosts_told_anything_new_count_once() -> None:
    paper = Paper()
    paper.publish([replace(one, rollouts=()) for one in world(T0)], FLEET, T0)
    changed = [variable(default="new"), replace(variable(default="new"), name="motd", roles=globs("web"))]
    fewer = inventory(db=3, web=10)
    assert of(text_of(paper.plan(changed, fewer, after(5))), "tsunami_last_publish_told_hosts") == {"": 14}
    assert of(text_of(paper.publish(changed, fewer, after(5))), "tsunami_last_publish_told_hosts") == {"": 14}
    assert of(text_of(paper.publish(changed, fewer, after(10))), "tsunami_last_publish_told_hosts") == {"": 0}


def test_hosts_of_a_broken_file_keep_their_values_and_are_counted() -> None:
    paper = Paper()
    paper.publish(world(T0), FLEET, T0)
    plan = paper.publish(world(T0)[1:], FLEET, after(5), kept=["docker"])
    text = text_of(plan, problems=[Problem("rollouts/docker.yaml", 1, 1, "", "wrong")])
    assert of(text, "tsunami_problems") == {"": 1}
    assert sum(of(text, "tsunami_hosts", variable="docker").values()) == 14
    assert not of(text, "tsunami_rollout_state", variable="docker")


def test_an_objective_that_holds_is_shown_once_also_of_a_file_that_is_broken() -> None:
    plan = Paper().publish(world(T0), FLEET, T0)
    text = text_of(plan, held={"docker": ["latency", "latency"], "gone": ["any"], "motd": []})
    assert of(text, "tsunami_held") == {"docker,crashes": 0, "docker,latency": 1, "gone,any": 1}


def test_a_fleet_without_variables() -> None:
    text = text_of(Paper().publish([], FLEET, T0))
    assert {metric for metric, _ in read(text)} == {
        "tsunami_last_publish_sequence",
        "tsunami_last_publish_timestamp_seconds",
        "tsunami_last_publish_told_hosts",
        "tsunami_manifest_expiry_timestamp_seconds",
        "tsunami_problems",
        "tsunami_publish_interval_seconds",
    }


HOSTILE = st.text(alphabet=st.sampled_from('a"\\\n{},=# é')) | st.text()


@given(HOSTILE, HOSTILE, st.dictionaries(HOSTILE, st.lists(HOSTILE, max_size=2), max_size=2))
def test_labels_read_back_as_they_were(fleet: str, value: str, held: dict[str, list[str]]) -> None:
    plan = Paper().publish([variable(default=value)], inventory(db=1), T0)
    text = text_of(plan, fleet=fleet, held=held)
    found = read(text)
    assert {dict(labels)["fleet"] for _, labels in found} == {fleet}
    [shown] = [dict(labels)["value"] for metric, labels in found if metric == "tsunami_hosts"]
    # Control characters stay in JSON's escapes.
    assert shown == value if value.isprintable() else "\n" not in shown
    holding = {(dict(labels)["variable"], dict(labels)["slo"]) for metric, labels in found if metric == "tsunami_held"}
    assert holding == {(name, slo) for name, slos in held.items() for slo in slos}
    assert sorted(found) == list(found)


@pytest.mark.parametrize("role", ["db", "web"])
def test_counts_by_role_are_those_of_the_status(role: str) -> None:
    plan = Paper().publish(world(T0), FLEET, T0)
    status = status_of(plan.variables[0], roles_of(FLEET), T0, plan.told["docker"])
    [of_role] = [one for one in status.roles if one.role == role]
    assert of(text_of(plan), "tsunami_hosts", variable="docker", role=role)["2"] == of_role.moved
