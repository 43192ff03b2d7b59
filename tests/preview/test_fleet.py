"""Changes of the inventory and of the settings, and files that are broken on either side."""

import pytest

from tests.commands.fleet_world import DOCKER, HELIOS, Fleet

INVENTORY, SETTINGS = "inventory.csv", "tsunami.yaml"


def rows(fleet: Fleet) -> list[str]:
    return fleet.read(INVENTORY).splitlines(keepends=True)


def test_hosts_that_come_go_and_change_role(running: Fleet) -> None:
    text = running.read(INVENTORY)
    text = text.replace("lon2-db-a1,db,", "lon2-db-a1,proxy,").replace("sto1-db-a2,db,sto1,sto1-r1\n", "")
    running.write({INVENTORY: text.replace("lon2-r2", "lon2-r9", 1) + "lon2-search-z1,search,lon2,lon2-r0\n"})
    data = running.json("preview")
    assert data["variables"] == []
    assert data["inventory"] == {
        "file": INVENTORY,
        "hosts": {"before": 60, "after": 60},
        "joined": [{"host": "lon2-search-z1", "role": "search"}],
        "left": [{"host": "sto1-db-a2", "role": "db"}],
        "moved": [{"host": "lon2-db-a1", "from": "db", "to": "proxy"}],
        "relabelled": 1,
        "roles": [
            {"role": "db", "before": 6, "after": 4},
            {"role": "proxy", "before": 8, "after": 9},
            {"role": "search", "before": 15, "after": 16},
        ],
        "gone_percent": 1.6667,
        "max_shrink_percent": 10,
    }
    # It came into a role that helios is for, and into one that has somaxconn.
    told = {one["name"]: one["at_once"]["tellings"] for one in data["effects"]}
    assert [(one["host"], one["from"], one["to"]) for one in told["helios"]][-1] == ("lon2-db-a1", None, "0.9.10")
    assert told["somaxconn"] == [{"host": "lon2-db-a1", "role": "proxy", "from": None, "to": 128}]
    assert data["problems"] == []
    screen = running.ok("preview")
    assert "inventory.csv  60 hosts: 1 joined, 1 left (1.6 %), 1 in another role, 1 with another label" in screen
    assert "role       1 host: lon2-db-a1 (db -> proxy)" in screen


def test_an_inventory_that_lost_too_much(running: Fleet) -> None:
    running.write({INVENTORY: "".join(rows(running)[:45])})
    data = running.json("preview")
    problem = data["problems"][0]
    assert problem["message"] == (
        "16 of 60 hosts are gone (26.6 %), more than max_shrink: 10%: the next publish refuses it; if it is meant, "
        "tsunami publish --accept-shrink 16"
    )
    assert problem["file"] == INVENTORY
    # What a publish asks is what is gone since the last one, whenever it went.
    running.git("commit", "-qam", "gone")
    running.write({INVENTORY: "".join(rows(running)[:44])})
    assert "17 of 60 hosts are gone" in running.json("preview")["problems"][0]["message"]


def test_the_hosts_of_a_changed_inventory_are_not_the_news_of_a_changed_file(running: Fleet) -> None:
    running.write({INVENTORY: "".join(rows(running)[:-2]), HELIOS: running.read(HELIOS) + "owner: me\n"})
    (found,) = running.json("preview")["variables"]
    assert (found["name"], found["at_once"]["hosts"]) == ("helios", 0)


def test_quotas_follow_the_inventory(running: Fleet) -> None:
    extra = [f"lon2-search-z{number},search,lon2,lon2-r0\n" for number in range(40)]
    running.write({INVENTORY: running.read(INVENTORY) + "".join(extra)})
    (effect,) = running.json("preview")["effects"]
    assert (effect["name"], effect["rollout"]) == ("helios", "helios-20261116T090000Z")
    (quota,) = effect["quotas"]
    assert quota["role"] == "search"
    assert quota["after"] - quota["before"] == 10
    assert f"helios  its file stays, but hosts to have moved by now: search {quota['before']} -> " in running.ok(
        "preview"
    )


def test_a_column_that_goes_is_missed_by_files_that_do_not_differ(fleet: Fleet) -> None:
    fleet.write({INVENTORY: fleet.read(INVENTORY).replace("site", "place", 1)})
    said = fleet.run("preview", "--json")
    assert said.code == 1
    (problem,) = said.data["problems"]
    assert (problem["file"], problem["severity"]) == ("rollouts/somaxconn.yaml", "error")
    assert "the inventory has no column site" in problem["message"]


def test_settings_key_by_key(fleet: Fleet) -> None:
    fleet.write({SETTINGS: fleet.read(SETTINGS).replace("every: 5m", "every: 10m") + "  host_label: node\n"})
    data = fleet.json("preview")
    assert data["settings"] == [
        {"key": "publish.every", "before": "5m", "after": "10m"},
        {"key": "guard.host_label", "before": None, "after": "node"},
    ]
    assert "publish.every: 5m -> 10m" in fleet.ok("preview")


def test_a_line_that_is_stopped_stops_what_runs(running: Fleet) -> None:
    running.write({SETTINGS: running.read(SETTINGS) + 'freeze: {since: 2026-11-16T14:50:00Z, reason: "storm"}\n'})
    data = running.json("preview")
    (effect,) = data["effects"]
    assert (effect["name"], effect["state"]) == ("helios", {"before": "running", "after": "frozen"})
    assert "freeze: + {since: 2026-11-16T14:50:00Z, reason: storm}" in running.ok("preview")


