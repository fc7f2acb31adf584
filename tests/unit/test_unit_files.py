"""What each unit may do once systemd has read it. The tables below are the whole of it."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

from goplot.host.program import SETTINGS
from tests.support.unit_files import read_unit
from tests.support.unit_hosts import Units, render_services

_PROJECT = Path(__file__).parents[2] / "services/pyproject.toml"
_SCRIPTS = tomllib.loads(_PROJECT.read_text())["project"]["scripts"]
_ENVIRONMENT = {**os.environ, "LC_ALL": "C", "SYSTEMD_PAGER": ""}
# What these say is not about what a unit may reach.
_OTHER = frozenset(
    {
        "Environment",
        "ExecStart",
        "KillMode",
        "LimitNOFILE",
        "Restart",
        "RestartPreventExitStatus",
        "RestartSec",
        "TimeoutStartSec",
        "TimeoutStopSec",
        "Type",
        "WatchdogSec",
        "WorkingDirectory",
    }
)
_SANDBOX = {
    "AmbientCapabilities": "",
    "CapabilityBoundingSet": "",
    "LockPersonality": "yes",
    "MemoryDenyWriteExecute": "yes",
    "NoNewPrivileges": "yes",
    "PrivateDevices": "yes",
    "PrivateMounts": "yes",
    "PrivateTmp": "yes",
    "PrivateUsers": "yes",
    "ProtectClock": "yes",
    "ProtectControlGroups": "yes",
    "ProtectHome": "yes",
    "ProtectHostname": "yes",
    "ProtectKernelLogs": "yes",
    "ProtectKernelModules": "yes",
    "ProtectKernelTunables": "yes",
    "ProtectSystem": "strict",
    "RemoveIPC": "yes",
    "RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX",
    "RestrictNamespaces": "yes",
    "RestrictRealtime": "yes",
    "RestrictSUIDSGID": "yes",
    "SystemCallArchitectures": "native",
    "SystemCallErrorNumber": "EPERM",
    "SystemCallFilter": "@system-service ~@privileged ~@resources",
    "UMask": "0027",
}
_NO_NETWORK = {"PrivateNetwork": "yes", "RestrictAddressFamilies": "AF_UNIX"}
_CHIA = {"User": "chia", "Group": "chia", "ReadWritePaths": "/var/lib/chia"}
_GOPLOT = {"User": "goplot", "Group": "goplot", "PrivateUsers": "no", **_NO_NETWORK}
_COLLECTOR = {
    "User": "goplot-collector",
    "Group": "goplot-collector",
    "SupplementaryGroups": "goplot",
    "ReadWritePaths": "/srv/textfiles",
}
_SSL = "/var/lib/chia/mainnet/config/ssl"
_RPC = {
    **_COLLECTOR,
    "LoadCredential": f"chia.crt:{_SSL}/daemon/private_daemon.crt "
    f"chia.key:{_SSL}/daemon/private_daemon.key chia_ca.crt:{_SSL}/ca/private_ca.crt",
    "InaccessiblePaths": "-/var/lib/chia -/plot_temp",
    "IPAddressAllow": "localhost",
    "IPAddressDeny": "any",
}
_CHIA_CERTIFICATES = (
    f"chia_ca:{_SSL}/ca/chia_ca.crt chia_private_ca:{_SSL}/ca/private_ca.crt "
    f"chia_private_daemon:{_SSL}/daemon/private_daemon.crt"
)
_DRIVES = {
    **_NO_NETWORK,
    "IPAddressDeny": "any",
    "PrivateDevices": "no",
    "PrivateUsers": "no",
    "DevicePolicy": "closed",
    "UMask": "0022",
    "ReadWritePaths": "/srv/textfiles",
    "BindPaths": "/srv/textfiles:/var/lib/prometheus/node-exporter",
    "InaccessiblePaths": "-/var/lib/chia -/farm -/plot_temp",
}
_FULL: Mapping[str, Mapping[str, str]] = {
    "chia-daemon": _CHIA,
    "chia-farmer": _CHIA,
    "chia-full-node": _CHIA,
    "chia-harvester": {
        **_CHIA,
        "SystemCallFilter": "@system-service ~@privileged ~@resources sched_setaffinity",
    },
    "chia-wallet": _CHIA,
    "goplot-annotations": {
        "User": "goplot",
        "Group": "goplot",
        "ReadWritePaths": "/var/lib/goplot",
        "LoadCredential": "grafana_token:/etc/goplot/grafana.token",
    },
    "goplot-certificates-collector": {
        **_COLLECTOR,
        **_NO_NETWORK,
        "LoadCredential": "tls_host:/etc/goplot/tls/host.crt tls_ca:/etc/goplot/tls/ca.crt "
        + _CHIA_CERTIFICATES,
        "InaccessiblePaths": "-/var/lib/chia -/farm -/plot_temp",
    },
    "goplot-diskhand": {
        **_GOPLOT,
        "ReadWritePaths": "/var/lib/goplot /etc/chia/goplot/disks /var/log/goplot "
        "-/farm -/plot_temp",
    },
    "goplot-farmer-collector": {
        **_RPC,
        "StateDirectory": "goplot-farmer-collector",
        "IPAddressAllow": "localhost 192.0.2.7",
    },
    "goplot-harvester-collector": {
        **_RPC,
        "SupplementaryGroups": "goplot chia",
        "PrivateUsers": "no",
    },
    "goplot-harvester-log": {
        **_NO_NETWORK,
        "User": "goplot-log",
        "Group": "goplot-log",
        "SupplementaryGroups": "goplot chia",
        "StateDirectory": "goplot-harvester-log",
        "ReadWritePaths": "/srv/textfiles",
        "TemporaryFileSystem": "/var/lib/chia:ro",
        "BindReadOnlyPaths": "/var/lib/chia/mainnet/log",
        "InaccessiblePaths": "-/farm -/plot_temp",
    },
    "goplot-pacer": {
        **_GOPLOT,
        "ReadWritePaths": "/var/lib/goplot /etc/chia/goplot/config /var/log/goplot",
    },
    "goplot-plot@": {
        **_GOPLOT,
        "ReadWritePaths": "/var/lib/goplot /var/log/goplot -/farm -/plot_temp",
        "SystemCallFilter": "@system-service ~@privileged",
        "MemoryDenyWriteExecute": "no",
        "PrivateDevices": "no",
        "DevicePolicy": "closed",
        "DeviceAllow": "char-nvidia rw char-nvidia-frontend rw char-nvidia-uvm rw",
    },
    "goplot-plotter-collector": {**_GOPLOT, "ReadWritePaths": "/var/lib/goplot /srv/textfiles"},
    "goplot-summary": {
        "DynamicUser": "yes",
        "InaccessiblePaths": "-/farm -/plot_temp -/var/lib/chia",
        "LoadCredential": "prometheus.login:/etc/goplot/prometheus.login",
    },
    "grafana-server": {
        "User": "grafana",
        "MemoryDenyWriteExecute": "no",
        "ReadWritePaths": "/var/lib/grafana /var/log/grafana",
        "LoadCredential": "admin_password:/etc/goplot/grafana/admin_password "
        "secret_key:/etc/goplot/grafana/secret_key tls.key:/etc/goplot/tls/host.key",
    },
    "prometheus": {
        "User": "prometheus",
        "ReadWritePaths": "/var/lib/prometheus/metrics2",
        "LoadCredential": "web.yml:/etc/prometheus/web.yml tls.key:/etc/goplot/tls/host.key "
        "own.password:/etc/prometheus/secrets/own.password "
        "node.password:/etc/prometheus/secrets/node.password "
        "store0.token:/etc/prometheus/secrets/store0.token",
    },
    "prometheus-alertmanager": {
        "User": "prometheus",
        "ReadWritePaths": "/var/lib/prometheus/alertmanager",
        "LoadCredential": "alertmanager.yml:/etc/goplot/alertmanager.yml",
    },
    "prometheus-node-exporter": {
        "User": "prometheus",
        "ProtectHome": "read-only",
        "PrivateUsers": "no",
        "ReadWritePaths": "",
        "RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX AF_NETLINK",
        "LoadCredential": "web.yml:/etc/goplot/node_exporter_web.yml "
        "tls.key:/etc/goplot/tls/host.key",
    },
    "prometheus-node-exporter-nvme": {
        **_DRIVES,
        "CapabilityBoundingSet": "CAP_SYS_ADMIN",
        "DeviceAllow": "block-blkext r char-nvme r",
        "IPAddressAllow": "",
        "LoadCredential": "",
    },
    "prometheus-node-exporter-smartmon": {
        **_DRIVES,
        "CapabilityBoundingSet": "CAP_SYS_RAWIO CAP_SYS_ADMIN",
        "DeviceAllow": "block-sd r block-blkext r char-nvme r char-megaraid_sas_ioctl rw",
        "IPAddressAllow": "",
        "LoadCredential": "",
    },
}
# Where "plain" differs from that; None is a directive that it does not have.
_TEXTFILES = {"ReadWritePaths": "/var/lib/prometheus/node-exporter"}
_PLAIN_NOT = {"chia-farmer", "chia-full-node", "chia-wallet", "goplot-farmer-collector"}
_PLAIN: Mapping[str, Mapping[str, str | None]] = {
    "goplot-annotations": {"LoadCredential": None},
    "goplot-certificates-collector": {**_TEXTFILES, "LoadCredential": _CHIA_CERTIFICATES},
    "goplot-harvester-collector": _TEXTFILES,
    "goplot-harvester-log": {
        **_TEXTFILES,
        "SupplementaryGroups": "goplot systemd-journal",
        "BindReadOnlyPaths": None,
    },
    "goplot-plotter-collector": {
        "ReadWritePaths": "/var/lib/goplot /var/lib/prometheus/node-exporter"
    },
    "goplot-summary": {"LoadCredential": None},
    "grafana-server": {
        "LoadCredential": "admin_password:/etc/goplot/grafana/admin_password "
        "secret_key:/etc/goplot/grafana/secret_key"
    },
    "prometheus": {"LoadCredential": ""},
    "prometheus-node-exporter": {"LoadCredential": ""},
    "prometheus-node-exporter-nvme": {**_TEXTFILES, "BindPaths": None},
    "prometheus-node-exporter-smartmon": {**_TEXTFILES, "BindPaths": None},
}


@pytest.fixture(scope="module")
def units(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Units]:
    """The services of every host."""
    return render_services(tmp_path_factory.mktemp("units"))


def _reach(services: Units) -> dict[str, dict[str, str]]:
    """What each service may reach, as in the tables."""
    read = {name: read_unit(sections["Service"]) for name, sections in services.items()}
    return {
        name: {key: value for key, value in unit.items() if key not in _OTHER}
        for name, unit in read.items()
    }


def test_each_unit_reaches_what_it_needs_and_no_more(units: dict[str, Units]) -> None:
    assert _reach(units["full"]) == {name: {**_SANDBOX, **own} for name, own in _FULL.items()}


def test_what_is_switched_off_is_out_of_reach(units: dict[str, Units]) -> None:
    expected = {
        name: {**_SANDBOX, **own, **_PLAIN.get(name, {})}
        for name, own in _FULL.items()
        if name not in _PLAIN_NOT
    }
    assert _reach(units["plain"]) == {
        name: {key: value for key, value in unit.items() if value is not None}
        for name, unit in expected.items()
    }


@pytest.mark.parametrize("name", _FULL)
def test_the_exposure_of_a_unit_is_low(units: dict[str, Units], tmp_path: Path, name: str) -> None:
    for services in units.values():
        if name not in services:
            continue
        file = tmp_path / f"{name}.service"
        file.write_text("".join(f"[{section}]\n{text}" for section, text in services[name].items()))
        done = subprocess.run(
            # The threshold counts tenths.
            ["systemd-analyze", "security", "--offline=true", "--threshold=15", str(file)],
            env=_ENVIRONMENT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        # A directive that systemd does not know would be left out without an error.
        assert str(file) not in done.stderr


def test_a_service_that_settings_stop_is_not_restarted(
    units: dict[str, Units], tmp_path: Path
) -> None:
    for services in units.values():
        read = {name: read_unit(sections["Service"]) for name, sections in services.items()}
        always = {name: unit for name, unit in read.items() if unit.get("Restart") == "always"}
        assert set(always) == {"goplot-harvester-log", "goplot-pacer"}
        for unit in always.values():
            assert unit["RestartPreventExitStatus"] == str(SETTINGS)
            program = Path(unit["ExecStart"].split()[0]).name
            module, _, function = _SCRIPTS[program].partition(":")
            run = f"import sys; from {module} import {function}; sys.exit({function}())"
            command = [sys.executable, "-c", run, "--settings", str(tmp_path / "none.toml")]
            done = subprocess.run(command, env=_ENVIRONMENT, capture_output=True, check=False)
            assert done.returncode == SETTINGS, done.stderr


@pytest.mark.parametrize("name", ["goplot-harvester-log", "goplot-pacer", "goplot-plot@"])
def test_a_restart_ends_no_program_that_a_service_waits_for(
    units: dict[str, Units], name: str
) -> None:
    assert read_unit(units["full"][name]["Service"])["KillMode"] == "mixed"


def test_a_unit_changes_with_what_its_program_reads_at_start(units: dict[str, Units]) -> None:
    found = {
        host: {
            name: value
            for name, sections in services.items()
            for key, value in read_unit(sections["Unit"]).items()
            if key.startswith("X-")
        }
        for host, services in units.items()
    }
    names = ("grafana-server", "prometheus", "prometheus-node-exporter")
    assert found["full"] == dict(zip(names, ("aa none", "bb", "bb"), strict=True))
    assert found["plain"] == dict(zip(names, ("", "none", "none"), strict=True))
