"""What is measured: hosts first, then the cohort, exact at the bound; what is no number; who is silent."""

import operator
from collections.abc import Collection, Mapping, Sequence
from fractions import Fraction
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsunami_cli.core.guard.cohorts import Cohorts
from tsunami_cli.core.guard.measuring import Measured, measured
from tsunami_cli.core.guard.naming import Names
from tsunami_cli.core.guard.objective import Objective, difference, exact_mean, number_text
from tsunami_cli.core.guard.questions import Answer, Series, Window

WINDOW = Window(1_000, 60, 2)
"""Three samples."""
Values = Sequence[float | None]


def series(host: str, *values: float | None, **labels: str) -> Series:
    """Return a series; one value stands for all samples."""
    return Series({"instance": host, **labels}, values if len(values) > 1 else values * 3)


def measure(
    *found: Series | Answer,
    moved: Sequence[str] | Mapping[str, int] = ("a", "b"),
    waiting: Sequence[str] = ("y", "z"),
    fresh: Sequence[str] = (),
    roles: Mapping[str, Sequence[str]] | None = None,
    before: Collection[str] | None = None,
    versioned: bool = False,
) -> Measured:
    """Measure; `moved` may say from which sample on hosts count, `before` which ones spoke before the rollout."""
    first = moved if isinstance(moved, Mapping) else dict.fromkeys(moved, 0)
    cohorts = Cohorts(
        moved={host: (place, 3) for host, place in first.items()},
        fresh=frozenset(fresh),
        rest={**{host: (0, place) for host, place in first.items() if place}, **dict.fromkeys(waiting, (0, 3))},
        waiting=frozenset(waiting),
        roles=roles or {},
    )
    answers = [one if isinstance(one, Answer) else Answer((one,)) for one in found]
    earlier = None if before is None else [Answer((series(host, 1.0),)) for host in before]
    names = Names([*first, *waiting, *fresh, "other"])
    return measured(WINDOW, cohorts, answers, names, "instance", before=earlier, versioned=versioned)


# Means


def test_a_host_counts_once_however_many_series_it_has() -> None:
    found = measure(*(series("a", 1.0, cpu=str(cpu)) for cpu in range(99)), series("b", 0.0))
    assert found.moved.means == [0.5, 0.5, 0.5]
    assert len(found.series) == 100
    assert found.worst(high=True, count=9) == [("a", 1.0), ("b", 0.0)]


@pytest.mark.parametrize(
    ("values", "mean"),
    [((0.1, 0.2), 0.15), ((0.1, 0.2, 0.3), 0.2), ((0.01, 0.01, 0.01), 0.01), ((1.0, 2.0, 2.0), 5 / 3)],
)
def test_the_mean_of_a_host_has_no_noise_of_floats(values: Sequence[float], mean: float) -> None:
    found = measure(*(series("a", value, cpu=str(cpu)) for cpu, value in enumerate(values)), moved=["a"])
    value = found.moved.columns[0][0]
    assert value == pytest.approx(mean, rel=1e-14)
    assert len(repr(value)) <= len(repr(mean))


def test_hosts_of_several_series_are_exactly_at_the_bound() -> None:
    found = measure(
        *(series(host, value, cpu=str(cpu)) for host in "ab" for cpu, value in enumerate((0.1, 0.2, 0.3))),
        *(series(host, 0.1) for host in "yz"),
    )
    for place in range(3):
        assert difference(found.moved.columns[place], found.rest.columns[place], Fraction("0.1")) == Fraction("0.1")


def test_at_every_instant_those_count_who_had_settled() -> None:
    found = measure(series("a", 1.0), series("b", 0.0), series("y", 0.2), moved={"a": 0, "b": 2})
    assert found.moved.means == [1.0, 1.0, 0.5]
    assert [sorted(column) for column in found.rest.columns] == [[0.0, 0.2], [0.0, 0.2], [0.2]]
    assert (found.moved.hosts, found.rest.hosts, found.fleet.hosts) == (2, 2, 3)
    since = measure(series("a", 1.0), series("y", nan), moved=["a"])
    assert (since.moved.hosts, since.rest.hosts, since.fleet.hosts) == (1, 0, 1)


def test_fresh_hosts_count_on_neither_side() -> None:
    found = measure(series("a", 1.0), series("f", 7.0), fresh=["f"])
    assert found.moved.means == [1.0] * 3
    assert found.rest.means == [None] * 3
    assert found.fleet.means == [4.0] * 3


