"""What the real ansible-inventory prints is taken in."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.commands.fleet_world import Fleet
from tests.inventory.sources import SECRET

INI = f"""
[web]
web[1:3].example.com site=ams1

[web_eu]
Web9.example.com site=fra2 rack=7

[web_eu:vars]
token={SECRET}

[web:children]
web_eu

[db]
db1.example.com site=ams1

[europe:children]
web_eu
db

[all:vars]
password={SECRET}
"""
WEB = [f"web{number}.example.com,web,ams1" for number in (1, 2, 3)]


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    """Return a file with what ansible-inventory --list prints."""
    if shutil.which("ansible-inventory") is None:
        if os.environ.get("TSUNAMI_REQUIRE_SERVERS") == "1":
            pytest.fail("TSUNAMI_REQUIRE_SERVERS=1, and there is no ansible-inventory", pytrace=False)
        pytest.skip("ansible-inventory is not installed here: pip install ansible-core")
    (tmp_path / "hosts.ini").write_text(INI)
    words = ["ansible-inventory", "--inventory", "hosts.ini", "--list"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, check=True)
    assert SECRET.encode() in done.stdout
    (tmp_path / "listed.json").write_bytes(done.stdout)
    return tmp_path / "listed.json"


def test_a_real_inventory_of_ansible(fleet: Fleet, listed: Path) -> None:
    words = (
        "inventory",
        "import",
        "--from",
        "ansible",
        str(listed),
        "--label",
        "site=meta:site",
        "--accept-shrink",
        "5",
    )
    assert fleet.run(*words).code == 0
    rows = ["host,role,site", "db1.example.com,db,ams1", *WEB]
    assert fleet.read("inventory.csv").splitlines() == [*rows, "web9.example.com,web_eu,fra2"]
    assert "1 host has no role (db1.example.com)" in fleet.no(*words, "--role-from", "group:web")
    fleet.run(*words, "--role-from", "regex:(eb|db)", "--label", "rack=meta:rack")
    assert "web9.example.com,eb,fra2,7" in fleet.read("inventory.csv").splitlines()
    assert SECRET not in fleet.git("log", "-p", "--all")
