"""How many hosts of a role have moved at a given progress: exact in every role, within its bounds."""

from dataclasses import dataclass
from fractions import Fraction

from tsunami_cli.core.hashing import h64

RAMP = 20
"""`at_least` is ramped in over the first twentieth of progress."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A number of hosts, or a share of a role's hosts; one of the two is None."""

    hosts: int | None = None
    share: Fraction | None = None

    def of(self, n: int, *, up: bool) -> int:
        """Return the bound in hosts of a role of n, a share rounded up or down."""
        if self.share is None:
            return self.hosts or 0
        part = self.share * n
        return -(-part.numerator // part.denominator) if up else part.numerator // part.denominator


@dataclass(frozen=True, slots=True)
class RoleQuota:
    """The quota of one role under one rollout, as a function of progress."""

    n: int
    """Hosts of the role to which the variable applies and which no pin matches."""
    offset: int
    """The role's own offset phi, times 2^64."""
    lowest: int
    """`at_least` in hosts."""
    highest: int
    """`at_most` in hosts."""

    def at(self, p: Fraction) -> int:
        """Return how many hosts have moved at progress p."""
        if p <= 0:
            return 0
        k = self.n if p >= 1 else self._floor(p * self.n)
        low = self.lowest if p * RAMP >= 1 else self._floor(p * RAMP * self.lowest)
        return min(self.n, max(low, min(self.highest, k)))

    def threshold(self, position: int) -> Fraction:
        """Return the least progress at which that many hosts have moved; 1 for those that the bounds never let move."""
        wanted = Fraction((position << 64) - self.offset, 1 << 64)
        least = Fraction(1)
        if position <= min(self.n, self.highest):
            least = min(least, wanted / self.n)
        if position <= min(self.n, self.lowest):
            least = min(least, Fraction(1, RAMP), wanted / (RAMP * self.lowest))
        return least

    @property
    def capped(self) -> bool:
        """Whether `at_most` holds hosts back even when the rollout is through."""
        return self.at(Fraction(1)) < self.n

    def _floor(self, hosts: Fraction) -> int:
        """Return floor(hosts + phi), in integers."""
        return ((hosts.numerator << 64) + self.offset * hosts.denominator) // (hosts.denominator << 64)


def role_quota(rollout: str, role: str, n: int, at_least: Bound | None, at_most: Bound | None) -> RoleQuota:
    """Return the quota of a role with n hosts; `rollout` is the rollout's id, which with the role gives the offset."""
    lowest = at_least.of(n, up=True) if at_least else 0
    highest = at_most.of(n, up=False) if at_most else n
    return RoleQuota(n, h64(f"{rollout}\0{role}"), lowest, highest)
