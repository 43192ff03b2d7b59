"""Every source, read by rules; and what is refused, without a word of what the source holds."""

import json
from typing import Any

import pytest

from tests.inventory import sources
from tests.inventory.sources import HOSTS, SECRET, SITES, text_of
from tsunami_cli.adapters.inventory_sources import machines
from tsunami_cli.core.importing.intake import Rules, taken_in
from tsunami_cli.core.importing.machines import ROLE_BY, Source, rule
from tsunami_cli.core.problems import Refusal
from tsunami_cli.errors import Refused

Case = tuple[Source, object, str | None, str]

FLEETS: dict[str, Case] = {
    "ansible": ("ansible", sources.ansible(), None, "meta:site"),
    "ansible, by pattern": ("ansible", sources.ansible(), "group:[dw][be]*", "meta:site"),
    "ansible, by name": ("ansible", sources.ansible(), "regex:^([a-z]+)", "meta:site"),
    "consul's nodes": ("consul", sources.catalog_nodes(), "meta:role", "meta:Datacenter"),
    "consul's catalog of services": ("consul", sources.catalog_service(), None, "meta:site"),
    "consul's health of services": ("consul", sources.health_service(), None, "meta:site"),
    "puppetdb's inventory": ("puppetdb", sources.puppet_inventory(), None, "meta:location.site"),
    "puppetdb, by certificate": (
        "puppetdb",
        sources.puppet_inventory(),
        "meta:trusted.extensions.pp_role",
        "meta:location.site",
    ),
    "puppetdb's facts": ("puppetdb", sources.puppet_facts(), None, "meta:location.site"),
    "prometheus": ("prometheus-sd", sources.file_sd(), None, "label:site"),
    "csv": ("csv", sources.table(), None, "label:site"),
    "csv, with Windows' line ends and mark": (
        "csv",
        "\ufeff" + sources.table().replace("\n", "\r\n"),
        "label:role",
        "meta:site",
    ),
}


@pytest.mark.parametrize("case", FLEETS.values(), ids=FLEETS)
def test_every_source_gives_the_same_hosts(case: Case) -> None:
    source, found, role, site = case
    rules = Rules(rule(role or ROLE_BY[source], source), None, (("site", rule(site, source)),))
    read = machines(source, text_of(found), "file")
    assert SECRET not in repr(read)
    intake = taken_in(read, rules, "file")
    inventory = intake.inventory
    assert dict(zip(inventory.hosts, inventory.roles, strict=True)) == HOSTS
    assert dict(zip(inventory.hosts, inventory.labels["site"], strict=True)) == SITES
    assert intake.without == {}


def read(source: Source, found: object, role: str = "value:web", name: str | None = None, **labels: str) -> Any:
    """Return hosts with role and labels, as a source's bytes give them."""
    data = found if isinstance(found, bytes) else text_of(found)
    named = rule(name, source) if name else None
    rules = Rules(rule(role, source), named, tuple((key, rule(text, source)) for key, text in labels.items()))
    inventory = taken_in(machines(source, data, "f"), rules, "f").inventory
    return dict(zip(inventory.hosts, zip(inventory.roles, *inventory.labels.values(), strict=True), strict=True))


def refusal(source: Source, found: object, role: str = "value:web", name: str | None = None, **labels: str) -> str:
    with pytest.raises((Refused, Refusal)) as refused:
        read(source, found, role, name, **labels)
    # Nothing is chained to it either: a traceback would show that.
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None or refused.value.__suppress_context__
    said = str(refused.value)
    assert said.startswith("f: "), said
    assert SECRET not in said
    assert "\n" not in said
    return said


# What every source refuses

