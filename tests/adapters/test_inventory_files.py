"""Inventory files: what is read, and every complaint with its address."""

import csv
import io
import random
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsunami_cli.adapters.inventory_files import MOST_PROBLEMS, from_nodes, read_csv
from tsunami_cli.adapters.yaml.documents import parse
from tsunami_cli.core.inventory import Inventory, host_fault, hosts_are_named_well, role_fault
from tsunami_cli.core.problems import Problem

ROOT = Path(__file__).resolve().parents[2]
GOOD = "host,role,site,rack\nb1,search,lon2,r1\na2,login,sto1,\na10,search,lon2,r2\n"


def read(text: str | bytes) -> tuple[Inventory | None, list[str]]:
    found, problems = read_csv(text.encode() if isinstance(text, str) else text, "inventory.csv")
    assert (found is None) is bool(problems)
    return found, [str(problem).removeprefix("inventory.csv:") for problem in problems]


def read_yaml(text: str) -> tuple[Inventory | None, list[str]]:
    root, problems = parse(text.encode(), "inventory.yaml")
    assert root is not None, problems
    found, problems = from_nodes(root, "inventory.yaml")
    assert (found is None) is bool(problems)
    return found, [str(problem).removeprefix("inventory.yaml:") for problem in problems]


# --- the value


def test_inventory_is_sorted_and_answers() -> None:
    inventory, _ = read(GOOD)
    assert inventory is not None
    assert inventory.hosts == ("a10", "a2", "b1")
    assert inventory.roles == ("search", "login", "search")
    assert inventory.labels == {"site": ("lon2", "sto1", "lon2"), "rack": ("r2", "", "r1")}
    assert inventory.role_of("a2") == "login"
    assert inventory.role_of("a1") is inventory.role_of("z") is None
    assert dict(inventory.members()) == {"login": ("a2",), "search": ("a10", "b1")}
    assert list(inventory.members()) == ["login", "search"]
    assert inventory.members() is inventory.members()
    assert (inventory.label("rack", "b1"), inventory.label("rack", "a2")) == ("r1", "")
    for name, host in (("zone", "b1"), ("rack", "b2")):
        with pytest.raises(KeyError):
            inventory.label(name, host)


def test_inventory_refuses_what_cannot_be() -> None:
    with pytest.raises(ValueError, match="twice"):
        Inventory.of(["a", "b", "a"], ["r", "r", "r"], {})
    with pytest.raises(ValueError, match="as long as"):
        Inventory.of(["b", "a"], ["r", "r"], {"site": ["x"]})


# --- CSV that is fine


@pytest.mark.parametrize(
    "text",
    [
        GOOD.replace("\n", "\r\n"),
        GOOD.rstrip("\n"),
        GOOD + "\n\n",
        '"host","role","site","rack"\n"b1","search","lon2","r1"\n"a2",login,sto1,""\na10,search,"lon2",r2\n',
        "host,role,site,rack\na10,search,lon2,r2\na2,login,sto1,\nb1,search,lon2,r1\n",
    ],
)
def test_the_same_inventory_written_otherwise(text: str) -> None:
    assert read(text) == read(GOOD)


def test_labels_may_be_anything_printable() -> None:
    inventory, problems = read('host,role,note\na,r,"Malmö, row 3 ""left"""\nb,r,a b\n')
    assert inventory is not None, problems
    assert inventory.labels["note"] == ('Malmö, row 3 "left"', "a b")


@given(st.permutations([f"host-{i}" for i in range(30)]), st.booleans())
def test_rows_in_any_order_are_the_same_inventory(hosts: list[str], quoted: bool) -> None:
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL, lineterminator="\n")
    writer.writerows([("host", "role", "n"), *((host, f"role{len(host)}", host[5:]) for host in hosts)])
    inventory, _ = read(out.getvalue())
    assert inventory is not None
    assert inventory.hosts == tuple(sorted(hosts))
    assert [f"host-{n}" for n in inventory.labels["n"]] == list(inventory.hosts)


