"""The judgement: situations, and what the guard makes of each."""

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from fractions import Fraction
from math import inf, isfinite, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.fleets import MINUTE, after, rollout, variable
from tsunami_cli.core.calendar import unix
from tsunami_cli.core.guard.cohorts import Cohorts
from tsunami_cli.core.guard.judging import Judgement, acknowledged, after_both_looks, judged, unjudged
from tsunami_cli.core.guard.measuring import measured
from tsunami_cli.core.guard.naming import Names
from tsunami_cli.core.guard.queries import names_version
from tsunami_cli.core.guard.questions import Answer, Series, Window
from tsunami_cli.core.model import Ack, Slo
from tsunami_cli.core.status import State

NOW = after(120)
UP = rollout((0, 0), (600, 100))
SETTING = variable(UP)
WINDOW = Window(unix(NOW), 60, 10)
"""Eleven samples, a minute apart: those of an SLO `for: 10m`."""
SAMPLES = WINDOW.steps + 1
SLO = Slo("errors", "q", "<= 0.01")
BACK = replace(SLO, on_violation="rollback 2h")

Said = float | None | Sequence[float | None]
"""What a host says at all samples, or at each; None for a series with nothing in it, no samples for no series."""
SILENT: Said = ()
OK, BAD = 0.01, 0.05
MISSING: float | None = None


def part(count: int, value: float, then: float | None = MISSING) -> Sequence[float | None]:
    """Return so many samples of a value, and another one from there on."""
    return [value] * count + [then] * (SAMPLES - count)


@dataclass(frozen=True)
class Scene:
    """What a metrics server says of hosts; who is in a cohort and not in `says` has no series."""

    moved: int = 10
    waiting: int = 10
    fresh: int = 0
    says: Mapping[str, Said] = field(default_factory=dict)
    """By host: m0, m1, ... have moved and settled, w0, w1, ... have not moved; `m*` and `w*` stand for all others."""
    first: Mapping[str, int] = field(default_factory=dict)
    """From which sample on moved hosts count, where not from the first."""
    lone: Sequence[Said] = ()
    """Series that name no host."""
    roles: Mapping[str, Sequence[str]] = field(default_factory=dict)
    failure: str | None = None

    def judged(self, slo: Slo = SLO, state: State = "running", *, acks: Sequence[Ack] = ()) -> Judgement:
        hosts = {kind: [f"{kind}{n}" for n in range(count)] for kind, count in (("m", self.moved), ("w", self.waiting))}
        fresh = frozenset(f"f{n}" for n in range(self.fresh))
        cohorts = Cohorts(
            moved={host: (self.first.get(host, 0), SAMPLES) for host in hosts["m"]},
            fresh=fresh,
            rest=dict.fromkeys(hosts["w"], (0, SAMPLES)),
            waiting=frozenset(hosts["w"]),
            roles=self.roles,
        )
        said = {host: self.says[f"{host[0]}*"] for host in (*hosts["m"], *hosts["w"]) if f"{host[0]}*" in self.says}
        said.update((host, values) for host, values in self.says.items() if not host.endswith("*"))
        series = [Series({"instance": host}, _samples(values)) for host, values in said.items() if values != SILENT]
        series += [Series({}, _samples(values)) for values in self.lone]
        names = Names([*hosts["m"], *hosts["w"], *fresh])
        answers = [Answer(tuple(series), self.failure)]
        found = measured(WINDOW, cohorts, answers, names, "instance", versioned=names_version(slo.query))
        active = replace(UP, acks=tuple(acks))
        return judged(replace(SETTING, rollouts=(active,)), active, slo, state, found, NOW)


def _samples(said: Said) -> Sequence[float | None]:
    return list(said) if isinstance(said, Sequence) else [said] * SAMPLES


HEALTHY = Scene(says={"m*": OK, "w*": OK})
SICK = Scene(says={"m*": BAD, "w*": OK})
DOUBT = Scene()
DEAD = Scene(says={"w*": OK})


def slo(**changes: object) -> Slo:
    return replace(SLO, **changes)  # type: ignore[arg-type]


