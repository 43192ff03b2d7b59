"""The same five hosts as every source gives them, with a password wherever there is room for one."""

import json
from typing import Any

SECRET = "hunter2"

HOSTS = {"db1": "db", "db2": "db", "web1": "web", "web2": "web", "web3": "web"}
SITES = {host: ("ams1", "fra2")[int(host[-1]) % 2] for host in HOSTS}

INVENTORY = "host,role,site\n" + "".join(f"{host},{role},{SITES[host]}\n" for host, role in HOSTS.items())

KERNEL = """name: kernel
value: {type: string}
default: "6.1"
roles: [db, web]
limits:
  "d*": {at_least: 1}
pins:
  - {roles: [db], value: "5.10", reason: "old disks"}
"""

SHELL = """name: shell
value: {type: string}
default: bash
"""

FILES = {
    "tsunami.yaml": "fleet: backend\npublish:\n  max_shrink: 25%\n",
    "inventory.csv": INVENTORY,
    "rollouts/kernel.yaml": KERNEL,
    "rollouts/shell.yaml": SHELL,
}

Rows = list[dict[str, Any]]


def ansible(roles: dict[str, str] = HOSTS) -> dict[str, Any]:
    """Return what ansible-inventory --list prints, the groups of roles within groups of continents."""
    secret: dict[str, Any] = {"password": SECRET, SECRET: 1, "deep": {"er": [SECRET]}, "number": 1.5}
    hostvars = {host: {"site": SITES.get(host, "ams1"), "rack": 7, **secret} for host in roles}
    groups = {role: {"hosts": [h for h, r in roles.items() if r == role]} for role in set(roles.values())}
    everywhere = {"hosts": sorted(roles), "children": sorted(groups), "vars": {"token": SECRET}}
    return {
        "_meta": {"hostvars": hostvars},
        "all": {"children": ["ungrouped", "earth"]},
        "earth": everywhere,
        **groups,
    }


def catalog_nodes() -> Rows:
    """Return what Consul gives at /v1/catalog/nodes."""
    return [
        {
            "ID": "40e4a748-2192-161a-0510-9bf59fe950b5",
            "Node": host,
            "Address": "192.168.10.10",
            "Datacenter": SITES[host],
            "TaggedAddresses": {"lan": "192.168.10.10", "wan": "10.1.10.12"},
            "Meta": {"role": role, "password": SECRET},
            "CreateIndex": 51,
            "ModifyIndex": 51,
        }
        for host, role in HOSTS.items()
    ]


def catalog_service() -> Rows:
    """Return what Consul gives at /v1/catalog/service/NAME, of two services one after the other."""
    return [
        {
            "ID": "40e4a748-2192-161a-0510-9bf59fe950b5",
            "Node": host,
            "Address": "192.168.10.10",
            "Datacenter": "dc1",
            "TaggedAddresses": {"lan": "192.168.10.10"},
            "NodeMeta": {"site": SITES[host], "password": SECRET},
            "CreateIndex": 51,
            "ModifyIndex": 51,
            "ServiceAddress": "172.17.0.3",
            "ServiceEnableTagOverride": False,
            "ServiceID": f"{role}-1",
            "ServiceName": role,
            "ServicePort": 5000,
            "ServiceMeta": {"version": "5", "token": SECRET},
            "ServiceTaggedAddresses": {},
            "ServiceTags": [SECRET],
            "ServiceProxy": {"DestinationServiceName": "", "Config": {"key": SECRET}},
            "Namespace": "default",
        }
        for host, role in HOSTS.items()
    ]


def health_service() -> Rows:
    """Return what Consul gives at /v1/health/service/NAME."""
    return [
        {
            "Node": {
                "ID": "40e4a748-2192-161a-0510-9bf59fe950b5",
                "Node": host,
                "Address": "10.1.10.12",
                "Datacenter": "dc1",
                "Meta": {"site": SITES[host], "instance_type": "t2.medium", "password": SECRET},
            },
            "Service": {"ID": role, "Service": role, "Tags": [SECRET], "Meta": {"version": "4"}, "Port": 8000},
            "Checks": [{"Node": host, "CheckID": "serfHealth", "Status": "passing", "Output": SECRET}],
        }
        for host, role in HOSTS.items()
    ]


def puppet_inventory() -> Rows:
    """Return what PuppetDB gives at /pdb/query/v4/inventory."""
    return [
        {
            "certname": host,
            "timestamp": "2026-11-16T08:58:25.000Z",
            "environment": "production",
            "facts": {
                "role": role,
                "location": {"site": SITES[host]},
                "os": {"family": "Debian", "release": {"major": "12"}},
                "password": SECRET,
                "deep": {"er": [SECRET]},
            },
            "trusted": {"certname": host, "authenticated": "remote", "extensions": {"pp_role": role, "key": SECRET}},
        }
        for host, role in HOSTS.items()
    ]


def puppet_facts() -> Rows:
    """Return what PuppetDB gives at /pdb/query/v4/facts."""
    return [
        {"certname": host, "environment": "production", "name": name, "value": value}
        for host, role in HOSTS.items()
        for name, value in (("role", role), ("location", {"site": SITES[host]}), ("password", SECRET))
    ]


def file_sd() -> Rows:
    """Return targets of Prometheus, each host with two ports."""
    return [
        {
            "targets": [f"{host}:9100", f"{host}:9256"],
            "labels": {"role": role, "site": SITES[host], "__param_token": SECRET},
        }
        for host, role in HOSTS.items()
    ]


def table() -> str:
    """Return CSV with columns of somebody else's."""
    rows = [f'{host},{SECRET},{role},"Rack 7, {SITES[host]}",{SITES[host]}' for host, role in HOSTS.items()]
    return "\n".join(["host,ipmi password,role,place,site", *rows]) + "\n"


def text_of(found: object) -> bytes:
    """Return a source as bytes."""
    return found.encode() if isinstance(found, str) else json.dumps(found).encode()
