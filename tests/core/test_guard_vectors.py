"""What Argo Rollouts and Flagger decide in a situation, beside what the guard here decides: the same, or why not."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from math import inf, nan

import pytest

from tests.core.fleets import inventory, variable
from tests.core.test_guard_judging import BAD, DOUBT, NOW, OK, SAMPLES, SLO, UP, WINDOW, Scene, slo
from tests.core.test_vectors import rows
from tsunami_cli.core.calendar import moment_of
from tsunami_cli.core.guard.cohorts import Cohorts, cohorts_of
from tsunami_cli.core.guard.judging import Judgement, unjudged
from tsunami_cli.core.guard.objective import Objective
from tsunami_cli.core.guard.rulings import rulings
from tsunami_cli.core.lineup import roles_of
from tsunami_cli.core.model import Slo
from tsunami_cli.core.told import Telling, Told

Outcome = tuple[str, str]
"""Our status and action."""


@dataclass(frozen=True)
class Compared:
    """A situation that can arise here too."""

    outcome: Outcome
    found: Callable[[], Outcome]
    same: bool
    why: str
    """In one sentence: what is alike, or why it differs."""

    @property
    def verdict(self) -> str:
        status, action = self.outcome
        return f"{status}, {action}" if status else action


@dataclass(frozen=True)
class Alone:
    """What has no counterpart here."""

    why: str


def seen(scene: Scene, of: Slo = SLO) -> Callable[[], Outcome]:
    def found() -> Outcome:
        one = scene.judged(of)
        return one.status, one.action

    return found


MEASURED = {
    "argo-fail-1": "---",
    "argo-count-1": "++++++++++",
    "argo-csl-0": "--+-+++",
    "argo-csl-2": "+---+++",
    "argo-csl-4": "+-+-+++",
    "argo-both-0": "-+--+++",
    "argo-both-2": "--+-++++",
    "argo-both-4": "-+-+-+-+++",
    "argo-both-6": "-+-+--++++",
    "argo-both-8": "-++--+++",
    "argo-both-10": "--+-++++",
    "flagger-rollback": "-----------",
}
"""Measurements with the counts of a situation, good (+) or bad (-), oldest first."""


def samples(situation: str) -> Scene:
    """Return hosts whose samples are good or bad as those, spread over the time that is judged."""
    passed = MEASURED[situation]
    said = [OK if passed[place * len(passed) // SAMPLES] == "+" else BAD for place in range(SAMPLES)]
    return Scene(says={"m*": said})


def always(value: float, objective: str) -> Callable[[], Outcome]:
    return seen(Scene(says={"m*": value}), slo(objective=objective))


def unasked() -> Outcome:
    assert unjudged(SLO, UP, "running", Cohorts(waiting=frozenset({"w0"})), NOW) == "no host has moved yet"
    return "not-judged", "none"


def together(*found: Judgement) -> Outcome:
    (one,) = rulings(found)
    return "", one.action


def no_objective() -> Outcome:
    with pytest.raises(ValueError, match="is not an objective"):
        Objective.parse("bad expression")
    return "", "refused"


def settled(seconds: int) -> Callable[[], Outcome]:
    """Judge a bad host that was told so many seconds before the first sample, where it takes 20 to settle."""
    told = moment_of(WINDOW.start - seconds)
    setting, fleet = variable(UP), inventory(m=["m0"], w=["w0"])
    found = Told(NOW, moved={UP.id: {"m0": Telling(UP.to, told)}})

    def outcome() -> Outcome:
        cohorts = cohorts_of(setting, UP, roles_of(fleet), found, WINDOW, timedelta(seconds=20))
        first = cohorts.moved["m0"][0] if "m0" in cohorts.moved else None
        if first is None:
            return seen(Scene(moved=0, fresh=1, says={"w*": OK}))()
        return seen(Scene(moved=1, says={"m0": BAD, "w*": OK}, first={"m0": first}))()

    return outcome


HEALTHY = Scene(says={"m*": OK}).judged()
TABLE: dict[str, Compared | Alone] = {
    "argo-nomeas": Compared(
        ("not-judged", "none"),
        unasked,
        False,
        "Nothing is asked before a host has moved, as there; but that is no verdict here, also at the end.",
    ),
    "argo-fail-1": Compared(
        ("violated", "halt"),
        seen(samples("argo-fail-1")),
        True,
        "All samples are bad; what counts there is that they are more than two, here that they are all of `for`.",
    ),
    "argo-inc-1": Compared(
        ("no-data", "hold"),
        seen(Scene(says={"m*": nan})),
        False,
        "Doubt holds at once, and ends by itself when there is data again; there it takes more than two of them.",
    ),
    "argo-err-1": Compared(
        ("error", "hold"),
        seen(Scene(failure="down")),
        False,
        "The first error holds, and the tenth does no more than that; there four in a row pass, and the fifth aborts.",
    ),
    "argo-count-1": Compared(
        ("ok", "none"),
        seen(samples("argo-count-1")),
        False,
        "Good as there, but never for good: every publish judges anew.",
    ),
    "argo-csl-0": Compared(
        ("ok", "none"),
        seen(samples("argo-csl-0")),
        True,
        "Bad samples do not count once good ones follow.",
    ),
    "argo-csl-2": Compared(
        ("ok", "none"),
        seen(samples("argo-csl-2")),
        False,
        "One good sample within `for` is enough; there it takes five in a row, and a count of seven is the end.",
    ),
    "argo-csl-4": Compared(("ok", "none"), seen(samples("argo-csl-4")), True, "The last samples are good."),
    "argo-both-0": Compared(
        ("ok", "none"), seen(samples("argo-both-0")), True, "Neither has a reason to stop, and the rollout goes on."
    ),
    "argo-both-2": Compared(("ok", "none"), seen(samples("argo-both-2")), True, "The last samples are good."),
    "argo-both-4": Compared(
        ("ok", "none"),
        seen(samples("argo-both-4")),
        False,
        "There is no end at which too few good samples in a row would be a doubt.",
    ),
    "argo-both-6": Compared(("ok", "none"), seen(samples("argo-both-6")), True, "The last samples are good."),
    "argo-both-8": Compared(
        ("ok", "none"), seen(samples("argo-both-8")), True, "Neither has a reason to stop, and the rollout goes on."
    ),
    "argo-both-10": Compared(("ok", "none"), seen(samples("argo-both-10")), True, "The last samples are good."),
    "argo-worst-0": Compared(
        ("", "none"),
        lambda: together(HEALTHY, Judgement("x", UP, SLO, "not-judged", "too thin")),
        True,
        "What cannot be judged yet stops nothing beside what is good.",
    ),
    "argo-worst-2": Compared(
        ("", "halt"),
        lambda: together(Scene(says={"m*": BAD}).judged(), Judgement("x", UP, SLO, "not-judged", "too thin")),
        False,
        "One objective that is violated halts in the same look; there the run ends with the next one.",
    ),
    "argo-value-1": Compared(
        ("no-data", "hold"),
        seen(Scene(says={"m*": nan}), slo(objective=">= 0.9")),
        False,
        "NaN is no data, and an objective cannot say otherwise: `or` in the query can.",
    ),
    "argo-value-3": Compared(
        ("no-data", "hold"),
        seen(Scene(says={"m*": inf}), slo(objective=">= 0.9")),
        False,
        "Infinity is no data: as a rule somebody divided by 0.",
    ),
    "argo-value-5": Compared(
        ("error", "hold"),
        seen(Scene(failure="its answer is no JSON")),
        True,
        "An answer that cannot be read is an error, and never good.",
    ),
    "argo-cond-0": Compared(("ok", "none"), always(OK, "<= 0.01"), True, "What meets the objective is good."),
    "argo-cond-2": Alone("an objective is one comparison, so that there is nothing between met and missed"),
    "argo-cond-4": Compared(
        ("violated", "halt"),
        always(BAD, "<= 0.01"),
        True,
        "What does not meet the objective is bad; here over all of `for`.",
    ),
    "argo-cond-6": Compared(
        ("", "refused"),
        no_objective,
        False,
        "A file with an objective that has no meaning is not valid, so that it is never evaluated: nobody moves by it.",
    ),
    "argo-empty-0": Compared(
        ("no-data", "hold"), seen(DOUBT), False, "Nothing is no data and not an error; no host moves by it either way."
    ),
    "argo-empty-2": Compared(
        ("no-data", "hold"),
        seen(DOUBT),
        False,
        "An objective cannot say that nothing is good; `on_no_data: ignore` or `or` in the query can.",
    ),
    "argo-empty-4": Compared(
        ("no-data", "hold"),
        seen(Scene(says={"m*": None})),
        False,
        "No sample is no data; a default is written in the query, and has to name the hosts.",
    ),
    "argo-doc-bug": Alone("failures are not counted, so there is no limit that could be met or exceeded by one"),
    "argo-delay-0": Compared(
        ("no-data", "hold"),
        settled(-WINDOW.step * WINDOW.steps),
        False,
        "A host that still settles is not measured, as there; but no further host moves until it is.",
    ),
    "argo-delay-2": Compared(
        ("violated", "halt"), settled(20), True, "Who was told exactly `settle` ago counts, from that second on."
    ),
    "flagger-ok": Compared(("ok", "none"), always(100.0, "== 100"), True, "The value is the value."),
    "flagger-nan": Compared(("no-data", "hold"), seen(Scene(says={"m*": nan})), True, "NaN is no value."),
    "flagger-halt-0": Compared(
        ("no-data", "hold"),
        seen(DOUBT),
        True,
        "Nothing advances without values; here no counter runs towards a rollback meanwhile.",
    ),
    "flagger-range-0": Compared(("ok", "none"), always(99.0, ">= 99"), True, "A bound that is met exactly is met."),
    "flagger-range-2": Compared(("ok", "none"), always(50.0, "<= 50"), True, "A bound that is met exactly is met."),
    "flagger-rollback": Compared(
        ("violated", "rollback"),
        seen(samples("flagger-rollback"), slo(on_violation="rollback 2h")),
        False,
        "Time decides and no count: all samples over `for`; and the way back is gradual, where the file asks for one.",
    ),
}


COUNTS: dict[str, Callable[[str], int]] = {
    "failed": lambda passed: passed.count("-"),
    "failed_checks": lambda passed: len(passed) - 1,
    "successful": lambda passed: passed.count("+"),
    "consecutiveSuccess": lambda passed: len(passed) - len(passed.rstrip("+")),
    "count": len,
}


def test_measurements_are_those_of_their_situation() -> None:
    for row in rows("analysis-outcomes.json"):
        for name, count in COUNTS.items():
            if row["id"] in MEASURED and name in row["scenario"]:
                assert count(MEASURED[row["id"]]) == row["scenario"][name], (row["id"], name)


def test_every_situation_is_compared_or_has_no_counterpart() -> None:
    assert [row["id"] for row in rows("analysis-outcomes.json")] == list(TABLE)


@pytest.mark.parametrize("situation", [name for name, row in TABLE.items() if isinstance(row, Compared)])
def test_what_the_guard_decides(situation: str) -> None:
    row = TABLE[situation]
    assert isinstance(row, Compared)
    assert row.found() == row.outcome


@pytest.mark.parametrize(("value", "objective"), [(98.999, ">= 99"), (50.001, "<= 50"), (99.0, "> 99"), (50.0, "< 50")])
def test_beyond_a_bound_it_is_missed(value: float, objective: str) -> None:
    assert always(value, objective)() == ("violated", "halt")


def test_one_good_sample_of_eleven_is_no_rollback() -> None:
    for good in range(SAMPLES):
        said = [OK if place == good else BAD for place in range(SAMPLES)]
        assert seen(Scene(says={"m*": said}), slo(on_violation="rollback 2h"))() == ("ok", "none")
