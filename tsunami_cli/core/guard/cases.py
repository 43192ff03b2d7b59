"""What the guard has to judge, and what it has to ask for that; no question where nothing can follow from it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from tsunami_cli.core.guard.cohorts import Cohorts, cohorts_of
from tsunami_cli.core.guard.judging import Judgement, judged, unjudged
from tsunami_cli.core.guard.measuring import Measured, measured
from tsunami_cli.core.guard.naming import Names
from tsunami_cli.core.guard.queries import expanded
from tsunami_cli.core.guard.questions import Answer, Question, Window
from tsunami_cli.core.lineup import Role
from tsunami_cli.core.model import Slo, Variable
from tsunami_cli.core.status import State, status_of
from tsunami_cli.core.told import Told


@dataclass(frozen=True)
class Case:
    """An SLO of a variable, and the questions that decide it."""

    variable: Variable
    slo: Slo
    state: State
    cohorts: Cohorts
    window: Window
    questions: Sequence[Question] = ()
    """None where there is nothing to ask; several where it goes role by role."""
    unjudged: str | None = None
    """Why nothing is asked."""
    failure: str | None = None
    """Why the query cannot be asked as it stands."""

    def measured(self, answers: Mapping[Question, Answer], names: Names, label: str) -> Measured:
        """Return what was measured; `label` is the one by which series name their hosts."""
        found = [answers[question] for question in self.questions] or [Answer(failure=self.failure)]
        answered = measured(self.window, self.cohorts, found, names, label)
        return replace(answered, queries=tuple(question.query for question in self.questions))

    def judged(self, found: Measured | None, now: datetime) -> Judgement:
        """Return the judgement; `found` is None where nothing was asked."""
        rollout = self.variable.active
        if found is None or rollout is None or self.unjudged is not None:
            why = self.unjudged or "nothing was asked"
            return Judgement(self.variable.name, rollout, self.slo, "not-judged", why, measured=found)
        return judged(self.variable, rollout, self.slo, self.state, found, now)


def cases(
    variable: Variable, roles: Sequence[Role], told: Told | None, now: datetime, *, anyway: bool = False
) -> Iterator[Case]:
    """Yield the SLOs of a variable as cases, in the order of its file.

    `told` is what the ledger says; None where nothing was ever published, and then the plan counts. With `anyway` also
    what cannot be judged now is asked, for somebody to look at.
    """
    if not variable.slos:
        return
    active, state = variable.active, status_of(variable, roles, now, told).state
    applying = [role.name for role in roles if variable.roles.match(role.name)]
    known: dict[object, Cohorts] = {}
    for slo in variable.slos:
        window = Window.until(now, slo.sustained)
        key = (window, slo.settle)
        if key not in known:
            known[key] = cohorts_of(variable, active, roles, told, window, slo.settle) if active else Cohorts()
        why, failure = unjudged(slo, active, state, known[key], now), None
        questions: Sequence[Question] = ()
        if active is not None and (why is None or anyway):
            try:
                questions = [Question(text, window) for text in expanded(slo.query, variable, active, applying)]
            except ValueError as wrong:
                failure = f"the query cannot be asked: {wrong}"
        yield Case(variable, slo, state, known[key], window, questions, why, failure)
