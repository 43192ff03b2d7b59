"""How the guard goes about it: ask the metrics server, judge, and decide as a person would, in a commit."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from tsunami_cli.adapters.git.repository import Repository
from tsunami_cli.adapters.prometheus.environment import prometheus
from tsunami_cli.commands.deciding import Decided, Decider, Made
from tsunami_cli.commands.fleet import Fleet
from tsunami_cli.core.decisions import Change, halt, rollback
from tsunami_cli.core.guard.cases import Case, Docket
from tsunami_cli.core.guard.judging import Action, Judgement, after_both_looks
from tsunami_cli.core.guard.naming import Names
from tsunami_cli.core.guard.questions import Answer, Question
from tsunami_cli.core.guard.rulings import Ruling, rulings
from tsunami_cli.core.holds import Hold
from tsunami_cli.core.model import Rollout, Slo, Variable
from tsunami_cli.core.problems import Refusal
from tsunami_cli.core.published import Ruled
from tsunami_cli.core.record import Record
from tsunami_cli.core.status import Status, status_of
from tsunami_cli.core.told import Told
from tsunami_cli.errors import TsunamiError, Unreachable, Usage

AS_VERB = {"halt": "halt", "rollback": "roll back"}
DECISIONS = tuple(AS_VERB)
"""The actions that are decisions: commits on the branch."""


@dataclass(frozen=True)
class Enacted:
    """A ruling, and what became of it."""

    ruling: Ruling
    commit: str | None = None
    """The commit that says so; None where there was none to make."""
    failure: TsunamiError | None = None
    """Why it could not be made, or is in this clone alone."""
    made: str | None = None
    """What was decided, where that is not what the ruling asks for: a halt in the place of a rollback."""

    @property
    def action(self) -> Action:
        """What was done, or was to be."""
        return "halt" if self.made == "halt" else self.ruling.action

    @property
    def exit_code(self) -> int:
        """0, that of the failure, or 4 where something could not be asked."""
        if self.failure is not None:
            return self.failure.exit_code
        return 4 if any(one.status == "error" for one in self.ruling.judgements) else 0


def judge(
    fleet: Fleet,
    variables: Sequence[Variable],
    told: Callable[[Variable], Told | None],
    now: datetime,
    *,
    anyway: bool = False,
) -> list[Judgement]:
    """Return the judgement on every SLO of the variables, in their order.

    `told` gives what the ledger says of one; `anyway` measures also what cannot be judged now. What is asked alike is
    asked once; where a first look is not enough to act on, a closer one follows. Where the metrics server fails, that
    is the judgement.
    """
    dockets = [Docket(variable, fleet.roles, told(variable), now) for variable in variables if variable.slos]
    cases = [case for docket in dockets for case in docket.cases(anyway=anyway)]
    if not cases:
        return []
    names = Names(fleet.inventory.hosts)
    found = _heard(fleet, names, cases, whole=anyway)
    closer = {place: case.closer(one) for place, (case, one) in enumerate(zip(cases, found, strict=True))}
    again = {place: case for place, case in closer.items() if case is not None}
    for place, judgement in zip(again, _heard(fleet, names, list(again.values()), whole=True), strict=True):
        found[place] = after_both_looks(found[place], judgement)
    return found


def _heard(fleet: Fleet, names: Names, cases: Sequence[Case], *, whole: bool) -> list[Judgement]:
    """Return the judgement on each case, made as soon as its answers are there, and these then forgotten.

    What a judgement was made by is forgotten too, unless something follows from it or `whole` is asked for.
    """
    label = fleet.settings.host_label
    found: dict[int, Judgement] = {}
    waiting: dict[Question, list[int]] = {}
    answers: dict[Question, Answer] = {}
    for place, case in enumerate(cases):
        for question in case.questions:
            waiting.setdefault(question, []).append(place)
        if not case.questions:
            found[place] = _judged(case, {}, names, label)
    for question, answer in _answers(fleet, waiting):
        answers[question] = answer
        for place in waiting[question]:
            case = cases[place]
            if all(one in answers for one in case.questions):
                judgement = _judged(case, answers, names, label)
                found[place] = judgement if whole or judgement.action != "none" else replace(judgement, measured=None)
        for known in list(answers):
            if all(place in found for place in waiting[known]):
                del answers[known]
    return [found[place] for place in range(len(cases))]


def _judged(case: Case, answers: Mapping[Question, Answer], names: Names, label: str) -> Judgement:
    try:
        return case.judged(answers, names, label)
    except Exception as bug:
        # Falls to a hold: a bug that one SLO brings to light must not cost the others their halts.
        return case.failed(f"this is a bug in tsunami ({type(bug).__name__}: {bug})")


def _answers(fleet: Fleet, questions: Collection[Question]) -> Iterable[tuple[Question, Answer]]:
    if not questions:
        return ()
    try:
        return prometheus(fleet.settings.prometheus, len(fleet.inventory.hosts)).answers(questions)
    except Usage as wrong:
        # Falls to a hold: who wrote an SLO wants it watched, and all that has nothing to do with it goes on.
        return [(question, Answer(failure=str(wrong))) for question in questions]


@dataclass
class Guarded:
    """The guard's part in one publish: what it held and decided, over all attempts."""

    holds: dict[str, tuple[Hold, ...]] = field(default_factory=dict)
    ruled: list[Ruled] = field(default_factory=list)
    _failed: int = 0
    _tried: list[tuple[str, Rollout | None, Sequence[Slo]]] = field(default_factory=list)
    """Decisions that were tried, so that one that cannot be made is not tried again and again."""
    _known: dict[str, tuple[Variable, str, Ruling]] = field(default_factory=dict)
    """By name what was ruled on a variable as it was then, beside which ledger entry."""

    def look(
        self, fleet: Fleet, variables: Sequence[Variable], previous: Record, now: datetime, root: Repository | None
    ) -> bool:
        """Judge, and decide; say whether there is a decision that is to be published instead.

        Without a repository nothing is decided. What would be decided, and what could not, is held.
        """
        self.holds = {}
        decider = Decider(None, root) if root else None
        decided = False
        for ruling in self._rulings(fleet, variables, previous, now):
            more = ""
            if ruling.action in DECISIONS:
                decided |= self._decide(ruling, decider)
                more = f" (the guard {'would' if decider is None else 'could not'} {AS_VERB[ruling.action]})"
            if ruling.action != "none":
                self.holds[ruling.variable] = ruling.holds(previous.told(ruling.variable), now, more)
        return decided

    def _rulings(
        self, fleet: Fleet, variables: Sequence[Variable], previous: Record, now: datetime
    ) -> Sequence[Ruling]:
        """Return the rulings on all variables; those that another attempt of this publish has made stand."""
        known = {
            name: ruling
            for name, (variable, entry, ruling) in self._known.items()
            if entry == previous.commit and variable in variables
        }
        fresh = [variable for variable in variables if variable.name not in known]
        by_name = {variable.name: variable for variable in fresh}
        for ruling in rulings(judge(fleet, fresh, lambda variable: previous.told(variable.name), now)):
            known[ruling.variable] = ruling
            self._known[ruling.variable] = (by_name[ruling.variable], previous.commit, ruling)
        return [known[variable.name] for variable in variables if variable.name in known]

    @property
    def exit_code(self) -> int:
        """That of a decision that failed, or 4 where something is held because it could not be asked; else 0."""
        unasked = any(hold.unasked for holds in self.holds.values() for hold in holds)
        return self._failed or (Unreachable.exit_code if unasked else 0)

    def _decide(self, ruling: Ruling, decider: Decider | None) -> bool:
        """Make a decision, once; say whether it, or another one meanwhile, is on the branch."""
        key = (ruling.variable, ruling.rollout, ruling.slos)
        if key in self._tried:
            return False
        self._tried.append(key)
        done = enact(ruling, decider) if decider else Enacted(ruling)
        if done.failure is not None:
            self._failed = done.failure.exit_code
        if decider is None or done.failure is not None or done.commit is not None:
            failure = str(done.failure) if done.failure else None
            why = ruling.because[0].why
            self.ruled.append(Ruled(ruling.variable, done.action, ruling.slo, why, done.commit, failure))
        return decider is not None and done.failure is None