EVERYWHERE: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "is empty"),
    "blanks": (b" \n\n", "is empty"),
    "utf-16": ('[{"a": "hunter2"}]'.encode("utf-16"), "is UTF-16: save it as UTF-8"),
    "latin-1": (b'host,role\n"caf\xe9hunter2",x\n', "is no UTF-8 text (at byte 14)"),
    "binary": (b"\x7fELF\x02\x01\x01\x00hunter2", "is no text"),
    "a page of HTML": (b"<!DOCTYPE html><html><body>502 hunter2</body></html>", "is HTML or XML"),
}
JSON_ONLY: dict[str, tuple[bytes, str]] = {
    "yaml": (b"all:\n  hosts:\n    a: {password: hunter2}\n", "is not JSON (invalid character (byte 0))"),
    "cut off": (b'[{"password": "hunter2', "is not JSON ("),
    "deep": (b"[" * 100_000, "is nested too deep"),
    "half a character": (b'["\\ud800hunter2"]', "is not JSON ("),
    "an answer that says no": (b'{"error": "no token hunter2"}', "is the answer that something went wrong"),
    "text": (b'"hunter2"', "text, not a"),
    "a number": (b"12", "a number, not a"),
    "null": (b"null", "null, not a"),
}
SOURCES: tuple[Source, ...] = ("ansible", "consul", "puppetdb", "prometheus-sd", "csv")


@pytest.mark.parametrize("source", SOURCES)
def test_what_is_no_inventory_is_refused_in_one_line_that_says_what_was_expected(source: Source) -> None:
    table = EVERYWHERE if source == "csv" else EVERYWHERE | JSON_ONLY
    expected = {"csv": "CSV with a header", "ansible": "ansible-inventory --list", "prometheus-sd": "Prometheus"}
    for what, (data, says) in table.items():
        said = refusal(source, data)
        assert says in said, (what, said)
        assert f"expected {'the ' * (source != 'csv')}" in said, (what, said)
        assert expected.get(source, "/v").lower() in said.lower(), (what, said)


NO_HOSTS: list[tuple[Source, object]] = [
    ("ansible", {"_meta": {"hostvars": {}}, "all": {"children": ["ungrouped"]}}),
    ("ansible", {}),
    ("consul", []),
    ("puppetdb", []),
    ("prometheus-sd", [{"targets": []}]),
    ("csv", "host,role\n\n"),
]


@pytest.mark.parametrize(("source", "found"), NO_HOSTS)
def test_no_host_is_no_import(source: Source, found: object) -> None:
    assert "holds no host: nothing was imported" in refusal(source, found)
    with pytest.raises(Refusal, match="holds no host"):
        taken_in([], Rules(rule("value:web", source)), "f")


# Ansible


def test_groups_may_be_bare_lists_and_hosts_stand_in_no_group() -> None:
    old = {"web": ["web1", "web2"], "_meta": {"hostvars": {"web1": {}, "lonely": {}}}}
    assert read("ansible", old) == {"lonely": ("web",), "web1": ("web",), "web2": ("web",)}
    assert "1 host has no role (lonely): --role-from group finds nothing there" in refusal("ansible", old, "group")


def test_of_nested_groups_the_most_specific_one_counts() -> None:
    nested = {
        "all": {"children": ["site"], "hosts": ["a", "b", "c"]},
        "site": {"children": ["web"], "hosts": ["a"]},
        "web": {"children": ["web_eu"], "hosts": ["a", "b"]},
        "web_eu": {"hosts": ["a", "c"]},
        "_meta": {"hostvars": {}},
    }
    assert read("ansible", nested, "group") == {"a": ("web_eu",), "b": ("web",), "c": ("web_eu",)}
    assert read("ansible", nested, "group:web") == {"a": ("web",), "b": ("web",), "c": ("web",)}


def test_groups_that_hold_each_other_end_no_loop() -> None:
    looped = {"a": {"children": ["b"], "hosts": ["x"]}, "b": {"children": ["a"]}}
    assert read("ansible", looped, "group") == {"x": ("a",)}


def test_several_groups_are_refused_with_the_way_out() -> None:
    several = {name: {"hosts": ["x", "y"]} for name in ("web", "ams1", "linux", "prod", "zoo")}
    said = refusal("ansible", several, "group")
    assert "x is in 5 groups (ams1, linux, prod, web, ...): pick one with group:GLOB (and 1 more like it)" in said
    assert "x is in 2 groups (web, zoo)" in refusal("ansible", several, "group:[wz]*")
    assert read("ansible", several, "group:w*") == {"x": ("web",), "y": ("web",)}


