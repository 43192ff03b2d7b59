"""What the guard has to judge, and what it has to ask for that; no question where nothing can follow from it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property

from tsunami_cli.core.guard.cohorts import Cohorts, cohorts_of
from tsunami_cli.core.guard.judging import Action, Judgement, judged, unjudged
from tsunami_cli.core.guard.measuring import measured
from tsunami_cli.core.guard.naming import Names
from tsunami_cli.core.guard.queries import expanded, names_version
from tsunami_cli.core.guard.questions import Answer, Question, Window
from tsunami_cli.core.lineup import Role, lineups
from tsunami_cli.core.model import Slo, Variable
from tsunami_cli.core.status import State, status_of
from tsunami_cli.core.told import Told, adopted


@dataclass(frozen=True)
class Docket:
    """A variable with its SLOs, at one instant."""

    variable: Variable
    roles: Sequence[Role]
    told: Told | None
    """What the ledger says; None where nothing was ever published, and then the plan counts."""
    now: datetime
    _known: dict[tuple[Window, timedelta], Cohorts] = field(default_factory=dict, repr=False)

    @cached_property
    def state(self) -> State:
        """Where the variable stands.

        A machine that is only just joining, told nothing yet, does not make a rollout that is through run again.
        """
        state, active = status_of(self.variable, self.roles, self.now, self.told).state, self.variable.active
        if state != "running" or self.told is None or active is None or active.progress(self.now) < 1:
            return state
        moved = adopted(self.variable, self.told, self.now).moved.get(active.id, {})
        free = (host for lineup in lineups(self.variable, self.roles) for host in lineup.free)
        return state if any(host not in moved and self.told.knows(host) for host in free) else "complete"

    def cohorts(self, window: Window, settle: timedelta) -> Cohorts:
        """Return who is held against whom; SLOs that look alike share that."""
        active = self.variable.active
        if active is None:
            return Cohorts()
        key = (window, settle)
        if key not in self._known:
            self._known[key] = cohorts_of(self.variable, active, self.roles, self.told, window, settle)
        return self._known[key]

    def cases(self, *, anyway: bool = False) -> Iterator["Case"]:
        """Yield the SLOs in the order of the file.

        With `anyway` also what cannot be judged now is asked, and closely, for somebody to look at.
        """
        for slo in self.variable.slos:
            yield self.case(slo, fine=anyway, anyway=anyway)

    def case(self, slo: Slo, *, fine: bool, anyway: bool = False, before: bool = False) -> "Case":
        """Return one SLO as a case; `fine` for a closer look, `before` for one at what was before the rollout too."""
        active, window = self.variable.active, Window.until(self.now, slo.sustained, fine=fine)
        cohorts = self.cohorts(window, slo.settle)
        why = unjudged(slo, active, self.state, cohorts, self.now)
        texts: Sequence[str] = ()
        failure = None
        if active is not None and (why is None or anyway):
            applying = [role.name for role in self.roles if self.variable.roles.match(role.name)]
            try:
                texts = expanded(slo.query, self.variable, active, applying)
            except ValueError as wrong:
                failure = f"the query cannot be asked: {wrong}"
        earlier = Window.until(active.schedule.starts, slo.sustained, fine=False) if active and before else None
        return Case(
            docket=self,
            slo=slo,
            cohorts=cohorts,
            window=window,
            fine=fine,
            now=[Question(text, window) for text in texts],
            before=[Question(text, earlier) for text in texts] if earlier else (),
            unjudged=why,
            failure=failure,
        )


@dataclass(frozen=True)
class Case:
    """An SLO of a variable, and the questions that decide it."""

    docket: Docket
    slo: Slo
    cohorts: Cohorts
    window: Window
    fine: bool
    now: Sequence[Question]
    """None where there is nothing to ask; several where it goes role by role."""
    before: Sequence[Question]
    """The same about the time before the rollout, where it takes that to tell who fell silent from who never spoke."""
    unjudged: str | None
    """Why nothing is judged."""
    failure: str | None
    """Why the query cannot be asked as it stands."""

    @property
    def questions(self) -> Sequence[Question]:
        """All that is asked."""
        return (*self.now, *self.before)

    def closer(self, first: Judgement) -> "Case | None":
        """Return the case for a closer look, where the first one is not enough to act on."""
        before = first.unclear and not self.before
        if not (before or (first.doubtful and not self.fine)):
            return None
        return self.docket.case(self.slo, fine=True, anyway=self.unjudged is not None, before=before)

    def failed(self, why: str) -> Judgement:
        """Return the judgement where none could be made: a hold, unless nobody moves on anyway."""
        variable, going = self.docket.variable, self.docket.state == "running"
        action: Action = "hold" if going and self.unjudged is None else "none"
        return Judgement(variable.name, variable.active, self.slo, "error", why, action)

    def judged(self, answers: Mapping[Question, Answer], names: Names, label: str) -> Judgement:
        """Return the judgement; `label` is the one by which series name their hosts."""
        variable, rollout = self.docket.variable, self.docket.variable.active
        found = None
        if self.now or self.failure:
            replies = [answers[question] for question in self.now] or [Answer(failure=self.failure)]
            earlier = [answers[question] for question in self.before]
            # What cannot be had of the time before is as if nothing were known of it; so is a time without any series,
            # which may lie before there was a metrics server, or too far back for it.
            had = any(answer.series for answer in earlier) and not any(answer.failure for answer in earlier)
            known = earlier if had else None
            found = measured(
                self.window,
                self.cohorts,
                replies,
                names,
                label,
                before=known,
                versioned=names_version(self.slo.query),
            )
            found = replace(found, queries=tuple(question.query for question in self.now))
        if found is None or rollout is None or self.unjudged is not None:
            why = self.unjudged or "nothing was asked"
            return Judgement(variable.name, rollout, self.slo, "not-judged", why, measured=found)
        return judged(variable, rollout, self.slo, self.docket.state, found, self.docket.now)
