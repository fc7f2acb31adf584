"""Faults of a farm on the closed network, and the alert that each raises."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.hosts.machine import Machine


@dataclass(frozen=True)
class Fault:
    """How a fault begins and ends, by host, and the one alert that it raises."""

    alert: str
    labels: dict[str, str]
    begin: dict[str, str]
    end: dict[str, str] = field(default_factory=dict)

    def start(self, machine: Callable[[str], Machine]) -> None:
        """Begin it."""
        _run(machine, self.begin)

    def stop(self, machine: Callable[[str], Machine]) -> None:
        """End it."""
        _run(machine, self.end)


def _run(machine: Callable[[str], Machine], commands: dict[str, str]) -> None:
    for host, command in commands.items():
        machine(host).run("sh", "-c", command)


# systemd mounts a disk again with the next timer that goes off, for every service wants the disks.
HELD = "/run/systemd/system/farm-2-disk12.mount.d"
PACER = "/run/systemd/system/goplot-pacer.service.d"
TUNABLES = "/etc/chia/goplot/config"
DISK = "/farm/1/disk21"
HARVESTER = "/opt/chia/current/lib/python3*/site-packages/chia/harvester/harvester_api.py"
EXPORTER = "/etc/default/prometheus-node-exporter"
GRAFANA = "grafana-server"
CLOCK = (Path(__file__).parent / "moved_clock.py").read_text(encoding="utf-8")
FAULTS = {
    "a harvester is stopped": Fault(
        "HarvesterDown",
        {"instance": "harvester1"},
        {"harvester1": "systemctl stop chia-harvester"},
        {"harvester1": "systemctl start chia-harvester"},
    ),
    "the network of a host is cut": Fault(
        "HostDown",
        {"instance": "harvester2"},
        {"harvester2": "ip link set host0 down"},
        {"harvester2": "ip link set host0 up"},
    ),
    "a disk is unmounted": Fault(
        "DiskGone",
        {"instance": "harvester1", "farm": "2", "disk": "disk12"},
        {
            "harvester1": f"mkdir -p {HELD}; "
            f"printf '[Unit]\\nConditionPathExists=/held\\n' > {HELD}/held.conf; "
            "systemctl daemon-reload; umount /farm/2/disk12"
        },
        {"harvester1": f"rm -r {HELD}; systemctl daemon-reload"},
    ),
    "the last disk of a plotter is filled": Fault(
        "AllDisksFull",
        {"instance": "harvester2"},
        {
            "harvester2": f"! dd if=/dev/zero of={DISK}/filler bs=1M 2>/dev/null && "
            "goplot set on_toggle run"
        },
        {"harvester2": f"goplot set on_toggle stop; rm {DISK}/filler"},
    ),
    "the pacer is killed and kept from starting": Fault(
        "PacerDown",
        {"instance": "harvester2"},
        {
            "harvester2": f"mkdir -p {PACER}; "
            f"printf '[Unit]\\nConditionPathExists=/held\\n' > {PACER}/held.conf; "
            "systemctl daemon-reload; systemctl kill --signal=KILL goplot-pacer"
        },
        {
            "harvester2": f"rm -r {PACER}; systemctl daemon-reload; systemctl start goplot-pacer",
        },
    ),
    "the full node is out of sync": Fault(
        "FullNodeNotSynced",
        {"instance": "farmer1"},
        {"farmer1": "touch /var/lib/chia/node/out-of-sync"},
        {"farmer1": "rm /var/lib/chia/node/out-of-sync"},
    ),
    "a release of Chia writes its log in another way": Fault(
        "HarvesterLogBlind",
        {"instance": "harvester2"},
        {
            "harvester2": "sed -i.kept 's/were eligible for farming/passed the filter of/' "
            f"{HARVESTER}; systemctl restart chia-harvester"
        },
        {
            "harvester2": f"for file in {HARVESTER}; do mv $file.kept $file; done; "
            "systemctl restart chia-harvester"
        },
    ),
    "a tunable has a bad value": Fault(
        "TunableInvalid",
        {"instance": "harvester2", "tunable": "max_plots"},
        {"harvester2": f"echo many > {TUNABLES}/max_plots.goplot"},
        {"harvester2": f"echo 1 > {TUNABLES}/max_plots.goplot"},
    ),
    "a collector no longer runs": Fault(
        "TextfileStale",
        {"instance": "harvester2", "file": "goplot_plotter.prom"},
        {"harvester2": "systemctl stop goplot-plotter-collector.timer"},
        {"harvester2": "systemctl start goplot-plotter-collector.timer"},
    ),
    "the clock of a host is moved": Fault(
        "HostClockOff",
        {"instance": "harvester1"},
        {
            "harvester1": f"cat > /opt/moved_clock.py <<'PROGRAM'\n{CLOCK}\nPROGRAM\n"
            f"sed -i.kept 's/:9100/127.0.0.1:9101/' {EXPORTER}; "
            "systemctl restart prometheus-node-exporter; "
            "systemd-run --quiet --collect --unit=moved-clock python3 /opt/moved_clock.py 40"
        },
        {
            "harvester1": f"mv {EXPORTER}.kept {EXPORTER}; systemctl stop moved-clock; "
            "systemctl restart prometheus-node-exporter"
        },
    ),
    "Grafana is away": Fault(
        "AnnotationsUndelivered",
        {"instance": "harvester2"},
        {
            "farmer1": f"systemctl stop {GRAFANA}",
            "harvester2": "goplot set on_toggle run; goplot plot; goplot set on_toggle stop",
        },
        {"farmer1": f"systemctl start {GRAFANA}"},
    ),
}
