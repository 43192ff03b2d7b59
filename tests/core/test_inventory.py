"""The inventory as a value, and the names it may hold."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsunami_cli.core.inventory import Inventory, host_fault, hosts_are_named_well, role_fault

LABEL = re.compile("[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
ROLE = re.compile("[a-z0-9]([a-z0-9_.-]{0,61}[a-z0-9])?")
NAMES = (
    st.text("ab-.A_ \n", max_size=8)
    | st.text("a-.", min_size=60, max_size=70)
    | st.integers(240, 260).map(lambda n: "a." * (n // 2) + "b")
)


def is_host(name: str) -> bool:
    """RFC 1123, lower case, label by label, 253 at most."""
    return len(name) <= 253 and all(LABEL.fullmatch(label) for label in name.split("."))


@given(NAMES)
def test_host_names(name: str) -> None:
    assert (host_fault(name) is None) == is_host(name), name


@given(st.lists(NAMES, max_size=5))
def test_many_host_names_at_once(names: list[str]) -> None:
    assert hosts_are_named_well(names) == all(map(is_host, names)), names


@given(st.text("aB0._- \n", max_size=6) | st.integers(60, 66).map(lambda n: "a" * n))
def test_role_names(name: str) -> None:
    assert (role_fault(name) is None) == (bool(ROLE.fullmatch(name)) and ".." not in name), name


def test_rows_in_any_order() -> None:
    made = Inventory.of(["b", "a", "c"], ["y", "x", "y"], {"rack": ["1", "2", "3"]})
    assert made == Inventory.of(["a", "b", "c"], ["x", "y", "y"], {"rack": ["2", "1", "3"]})
    assert (made.hosts, made.roles, made.labels) == (("a", "b", "c"), ("x", "y", "y"), {"rack": ("2", "1", "3")})
    assert dict(made.members()) == {"x": ("a",), "y": ("b", "c")}
    assert (made.role_of("b"), made.role_of("zz"), made.label("rack", "c")) == ("y", None, "3")


def test_what_cannot_be() -> None:
    cases: list[tuple[list[str], list[str], dict[str, list[str]]]] = [
        (["a", "a"], ["x", "y"], {}),
        (["b", "a", "b"], ["x"] * 3, {}),
        (["a"], [], {}),
        (["a"], ["x"], {"r": []}),
    ]
    for hosts, roles, labels in cases:
        with pytest.raises(ValueError, match=r"twice|as long"):
            Inventory.of(hosts, roles, labels)
