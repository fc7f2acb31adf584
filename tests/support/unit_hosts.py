"""The hosts whose units are compared with tables, and the text of their services."""

from __future__ import annotations

from pathlib import Path

from tests.support.unit_files import Host, render

_CERTIFICATE, _CA = "/etc/goplot/tls/host.crt", "/etc/goplot/tls/ca.crt"
_BUILD, _LOG = "/opt/goplot/current", "/var/lib/chia/mainnet/log"
_NOTHING = {"exists": False, "target": "", "source": "", "group": "", "checksum": ""}
HOSTS = {
    # All that can be switched on.
    "full": Host(
        ("farmer", "harvester", "plotter"),
        {
            "grafana_tls": True,
            "node_exporter_basic_auth_users": {"node": "secret"},
            "node_exporter_textfile_dir": "/srv/textfiles",
            "prometheus_basic_auth_users": {"prometheus": "secret"},
            "prometheus_remote_write": [{"url": "https://store/", "token": "secret"}],
            "watch_full_node_rpc": "192.0.2.7:8555",
            "__grafana_look": {"paths": {_CERTIFICATE: {"checksum": "aa"}, _CA: _NOTHING}},
            "__tls_web_config": {"checksum": "bb"},
            "__watch_look": {
                "paths": {
                    _BUILD: {"exists": True, "source": "/opt/goplot/venvs/1"},
                    _CERTIFICATE: {"exists": True},
                    _LOG: _NOTHING,
                }
            },
        },
    ),
    # As little as there can be. It harvests, because it has a disk for plots.
    "plain": Host(
        ("others",),
        {
            "chia_settings": {"logging": {"log_stdout": True}},
            "farm_layout_mounts": [{"path": "/farm/1/disk1"}],
            "goplot_grafana_url": "http://192.0.2.8:3000",
            "grafana_tls": False,
            "node_exporter_tls": False,
            "prometheus_tls": False,
            "__grafana_look": {"paths": {}},
            "__tls_web_config": {"checksum": ""},
            "__watch_look": {"paths": {_BUILD: _NOTHING, _CERTIFICATE: _NOTHING, _LOG: _NOTHING}},
        },
    ),
}

# A package's unit at its worst: what a drop-in doesn't empty stays.
_PACKAGED = """
[Service]
Type=simple
ExecStart=/bin/true
AmbientCapabilities=CAP_NET_RAW
CapabilityBoundingSet=CAP_NET_RAW CAP_SYS_ADMIN CAP_SYS_RAWIO CAP_SYS_BOOT
LoadCredential=other:/etc/shadow
ReadWritePaths=/etc
RestrictAddressFamilies=AF_NETLINK AF_PACKET
SystemCallFilter=@mount
"""
_PACKAGED_USERS = {
    "grafana-server": "User=grafana\n",
    "prometheus": "User=prometheus\n",
    "prometheus-alertmanager": "User=prometheus\n",
    "prometheus-node-exporter": "User=prometheus\n",
    "prometheus-node-exporter-nvme": "DeviceAllow=/dev/mem rw\nIPAddressAllow=any\n",
    "prometheus-node-exporter-smartmon": "DeviceAllow=/dev/mem rw\nIPAddressAllow=any\n",
}
#: Of each unit by name: the text of its sections. A package's unit is with its drop-in.
Units = dict[str, dict[str, str]]


def render_services(folder: Path) -> dict[str, Units]:
    """The services of every host of HOSTS, as its roles write them in `folder`."""
    return {host: _services(made) for host, made in render(folder, HOSTS).items()}


def _services(made: Path) -> Units:
    """By name: the text of a service's [Service], and of its [Unit]."""
    texts = {path.stem: path.read_text() for path in made.glob("*.service")}
    for path in made.glob("*.service.d/goplot.conf"):
        name = path.parent.name.removesuffix(".service.d")
        texts[name] = _PACKAGED + _PACKAGED_USERS[name] + path.read_text()
    return {name: _sections(text) for name, text in texts.items()}


def _sections(text: str) -> dict[str, str]:
    """A section that comes twice, as in a drop-in, is one for systemd."""
    found = {"Unit": "", "Service": ""}
    section = ""
    for line in text.splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif section:
            found[section] = f"{found.get(section, '')}{line}\n"
    return found
