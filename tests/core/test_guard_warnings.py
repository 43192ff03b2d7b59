"""What `tsunami validate` warns of in objectives: legal, and yet nothing would be judged, or everything held."""

from collections.abc import Mapping

import pytest

from tests.core.fleets import T0
from tsunami_cli.commands.fleet import load_settings, load_variable
from tsunami_cli.core.checks.fleet import fleet_problems
from tsunami_cli.core.inventory import Inventory

INVENTORY = Inventory.of(["db-0", "web-0", "web-1", "web-2", "web-3"], ["db", *["web"] * 4], {})
FULL = 'query: up, objective: ">= 1"'
MANY = "the variable has {} hosts that are not pinned: this is never judged"
"""In `min_hosts`, as {} says."""
SHORT = "is as short as a missed scrape or two: hosts may seem silent; 1m or more is wiser"
NAMES = "there are $variable, $from, $to, $role"


def warned(slos: str, *, head: str = "", prometheus: str | None = "http://metrics:9090") -> Mapping[str, list[str]]:
    """Return what there is to say of a variable with these SLOs, by the place where it is said."""
    text = f'name: x\nvalue: {{type: string}}\ndefault: "1"\n{head}slos:\n{slos}'
    loaded = load_variable(text.encode(), "rollouts/x.yaml", ())
    assert loaded.variable is not None, loaded.problems
    assert loaded.root is not None
    metrics = f"guard: {{prometheus: '{prometheus}'}}\n" if prometheus else ""
    settings, _ = load_settings(f"fleet: x\n{metrics}".encode())
    assert settings is not None
    found: dict[str, list[str]] = {}
    for problem in fleet_problems(loaded.file, loaded.root, loaded.variable, INVENTORY, settings, T0, ()):
        assert problem.severity == "warning"
        found.setdefault(problem.where, []).append(problem.message)
    return found


def slo(*more: str, name: str = "a") -> str:
    return f"  - {{{', '.join([f'name: {name}', FULL, *more])}}}\n"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ((), {}),
        (("for: 59s",), {"slos[0].for": [SHORT]}),
        (("for: 1s",), {"slos[0].for": [SHORT]}),
        (("for: 1m",), {}),
        (("min_hosts: 5",), {}),
        (("min_hosts: 6",), {"slos[0].min_hosts": [MANY.format(5)]}),
        # Of the fleet it counts series, whoever they are of.
        (("min_hosts: 6", "compare: fleet"), {}),
        (("min_hosts: 6", "compare: moved-minus-rest"), {"slos[0].min_hosts": [MANY.format(5)]}),
        (("min_hosts: 6", "for: 10s"), {"slos[0].min_hosts": [MANY.format(5)], "slos[0].for": [SHORT]}),
    ],
)
def test_one_objective(more: tuple[str, ...], said: Mapping[str, list[str]]) -> None:
    assert warned(slo(*more)) == said


@pytest.mark.parametrize(
    ("head", "hosts"),
    [
        ("roles: [web]\n", 4),
        ('pins: [{hosts: ["web-0"], value: "1", reason: r}]\n', 4),
        ('roles: [web]\npins: [{hosts: ["web-0", "db-0"], value: "1", reason: r}]\n', 3),
    ],
)
def test_hosts_that_can_be_moved(head: str, hosts: int) -> None:
    assert warned(slo(f"min_hosts: {hosts}"), head=head) == {}
    assert warned(slo(f"min_hosts: {hosts + 1}"), head=head) == {"slos[0].min_hosts": [MANY.format(hosts)]}


def test_one_host_is_enough_where_there_is_none() -> None:
    assert warned(slo(), head='pins: [{roles: ["*"], value: "1", reason: r}]\n') == {}


def test_names_that_stand_for_nothing() -> None:
    slos = (
        '  - {name: a, query: \'up{v="$version", w="${host}"}\', objective: "> 0"}\n'
        '  - {name: b, query: \'up{v="$to", w="${from}", x="$role"} == $variable\', objective: "> 0"}\n'
        '  - {name: c, query: \'label_replace(up, "a", "$name", "b", "(?P<name>.*)")\', objective: "> 0"}\n'
    )
    said = [f"${name} stands for nothing: {NAMES}" for name in ("host", "version")]
    found = warned(slos)
    assert {place: sorted(words) for place, words in found.items()} == {"slos[0].query": said}


def test_nobody_says_where_metrics_are() -> None:
    why = "the settings do not say where metrics are: rollouts are held until guard.prometheus does"
    assert warned(slo() + slo(name="b"), prometheus=None) == {"slos": [why]}, "once, however many there are"