def test_variables_are_read_as_text_or_refused_unseen() -> None:
    def hosts(value: object) -> dict[str, Any]:
        return {"_meta": {"hostvars": {"x": {"v": value, "nested": {"v": value}}, "y": {"v": "there"}}}, "g": ["x"]}

    good: list[tuple[object, str]] = [
        (" s ", "s"),
        (12, "12"),
        (True, "true"),
        ({"__ansible_unsafe": "{{a}}"}, "{{a}}"),
    ]
    for value, text in good:
        assert read("ansible", hosts(value), l="meta:v")["x"] == ("web", text), value
    assert read("ansible", hosts("deep"), l="meta:nested.v") == {"x": ("web", "deep"), "y": ("web", "")}
    bad: list[tuple[object, str]] = [
        ([SECRET], "a list"),
        ({"a": SECRET}, "an object"),
        (1.1, "a number with a point"),
        (10**30, "a very long number"),
    ]
    for value, kind in bad:
        said = refusal("ansible", hosts(value), l="meta:v")
        assert f"--label l=meta:v: x has {kind}" in said, said
    for value in ("a\nb" + SECRET, "\x1b[31m" + SECRET, "\u202e" + SECRET):
        assert "1 host has control characters in l (x)" in refusal("ansible", hosts(value), l="meta:v")
    assert "no host has anything for --label l=meta:site: is it spelled" in refusal(
        "ansible", hosts(SECRET), l="meta:site"
    )


ANSIBLE: dict[str, tuple[object, str]] = {
    "a list": ([SECRET], "the document is a list, not an object"),
    "a plain object": ({"password": SECRET}, "password is text, not an object"),
    "an object of objects": ({"x": {"password": SECRET}}, "x is no group: it has neither hosts"),
    "hosts as an object": ({"web": {"hosts": {"a": {"p": SECRET}}}}, "web.hosts is an object, not a list"),
    "a host as an object": ({"web": {"hosts": ["a", {"p": SECRET}]}}, "web.hosts[1] is an object, not text"),
    "an empty host": ({"web": {"hosts": [""]}}, "web.hosts[0] is empty"),
    "variables as a list": ({"_meta": {"hostvars": {"a": [SECRET]}}}, "_meta.hostvars.a is a list, not an object"),
    "no variables": ({"_meta": {"hostvars": [SECRET]}}, "_meta.hostvars is a list"),
}
CONSUL: dict[str, tuple[object, str]] = {
    "services": ({"web": [SECRET]}, "is an object, not a list"),
    "a row of text": ([SECRET], "[0] is text, not an object"),
    "no node": ([{"Node": "a"}, {"Password": SECRET}], "[1].Node is missing"),
    "a nested node without name": ([{"Node": {"Password": SECRET}}], "[0].Node.Node is missing"),
    "meta as text": ([{"Node": "a", "Meta": SECRET}], "[0].Meta is text, not an object"),
    "a service as a list": ([{"Node": {"Node": "a"}, "Service": [SECRET]}], "[0].Service is a list"),
}
PUPPETDB: dict[str, tuple[object, str]] = {
    "no name": ([{"facts": {"p": SECRET}}], "[0].certname is missing"),
    "a name of numbers": ([{"certname": 12}], "[0].certname is a number, not text"),
    "facts as a list": ([{"certname": "a", "facts": [SECRET]}], "[0].facts is a list, not an object"),
    "a fact twice": (
        [{"certname": "a", "name": "role", "value": SECRET}, {"certname": "a", "name": "role", "value": SECRET}],
        "[1] gives a fact of a for the second time",
    ),
    "not active": ([{"certname": "a", "deactivated": "2026-01-01T00:00:00Z"}], "[0].deactivated is set"),
}
PROMETHEUS: dict[str, tuple[object, str]] = {
    "no targets": ([{"labels": {"p": SECRET}}], "[0].targets is missing"),
    "a target as text": ([{"targets": SECRET}], "[0].targets is text, not a list"),
    "a target that is none": ([{"targets": ["a", 1]}], "[0].targets[1] is a number, not text"),
    "IPv6": ([{"targets": ["a"]}, {"targets": ["[2001:db8::1]:9100"]}], "[1].targets[0] is an IPv6 address"),
    "bare IPv6": ([{"targets": ["2001:db8::1"]}], "[0].targets[0] is an IPv6 address"),
    "a URL": ([{"targets": [f"https://u:{SECRET}@a/x"]}], "[0].targets[0] is not a host with or without a port"),
    "labels as a list": ([{"targets": ["a"], "labels": [SECRET]}], "[0].labels is a list"),
}
CSV: dict[str, tuple[object, str]] = {
    "semicolons": (f"host;role\na;{SECRET}\n", "line 1 has no commas"),
    "a short row": (f"host,role\na,web\n{SECRET}\n", "line 3 has 1 cells and the header 2"),
    "a column twice": (f"host,role,role\na,b,{SECRET}\n", "the header in line 1 has one name twice"),
    "no header but a host": (f"a,{SECRET}\nb,{SECRET}\n", "1 host has no name (line 2): name what holds it"),
    "an open quote": (f'host,role\na,"{SECRET}\n', "line 2 is not CSV (unexpected end of data)"),
    "text after a quote": (f'host,role\na,"b"{SECRET}\n', "line 2 is not CSV ("),
    "a blank header": (",,\na,b,c\n", "the header in line 1 is blank"),
}
SHAPES: list[tuple[Source, str, object, str]] = [
    (source, what, found, says)
    for source, table in zip(SOURCES, (ANSIBLE, CONSUL, PUPPETDB, PROMETHEUS, CSV), strict=True)
    for what, (found, says) in table.items()
]