DIFFERENCE = slo(compare="moved-minus-rest")
FLEET = slo(compare="fleet")
WEB_ALONE = {
    "web": ["m0", "m1", "w0"],
    "db": [f"{kind}{n}" for kind in "mw" for n in range(1, 10) if f"{kind}{n}" != "m1"],
}
# By situation: the objective, status and action, and why in words, "..." for any more of them.
SITUATIONS: Mapping[str, tuple[Scene, Slo, str, str, str]] = {
    # What is measured.
    "at the bound": (HEALTHY, SLO, "ok", "none", "0.01 on 10 moved hosts"),
    "above it": (SICK, SLO, "violated", "halt", "0.05 > 0.01 on 10 moved hosts for 10m"),
    "below it, where it is to be high": (
        SICK,
        slo(objective=">= 0.06"),
        "violated",
        "halt",
        "0.05 < 0.06 on 10 moved hosts for 10m",
    ),
    "at a strict bound": (
        HEALTHY,
        slo(objective="< 0.01"),
        "violated",
        "halt",
        "0.01 >= 0.01 on 10 moved hosts for 10m",
    ),
    "one host": (Scene(moved=1, says={"m*": BAD}), SLO, "violated", "halt", "0.05 > 0.01 on 1 moved host for 10m"),
    "one bad host of ten": (
        Scene(says={"m*": 0.0, "m3": BAD, "w*": 0.0}),
        SLO,
        "ok",
        "none",
        "0.005 on 10 moved hosts",
    ),
    "the rest is as bad": (
        Scene(says={"m*": BAD, "w*": BAD}),
        SLO,
        "violated",
        "halt",
        "0.05 > 0.01 on 10 moved hosts for 10m",
    ),
    "one good sample, the first": (
        Scene(says={"m*": [OK, *[BAD] * 10]}),
        SLO,
        "ok",
        "none",
        "0.05 on 10 moved hosts (10 of 11 samples miss it)",
    ),
    "one good sample, the last": (
        Scene(says={"m*": part(10, BAD, OK)}),
        SLO,
        "ok",
        "none",
        "0.01 on 10 moved hosts (10 of 11 samples miss it)",
    ),
    # Gaps.
    "gaps of exactly half, and bad": (
        Scene(says={"m*": part(6, BAD)}),
        SLO,
        "violated",
        "halt",
        "0.05 > 0.01 on 10 moved hosts for 6 of 11 samples",
    ),
    "gaps of exactly half, and good": (Scene(says={"m*": part(6, OK)}), SLO, "ok", "none", "0.01 on 10 moved hosts"),
    "gaps of more than half": (
        Scene(says={"m*": part(5, BAD)}),
        SLO,
        "no-data",
        "hold",
        "no data for 6 of 11 samples since 2026-03-02T11:54:00Z",
    ),
    "gaps before": (
        Scene(says={"m*": [None] * 6 + [BAD] * 5}),
        SLO,
        "no-data",
        "hold",
        "no data for 6 of 11 samples",
    ),
    "settled half the time ago": (
        Scene(moved=1, says={"m0": BAD}, first={"m0": 5}),
        SLO,
        "violated",
        "halt",
        "0.05 > 0.01 on 1 moved host for 6 of 11 samples",
    ),
    "settled since less": (
        Scene(moved=1, says={"m0": BAD}, first={"m0": 6}),
        SLO,
        "no-data",
        "hold",
        "1 moved host settled just now: 5 of 11 samples until now",
    ),
    "bad before it settled": (
        Scene(moved=1, says={"m0": [BAD] * 5 + [OK] * 6}, first={"m0": 5}),
        SLO,
        "ok",
        "none",
        "0.01 on 1 moved host",
    ),
    # What is no data.
    "no series": (DOUBT, SLO, "no-data", "hold", "the query has no series"),
    "NaN": (
        Scene(says={"m*": nan, "w*": OK}),
        SLO,
        "no-data",
        "hold",
        "10 of 10 moved hosts without a value",
    ),
    "infinite": (
        Scene(says={"m*": inf, "w*": OK}),
        slo(objective=">= 0.9"),
        "no-data",
        "hold",
        "10 of 10 moved hosts without a value",
    ),
    "larger than anything that is measured": (
        Scene(says={"m*": 1.1e300, "w*": OK}),
        slo(objective=">= 0.9"),
        "no-data",
        "hold",
        "10 of 10 moved hosts without a value",
    ),
    "at the largest bound there is": (
        Scene(says={"m*": 9e299, "w*": OK}),
        slo(objective="<= 1e300"),
        "ok",
        "none",
        "9e+299 on 10 moved hosts",
    ),
    "NaN on all sides": (
        Scene(says={"m*": nan, "w*": nan}),
        SLO,
        "no-data",
        "hold",
        "no data for 11 of 11 samples",
    ),
    "an error": (Scene(failure="http://x: no answer"), SLO, "error", "hold", "http://x: no answer"),
    "an error, ignored": (
        Scene(failure="http://x: no answer"),
        slo(on_no_data="ignore"),
        "error",
        "none",
        "http://x: no answer; ignored, as on_no_data says",
    ),
    "no series, ignored": (
        DOUBT,
        slo(on_no_data="ignore"),
        "no-data",
        "none",
        "the query has no series; ignored, as on_no_data says",
    ),
    "no series, which is to halt": (DOUBT, slo(on_no_data="halt"), "no-data", "halt", "the query has no series"),
    "an error, which is to halt": (Scene(failure="down"), slo(on_no_data="halt"), "error", "halt", "down"),
    "no series, where a violation is rolled back": (DOUBT, BACK, "no-data", "hold", "the query has no series"),
    "series of nobody": (
        Scene(lone=[BAD, BAD]),
        SLO,
        "no-data",
        "hold",
        "none of 2 series names a host of the inventory",
    ),
    "all still settle": (
        Scene(moved=0, fresh=3, says={"f0": BAD, "w*": OK}),
        SLO,
        "no-data",
        "hold",
        "3 moved hosts still settle for 10m",
    ),
    "the first one still settles": (
        Scene(moved=0, fresh=1, says={"w*": OK}),
        slo(settle=90 * MINUTE),
        "no-data",
        "hold",
        "1 moved host still settles for 1h30m",
    ),
    # How many hosts it takes.
    "as many hosts as it takes": (
        Scene(moved=3, says={"m*": BAD}),
        slo(min_hosts=3),
        "violated",
        "halt",
        "0.05 > 0.01 on 3 moved hosts for 10m",
    ),
    "one less, the others settle": (
        Scene(moved=2, fresh=1, says={"m*": BAD}),
        slo(min_hosts=3),
        "no-data",
        "hold",
        "1 moved host still settles for 10m",
    ),
    "one less with a value": (
        Scene(moved=3, says={"m*": BAD, "m2": nan}),
        slo(min_hosts=3, max_silent=Fraction(1)),
        "not-judged",
        "none",
        "too thin to judge: 2 of at least 3 moved hosts have a value",
    ),
    "one less with a value, the last time that this is young": (
        Scene(moved=11, says={"m0": BAD, "m1": BAD, "w0": OK}),
        slo(min_hosts=3, max_silent=Fraction(1)),
        "not-judged",
        "none",
        "too thin to judge: 2 of at least 3 moved hosts have a value",
    ),
    "one less with a value, of four times as many": (
        Scene(moved=12, says={"m0": BAD, "m1": BAD, "w0": OK}),
        slo(min_hosts=3, max_silent=Fraction(1)),
        "no-data",
        "hold",
        "no data for 11 of 11 samples",
    ),
    "none with a value": (
        Scene(moved=3, says={"w0": OK}),
        slo(min_hosts=3, max_silent=Fraction(1)),
        "no-data",
        "hold",
        "no data for 11 of 11 samples",
    ),
    "one less with a value, and as silent as the rest": (
        Scene(moved=4, waiting=4, says={"m0": OK, "m1": OK, "w0": OK, "w1": OK}),
        slo(min_hosts=3),
        "not-judged",
        "none",
        "too thin to judge: 2 of at least 3 moved hosts have a value",
    ),
    "settling does not halt": (
        Scene(moved=2, fresh=1, says={"m*": BAD}),
        slo(min_hosts=3, on_no_data="halt"),
        "no-data",
        "hold",
        "1 moved host still settles for 10m",
    ),
    "settled just now does not halt": (
        Scene(moved=1, says={"m0": BAD}, first={"m0": 6}),
        slo(on_no_data="halt"),
        "no-data",
        "hold",
        "1 moved host settled just now: 5 of 11 samples until now",
    ),
    # Roles.
    "the query is about one role": (
        Scene(says={"m*": SILENT, "w*": SILENT, "m0": OK, "m1": OK, "w0": OK}, roles=WEB_ALONE),
        SLO,
        "ok",
        "none",
        "0.01 on 2 moved hosts",
    ),
    "the query is about one role, of which one died": (
        Scene(says={"m0": OK, "w0": OK}, roles=WEB_ALONE),
        SLO,
        "violated",
        "halt",
        "1 of 2 moved hosts gone silent",
    ),
    "the query is about one role, which is bad": (
        Scene(says={"m0": BAD, "m1": BAD, "w0": OK}, roles=WEB_ALONE),
        SLO,
        "violated",
        "halt",
        "0.05 > 0.01 on 2 moved hosts for 10m",
    ),
    "the query is about one role, where too few have moved": (
        Scene(says={"m0": BAD, "m1": BAD, "w0": OK}, roles=WEB_ALONE),
        slo(min_hosts=3),
        "not-judged",
        "none",
        "too thin to judge: 2 of at least 3 hosts have moved where there are series",
    ),
    "the query is about one role, where none has moved": (
        Scene(moved=8, says={"w0": OK}, roles={"web": ["w0"], "db": [f"m{n}" for n in range(8)]}),
        SLO,
        "no-data",
        "hold",
        "no data for ...",
    ),
    # Silence.
    "too few have settled to call one of them gone": (
        Scene(moved=1, fresh=5, says={"w*": OK}),
        replace(SLO, min_hosts=5),
        "no-data",
        "hold",
        "5 moved hosts still settle for 10m",
    ),
    "a query about the new version, of which all speak": (
        Scene(says={"m*": OK}),
        SLO,
        "ok",
        "none",
        "0.01 on 10 moved hosts",
    ),
    "a query about the new version, of which one died": (
        Scene(says={"m*": OK, "m0": SILENT}),
        SLO,
        "ok",
        "none",
        "0.01 on 10 moved hosts",
    ),
    "a query about the new version, of which two died": (
        Scene(says={"m*": OK, "m0": SILENT, "m1": SILENT}),
        SLO,
        "no-data",
        "hold",
        "2 of 10 moved hosts without a value",
    ),
    "a query about the new version, of which two died, which is to halt": (
        Scene(says={"m*": OK, "m0": SILENT, "m1": SILENT}),
        slo(on_no_data="halt"),
        "no-data",
        "halt",
        "2 of 10 moved hosts without a value",
    ),
    "all that wait are silent, and so are most that moved": (
        Scene(says={"m0": OK}),
        BACK,
        "no-data",
        "hold",
        "9 of 10 moved hosts without a value",
    ),
    "the fleet, of which the moved fell silent": (
        Scene(says={"w*": OK}),
        FLEET,
        "violated",
        "halt",
        "10 of 10 moved hosts gone silent",
    ),
    "silence of exactly what is allowed": (
        Scene(says={"m*": OK, "m0": SILENT, "w*": OK}),
        SLO,
        "ok",
        "none",
        "0.01 on 10 moved hosts",
    ),
    "silence of more": (
        Scene(moved=9, says={"m*": OK, "m0": SILENT, "w*": OK}),
        SLO,
        "violated",
        "halt",
        "1 of 9 moved hosts gone silent",
    ),
    "all are silent": (DEAD, SLO, "violated", "halt", "10 of 10 moved hosts gone silent"),
    "all are silent, the rest too": (DOUBT, SLO, "no-data", "hold", "the query has no series"),
    "as silent as the rest": (
        Scene(says={**{f"m{n}": OK for n in range(5)}, **{f"w{n}": OK for n in range(5)}}),
        slo(max_silent=Fraction(0)),
        "ok",
        "none",
        "0.01 on 10 moved hosts",
    ),
    "silent by one more than the rest": (
        Scene(says={**{f"m{n}": OK for n in range(4)}, **{f"w{n}": OK for n in range(5)}}),
        slo(max_silent=Fraction(0)),
        "violated",
        "halt",
        "6 of 10 moved hosts gone silent",
    ),
    "silent and bad": (
        Scene(says={"m0": BAD, "w*": OK}),
        BACK,
        "violated",
        "rollback",
        "9 of 10 moved hosts gone silent",
    ),
    "mute, as many as allowed": (
        Scene(says={"m*": OK, "m0": nan, "w*": OK}),
        SLO,
        "ok",
        "none",
        "0.01 on 10 moved hosts",
    ),
    "mute, one more": (
        Scene(says={"m*": OK, "m0": nan, "m1": nan, "w*": OK}),
        SLO,
        "no-data",
        "hold",
        "2 of 10 moved hosts without a value",
    ),
    "one silent and one mute": (
        Scene(says={"m*": OK, "m0": nan, "m1": SILENT, "w*": OK}),
        SLO,
        "no-data",
        "hold",
        "2 of 10 moved hosts without a value",
    ),
    # Beside the rest.
    "as bad as the rest": (
        Scene(says={"m*": BAD, "w*": BAD}),
        DIFFERENCE,
        "ok",
        "none",
        "0 on 10 moved hosts minus 10 others",
    ),
    "worse by exactly the bound": (
        Scene(moved=7, says={"m*": 0.3, "w*": 0.29}),
        DIFFERENCE,
        "ok",
        "none",
        "0.01 on 7 moved hosts minus 10 others",
    ),
    "worse by more": (
        Scene(says={"m*": 0.31, "w*": 0.29}),
        DIFFERENCE,
        "violated",
        "halt",
        "0.02 > 0.01 on 10 moved hosts minus 10 others for 10m",
    ),
    "there is no rest": (
        Scene(waiting=0, says={"m*": BAD}),
        DIFFERENCE,
        "violated",
        "halt",
        "0.05 > 0.01 on 10 moved hosts for 10m",
    ),
    "the rest is too thin": (
        Scene(waiting=1, says={"m*": BAD, "w*": OK}),
        replace(DIFFERENCE, min_hosts=2),
        "violated",
        "halt",
        "0.05 > 0.01 on 10 moved hosts...",
    ),
    "the rest is too thin, and no better": (
        Scene(waiting=1, says={"m*": BAD, "w*": BAD}),
        replace(DIFFERENCE, min_hosts=2),
        "ok",
        "none",
        "0 on 10 moved hosts, with only 1 left to compare with",
    ),
    "the rest is too thin, and much better than the objective asks for": (
        Scene(waiting=1, says={"m*": OK, "w*": -BAD}),
        replace(DIFFERENCE, min_hosts=2),
        "ok",
        "none",
        "0.01 on 10 moved hosts, with only 1 left to compare with",
    ),
    "the rest is just enough, and much better": (
        Scene(waiting=2, says={"m*": OK, "w*": -BAD}),
        replace(DIFFERENCE, min_hosts=2),
        "violated",
        "halt",
        "0.06 > 0.01 on 10 moved hosts minus 2 others for 10m",
    ),
    "the rest is too thin, and as bad at one instant": (
        Scene(waiting=1, says={"m*": BAD, "w*": [*[OK] * 10, BAD]}),
        replace(DIFFERENCE, min_hosts=2),
        "ok",
        "none",
        "0 on 10 moved hosts, with only 1 left to compare with (10 of 11 samples miss it)",
    ),
    "the rest is too thin, and has no value": (
        Scene(waiting=1, says={"m*": BAD, "w*": nan}),
        replace(DIFFERENCE, min_hosts=2),
        "violated",
        "halt",
        "0.05 > 0.01 on 10 moved hosts for 10m",
    ),
    "the rest says nothing": (
        Scene(says={"m*": OK, "w*": nan}),
        DIFFERENCE,
        "no-data",
        "hold",
        "no data for 11 of 11 samples",
    ),
    "the rest has no series": (Scene(says={"m*": OK}), DIFFERENCE, "ok", "none", "0.01 on 10 moved hosts"),
    "the rest has too few series": (
        Scene(says={"m*": OK, "w0": OK}),
        replace(DIFFERENCE, min_hosts=2),
        "ok",
        "none",
        "0 on 10 moved hosts, with only 1 left to compare with",
    ),
    "the last host is dead": (Scene(waiting=1, says={"m*": OK}), DIFFERENCE, "ok", "none", "0.01 on 10 moved hosts"),
    # The fleet.
    "the fleet, joined or not": (
        Scene(says={"m*": 0.0, "w*": 0.0}, lone=[0.21]),
        FLEET,
        "ok",
        "none",
        "0.01 over 21 hosts of the fleet",
    ),
    "the fleet, from one series of nobody": (
        Scene(lone=[BAD]),
        FLEET,
        "violated",
        "halt",
        "0.05 > 0.01 over 1 host of the fleet for 10m",
    ),
    "the fleet, too thin": (
        Scene(lone=[BAD]),
        replace(FLEET, min_hosts=2),
        "no-data",
        "hold",
        "no data for 11 of 11 samples",
    ),
    "the fleet, hosts settle": (
        Scene(moved=0, fresh=1, says={"f0": OK, "w*": OK}),
        FLEET,
        "ok",
        "none",
        "0.01 over 11 hosts of the fleet",
    ),
    "a violation that is rolled back": (SICK, BACK, "violated", "rollback", "0.05 > 0.01 on 10 moved hosts for 10m"),
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_situations(situation: str) -> None:
    scene, objective, status, action, why = SITUATIONS[situation]
    found = scene.judged(objective)
    assert (found.status, found.action) == (status, action)
    if why.endswith("..."):
        assert found.why.startswith(why.removesuffix("..."))
    else:
        assert found.why == why


@pytest.mark.parametrize("waiting", [1, 5])
def test_a_few_that_have_the_new_version_by_hand_do_not_excuse_the_dead(waiting: int) -> None:
    """Asked for the new version, hosts of the rest are silent as a rule, and moved ones are not."""
    stray = {f"w{n}": OK for n in range(waiting)}
    slo = replace(SLO, query='errors{version="$to"}')
    found = Scene(moved=20, waiting=100, says={**{f"m{n}": OK for n in range(10)}, **stray}).judged(slo)
    assert (found.status, found.action) == ("no-data", "hold")


TENTHS = st.integers(-20, 20).map(lambda tenths: tenths / 100)


@given(TENTHS, TENTHS, st.integers(0, 3), st.integers(1, 3), st.sampled_from(["<=", ">=", "!="]))
def test_few_others_accuse_nobody_and_excuse(
    mine: float, theirs: float, others: int, least: int, comparison: str
) -> None:
    objective = replace(DIFFERENCE, objective=f"{comparison} 0.05", min_hosts=least)
    found = Scene(waiting=others, says={"m*": mine, "w*": theirs}).judged(objective)
    met = {"<=": operator.le, ">=": operator.ge, "!=": operator.ne}[comparison]
    values = [Fraction(str(mine)) - Fraction(str(theirs))] if others else []
    if others < least:
        values.append(Fraction(str(mine)))
    assert (found.status == "ok") == any(met(value, Fraction("0.05")) for value in values)
    assert found.status in ("ok", "violated")


STATES: Mapping[tuple[str, State], tuple[Scene, Slo, str]] = {
    ("none", "rolling-back"): (
        SICK,
        SLO,
        "0.05 > 0.01 on 10 moved hosts for 10m; a rollback goes on whatever is measured",
    ),
    ("none", "complete"): (SICK, SLO, "0.05 > 0.01 on 10 moved hosts for 10m; complete: there is nobody left to stop"),
    ("none", "capped"): (DOUBT, SLO, "the query has no series; capped: there is nobody left to stop"),
    ("rollback", "complete"): (SICK, BACK, "0.05 > 0.01 on 10 moved hosts for 10m"),
    ("rollback", "capped"): (SICK, BACK, "0.05 > 0.01 on 10 moved hosts for 10m"),
    ("halt", "running"): (SICK, SLO, "0.05 > 0.01 on 10 moved hosts for 10m"),
}


@pytest.mark.parametrize(("action", "state"), STATES)
def test_states(action: str, state: State) -> None:
    scene, objective, why = STATES[action, state]
    found = scene.judged(objective, state)
    assert (found.action, found.why) == (action, why)


@pytest.mark.parametrize("state", ["rolling-back", "complete", "capped"])
@pytest.mark.parametrize("scene", [DOUBT, Scene(failure="down")])
def test_missing_data_stops_nobody_where_nobody_is_to_be_stopped(state: State, scene: Scene) -> None:
    for on_no_data in ("hold", "halt", "ignore"):
        assert scene.judged(slo(on_no_data=on_no_data), state).action == "none"


def test_numbers_of_a_judgement() -> None:
    found = Scene(says={"m*": OK, "m0": SILENT, "w*": OK}, fresh=2).judged()
    assert (found.value, found.hosts, found.silent) == (0.01, 10, 1)
    assert (found.variable, found.rollout, found.slo) == ("x", UP, SLO)
    fleet = Scene(says={"m*": 0.0, "w*": 0.0}, lone=[0.21], fresh=2).judged(FLEET)
    assert (fleet.value, fleet.hosts, fleet.silent) == (0.01, 21, 0)
    assert DOUBT.judged().value is None
    assert Scene(says={"m*": part(5, BAD)}).judged().value == BAD
    assert Scene(failure="down").judged().value is None


def test_the_way_back_has_a_length() -> None:
    assert SICK.judged(BACK).back == timedelta(hours=2)
    with pytest.raises(ValueError, match="halt is not a duration"):
        _ = SICK.judged().back


# What is asked at all.

SOME = Cohorts(moved={"m0": (0, 1)}, waiting=frozenset({"w0"}), last=after(0))
SETTLING = Cohorts(fresh=frozenset({"f0"}), last=NOW)


@pytest.mark.parametrize(
    ("objective", "state", "cohorts", "why"),
    [
        (SLO, "halted", SOME, "halted already"),
        (SLO, "scheduled", SOME, "not begun yet"),
        (SLO, "rolled-back", SOME, "rolled back"),
        (SLO, "running", Cohorts(), "no host has moved yet"),
        (SLO, "rolling-back", Cohorts(), "no host has moved yet"),
        (FLEET, "running", Cohorts(), "no host has moved yet"),
        (SLO, "running", SOME, None),
        (SLO, "running", SETTLING, None),
        (SLO, "rolling-back", SOME, None),
        (slo(min_hosts=2), "running", SOME, "too thin to judge: 1 of at least 2 hosts have moved"),
        (slo(min_hosts=2), "running", replace(SOME, fresh=frozenset({"f0"})), None),
        (replace(FLEET, min_hosts=2), "running", SOME, None),
        (SLO, "complete", replace(SOME, last=NOW - 20 * MINUTE), None),
        (
            SLO,
            "complete",
            replace(SOME, last=NOW - 20 * MINUTE - timedelta(seconds=1)),
            "complete: nobody was moved in the last 20m",
        ),
        (SLO, "capped", SOME, "capped: nobody was moved in the last 20m"),
        (slo(settle=110 * MINUTE), "capped", SOME, None),
        (SLO, "complete", replace(SOME, last=None), "complete: nobody was moved in the last 20m"),
        (DIFFERENCE, "running", replace(SOME, waiting=frozenset()), None),
        (DIFFERENCE, "complete", replace(SOME, last=NOW), None),
        (
            DIFFERENCE,
            "complete",
            replace(SOME, waiting=frozenset(), last=NOW),
            "complete: there is nobody left to compare with",
        ),
        (
            DIFFERENCE,
            "capped",
            replace(SOME, waiting=frozenset(), last=NOW),
            "capped: there is nobody left to compare with",
        ),
    ],
)
def test_what_is_asked(objective: Slo, state: State, cohorts: Cohorts, why: str | None) -> None:
    assert unjudged(objective, UP, state, cohorts, NOW) == why


def test_without_a_rollout_nothing_is_asked() -> None:
    assert unjudged(SLO, None, "settled", Cohorts(), NOW) == "no rollout"


# Who accepts a violation.


def ack(until: datetime, name: str = "errors") -> Ack:
    return Ack(name, until, "known")


@pytest.mark.parametrize(
    ("acks", "action", "more"),
    [
        ([ack(after(121))], "none", "; acknowledged until 2026-03-02T12:01:00Z"),
        ([ack(NOW + timedelta(seconds=1))], "none", "; acknowledged until 2026-03-02T12:00:01Z"),
        ([ack(NOW)], "rollback", ""),
        ([ack(after(119))], "rollback", ""),
        ([ack(after(121), "latency")], "rollback", ""),
        ([ack(after(121)), ack(after(180))], "none", "; acknowledged until 2026-03-02T13:00:00Z"),
    ],
)
def test_a_violation_that_is_known(acks: list[Ack], action: str, more: str) -> None:
    found = SICK.judged(BACK, acks=acks)
    assert (found.status, found.action) == ("violated", action)
    assert found.why == f"0.05 > 0.01 on 10 moved hosts for 10m{more}"


@pytest.mark.parametrize(("scene", "action"), [(DEAD, "rollback"), (SICK, "none")])
def test_silence_cannot_be_acknowledged(scene: Scene, action: str) -> None:
    found = scene.judged(BACK, acks=[ack(after(121))])
    assert (found.status, found.action) == ("violated", action)


def test_missing_data_cannot_be_acknowledged() -> None:
    assert DOUBT.judged(acks=[ack(after(121))]).action == "hold"
    assert DOUBT.judged(slo(on_no_data="halt"), acks=[ack(after(121))]).action == "halt"


def test_the_newest_acceptance_that_still_holds_counts() -> None:
    older, newer = ack(after(180)), ack(after(100))
    assert acknowledged(replace(UP, acks=(older, newer)), "errors", NOW) == older
    assert acknowledged(UP, "errors", NOW) is None


# Two looks


@pytest.mark.parametrize(
    ("scene", "doubtful"),
    [
        (HEALTHY, False),
        (SICK, True),
        (DEAD, True),
        (Scene(says={"m*": part(10, OK), "w*": OK}), True),
        (Scene(says={"m*": part(5, OK), "w*": OK}), True),
        (Scene(moved=1, says={"m0": OK}, first={"m0": 5}), False),
        (Scene(moved=0, fresh=1, says={"w*": OK}), False),
        (DOUBT, False),
        (Scene(failure="down"), False),
        # Who speaks rarely may have spoken between two samples; who has no number would have none there.
        (Scene(says={"m0": OK}), True),
        (Scene(says={"m*": nan, "w*": OK}), False),
    ],
)
def test_what_takes_a_closer_look(scene: Scene, doubtful: bool) -> None:
    assert scene.judged().doubtful == doubtful


FAILED = Scene(failure="down")
SEEN = "0.05 > 0.01 on 10 moved hosts for 10m"


@pytest.mark.parametrize(
    ("first", "second", "objective", "expected"),
    [
        (SICK, SICK, SLO, ("violated", "halt", SEEN)),
        (SICK, HEALTHY, SLO, ("ok", "none", "0.01 on 10 moved hosts")),
        (SICK, DOUBT, slo(on_no_data="ignore"), ("no-data", "none", "...")),
        (SICK, FAILED, SLO, ("error", "hold", f"down; at first sight {SEEN}")),
        (SICK, FAILED, BACK, ("error", "hold", f"down; at first sight {SEEN}")),
        (SICK, FAILED, slo(on_no_data="halt"), ("error", "halt", f"down; at first sight {SEEN}")),
        (SICK, FAILED, slo(on_no_data="ignore"), ("error", "hold", "down; ignored, as on_no_data says; at first...")),
        (DEAD, FAILED, slo(on_no_data="ignore"), ("error", "hold", "...")),
        # Where nothing was seen, nothing is remembered.
        (Scene(says={"m*": part(10, OK)}), FAILED, SLO, ("error", "hold", "down")),
        (
            Scene(says={"m*": part(10, OK)}),
            FAILED,
            slo(on_no_data="ignore"),
            ("error", "none", "down; ignored, as on_no_data says"),
        ),
    ],
)
def test_both_looks(first: Scene, second: Scene, objective: Slo, expected: tuple[str, str, str]) -> None:
    found = after_both_looks(first.judged(objective), second.judged(objective))
    assert (found.status, found.action) == expected[:2]
    assert found.why.startswith(expected[2].removesuffix("..."))
    assert expected[2].endswith("...") or found.why == expected[2]


def test_a_violation_that_would_have_stopped_nobody_stops_nobody_when_it_cannot_be_looked_at_again() -> None:
    objective = slo(on_no_data="ignore")
    states: Sequence[State] = ("rolling-back", "complete")
    for state in states:
        assert after_both_looks(SICK.judged(objective, state), FAILED.judged(objective, state)).action == "none"
    known = [ack(after(121))]
    assert after_both_looks(SICK.judged(objective, acks=known), FAILED.judged(objective, acks=known)).action == "none"


NUMBERS = st.sampled_from([0.0, OK, BAD, -BAD, nan, inf, -inf, 1.7e308, -9e299, 5e-324, None])
SAID = st.lists(NUMBERS, min_size=SAMPLES, max_size=SAMPLES) | NUMBERS | st.just(SILENT)
NAMED = [f"{kind}{number}" for kind in "mw" for number in range(4)]
SCENES = st.builds(
    Scene,
    moved=st.integers(0, 4),
    waiting=st.integers(0, 4),
    fresh=st.integers(0, 2),
    says=st.dictionaries(st.sampled_from([*NAMED, "m*", "w*", "other"]), SAID),
    first=st.dictionaries(st.sampled_from(NAMED[:4]), st.integers(0, SAMPLES - 1)),
    lone=st.lists(NUMBERS, max_size=2),
    roles=st.sampled_from([{}, {"a": NAMED[:2] + NAMED[4:6], "b": NAMED[2:4] + NAMED[6:]}, {"a": NAMED}]),
)
SLOS = st.builds(
    Slo,
    st.just("errors"),
    st.just("q"),
    st.sampled_from(["<= 0.01", ">= 0.01", "== 0.05", "< 1e-300", "> -1e300", "!= 0"]),
    compare=st.sampled_from(["moved", "moved-minus-rest", "fleet"]),
    on_violation=st.sampled_from(["halt", "rollback 2h"]),
    on_no_data=st.sampled_from(["hold", "halt", "ignore"]),
    min_hosts=st.integers(1, 4),
    max_silent=st.sampled_from([Fraction(0), Fraction(1, 10), Fraction(1)]),
)
RUNNING: Sequence[State] = ("running", "rolling-back", "complete", "capped")


@given(SCENES, SLOS, st.sampled_from(RUNNING))
def test_whatever_is_measured_there_is_a_judgement_in_one_line(scene: Scene, objective: Slo, state: State) -> None:
    found = scene.judged(objective, state)
    assert found.why
    assert found.why.isprintable()
    assert found.value is None or isfinite(found.value)
    assert 0 <= found.silent <= found.hosts
    if found.status in ("ok", "not-judged"):
        assert found.action == "none"
    if found.action in ("halt", "rollback"):
        assert found.status == "violated" or objective.on_no_data == "halt"
        assert state in ("running", *(["complete", "capped"] if found.action == "rollback" else []))
    if found.status == "violated" and state == "running":
        assert found.action == objective.on_violation.partition(" ")[0]
    if found.status == "no-data" and state == "running":
        assert found.action != "none" or objective.on_no_data == "ignore"
    if state == "rolling-back":
        assert found.action == "none"
