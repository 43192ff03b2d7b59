"""How many hosts of a role: against the rule, line by line."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core import oracle
from tests.core.fleets import hosts_bound, share_bound
from tsunami_cli.core.quota import Bound, RoleQuota, role_quota

SHARES = st.fractions(0, 1, max_denominator=10_000)
BOUNDS = st.none() | st.integers(0, 40).map(hosts_bound) | st.integers(0, 100).map(share_bound)
ROLES = st.builds(
    role_quota,
    st.sampled_from(["x-1", "x-2", "docker-20161114T095512Z"]),
    st.text("abc", min_size=1),
    st.integers(0, 60),
    BOUNDS,
    BOUNDS,
)


@given(
    st.sampled_from(["x-1", "y-2"]), st.text("abc", min_size=1, max_size=3), st.integers(0, 60), BOUNDS, BOUNDS, SHARES
)
def test_the_formula(rollout: str, role: str, n: int, low: Bound | None, high: Bound | None, p: Fraction) -> None:
    lo = 0 if low is None else low.of(n, up=True)
    hi = n if high is None else high.of(n, up=False)
    assert role_quota(rollout, role, n, low, high).at(p) == oracle.quota(rollout, role, n, lo, hi, p)


ROUNDED = [
    # bound, n, up, hosts
    (share_bound(30), 10, True, 3),
    (share_bound(30), 10, False, 3),
    (share_bound(30), 11, True, 4),
    (share_bound(30), 11, False, 3),
    (share_bound(29), 100, False, 29),
    (share_bound(7), 100, True, 7),
    (share_bound(100), 7, False, 7),
    (share_bound(1), 1, True, 1),
    (share_bound(1), 1, False, 0),
    (hosts_bound(3), 2, True, 3),
]


@pytest.mark.parametrize(("bound", "n", "up", "hosts"), ROUNDED)
def test_a_share_rounds_down_for_at_most_and_up_for_at_least(bound: Bound, n: int, up: bool, hosts: int) -> None:
    assert bound.of(n, up=up) == hosts


@given(st.text("abc", min_size=1), st.integers(0, 500), SHARES)
def test_without_bounds_it_is_less_than_one_host_off(role: str, n: int, p: Fraction) -> None:
    assert abs(role_quota("x-1", role, n, None, None).at(p) - p * n) < 1


@given(ROLES, SHARES, SHARES)
def test_it_never_falls_as_progress_rises(quota: RoleQuota, p: Fraction, q: Fraction) -> None:
    assert quota.at(min(p, q)) <= quota.at(max(p, q))


@given(ROLES)
def test_nothing_at_the_start_and_all_that_the_bounds_allow_at_the_end(quota: RoleQuota) -> None:
    assert quota.at(Fraction(0)) == 0
    assert quota.at(Fraction(1)) == min(quota.n, max(quota.lowest, min(quota.highest, quota.n)))
    assert quota.capped == (quota.at(Fraction(1)) < quota.n)


@given(ROLES)
def test_threshold_is_the_least_progress_that_moves_so_many(quota: RoleQuota) -> None:
    for position in range(1, quota.at(Fraction(1)) + 1):
        least = quota.threshold(position)
        assert 0 < least <= 1
        assert quota.at(least) >= position, position
        assert quota.at(least - Fraction(1, 10**40)) < position, position


def test_a_whole_fleet_of_small_roles_stays_on_the_line() -> None:
    """500 roles with one host at least do not all get it in the first second."""
    roles = [role_quota("x-1", f"role-{i}", 4, hosts_bound(1), None) for i in range(500)]
    for percent, low, high in (
        (0, 0, 0),
        (1, 60, 140),
        (2, 150, 250),
        (5, 500, 500),
        (50, 900, 1100),
        (100, 2000, 2000),
    ):
        moved = sum(role.at(Fraction(percent, 100)) for role in roles)
        assert low <= moved <= high, (percent, moved)


def test_at_least_wins_over_at_most() -> None:
    for n, expected in ((1, 1), (2, 1), (3, 1), (4, 1), (7, 2), (10, 3)):
        quota = role_quota("x-1", "a", n, hosts_bound(1), share_bound(30))
        assert quota.at(Fraction(1)) == expected, n
