"""`tsunami demo`: two weeks of rollouts in a few seconds, and a bad version that the guard catches."""

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tsunami_cli.adapters import clock, own_files
from tsunami_cli.adapters.git.creation import create
from tsunami_cli.adapters.git.process import output
from tsunami_cli.adapters.git.repository import Repository
from tsunami_cli.adapters.git.trees import WorkTree
from tsunami_cli.commands import audit, explain, halt, log, publish, pull, resume, start, status
from tsunami_cli.commands.fleet import SETTINGS, Fleet
from tsunami_cli.commands.publishing import Asked, Publisher
from tsunami_cli.commands.workspace import Workspace
from tsunami_cli.core.calendar import unix
from tsunami_cli.core.status import Status, status_of
from tsunami_cli.core.text import duration
from tsunami_cli.core.values import value_of
from tsunami_cli.errors import Refused

if TYPE_CHECKING:
    from tsunami_cli.core.published import Published
    from tsunami_cli.demo.story import Story
    from tsunami_cli.output.demo import Stage

MONDAY = datetime(2016, 11, 14, 9, 0, tzinfo=UTC)
"""Ten in the morning in Stockholm."""
EVENING = timedelta(hours=7)
"""From then to the evening, when the day's work is looked at."""
BEFORE_CLOSING = EVENING - timedelta(minutes=1)
SATURDAY = 5
DAYS = 28
"""More than it takes, also where it is published so rarely that the limits of a role hold its hosts back."""
LEADER = "lon2-accesspoint-a7"
BAD = "0.9.13"
HOURS = 8
"""More than the guard takes, and the way back."""


def command(
    keep: Annotated[
        Path | None,
        typer.Option("--keep", metavar="DIR", help="Do it in this new folder, and leave it there.", show_default=False),
    ] = None,
    pause: Annotated[float, typer.Option("--pause", min=0, max=5, metavar="S", help="Seconds between days.")] = 0.15,
    hours: Annotated[int, typer.Option("--hours", min=1, max=4, metavar="N", help="Hours between publishes.")] = 1,
) -> None:
    """Watch a whole rollout on the example fleet, and a bad one that the guard takes back: weeks in a few seconds.

    It needs no server and no account, and leaves nothing behind unless you say --keep.
    """
    from tsunami_cli.demo.metrics import own_environment

    with own_environment(), _folder(keep) as folder:
        _Demo(folder, pause, hours).run(kept=keep is not None)


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        if keep.exists():
            raise Refused(f"{keep}: is there already: name a new folder for the demo to keep")
        keep.mkdir(parents=True)
        yield keep
        return
    with tempfile.TemporaryDirectory(prefix="tsunami-demo-") as temporary:
        yield Path(temporary)