@pytest.mark.parametrize(("source", "what", "found", "says"), SHAPES, ids=[f"{s}: {w}" for s, w, _, _ in SHAPES])
def test_another_shape_is_refused_with_its_address(source: Source, what: str, found: object, says: str) -> None:
    assert says in refusal(source, found)


# Names, roles and hosts that stand twice


def test_names_are_lower_cased_and_checked() -> None:
    assert read("consul", [{"Node": "Web1.Example.COM"}]) == {"web1.example.com": ("web",)}
    assert "web_1: web_1 holds _: a host name has a to z" in refusal("consul", [{"Node": "web_1"}, {"Node": "a"}])
    both = [{"Node": "Web1"}, {"Node": "web1"}]
    assert "Web1 ([0]) and web1 ([1]) would both be web1" in refusal("consul", both)


def test_a_name_may_stand_elsewhere() -> None:
    rows = [{"Node": "i-1", "Meta": {"fqdn": "A.example.com"}}, {"Node": "i-2", "Meta": {"fqdn": "b.example.com"}}]
    assert list(read("consul", rows, name="meta:fqdn")) == ["a.example.com", "b.example.com"]
    rows.append({"Node": "i-3", "Meta": {"p": SECRET}})
    assert "1 host has no name (i-3): --name-from meta:fqdn finds nothing there" in refusal(
        "consul", rows, name="meta:fqdn"
    )
    rows[2] = {"Node": "i-3", "Meta": {"fqdn": "a.example.com"}}
    assert "i-1 ([0]) and i-3 ([2]) would both have one name" in refusal("consul", rows, name="meta:fqdn")
    assert list(read("csv", f"p,fqdn\n{SECRET},a\n{SECRET},b\n", name="meta:fqdn")) == ["a", "b"]


def test_what_stands_twice_with_the_same_result_is_one_host() -> None:
    rows = [{"Node": "a", "ServiceName": "web", "ServiceID": str(n), "ServiceMeta": {"s": "x"}} for n in range(3)]
    assert read("consul", rows, "group", s="meta:s") == {"a": ("web", "x")}
    other = [*rows, {"Node": "a", "ServiceName": "db"}]
    assert "a has two roles, web and db ([0] and [3]): a host has one" in refusal("consul", other, "group")
    rows[2]["ServiceMeta"] = {"s": SECRET}
    assert "a has two values for --label s=meta:s ([0] and [2])" in refusal("consul", rows, "group", s="meta:s")


