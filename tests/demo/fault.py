"""Two faults of the demo's farm: each raises its alert, and is over when it is put right."""

from __future__ import annotations

import sys
import time
from typing import Any

from tests.demo.farm import DemoError, Farm, running_farm
from tests.hosts.spec import SpecError
from tests.hosts.system import HostError, require_machine, wait_until
from tests.network.fast import TIMES, fast
from tests.network.faults import FAULTS, Fault
from tests.tools.guard import guarded

# Those of them whose hosts and disks the demo has.
NAMES = ("a harvester is stopped", "a disk is unmounted")
WITHIN = 300


def main() -> int:
    try:
        require_machine()
        with guarded("demo"):
            _show_faults(running_farm())
    except (DemoError, HostError, SpecError) as error:
        print(f"demo-fault: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("demo-fault: interrupted; the farm is as it was")
        return 130
    return 0


def _show_faults(farm: Farm) -> None:
    machines = [farm.machine(host.name) for host in farm.hosts.hosts]
    print(f"Alerts wait {TIMES} times shorter meanwhile: {farm.url(9090)}/alerts shows them.")
    with fast(farm.machine("farmer1"), machines):
        for name in NAMES:
            _show_fault(farm, name, FAULTS[name])
    print("\nThe farm is as it was.")


def _show_fault(farm: Farm, name: str, fault: Fault) -> None:
    def firing() -> dict[str, Any] | None:
        return next((one for one in farm.prometheus.alerts() if _is_of(one, fault)), None)

    def raised() -> bool:
        return firing() is not None

    print(f"\n== {name}", flush=True)
    try:
        _show_commands(fault.begin)
        begun = time.monotonic()
        fault.start(farm.machine)
        wait_until(f"{fault.alert} is raised", raised, WITHIN)
        alert = firing() or {}
        print(f"  {fault.alert} is raised, after {time.monotonic() - begun:.0f} s:")
        print(f"    {alert.get('annotations', {}).get('summary', '')}")
        print(f"    docs/runbooks/{fault.alert}.md says what to do", flush=True)
    finally:
        _show_commands(fault.end)
        begun = time.monotonic()
        fault.stop(farm.machine)
    wait_until(f"{fault.alert} is over", lambda: not raised(), WITHIN)
    print(f"  {fault.alert} is over, after {time.monotonic() - begun:.0f} s", flush=True)


def _show_commands(commands: dict[str, str]) -> None:
    for host, command in commands.items():
        print(f"  on {host}: {command}", flush=True)


def _is_of(alert: dict[str, Any], fault: Fault) -> bool:
    labels = {**fault.labels, "alertname": fault.alert}
    return bool(alert["state"] == "firing" and labels.items() <= alert["labels"].items())


if __name__ == "__main__":
    sys.exit(main())