# --- CSV that is not


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["1:1  the first line is not a header"]),
        ("host,role\n", ["1:1  the inventory has no hosts"]),
        ("a,search\nb,search\n", ["1:1  the first line is not a header"]),
        ("host;role\na;search\n", ["1:1  the first line is not a header"]),
        ("role,host\nsearch,a\n", ["1:1  the first line is not a header"]),
        ("\ufeffhost,role\na,r\n", ["1:1  the file starts with a byte order mark"]),
        ("host,role,site,rack,site\na,r,x,y,z\n", ["1:21  the column site stands twice in the header"]),
        ("host,role, site\na,r,x\n", ["1:11  ' site' is not the name of a column"]),
        ("host,role,\na,r,x\n", ["1:11  '' is not the name of a column"]),
        ("host,role\na,r,x\nb\nc,r\n", ["2:1  the line has 3 cells and the header 2", "3:1  the line has 1 cells"]),
        ("host,role,x,y\na,r\nb,r\n", ["2:1  the line has 2 cells", "3:1  the line has 2 cells"]),
        ("host,role\na,r\n\nb,r\n", ["3:1  the line is blank"]),
        ("host,role\na,r\n \n", ["3:1  the line is blank"]),
        ("host,role\na,r\nb,r\na,s\n", ["4:1  host  a stands on line 2 too: take one of the two away"]),
        ("host,role\nLON2-A1,r\n", ["2:1  host  LON2-A1 has capital letters: write lon2-a1"]),
        ("host,role\na,Search\n", ["2:3  role  Search has capital letters: write search"]),
        ("host,role\n a,r\nb,r \n", ["2:1  host  there are spaces around a", "3:3  role  there are spaces around r"]),
        ("host,role,site\na,r, lon2\n", ["2:5  site  there are spaces around 'lon2'"]),
        ("host,role\na_b,r\n", ["2:1  host  a_b holds _: a host name has a to z, 0 to 9, - and . only"]),
        ("host,role\nå,r\n", ["2:1  host  å holds å"]),
        (
            "host,role\n-a,r\na-,r\na.-b,r\n",
            ["2:1  host  -a has a -", "3:1  host  a- has a -", "4:1  host  a.-b has a -"],
        ),
        (
            "host,role\na..b,r\n.a,r\na.,r\n",
            ["2:1  host  a..b has a dot", "3:1  host  .a has a dot", "4:1  host  a. has a dot"],
        ),
        (f"host,role\n{'a' * 64},r\n", ["2:1  host  " + "a" * 57 + "... has 64 characters: 63"]),
        (f"host,role\n{'a.' * 126}ab,r\n", ["2:1  host  " + "a." * 28 + "a... has 254 characters: 253"]),
        ("host,role\n,r\na,\n", ["2:1  host  the name of the host is missing", "3:3  role  the role is missing"]),
        ("host,role\na,x..y\nb,-x\n", ["2:3  role  x..y has two dots", "3:3  role  -x is not the name of a role"]),
        (f"host,role\na,{'r' * 64}\n", ["2:3  role  " + "r" * 57 + "... has 64 characters: 63"]),
        ("host,role\na\0,r\n", ["2:1  host  'a\\x00' holds '\\x00'"]),
        ("host,role,site\na,r,x\0\n", ["2:5  site  'x\\x00' holds a control character"]),
        ("host,role,site\na,r,\x1b[31m\n", ["2:5  site  '\\x1b[31m' holds a control character"]),
        ("host,role\ra,r\r", ["1:1  the first line is not a header"]),
        ("host,role\na,r\rb,s\n", ["2:1  the line has 3 cells"]),
        ('host,role\n"a,r\nb,s\n', ["2:1  a quote is not closed"]),
        ('host,role,site\n"a","r","x\ny"\n', ["2:1  a quote is not closed", "3:1  "]),
        ('host,role\n"a","r"x\n', ["2:1  a quote is not closed"]),
        (
            'host,role,site\n"a","r"," x"\n"A","r","x"\n',
            ["2:9  site  there are spaces", "3:1  host  A has capital letters"],
        ),
        (b"host,role\na,r\nb\xe5,r\n", ["3:2  the byte 0xe5 is not UTF-8"]),
        ("host,role\na,r\n".encode("utf-16"), ["1:1  the file is UTF-16"]),
    ],
)
def test_complaints(text: str | bytes, expected: list[str]) -> None:
    _, problems = read(text)
    assert len(problems) == len(expected), problems
    for problem, part in zip(problems, expected, strict=True):
        assert problem.startswith(part), problem


def test_all_problems_at_once_but_no_flood() -> None:
    lines = [f"HOST-{i},r" for i in range(1000)]
    _, problems = read("\n".join(["host,role", *lines]))
    assert len(problems) == MOST_PROBLEMS + 1
    assert problems[-1] == "102:1  and 900 more problems in this file"