def enact(ruling: Ruling, decider: Decider) -> Enacted:
    """Make the decision that a ruling asks for; none where somebody else has decided on the rollout meanwhile."""

    def make(fleet: Fleet) -> Sequence[Made]:
        loaded = fleet.load(ruling.variable, alone=True)
        variable = loaded.variable
        if variable is None or (variable.active, variable.slos) != (ruling.rollout, ruling.slos):
            return []
        status = status_of(variable, fleet.roles, decider.now, decider.told(variable))
        change = _change(ruling, status, decider.now)
        return [Made(replace(change, guard=ruling.slo), loaded)] if change else []

    try:
        decided: Decided = decider.decide(make, ruling.reason, urgent=True, keep=False)
    except (Refusal, TsunamiError) as no:
        return Enacted(ruling, failure=no if isinstance(no, TsunamiError) else TsunamiError(str(no)))
    made = decided.made[0].change.action if decided.made else None
    return Enacted(ruling, decided.outcome.commit, decided.outcome.failure, made)


def _change(ruling: Ruling, status: Status, now: datetime) -> Change | None:
    if ruling.action == "rollback":
        try:
            return rollback(status, now, ruling.back)
        except Refusal:
            # Falls to a halt: there is no way back, but there need not be one forward.
            return halt(status, now)
    return halt(status, now)
