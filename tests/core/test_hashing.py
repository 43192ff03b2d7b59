"""Selection rule 1, frozen: these numbers may never change."""

from hypothesis import given
from hypothesis import strategies as st

from tests.core import oracle
from tsunami_cli.core.hashing import Lanes, h64, mix64

# BLAKE2b-64 of the text: `printf docker | b2sum -l 64`.
DIGESTS = {
    "": 0xE4A6A0577479B2B4,
    "docker": 0x6948BD5937ABF785,
    "docker-20161114T095512Z": 0x97D2AC2A4181F37A,
    "lon2-accesspoint-a1": 0xA397B30F81925A60,
    "docker-20161114T095512Z\x00accesspoint": 0x181F9457D7E12C68,
    "Zürich": 0x707438FAA779D508,
}
# The first three outputs of splitmix64 from state 0, as published (Vigna's splitmix64.c).
SPLITMIX = {0: 0xE220A8397B1DCDAF, 0x9E3779B97F4A7C15: 0x6E789E6AA1B965F4, 0x3C6EF372FE94F82A: 0x06C45D188009454F}
TICKETS = {
    "lon2-accesspoint-a1": 0x3EF85DEF1D5B133D,
    "lon2-accesspoint-a2": 0x28113CEC36FF9EF7,
    "lon2-login-a1": 0x252A3F669FA11EFE,
    "sto1-search-b17.example.net": 0xC95912EFFE36F919,
    "a": 0x483BFAED6CF81EB0,
}
ROLLOUT = "docker-20161114T095512Z"


def test_h64() -> None:
    for text, digest in DIGESTS.items():
        assert h64(text) == digest, text


def test_mix64_is_splitmix64() -> None:
    for word, mixed in SPLITMIX.items():
        assert mix64(word) == mixed, hex(word)


def test_tickets() -> None:
    assert dict(zip(TICKETS, Lanes(list(TICKETS)).tickets(ROLLOUT), strict=True)) == TICKETS


@given(st.lists(st.text(max_size=20), max_size=60), st.text(max_size=30))
def test_lanes_are_what_one_host_at_a_time_gives(hosts: list[str], rollout: str) -> None:
    expected = [oracle.mix64(oracle.h64(host) ^ oracle.h64(rollout)) for host in hosts]
    assert Lanes(hosts).tickets(rollout) == expected
    assert [mix64(h64(host) ^ h64(rollout)) for host in hosts] == expected


def test_lanes_of_many_hosts() -> None:
    hosts = [f"lon{i % 7}-role-a{i}.example.net" for i in range(5_000)]
    assert Lanes(hosts).tickets("x-1") == [oracle.ticket(host, "x-1") for host in hosts]
