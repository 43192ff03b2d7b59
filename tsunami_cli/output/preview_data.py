"""What a change will do, as JSON data: all of it, with exact counts; instants end in `Z`.

now, base, head     the instant, the commit without the change, and the one with it (null for the work tree)
ledger              the entry that figures go by; null where they are planned ones
variables           those whose files differ, sorted by name:
  name, file        `docker`, `rollouts/docker.yaml`
  change            added | changed | removed
  broken            whether the new file has errors; hosts then keep what they have
  state             {"before", "after"}: as `status` has them; null where there is no file, or a broken one
  values            {"before", "after"}: hosts by value, after a publish now without and with the change
  roles             the roles in which that differs: [{"role", "before", "after"}]
  at_once           who is told something else by the next publish: {"hosts", "changed", "gained", "lost",
                    "tellings": [{"host", "role", "from", "to"}]}; null where it has no value
  spared            hosts that would be told something else by the next publish, and are not, as after a halt
  rollout           a new or rescheduled one: {"id", "change": new | rescheduled, "from", "to", "over", "after",
                    "starts_at", "begins_at", "ends_at", "schedule", "hosts", "first_hour", "first_day",
                    "milestones": [{"name", "at", "hosts", "roles"}], "steepest": {"role", "hosts", "of", "percent"},
                    "roles": [{"role", "hosts", "pinned", "moves", "per_hour"}]}; null for none. `begins_at` is the
                    first open second; hosts move within an hour or a day of that, or of now
  keys              [{"key", "before", "after"}]: what differs in the file, as text; null for what is not there
  decisions         what was decided by command among the commits between: the keys of `log`
  problems          those of this file
inventory           null, or {"file", "hosts": {"before", "after"}, "joined", "left": [{"host", "role"}], "moved":
                    [{"host", "from", "to"}], "relabelled", "roles": [{"role", "before", "after"}],
                    "gone_percent", "max_shrink_percent"}
settings            [{"key", "before", "after"}]
decisions           what was decided by command on all variables at once, as a freeze: the keys of `log`
effects             what inventory and settings do to variables whose files stay: [{"name", "rollout", "state",
                    "quotas": [{"role", "before", "after"}], "at_once", "spared"}]
problems            all of them, the worst first: the keys of `validate`, with one severity more, `info`

More keys may be added.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from tsunami_cli.core.course import milestones
from tsunami_cli.core.previewing.courses import Course
from tsunami_cli.core.previewing.fleet import Effect, InventoryChange
from tsunami_cli.core.previewing.preview import Preview, VariableChange
from tsunami_cli.core.previewing.standing import Turn
from tsunami_cli.core.text import duration_text, instant_text
from tsunami_cli.core.values import Value, key_text, scalar
from tsunami_cli.output.log import as_data as entry_data
from tsunami_cli.output.status import percent


def as_data(found: Preview) -> dict[str, Any]:
    """Return a preview as JSON data."""
    return {
        "now": instant_text(found.now),
        "base": found.ends.base,
        "head": found.ends.head,
        "ledger": found.ledger and found.ledger[1],
        "variables": [_variable(one) for one in found.variables],
        "inventory": found.inventory and _inventory(found.inventory),
        "settings": [asdict(change) for change in found.settings],
        "decisions": [entry_data(entry) for entry in found.decisions],
        "effects": [_effect(one) for one in found.effects],
        "problems": [asdict(problem) for problem in found.problems],
    }


def _variable(one: VariableChange) -> dict[str, Any]:
    sides = (one.before, one.after)
    return {
        "name": one.name,
        "file": one.file,
        "change": one.kind,
        "broken": one.broken,
        "state": _sides(*(side.status.state if side and side.status else None for side in sides)),
        "values": _sides(*(_counts(side.values if side else {}) for side in sides)),
        "roles": _roles(*(side.by_role if side else {} for side in sides)),
        "at_once": _at_once(one.turns),
        "spared": list(one.spared),
        "rollout": one.course and _course(one.course),
        "keys": [asdict(change) for change in one.keys],
        "decisions": [entry_data(entry) for entry in one.decisions],
        "problems": [asdict(problem) for problem in one.problems],
    }


def _sides(before: object, after: object) -> dict[str, object]:
    return {"before": before, "after": after}


def _counts(values: dict[Value, int]) -> dict[str, int]:
    return {key_text(value): count for value, count in values.items()}


def _roles(before: dict[str, dict[Value, int]], after: dict[str, dict[Value, int]]) -> list[dict[str, object]]:
    names = (name for name in sorted({*before, *after}) if before.get(name) != after.get(name))
    return [{"role": n, **_sides(_counts(before.get(n, {})), _counts(after.get(n, {})))} for n in names]


def _at_once(turns: Sequence[Turn]) -> dict[str, Any]:
    return {
        "hosts": len(turns),
        "changed": sum(turn.before is not None and turn.after is not None for turn in turns),
        "gained": sum(turn.before is None for turn in turns),
        "lost": sum(turn.after is None for turn in turns),
        "tellings": [
            {"host": turn.host, "role": turn.role, "from": _scalar(turn.before), "to": _scalar(turn.after)}
            for turn in turns
        ],
    }


def _scalar(value: Value | None) -> object:
    return None if value is None else scalar(value)


def _course(course: Course) -> dict[str, Any]:
    rollout, steepest = course.rollout, course.steepest
    points = rollout.schedule.waypoints
    return {
        "id": rollout.id,
        "change": course.kind,
        "from": [scalar(value) for value in rollout.came_from],
        "to": scalar(rollout.to),
        "over": duration_text(rollout.over),
        "after": rollout.after and asdict(rollout.after),
        "starts_at": instant_text(rollout.schedule.starts),
        "begins_at": instant_text(course.begins),
        "ends_at": instant_text(rollout.schedule.ends),
        "schedule": [{"at": instant_text(w.at), "percent": float(round(100 * w.share, 9))} for w in points],
        "hosts": course.hosts,
        "first_hour": course.first_hour,
        "first_day": course.first_day,
        "milestones": [
            {"name": stone.name, "at": instant_text(stone.at), "hosts": stone.hosts, "roles": stone.roles}
            for stone in milestones(course.placed, rollout)
        ],
        "steepest": steepest
        and {
            "role": steepest.role,
            "hosts": steepest.hosts,
            "of": steepest.of,
            "percent": None if steepest.share is None else percent(steepest.share),
        },
        "roles": [
            {
                "role": one.role,
                "hosts": one.hosts,
                "pinned": one.pinned,
                "moves": one.final,
                "per_hour": one.steepest.hosts if one.steepest.rate else 0,
            }
            for one in course.roles
        ],
    }


def _inventory(change: InventoryChange) -> dict[str, Any]:
    return {
        "file": change.file,
        "hosts": _sides(change.before, change.after),
        "joined": [{"host": host, "role": role} for host, role in change.joined],
        "left": [{"host": host, "role": role} for host, role in change.left],
        "moved": [{"host": host, "from": old, "to": new} for host, old, new in change.rerolled],
        "relabelled": change.relabelled,
        "roles": [{"role": role, **_sides(old, new)} for role, old, new in change.roles],
        "gone_percent": percent(change.gone),
        "max_shrink_percent": percent(change.max_shrink),
    }


def _effect(one: Effect) -> dict[str, Any]:
    return {
        "name": one.name,
        "rollout": one.rollout,
        "state": _sides(*one.state),
        "quotas": [{"role": role, **_sides(old, new)} for role, old, new in one.quotas],
        "at_once": _at_once(one.turns),
        "spared": list(one.spared),
    }
