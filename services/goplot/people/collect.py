"""`goplot collect`: runs the collectors of this host once, and shows what each wrote."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from goplot.host.settings import Settings
from goplot.host.textfile import read_samples
from goplot.host.units import UnitError, systemctl
from goplot.people.table import table

#: By program: its module, and its textfile.
_COLLECTORS = {
    "goplot-plotter-collector": ("goplot.collectors.plotter", "goplot_plotter"),
    "goplot-farmer-collector": ("goplot.collectors.farmer", "goplot_farmer"),
    "goplot-harvester-collector": ("goplot.collectors.harvester", "goplot_harvester"),
    "goplot-certificates-collector": ("goplot.collectors.certificates", "certificates"),
}
_SECONDS = 90.0


@dataclass(frozen=True, slots=True)
class Collected:
    """What a collector wrote: the number of samples, or why it failed."""

    program: str
    textfile: Path
    samples: int
    fault: str = ""


def collect(settings: Settings) -> list[Collected]:
    """Run every collector of this host once. Raises UnitError, OSError.

    systemd runs them, because it alone passes them the certificates that they need.
    """
    units = settings.host.units != "processes"
    programs = _installed() if units else _configured(settings)
    found = []
    for program in programs:
        module, name = _COLLECTORS[program]
        textfile = settings.roots.textfiles / f"{name}.prom"
        fault = _start(program) if units else _run(module, settings.path)
        samples = 0 if fault else _count(textfile)
        found.append(Collected(program, textfile, samples, fault))
    return found


def collect_text(found: list[Collected]) -> str:
    """What was collected, for people."""
    if not found:
        return "no collector is installed on this host"
    rows = [
        [one.program, "failed" if one.fault else "ok", str(one.samples), str(one.textfile)]
        for one in found
    ]
    faults = [f"{one.program}: {one.fault}" for one in found if one.fault]
    return "\n\n".join([table(["collector", "state", "samples", "textfile"], rows), *faults])


def collect_document(found: list[Collected]) -> list[dict[str, Any]]:
    """What was collected, for programs."""
    return [
        {
            "collector": one.program,
            "ok": not one.fault,
            "samples": one.samples,
            "textfile": str(one.textfile),
            "fault": one.fault,
        }
        for one in found
    ]


def _installed() -> list[str]:
    """The collectors whose units this host has."""
    lines = systemctl("list-unit-files", "--no-legend", "goplot-*-collector.service").splitlines()
    names = {line.split()[0].removesuffix(".service") for line in lines if line.strip()}
    return [program for program in _COLLECTORS if program in names]


def _configured(settings: Settings) -> list[str]:
    """The collectors of a host without systemd."""
    configured = {
        "goplot-plotter-collector": True,
        "goplot-farmer-collector": settings.farmer_collector is not None,
        "goplot-harvester-collector": settings.harvester_collector is not None,
    }
    return [program for program, there in configured.items() if there]


def _start(program: str) -> str:
    """Run a collector's unit to its end. Returns why it failed."""
    try:
        systemctl("start", f"{program}.service", seconds=_SECONDS)
    except UnitError as error:
        words = ["journalctl", "--no-pager", "-q", "-o", "cat", "-n", "5", "-u", program]
        log = subprocess.run(words, capture_output=True, text=True, errors="replace", check=False)
        return "\n".join([str(error), *log.stdout.splitlines()])
    return ""


def _run(module: str, settings_file: Path) -> str:
    """Run a collector as a process to its end. Returns why it failed."""
    words = [sys.executable, "-m", module, "--settings", str(settings_file)]
    done = subprocess.run(words, capture_output=True, text=True, errors="replace", check=False)
    return (done.stderr.strip() or f"status {done.returncode}") if done.returncode else ""


def _count(textfile: Path) -> int:
    """The number of samples in a textfile. Raises OSError, ValueError."""
    return sum(map(len, read_samples(textfile.read_bytes().decode()).values()))