def test_hosts_without_a_role_are_refused_all_together() -> None:
    rows = [{"targets": [f"h{n}:1"], "labels": {"role": "web" if n < 2 else ""}} for n in range(7)]
    assert "5 hosts have no role (h2, h3, h4, ...): --role-from label:role finds nothing there" in refusal(
        "prometheus-sd", rows, "label:role"
    )
    assert "7 hosts have no role (h0, h1, h2, ...): --role-from regex:^x" in refusal(
        "prometheus-sd", rows, "regex:^x(.*)"
    )
    assert "2 hosts have no l (h5, h6): --label l=regex:h[0-4] does not match" in refusal(
        "prometheus-sd", rows, l="regex:h[0-4]"
    )


@pytest.mark.parametrize("role", ["Web", "web/1", "a b", ".."])
def test_a_role_that_we_cannot_have_is_refused_with_its_host(role: str) -> None:
    rows = [{"certname": "a", "facts": {"role": "web"}}, {"certname": "b", "facts": {"role": role}}]
    assert refusal("puppetdb", rows, "meta:role").startswith("f: b: ")


def test_facts_that_a_query_asked_for_by_path() -> None:
    rows = [{"certname": "a", "facts.os.family": "Debian", "trusted.extensions.pp_role": "db"}]
    assert read("puppetdb", rows, "meta:trusted.extensions.pp_role", os="meta:os.family") == {"a": ("db", "Debian")}
    assert read("puppetdb", [{"certname": "a", "catalog_environment": "x", "deactivated": None}]) == {"a": ("web",)}


# Rules

BAD_RULES: list[tuple[Source, str, str]] = [
    ("ansible", "role", "role is not a rule: write one of group or group:GLOB, meta:NAME"),
    ("ansible", "meta:", "something is missing: write meta:NAME"),
    ("ansible", "group:", "something is missing: write group or group:GLOB"),
    ("ansible", "label:x", "ansible has no labels: write one of"),
    ("puppetdb", "group", "puppetdb has no groups: write one of meta:NAME"),
    ("prometheus-sd", "meta:x", "prometheus-sd has no meta: write one of label:NAME"),
    ("csv", "group:x", "csv has no groups"),
    ("csv", "regex:(", "is no regular expression (missing ), unterminated subpattern at position 0)"),
    ("csv", "regex", "something is missing: write regex:PATTERN"),
    ("csv", "", "is not a rule"),
]


@pytest.mark.parametrize(("source", "text", "says"), BAD_RULES)
def test_rules_without_a_meaning_are_refused(source: Source, text: str, says: str) -> None:
    with pytest.raises(Refusal) as refused:
        rule(text, source)
    assert says in str(refused.value)


def test_a_pattern_gives_its_first_group_or_all_that_it_matches() -> None:
    rows = [{"certname": "ams1-web-a12"}]
    for pattern, role in (("-(.*)-", "web"), ("[a-z]{3}[0-9]", "ams1"), ("^(?:x|(ams.))", "ams1")):
        assert read("puppetdb", rows, f"regex:{pattern}") == {"ams1-web-a12": (role,)}, pattern


def test_many_hosts_take_no_time_to_speak_of() -> None:
    roles = {f"h{number}": f"r{number % 9}" for number in range(3000)}
    assert len(read("ansible", json.loads(json.dumps(sources.ansible(roles))), "group")) == 3000


def test_a_key_twice_is_refused_for_one_of_both_would_vanish() -> None:
    text = '{"web": {"hosts": ["a.x", "b.x"]}, "web": {"hosts": ["a.x"]}, "all": {"children": ["web"]}}'
    with pytest.raises(Refused, match="has a key twice"):
        list(machines("ansible", text.encode(), "f"))


def test_a_node_in_two_datacenters_is_two_machines() -> None:
    rows = [{"Node": "db1", "Datacenter": "d1"}, {"Node": "db1", "Datacenter": "d2"}]
    assert "[1] is a second db1, of another datacenter" in refusal("consul", rows)
    assert "shown" in refusal("consul", [{"Node": "a", "Meta": {"role": f"{SECRET} X"}}], role="meta:role")
