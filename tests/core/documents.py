"""A variable as plain data, and edits carried out on it: what the YAML door does, without YAML.

Scalars stay the text that stands in the file.
"""

import copy
import json
import re
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

from tsunami_cli.core.edits import Edit, Insert, Put, Remove
from tsunami_cli.core.model import Globs, Pin, Rollout, Variable
from tsunami_cli.core.text import duration

_TOKEN = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[\[\]{},]|:(?=\s)|[^\s\[\]{},:"]+(?::[^\s,\[\]{}]+)*)')


def document(variable: Variable) -> dict[str, Any]:
    """What the file says of default, pins and rollouts; instants as text, percents and lengths as numbers."""
    return {
        "default": str(variable.default),
        "pins": [_pin(pin) for pin in variable.pins],
        "rollouts": [_rollout(rollout) for rollout in variable.rollouts],
    }


def edited(variable: Variable, edits: Iterable[Edit]) -> dict[str, Any]:
    """The document of a variable after edits; every path must lead somewhere."""
    made = copy.deepcopy(document(variable))
    for edit in edits:
        *way, key = edit.path
        place: Any = made
        for step in way:
            place = place[step]
        match edit:
            case Put():
                place[key] = _plain(edit.fragment)
            case Insert():
                assert isinstance(place, list), edit
                assert isinstance(key, int), edit
                assert 0 <= key <= len(place), edit
                place.insert(key, _plain(edit.fragment))
            case Remove():
                del place[key]
    return _typed(made)


def _pin(pin: Pin) -> dict[str, Any]:
    globs = {"hosts": _globs(pin.hosts), "roles": _globs(pin.roles)}
    said = {"value": str(pin.value), "reason": json.dumps(pin.reason)}
    return {key: found for key, found in globs.items() if found} | said


def _globs(globs: Globs) -> list[str]:
    return [json.dumps(pattern) for pattern in globs.patterns]


def _rollout(rollout: Rollout) -> dict[str, Any]:
    made: dict[str, Any] = {
        "id": rollout.id,
        "selection": "1",
        "from": [str(value) for value in rollout.came_from],
        "to": str(rollout.to),
        "over": rollout.over,
        "schedule": [
            {"at": w.at.strftime("%Y-%m-%dT%H:%M:%SZ"), "percent": w.share * 100} for w in rollout.schedule.waypoints
        ],
    }
    return made if rollout.halted is None else made | {"halted": rollout.halted.strftime("%Y-%m-%dT%H:%M:%SZ")}


def _typed(made: dict[str, Any]) -> dict[str, Any]:
    for rollout in made["rollouts"]:
        if isinstance(rollout["over"], str):
            rollout["over"] = duration(rollout["over"])
        for waypoint in rollout["schedule"]:
            waypoint["percent"] = Fraction(waypoint["percent"])
    return made


def _plain(fragment: Any) -> Any:
    if isinstance(fragment, Mapping):
        return {key: _plain(part) for key, part in fragment.items()}
    if isinstance(fragment, tuple):
        return [_plain(part) for part in fragment]
    tokens = _TOKEN.findall(fragment)
    assert "".join(tokens) == re.sub(r'\s+(?=(?:[^"]*"[^"]*")*[^"]*$)', "", fragment), fragment
    found = _flow(tokens)
    assert not tokens, fragment
    return found


def _flow(tokens: list[str]) -> Any:
    token = tokens.pop(0)
    if token == "[":
        items = []
        while tokens[0] != "]":
            items.append(_flow(tokens))
            if tokens[0] == ",":
                tokens.pop(0)
        tokens.pop(0)
        return items
    if token == "{":
        entries: dict[str, Any] = {}
        while tokens[0] != "}":
            key = tokens.pop(0)
            assert tokens.pop(0) == ":", key
            entries[key] = _flow(tokens)
            if tokens[0] == ",":
                tokens.pop(0)
        tokens.pop(0)
        return entries
    return token
