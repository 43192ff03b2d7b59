"""`tsunami inventory list`."""

import json
import os
import pty

import pytest

from tests.commands.fleet_world import Fleet
from tests.inventory.sources import HOSTS, INVENTORY, SITES
from tsunami_cli.core.inventory import Inventory
from tsunami_cli.output import inventory as screen


def test_hosts_one_a_line_and_counts_beside_them(fleet: Fleet) -> None:
    said = fleet.run("inventory", "list")
    assert said.code == 0
    assert [tuple(line.split()) for line in said.out.splitlines()] == [
        (host, role, SITES[host]) for host, role in HOSTS.items()
    ]
    assert said.err.splitlines() == ["5 hosts in 2 roles", "  role: web 3, db 2", "  site: fra2 3, ams1 2"]


def test_roles_by_pattern(fleet: Fleet) -> None:
    assert fleet.run("inventory", "list", "--role", "d?", "--role", "none*").out.split()[::3] == ["db1", "db2"]
    assert "none* matches no role" in fleet.run("inventory", "list", "--role", "none*").err
    assert "webs: inventory.csv has no such role: do you mean web?" in fleet.no("inventory", "list", "--role", "webs")


def test_json(fleet: Fleet) -> None:
    data = fleet.json("inventory", "list")
    assert data["file"] == "inventory.csv"
    assert data["hosts"] == [
        {"host": host, "role": role, "labels": {"site": SITES[host]}} for host, role in HOSTS.items()
    ]
    assert data["counts"] == {
        "hosts": 5,
        "roles": {"db": 2, "web": 3},
        "labels": {"site": {"ams1": 2, "fra2": 3}},
    }


def test_it_warns_where_the_checkout_is_not_what_counts(fleet: Fleet) -> None:
    fleet.write({"inventory.csv": INVENTORY + "mine,web,\n"})
    said = fleet.run("inventory", "list")
    assert said.out.splitlines()[2].split() == ["mine", "web"]
    assert "inventory.csv: not as on main, which counts" in said.err
    assert "site: fra2 3, ams1 2, nothing 1" in said.err


def test_a_person_sees_what_the_columns_are(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr("sys.stdout", terminal)
        screen.show_list(Inventory(("a",), ("web",), {"site": ("x",)}), "f", as_json=False)
        said = b""
        while said.count(b"\n") < 2:
            said += os.read(ours, 999)
    assert said.decode().split() == ["host", "role", "site", "a", "web", "x"]
    os.close(ours)


def test_many_hosts_and_values(capsys: pytest.CaptureFixture[str]) -> None:
    names = [f"h{number:05}" for number in range(20_000)]
    inventory = Inventory(tuple(names), ("web",) * len(names), {"rack": tuple(name[:4] for name in names)})
    screen.show_list(inventory, "f", as_json=True)
    assert len(json.loads(capsys.readouterr().out)["hosts"]) == len(names)
    screen.show_list(inventory, "f", as_json=False)
    assert "h018 100, h019 100 and 180 more" in capsys.readouterr().err
