"""The bridge that the hosts of a set are on, and their way out to the package registries."""

from __future__ import annotations

import json
from pathlib import Path

from tests.hosts.spec import STATE_ROOT, HostSet
from tests.hosts.system import HostError, run

_FORWARD = Path("/proc/sys/net/ipv4/ip_forward")
_FORWARD_BEFORE = STATE_ROOT / "ip_forward.before"


def up(hosts: HostSet) -> None:
    """Make the bridge, its address and the rules; nothing changes where they stand already."""
    wanted = f"{hosts.gateway}/{hosts.network.prefixlen}"
    for link in json.loads(run("ip", "-j", "-4", "addr")):
        for address in link["addr_info"]:
            there = f"{address['local']}/{address['prefixlen']}"
            if there == wanted and link["ifname"] != hosts.bridge:
                raise HostError(
                    f"{wanted} is in use on {link['ifname']}: change network in hosts.toml"
                )
    if not _exists(hosts):
        run("ip", "link", "add", hosts.bridge, "type", "bridge")
    run("ip", "addr", "replace", wanted, "dev", hosts.bridge)
    run("ip", "link", "set", hosts.bridge, "up")
    if _FORWARD.read_text(encoding="ascii").strip() == "0":
        _FORWARD_BEFORE.parent.mkdir(parents=True, exist_ok=True)
        _FORWARD_BEFORE.write_text("0", encoding="ascii")
        _FORWARD.write_text("1", encoding="ascii")
    run("nft", "-f", "-", stdin=_rules(hosts))


def down(hosts: HostSet) -> None:
    """Remove the rules and the bridge; forwarding goes back when the last set goes."""
    run("nft", "-f", "-", stdin=f"table ip {hosts.table}\ndelete table ip {hosts.table}\n")
    if _exists(hosts):
        run("ip", "link", "delete", hosts.bridge)
    others = [link for link in json.loads(run("ip", "-j", "link")) if link["ifname"][:3] == "gp-"]
    if not others and _FORWARD_BEFORE.exists():
        _FORWARD.write_text(_FORWARD_BEFORE.read_text(encoding="ascii"), encoding="ascii")
        _FORWARD_BEFORE.unlink()


def _exists(hosts: HostSet) -> bool:
    return Path("/sys/class/net", hosts.bridge).exists()


def _rules(hosts: HostSet) -> str:
    table, bridge, network = hosts.table, hosts.bridge, hosts.network
    return f"""table ip {table}
delete table ip {table}
table ip {table} {{
    chain forward {{
        type filter hook forward priority -10; policy accept;
        iifname "{bridge}" accept
        oifname "{bridge}" accept
    }}
    chain postrouting {{
        type nat hook postrouting priority srcnat; policy accept;
        ip saddr {network} oifname != "{bridge}" masquerade
    }}
}}
"""