@pytest.mark.parametrize(
    ("values", "means"),
    [
        ((0.5, nan, 0.5), [0.5, None, 0.5]),
        ((0.5, inf, 0.5), [0.5, None, 0.5]),
        ((0.5, -inf, None), [0.5, None, None]),
        ((None, None, 0.5), [None, None, 0.5]),
        ((0.0, -0.0, 0.0), [0.0, 0.0, 0.0]),
        ((5e-324, 1e-300, 9e299), [5e-324, 1e-300, 9e299]),
        # As far out nothing is measured, and sums would overflow.
        ((1.1e300, -1.7e308, -9e299), [None, None, -9e299]),
    ],
)
def test_what_is_no_finite_number_is_no_value(values: Values, means: Values) -> None:
    assert measure(series("a", *values), moved=["a"]).moved.means == means


def test_a_host_with_one_finite_series_goes_by_that() -> None:
    found = measure(series("a", nan, disk="0"), series("a", 1.0, None, inf, disk="1"), moved=["a"])
    assert found.moved.means == [1.0, None, None]
    assert (found.silent, found.mute) == ([], 0)
    assert found.worst(high=True, count=9) == [("a", 1.0)]


def test_several_answers_are_one() -> None:
    found = measure(Answer((series("a", 1.0),)), Answer(), Answer((series("b", 3.0), series("a", 3.0))))
    assert found.moved.means == [2.5] * 3
    assert len(found.series) == 3


def test_one_answer_that_failed_spoils_all() -> None:
    found = measure(series("a", 1.0), Answer(failure="no answer in time"), Answer(failure="later"))
    assert (found.failure, found.series, found.moved.means) == ("no answer in time", [], [None] * 3)


def test_the_fleet_is_every_series_of_the_answer() -> None:
    lone = Series({"job": "x"}, (9.0,) * 3)
    found = measure(series("a", 1.0, cpu="0"), series("a", 3.0, cpu="1"), series("b", 0.0), series("other", 4.0), lone)
    assert [sorted(column) for column in found.fleet.columns] == [[0.0, 2.0, 4.0, 9.0]] * 3
    assert found.strays == 1
    two = measure(series("nobody:1", 1.0), series("nobody:2", 3.0), Series({}, (5.0,) * 3), Series({}, (7.0,) * 3))
    assert [sorted(column) for column in two.fleet.columns] == [[2.0, 5.0, 7.0]] * 3
    assert two.fleet.latest[1] == 3
    assert two.strays == len(two.series) == 4


def test_the_worst_hosts() -> None:
    found = measure(series("a", 0.1, 0.2, None), series("b", 0.3), series("y", 9.0))
    assert found.worst(high=True, count=6) == [("b", 0.3), ("a", 0.2)]
    assert found.worst(high=False, count=1) == [("a", 0.2)]
    assert [host for host, _ in measure(series("b", 1.0), series("a", 1.0)).worst(high=True, count=2)] == ["a", "b"]


# Silence


@pytest.mark.parametrize(
    ("moved", "waiting", "heard", "silence"),
    [
        (10, 10, "m9 w10", Fraction(1, 10)),
        (10, 10, "m9 w9", Fraction(0)),
        (10, 20, "m8 w19", Fraction(3, 20)),
        (10, 10, "m10 w5", Fraction(-1, 2)),
        (0, 4, "m0 w2", Fraction(-1, 2)),
        (3, 3, "m0 w3", Fraction(1)),
        # Nobody who is not moved says a word, or there is nobody: then there is nothing to hold it against.
        (4, 0, "m3 w0", Fraction(1, 4)),
        (10, 10, "m4 w0", Fraction(3, 5)),
    ],
)
@pytest.mark.parametrize("value", [1.0, nan])
def test_silence_is_the_share_beyond_that_of_the_rest(
    moved: int, waiting: int, heard: str, silence: Fraction, value: float
) -> None:
    mine, theirs = ([f"{kind}{number}" for number in range(count)] for kind, count in (("m", moved), ("w", waiting)))
    counts = [int(part[1:]) for part in heard.split()]
    found = measure(
        *(series(host, value) for host in [*mine[: counts[0]], *theirs[: counts[1]]]), moved=mine, waiting=theirs
    )
    assert found.silence == silence
    assert found.silent == sorted(mine[counts[0] :])
    assert found.silent_rest == waiting - counts[1]
    assert found.comparable == (counts[1] > 0)
    # A series without a finite value breaks the silence, and is of no use.
    mute = Fraction(moved > 0) - Fraction(counts[1] > 0)
    assert found.muteness == (silence if value == 1.0 else mute)
    assert found.mute == (0 if value == 1.0 else counts[0])


def test_a_series_with_gaps_alone_is_heard_of() -> None:
    found = measure(series("a", None, None, nan), moved=["a"])
    assert (found.silent, found.mute, found.hosts, found.moved.hosts) == ([], 1, 1, 0)