def test_a_freeze_that_is_taken_away_by_hand_is_warned_of(running: Fleet) -> None:
    before = running.read(SETTINGS)
    running.ok("freeze", "--reason", "storm")
    running.git("branch", "frozen")
    running.commit({SETTINGS: before})
    found = [one for one in running.json("preview", "--base", "frozen")["problems"] if one["where"] == "freeze"]
    assert [(one["file"], one["severity"]) for one in found] == [(SETTINGS, "warning")]
    running.git("reset", "-q", "--hard", "frozen")
    running.ok("unfreeze")
    again = running.json("preview", "--base", "frozen")
    assert not [one for one in again["problems"] if one["where"] == "freeze"]


def test_a_freeze_among_the_commits_is_named(running: Fleet) -> None:
    running.git("branch", "before")
    running.ok("freeze", "--reason", "storm")
    data = running.json("preview", "--base", "before")
    assert [(one["action"], one["reason"]) for one in data["decisions"]] == [("freeze", "storm")]
    assert "decided    freeze by Ada Operator (" in running.ok("preview", "--base", "before")
    assert "decided    freeze by Ada Operator (" in running.ok("preview", "--base", "before", "--markdown")


def test_a_rollout_that_others_wait_for_is_missed(running: Fleet) -> None:
    running.ok("start", "docker", "--to", "1.12.3", "--over", "14d", "--after", "helios")
    running.git("branch", "before")
    assert "begins once helios is complete" in running.ok("preview", "--base", "before~1")
    running.write({HELIOS: running.read(HELIOS).partition("rollouts:")[0]})
    messages = [one["message"] for one in running.json("preview", "--base", "before")["problems"]]
    assert (
        "helios-20261116T090000Z is taken out, and docker waits for it: tsunami resume docker begins it without waiting"
    ) in messages


# Broken files

BROKEN = "name: helios\nvalue: {type: string}\ndefault: [\n"


def test_a_broken_file_keeps_the_others_from_nothing(running: Fleet) -> None:
    running.write({HELIOS: BROKEN, DOCKER: running.read(DOCKER).replace("owner: containers", "owner: me")})
    said = running.run("preview", "--json")
    assert said.code == 1
    docker, helios = said.data["variables"]
    assert (docker["broken"], [one["key"] for one in docker["keys"]]) == (False, ["owner"])
    assert (helios["broken"], helios["at_once"]["hosts"]) == (True, 0)
    assert helios["values"]["before"] == helios["values"]["after"]
    assert helios["problems"][0]["severity"] == "error"
    screen = running.run("preview")
    assert screen.code == 1
    assert "helios  its file has errors: 43 hosts keep what they have\n" in screen.out
    assert "state      running -> broken\n" in screen.out


def test_a_new_file_that_is_broken_stops_every_publish(running: Fleet) -> None:
    running.write({"rollouts/agent.yaml": BROKEN})
    said = running.run("preview")
    assert said.code == 1
    assert "agent  its file has errors, and no host was ever told it: no publish can go on" in said.out


def test_a_file_that_was_broken_and_is_mended(running: Fleet) -> None:
    sound = running.read(HELIOS)
    running.commit({HELIOS: BROKEN})
    running.write({HELIOS: sound})
    (found,) = running.json("preview")["variables"]
    # Meanwhile hosts kept what they had; now the next ones move.
    assert (found["state"], found["at_once"]["hosts"]) == ({"before": None, "after": "running"}, 0)
    assert "helios  can be read again" in running.ok("preview")


def test_a_file_that_stays_broken_elsewhere_is_not_this_changes_fault(running: Fleet) -> None:
    running.commit({HELIOS: BROKEN})
    running.write({DOCKER: running.read(DOCKER).replace("owner: containers", "owner: me")})
    data = running.json("preview")
    assert ([one["name"] for one in data["variables"]], data["problems"]) == (["docker"], [])


@pytest.mark.parametrize("file", [SETTINGS, INVENTORY])
@pytest.mark.parametrize("text", ["<<<<<<< HEAD\n", ""])
def test_settings_and_inventory_that_are_broken_leave_the_rest_to_be_seen(running: Fleet, file: str, text: str) -> None:
    running.write({file: text, HELIOS: running.read(HELIOS) + "owner: me\n"})
    said = running.run("preview", "--json")
    assert said.code == 1
    assert said.data["problems"][0]["file"] == file
    (found,) = said.data["variables"]
    assert found["values"]["after"] == {"0.9.10": 32, "0.9.12": 11}


@pytest.mark.parametrize("file", [SETTINGS, INVENTORY])
def test_a_base_whose_settings_or_inventory_are_broken(running: Fleet, file: str) -> None:
    sound = running.read(file)
    running.commit({file: "<<<<<<< HEAD\n"})
    running.write({file: sound, HELIOS: running.read(HELIOS) + "owner: me\n"})
    data = running.json("preview", "--base", "main")
    assert ([one["name"] for one in data["variables"]], data["problems"]) == (["helios"], [])


def test_a_file_that_is_not_read(fleet: Fleet) -> None:
    fleet.write({"rollouts/agent.yml": BROKEN})
    (problem,) = fleet.json("preview")["problems"]
    assert (problem["file"], problem["message"]) == ("rollouts/agent.yml", "is not read: call it agent.yaml")


def test_a_link_that_leads_out_is_a_problem_and_no_end(fleet: Fleet) -> None:
    (fleet.root / "rollouts/agent.yaml").symlink_to("/etc/hostname")
    said = fleet.run("preview", "--json")
    assert said.code == 1
    assert "leads out of the repository" in said.data["problems"][0]["message"]