class _Demo:
    """The example fleet in a repository of its own, and a clock that we turn."""

    def __init__(self, folder: Path, pause: float, hours: int) -> None:
        from tsunami_cli.output.demo import Stage

        self._folder, self._pause, self._now = folder, pause, MONDAY
        # Each day after nine, and once more just before the office closes.
        self._ticks = [*(timedelta(hours=hour) for hour in range(0, 7, hours)), BEFORE_CLOSING]
        lay_out(folder, hours)
        self._stage = Stage()

    def run(self, *, kept: bool) -> None:
        stage, docker = self._stage, ("docker",)
        fleet = Fleet(WorkTree(self._folder))
        stage.opening(len(fleet.inventory.hosts), len(fleet.roles), fleet.names, self._folder if kept else None)
        self._say("tsunami publish")
        publish.command(folder=self._folder)
        self._pull()
        self._say("tsunami start docker --from 1.12.1 --to 1.12.3 --over 14d --reason 'orphaned docker-proxy fix'")
        start.command("docker", "1.12.3", "14d", ["1.12.1"], reason="orphaned docker-proxy fix", folder=self._folder)
        stage.heading("Published all day long: the share grows in working hours, exact in every role")
        self._evenings(0, 3, docker)
        self._say("tsunami halt docker --reason 'search sees slow container starts'")
        halt.command(["docker"], "search sees slow container starts", folder=self._folder)
        stage.heading("Halted: not one host moves, whatever the plan was")
        self._evenings(3, 4, docker)
        self._say("tsunami resume docker --reason 'it was the registry'")
        resume.command("docker", reason="it was the registry", folder=self._folder)
        stage.heading("It goes on with the hours that were left; on the weekend nobody moves, and nothing piles up")
        self._evenings(4, 7, docker)
        self._turn(self._now + timedelta(hours=4))
        self._say("tsunami start helios --to 0.9.12 --over 3d --reason 'agent memory leak'")
        start.command("helios", "0.9.12", "3d", reason="agent memory leak", folder=self._folder)
        stage.heading("Two rollouts at once, each with an order of its own")
        self._evenings(7, 9, ("docker", "helios"))
        self._say(f"tsunami explain {LEADER} docker")
        explain.command(LEADER, "docker", folder=self._folder)
        stage.heading("... until every host has it")
        self._evenings(9, DAYS, docker, until_complete=True)
        self._finish(kept=kept)

    def _finish(self, *, kept: bool) -> None:
        self._turn(self._now + timedelta(hours=1))
        self._say("tsunami status")
        status.command(folder=self._folder)
        self._say("tsunami log")
        log.command(folder=self._folder)
        self._say(f"tsunami audit --host {LEADER}")
        audit.command([LEADER], folder=self._folder)
        self._pull()
        # Published rarely, the last hosts of a role with a limit come late.
        while any(one.state != "complete" for one in _standing(self._folder, ("docker", "helios"))):
            self._turn(self._now + timedelta(days=1))
        # On a Monday: of three days from a Thursday on, one would have working hours.
        week = timedelta(weeks=1)
        second_act(self._folder, self._stage, MONDAY - (MONDAY - self._now) // week * week, self._pause)
        self._stage.ending(clock.now(), self._folder if kept else None)

    def _pull(self) -> None:
        """Let a host ask what it should run."""
        self._say(f"tsunami pull --from $PWD/public --host {LEADER} --out host.json")
        pull.command(str(self._folder / "public"), LEADER, self._folder / "host.json")

    def _say(self, line: str) -> None:
        self._stage.prompt(self._now, line)
        time.sleep(4 * self._pause)

    def _evenings(self, first: int, last: int, names: tuple[str, ...], *, until_complete: bool = False) -> None:
        """Turn the clock from evening to evening, publishing on the way, and show where the variables stand."""
        for day in range(first, last):
            self._turn(MONDAY + timedelta(days=day) + EVENING)
            found = _standing(self._folder, names)
            self._stage.evening(self._now, found)
            time.sleep(self._pause)
            if until_complete and all(one.state == "complete" for one in found):
                break
        self._turn(self._now + duration("16h"))

    def _turn(self, moment: datetime) -> None:
        """Turn the clock, and publish whenever it is time to."""
        days = [MONDAY + timedelta(days=day) for day in range((moment - MONDAY).days + 1)]
        # On a weekend there would be nothing new.
        for tick in (day + after for day in days if day.weekday() < SATURDAY for after in self._ticks):
            if self._now < tick <= moment:
                clock.pretend(tick)
                # The guard would find no metrics of these weeks, and hold everything.
                _publish(self._folder, Asked(no_guard=True))
        self._now = moment
        clock.pretend(moment)


def lay_out(folder: Path, hours: int) -> None:
    """Make the example fleet's repository, to be published every so many hours, and turn the clock to its start."""
    from tsunami_cli.adapters.folders import write_new

    clock.pretend(MONDAY)
    files = own_files.example() | own_files.schemas()
    # A publish every five minutes would be 4,032 of them.
    files[SETTINGS] = files[SETTINGS].replace(b"every: 5m", f"every: {hours}h".encode())
    write_new(folder, files)
    create(folder, "The example fleet", MONDAY)


def second_act(folder: Path, stage: "Stage", begin: datetime, pause: float) -> None:
    """Start a bad version of helios, publish with the guard by the hour, and follow what that does about it."""
    from tsunami_cli.demo.story import Story

    def say(line: str) -> None:
        stage.prompt(clock.now(), line)
        time.sleep(4 * pause)

    clock.pretend(begin)
    stage.second_act(BAD)
    say(f"tsunami start helios --to {BAD} --over 3d --reason 'faster image pulls'")
    start.command("helios", BAD, "3d", reason="faster image pulls", folder=folder)
    stage.heading("Published by the hour, with the guard")
    fleet = Fleet(WorkTree(folder))
    has_it = fleet.variable("helios").roles.match
    story, decided = Story([host for role in fleet.roles if has_it(role.name) for host in role.hosts]), False
    for hour in range(1, HOURS + 1):
        clock.pretend(begin + timedelta(hours=hour))
        done, story = _guarded(folder, stage, story)
        (standing,) = _standing(folder, ("helios",))
        stage.evening(clock.now(), [standing])
        time.sleep(pause)
        if done.ruled and not decided:
            decided = True
            say("tsunami log helios")
            log.command(["helios"], folder=folder)
            say("git log -1")
            stage.text(output(folder, "log", "-1").decode())
            stage.heading("The way back: those told last go first")
        if standing.state == "rolled-back":
            break
    stage.outcome(BAD, story, standing.hosts)


def _guarded(folder: Path, stage: "Stage", story: "Story") -> "tuple[Published, Story]":
    """Publish with the guard; return how the story goes on with that."""
    from tsunami_cli.demo.metrics import metrics

    now = clock.now()
    if story.since:
        with metrics(story, unix(now)) as source:
            stage.source(source)
            done = _publish(folder, Asked())
    else:
        # Nobody has the version yet: there is nothing that the guard would ask.
        done = _publish(folder, Asked())
    stage.found(done)
    news = [one for one in done.publication.news if one.variable == "helios"]
    told = [one.host for one in news if one.after == value_of(BAD)]
    back = [one.host for one in news if one.before == value_of(BAD)]
    return done, story.goes_on(unix(now), told=told, back=back)


def _publish(folder: Path, asked: Asked) -> "Published":
    repository = Repository.discover(folder)
    done = Publisher(repository, asked).publish()
    repository.close()
    return done


def _standing(folder: Path, names: Sequence[str]) -> list[Status]:
    workspace = Workspace(folder)
    fleet = workspace.fleet
    told = [workspace.told(variable, fleet.roles, workspace.record) for variable in fleet.variables(names)]
    pairs = zip(fleet.variables(names), told, strict=True)
    found = [status_of(variable, fleet.roles, workspace.now, one) for variable, one in pairs]
    workspace.repository.close()
    return found