def test_others_are_hosts_of_the_rest_with_series_though_they_were_moved_meanwhile() -> None:
    moved = {"a": 0, "b": 2}
    assert measure(series("a", 1.0), series("b", 1.0), series("y", nan), moved=moved).others == 2
    assert measure(series("a", 1.0), moved=moved).others == 0
    assert measure(series("a", 1.0), moved=["a"], waiting=["z"]).others == 0


# Roles


ROLES = {"web": ("a", "y"), "db": ("b", "z")}


def test_a_role_without_a_series_is_not_what_the_query_is_about() -> None:
    found = measure(series("a", 1.0), series("y", 1.0), roles=ROLES)
    assert [set(side) for side in (found.cohorts.moved, found.cohorts.waiting, found.cohorts.rest)] == [
        {"a"},
        {"y"},
        {"y"},
    ]
    assert (found.hosts, found.silent_rest, found.others) == (1, 0, 1)
    assert not found.silent
    assert found.silence == 0


def test_a_role_whose_moved_hosts_alone_fell_silent_is() -> None:
    found = measure(series("a", 1.0), series("y", 1.0), series("z", 1.0), roles=ROLES)
    assert (found.hosts, found.silent, found.silence) == (2, ["b"], Fraction(1, 2))


def test_where_nobody_of_the_rest_has_a_series_no_role_is_left_out() -> None:
    """A query about the new version has series of moved hosts alone: who of them says nothing is missing."""
    found = measure(series("a", 1.0), roles=ROLES)
    assert (found.hosts, found.silent, found.comparable) == (2, ["b"], False)
    assert measure(roles=ROLES).hosts == 2


@given(
    st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from(["web", "db", "proxy"]), min_size=1),
    st.sets(st.sampled_from("abcdefgh")),
    st.sets(st.sampled_from("abcdefgh")),
    st.none() | st.sets(st.sampled_from("abcdefgh")),
    st.booleans(),
)
def test_what_roles_are_left_out(
    fleet: dict[str, str], moved: set[str], heard: set[str], before: set[str] | None, versioned: bool
) -> None:
    roles = {role: [host for host in fleet if fleet[host] == role] for role in fleet.values()}
    mine, waiting = fleet.keys() & moved, fleet.keys() - moved
    found = measure(
        *(series(host, 1.0) for host in sorted(heard)),
        moved=sorted(mine),
        waiting=sorted(waiting),
        roles=roles,
        before=before,
        versioned=versioned,
    )
    left, unclear = set(fleet), False
    if not versioned and heard & waiting:
        for role, hosts in roles.items():
            if heard & set(hosts):
                continue
            if before is None:
                unclear |= set(hosts) <= mine
            # Of a role that moved as a whole it takes the time before to tell who it is.
            if set(hosts) & waiting if before is None else not before & set(hosts):
                left -= {host for host in fleet if fleet[host] == role}
    assert set(found.cohorts.moved) == left & moved
    assert found.cohorts.waiting == left - moved
    assert found.silent == sorted(left & moved - heard)
    assert found.unclear == unclear
    assert found.comparable == (not versioned and bool(heard & (left - moved)))
    assert len(found.series) == len(heard)


# Exactness

COMPARE = {
    "<=": operator.le,
    "<": operator.lt,
    ">=": operator.ge,
    ">": operator.gt,
    "==": operator.eq,
    "!=": operator.ne,
}


@pytest.mark.parametrize("text", ["0.01", "0.1", "1e-9", "0.29"])
def test_hosts_that_are_exactly_at_the_bound_meet_it(text: str) -> None:
    bound, value = Objective.parse(f"<= {text}").bound, float(text)
    for hosts in range(1, 201):
        assert difference([value] * hosts, [], bound) == bound, hosts


@pytest.mark.parametrize("text", ["0.01", "0.7", "1e299", "123456.789", "-0.03", "0"])
def test_so_do_hosts_that_are_by_that_worse_than_the_rest(text: str) -> None:
    bound, value = Objective.parse(f"<= {text}").bound, float(text)
    for hosts in (1, 3, 7, 30, 99):
        assert difference([value] * hosts, [0.0] * (100 - hosts), bound) == bound, hosts


@pytest.mark.parametrize("hosts", range(2, 200, 18))
def test_one_host_a_hair_above_is_seen(hosts: int) -> None:
    bound = Fraction("0.01")
    assert difference([0.01] * (hosts - 1) + [0.0100001], [], bound) > bound
    assert difference([0.01] * (hosts - 1) + [0.0099999], [], bound) < bound


