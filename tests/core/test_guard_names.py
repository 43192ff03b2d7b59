"""Which host a series is about: ports, domains, short names, and names that are nobody's or several hosts'."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsunami_cli.core.guard.naming import Names, host_in
from tsunami_cli.core.guard.questions import Series


def joined(hosts: list[str], *labels: str, label: str = "instance") -> dict[str, list[str]]:
    found = Names(hosts).joined([Series({label: text}, ()) for text in labels], label)
    return {host: [one.labels[label] for one in series] for host, series in found.items()}


@pytest.mark.parametrize(
    ("label", "host"),
    [
        ("a1", "a1"),
        ("a1:9100", "a1"),
        ("A1.Example.COM:9100", "a1.example.com"),
        ("a1.", "a1"),
        ("a1.example.com.:9100", "a1.example.com"),
        ("[::1]:9100", "::1"),
        ("a1:http", "a1:http"),
        ("", ""),
        (":9100", ""),
    ],
)
def test_the_name_in_a_label(label: str, host: str) -> None:
    assert host_in(label) == host


@pytest.mark.parametrize(
    ("hosts", "labels", "found"),
    [
        (["a1", "a2"], ["a1:9100", "a2:9100", "a3:9100"], {"a1": ["a1:9100"], "a2": ["a2:9100"]}),
        (["a1"], ["a1:9100", "a1:9256", "a1"], {"a1": ["a1:9100", "a1:9256", "a1"]}),
        (["a1.x.com", "a2.x.com"], ["a1:1", "a2.x.com:1"], {"a1.x.com": ["a1:1"], "a2.x.com": ["a2.x.com:1"]}),
        # A first label that two hosts share names neither.
        (["a1.x.com", "a1.y.com"], ["a1:1"], {}),
        (["a1.x.com", "a1.y.com"], ["a1.y.com:1", "a1:1"], {"a1.y.com": ["a1.y.com:1"]}),
        # Nor does one that is another host's whole name.
        (["a1", "a1.x.com"], ["a1:1"], {"a1": ["a1:1"]}),
        # A longer name is the host's where nothing has the host's own, and there is one such.
        (["a1"], ["a1.x.com:1", "a1.x.com:2"], {"a1": ["a1.x.com:1", "a1.x.com:2"]}),
        (["a1"], ["a1.x.com:1", "a1.y.com:1"], {}),
        (["a1"], ["a1.x.com:1", "a1:1"], {"a1": ["a1:1"]}),
        (["a1.x.com"], ["a1.y.com:1"], {}),
        (["a1.x.com"], ["a1.x.com.evil.org"], {}),
        (["a1"], ["", ":9100", "10.0.0.1:9100", "a1x", "xa1"], {}),
        ([], ["a1"], {}),
    ],
)
def test_joining(hosts: list[str], labels: list[str], found: dict[str, list[str]]) -> None:
    assert joined(hosts, *labels) == found


def test_the_label_is_the_one_of_the_settings() -> None:
    assert joined(["a1"], "a1", label="node") == {"a1": ["a1"]}
    assert not Names(["a1"]).joined([Series({"node": "a1"}, ()), Series({}, ())], "instance")


HOSTS = st.lists(st.sampled_from(["a", "b", "a.x", "a.y", "b.x", "c.x.y"]), unique=True)
LABELS = st.lists(st.sampled_from(["a", "a:1", "A.X", "a.y.", "b", "b.x:2", "b.z", "c", "c.x.y", "d", ""]))


@given(HOSTS, LABELS)
def test_no_series_counts_for_two_hosts_and_order_does_not_matter(hosts: list[str], labels: list[str]) -> None:
    found = joined(hosts, *labels)
    assert found.keys() <= set(hosts)
    counted = [text for texts in found.values() for text in texts]
    assert len(counted) <= len(labels)
    for host, texts in found.items():
        names = {host_in(text) for text in texts}
        assert all(name.split(".")[0] == host.split(".")[0] for name in names)
    turned = joined(hosts[::-1], *labels[::-1])
    assert {host: sorted(texts) for host, texts in turned.items()} == {h: sorted(t) for h, t in found.items()}
