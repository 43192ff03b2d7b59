"""The hashes of selection rule 1, which must never change: they decide which host moves when."""

from array import array
from collections.abc import Sequence
from hashlib import blake2b
from sys import byteorder

_WORD = (1 << 64) - 1
_GAMMA = 0x9E3779B97F4A7C15
_FIRST = 0xBF58476D1CE4E5B9
_SECOND = 0x94D049BB133111EB
_PAD = bytes(8)


def h64(text: str) -> int:
    """Return the 8-byte BLAKE2b digest of a text in UTF-8, as a big-endian integer."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


def mix64(word: int) -> int:
    """Return splitmix64's finalizer of a 64-bit word (Steele, Lea and Flood, 2014)."""
    word = word + _GAMMA & _WORD
    word = (word ^ word >> 30) * _FIRST & _WORD
    word = (word ^ word >> 27) * _SECOND & _WORD
    return word ^ word >> 31


class Lanes:
    """The hashes of many hosts, side by side in one integer, so that `mix64` treats them all at once.

    Each host has a lane of 128 bits, its word in the lower half: a product of two words fits, and nothing spills into
    the next lane. Python's integers do in C what a loop over hosts would do in Python, 30 times slower.
    """

    def __init__(self, hosts: Sequence[str]) -> None:
        """Hash the hosts, once for all rollouts."""
        self._count = len(hosts)
        digests = [blake2b(host.encode(), digest_size=8).digest() for host in hosts]
        self._hashes = int.from_bytes(_PAD.join(digests), "big")
        self._ones = int.from_bytes((_PAD + b"\0\0\0\0\0\0\0\1") * self._count, "big")
        self._words = self._ones * _WORD

    def tickets(self, rollout: str) -> list[int]:
        """Return `mix64(h64(host) XOR h64(rollout))` of every host, in the order of the hosts."""
        words = self._words
        lanes = self._hashes ^ self._ones * h64(rollout)
        lanes = lanes + self._ones * _GAMMA & words
        lanes = (lanes ^ lanes >> 30 & words) * _FIRST & words
        lanes = (lanes ^ lanes >> 27 & words) * _SECOND & words
        lanes ^= lanes >> 31 & words
        halves = array("Q", lanes.to_bytes(16 * self._count, byteorder))
        return (halves[1::2] if byteorder == "big" else halves[-2::-2]).tolist()