def test_a_difference_is_exact_too() -> None:
    assert difference([0.3] * 3, [0.1] * 7, Fraction("0.2")) == Fraction("0.2")
    assert difference([0.3, 0.1], [0.2], Fraction(0)) == 0
    assert difference([1e-9], [], Fraction(0)) > 0


NUMBERS = st.integers(-(10**6), 10**6).map(lambda number: Fraction(number, 1000))


@given(
    st.lists(NUMBERS, min_size=1, max_size=40),
    st.lists(NUMBERS, max_size=10),
    NUMBERS,
    st.sampled_from(sorted(COMPARE)),
    st.booleans(),
)
def test_decimal_numbers_are_compared_as_on_paper(
    moved: list[Fraction], rest: list[Fraction], bound: Fraction, comparison: str, at_it: bool
) -> None:
    paper = sum(moved, Fraction(0)) / len(moved) - (sum(rest, Fraction(0)) / len(rest) if rest else 0)
    bound = paper if at_it else bound
    value = difference([float(one) for one in moved], [float(one) for one in rest], bound)
    assert Objective(comparison, bound).met(value) == COMPARE[comparison](paper, bound)


def test_a_mean_is_that_of_the_digits() -> None:
    assert exact_mean([0.1, 0.2, 0.3]) == Fraction("0.2")
    assert exact_mean([0.1, 0.2, 0.1 + 0.2]) > Fraction("0.2"), "as they are written, with all of them"


@pytest.mark.parametrize("count", [1, 2, 1000])
def test_the_largest_numbers_do_not_overflow(count: int) -> None:
    value = difference([9.9e299] * count, [-9.9e299] * count, Fraction(10**300))
    assert value == pytest.approx(1.98e300)
    assert number_text(value) == "1.98e+300"
    assert Objective.parse("<= 1e300").missed(value) == "1.98e+300 > 1e+300"


# Objectives


@pytest.mark.parametrize(
    ("text", "comparison", "bound"),
    [
        ("<= 0.01", "<=", "0.01"),
        (">=99.5", ">=", "99.5"),
        ("<1e-3", "<", "0.001"),
        (">  -.5", ">", "-0.5"),
        ("== 1.", "==", "1"),
        ("!= +0", "!=", "0"),
    ],
)
def test_an_objective(text: str, comparison: str, bound: str) -> None:
    assert Objective.parse(text) == Objective(comparison, Fraction(bound))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0.01",
        "=< 1",
        "<= x",
        "<= NaN",
        "<= inf",
        "=> 1",
        "= 1",
        "<=",
        "<= 1 2",
        "<= 1.1e300",
        "> -1e301",
        "< 1e999",
    ],
)
def test_no_objective(text: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        Objective.parse(text)


@pytest.mark.parametrize(
    ("text", "value", "words"),
    [
        ("<= 0.01", "0.08", "0.08 > 0.01"),
        (">= 99.5", "99", "99 < 99.5"),
        ("< 1", "1", "1 >= 1"),
        ("> 0", "0", "0 <= 0"),
        ("== 1", "2", "2 != 1"),
        ("!= 1", "1", "1 == 1"),
    ],
)
def test_how_it_is_missed(text: str, value: str, words: str) -> None:
    objective = Objective.parse(text)
    assert not objective.met(Fraction(value))
    assert objective.missed(Fraction(value)) == words


# Who fell silent, and who never spoke

CANARIES = {"canary": ["a", "b"], "web": ["c", "y", "z"]}


def of_canaries(before: Sequence[str] | None) -> Measured:
    """Measure a canary role that moved as a whole and is silent; `before` had series before the rollout."""
    cohorts = Cohorts(
        moved=dict.fromkeys("abc", (0, 3)),
        rest=dict.fromkeys("yz", (0, 3)),
        waiting=frozenset("yz"),
        roles=CANARIES,
    )
    heard = Answer(tuple(series(host, 1.0) for host in "cyz"))
    earlier = None if before is None else [Answer(tuple(series(host, 1.0) for host in before))]
    return measured(WINDOW, cohorts, [heard], Names("abcyz"), "instance", before=earlier)


@pytest.mark.parametrize(
    ("before", "silent", "unclear"),
    [(None, ["a", "b"], True), ("abc", ["a", "b"], False), ("b", ["a", "b"], False), ("cyz", [], False)],
    ids=["not known yet", "spoke", "one of them spoke", "never spoke"],
)
def test_a_role_that_moved_as_a_whole_counts_if_it_ever_spoke(
    before: str | None, silent: list[str], unclear: bool
) -> None:
    found = of_canaries(None if before is None else list(before))
    assert (found.silent, found.unclear) == (silent, unclear)
    assert found.hosts == 1 + len(silent)