def test_problems_are_in_the_order_of_the_file() -> None:
    _, problems = read_csv(b"host,role\nB,R\na,r,x\nC,r\n", "inventory.csv")
    assert list(problems) == sorted(problems)
    assert {type(problem) for problem in problems} == {Problem}


CELL = st.text(st.sampled_from('aB1-._ "\n\r,é\0\t'), max_size=6)


@given(
    st.lists(st.lists(CELL, min_size=1, max_size=4), max_size=6),
    st.sampled_from(["host,role", "host,role,x", '"host",role']),
)
def test_whatever_stands_there_is_read_or_complained_of(rows: list[list[str]], header: str) -> None:
    inventory, problems = read("\n".join([header, *map(",".join, rows)]))
    if inventory is None:
        assert problems
    else:
        assert not any(map(host_fault, inventory.hosts))
        assert not any(map(role_fault, inventory.roles))
        assert len(set(inventory.hosts)) == len(inventory.hosts)


@given(st.lists(st.text(st.sampled_from("ab-.A_é\n"), max_size=5) | st.just("a" * 63) | st.just("a" * 64), max_size=4))
def test_names_are_judged_alike_one_by_one_and_all_at_once(names: list[str]) -> None:
    assert hosts_are_named_well(names) is not any(map(host_fault, names))


@pytest.mark.slow
def test_a_large_inventory_is_read_fast() -> None:
    rows = [f"lon2-role{i % 500}-a{i},role{i % 500},site{i % 7},r{i % 97}" for i in range(100_000)]
    random.Random(1).shuffle(rows)
    data = "\n".join(["host,role,site,rack", *rows]).encode()
    begun = time.perf_counter()
    inventory, _ = read_csv(data, "inventory.csv")
    assert time.perf_counter() - begun < 2
    assert inventory is not None
    assert len(inventory.hosts) == 100_000


# --- YAML


def test_yaml_inventory() -> None:
    inventory, problems = read_yaml("search: [b1, a10]\nlogin:\n  - a2\nempty: []\n")
    assert inventory is not None, problems
    assert dict(inventory.members()) == {"login": ("a2",), "search": ("a10", "b1")}
    assert inventory.labels == {}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("- a\n", ["1:1  the inventory is not a mapping"]),
        ("{}\n", ["1:1  the inventory has no hosts"]),
        ("search: []\n", ["1:1  the inventory has no hosts"]),
        ("login: [a]\nsearch: a\n", ["2:9  search  not a list of hosts"]),
        ("login: [a]\nsearch:\n", ["2:8  search  not a list of hosts"]),
        ("login: [a, b]\nsearch: [c, a]\n", ["2:13  search[1]  a stands on line 1 too"]),
        ("login: [a, a]\n", ["1:12  login[1]  a stands on line 1 too"]),
        ("login: [A, [b]]\n", ["1:9  login[0]  A has capital letters", "1:12  login[1]  not a name"]),
        ("Login: [a]\n", ["1:1  Login  Login has capital letters"]),
        ("login: [12, no]\n", ["1:9  login[0]  12 is ", "1:13  login[1]  no is "]),
    ],
)
def test_yaml_complaints(text: str, expected: list[str]) -> None:
    _, problems = read_yaml(text)
    assert len(problems) == len(expected), problems
    for problem, part in zip(problems, expected, strict=True):
        assert problem.startswith(part), problem


# --- the example fleet


def test_example_inventory() -> None:
    data = (ROOT / "inventory.csv").read_bytes()
    inventory, problems = read_csv(data, "inventory.csv")
    assert inventory is not None, problems
    members = inventory.members()
    assert (len(members["accesspoint"]), len(members["login"])) == (180, 22)
    assert 1_900 <= len(inventory.hosts) <= 2_100
    assert 35 <= len(members) <= 45
    assert {min(map(len, members.values())), max(map(len, members.values()))} == {1, 300}
    assert inventory.role_of("lon2-canary-a1") == inventory.role_of("lon2-accesspoint-a7") == "accesspoint"
    assert set(inventory.labels) == {"site", "rack"}
    hosts = [line.partition(",")[0] for line in data.decode().splitlines()[1:]]
    assert hosts == sorted(hosts)
