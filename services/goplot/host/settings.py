"""The static settings, /etc/goplot/settings.toml: rejected when anything is wrong."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from goplot.farm.formats import PlotFormat
from goplot.plotters import template
from goplot.plotters.base import PlotSettings, PlotterSettings, Request
from goplot.plotters.registry import PLOTTERS

DEFAULT_PATH = Path("/etc/goplot/settings.toml")


class SettingsError(Exception):
    """The settings can't be used; the text names file, key and fix."""


@dataclass(frozen=True, slots=True)
class Roots:
    """Every folder that goplot reads or writes."""

    farm: Path
    plot_temp: Path
    config: Path
    disks: Path
    logs: Path
    state: Path
    textfiles: Path

    @property
    def jobs(self) -> Path:
        """One file for every job that has not ended."""
        return self.state / "jobs"

    @property
    def main_log(self) -> Path:
        """goplot.log."""
        return self.logs / "goplot.log"


@dataclass(frozen=True, slots=True)
class HostSettings:
    """Adapters: where mounts and processes are read, and what runs tractors.

    `units` is `systemd` or `processes`.
    """

    mountinfo: Path = Path("/proc/self/mountinfo")
    proc: Path = Path("/proc")
    units: str = "systemd"


@dataclass(frozen=True, slots=True)
class ChiaSettings:
    """Where Chia is on this host. `log` is None if it logs to journald."""

    root: Path
    log: Path | None
    quiet_seconds: float

    def fault(self) -> str:
        """Why the log can't be read now; empty when it can."""
        if self.log is None or os.access(self.log, os.R_OK):
            return ""
        return f"{self.log} is not there" if not self.log.exists() else f"{self.log} is unreadable"


@dataclass(frozen=True, slots=True)
class Address:
    """The address of an RPC."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class FarmerSettings:
    """What the farmer collector queries (None: not queried), and harvesters' names by address."""

    full_node: Address | None
    farmer: Address | None
    wallet: Address | None
    timeout_seconds: float
    harvesters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class HarvesterSettings:
    """What the harvester collector queries."""

    harvester: Address
    timeout_seconds: float


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that the settings file says.

    `annotations_url` is None without Grafana, `annotations_ca` where the system trusts the CA of
    its certificate, a collector where it has no table.
    """

    path: Path
    roots: Roots
    plot: PlotSettings
    plotters: Mapping[str, PlotterSettings]
    annotations_url: str | None
    annotations_ca: Path | None
    annotations_tags: tuple[str, ...]
    host: HostSettings
    chia: ChiaSettings
    farmer_collector: FarmerSettings | None
    harvester_collector: HarvesterSettings | None


_ROOTS: dict[str, str] = {
    "farm": "/farm",
    "plot_temp": "/plot_temp",
    "config": "/etc/chia/goplot/config",
    "disks": "/etc/chia/goplot/disks",
    "logs": "/etc/chia/goplot/logs",
    "state": "/var/lib/goplot",
    "textfiles": "/var/lib/prometheus/node-exporter",
}
_CHIA_ROOT = "/var/lib/chia/mainnet"
_COLLECTORS = ("farmer_collector", "harvester_collector")
_TABLES = ("roots", "plot", "plotters", "annotations", "host", "chia", *_COLLECTORS)
_TYPES = {str: "text", int: "a whole number", float: "a number", list: "a list", dict: "a table"}


def load(path: Path) -> Settings:
    """Read and check a settings file. Raises SettingsError with all mistakes in it."""
    try:
        with path.open("rb") as file:
            document = tomllib.load(file)
    except OSError as error:
        raise SettingsError(
            f"{path}: can't be read ({error.strerror}); name a file with --settings FILE"
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: is not valid TOML: {error}") from error
    return parse(document, path)


def parse(document: Mapping[str, Any], path: Path) -> Settings:
    """Check what a settings file says. Raises SettingsError with all mistakes, a line for each."""
    reader = _Reader(path)
    settings = _build(reader, document)
    if reader.mistakes:
        raise SettingsError("\n".join(reader.mistakes))
    return settings


class _Reader:
    """Takes values out of tables and collects their mistakes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.mistakes: list[str] = []

    def refuse(self, key: str, text: str) -> None:
        self.mistakes.append(f"{self.path}: {key}: {text}")

    def table(self, document: Mapping[str, Any], key: str, where: str = "") -> Mapping[str, Any]:
        value = self.take(document, key, dict, {}, where)
        return value if isinstance(value, dict) else {}

    def take(
        self, table: Mapping[str, Any], key: str, kind: type, default: Any, where: str = ""
    ) -> Any:
        value = table.get(key, default)
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if value is not default and (not isinstance(value, kind) or isinstance(value, bool)):
            self.refuse(f"{where}{key}", f"is {value!r}; it must be {_TYPES[kind]}")
            return default
        return value

    def strings(self, table: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
        values = self.take(table, key, list, [], where)
        if not all(isinstance(value, str) for value in values):
            self.refuse(f"{where}{key}", 'must be a list of texts, such as ["-r", "2"]')
            return ()
        return tuple(values)

    def only(self, table: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
        for key in table:
            if key not in known:
                self.refuse(
                    f"{where}{key}",
                    f"is not known; known here: {', '.join(known)}. Correct or remove it",
                )


def _build(reader: _Reader, document: Mapping[str, Any]) -> Settings:
    reader.only(document, _TABLES, "")
    plotters = _plotters(reader, reader.table(document, "plotters"))
    annotations = reader.table(document, "annotations")
    reader.only(annotations, ("url", "ca", "tags"), "annotations.")
    url = reader.take(annotations, "url", str, "", "annotations.")
    if url and not url.startswith(("http://", "https://")):
        reader.refuse("annotations.url", f"is {url!r}; it must begin with http:// or https://")
    ca = reader.take(annotations, "ca", str, "", "annotations.")
    host = reader.table(document, "host")
    reader.only(host, ("mountinfo", "proc", "units"), "host.")
    units = reader.take(host, "units", str, "systemd", "host.")
    if units not in ("systemd", "processes"):
        reader.refuse("host.units", f"is {units!r}; it must be systemd or processes")
    mountinfo = reader.take(host, "mountinfo", str, "/proc/self/mountinfo", "host.")
    proc = reader.take(host, "proc", str, "/proc", "host.")
    return Settings(
        path=reader.path,
        roots=_roots(reader, reader.table(document, "roots")),
        plot=_plot(reader, reader.table(document, "plot"), plotters),
        plotters=plotters,
        annotations_url=url or None,
        annotations_ca=Path(ca) if ca else None,
        annotations_tags=reader.strings(annotations, "tags", "annotations."),
        host=HostSettings(Path(mountinfo), Path(proc), units),
        chia=_chia(reader, reader.table(document, "chia")),
        farmer_collector=_farmer(reader, document),
        harvester_collector=_harvester(reader, document),
    )


def _roots(reader: _Reader, table: Mapping[str, Any]) -> Roots:
    reader.only(table, tuple(_ROOTS), "roots.")
    paths = {}
    for key, default in _ROOTS.items():
        value = reader.take(table, key, str, default, "roots.")
        if not value.startswith("/"):
            reader.refuse(f"roots.{key}", f"is {value!r}; it must be an absolute path")
        paths[key] = Path(value)
    return Roots(**paths)


def _chia(reader: _Reader, table: Mapping[str, Any]) -> ChiaSettings:
    reader.only(table, ("root", "log", "quiet_seconds"), "chia.")
    root = reader.take(table, "root", str, _CHIA_ROOT, "chia.")
    log = reader.take(table, "log", str, f"{root}/log/debug.log", "chia.")
    for key, value in (("root", root), ("log", log)):
        if not value.startswith("/") and (key, value) != ("log", "journal"):
            reader.refuse(f"chia.{key}", f"is {value!r}; it must be an absolute path")
    quiet = _positive(reader, table, "quiet_seconds", 300.0, "chia.")
    return ChiaSettings(Path(root), None if log == "journal" else Path(log), quiet)


def _farmer(reader: _Reader, document: Mapping[str, Any]) -> FarmerSettings | None:
    if "farmer_collector" not in document:
        return None
    where = "farmer_collector."
    table = reader.table(document, "farmer_collector")
    ports = {"full_node": 8555, "farmer": 8559, "wallet": 9256}
    reader.only(table, (*ports, "timeout_seconds", "harvesters"), where)
    names = reader.table(table, "harvesters", where)
    if not all(isinstance(name, str) for name in names.values()):
        reader.refuse(f"{where}harvesters", 'every name must be text, such as "harvester1"')
        names = {}
    return FarmerSettings(
        **{k: _address(reader, table, k, f"localhost:{p}", where) for k, p in ports.items()},
        timeout_seconds=_positive(reader, table, "timeout_seconds", 10.0, where),
        harvesters=dict(names),
    )


def _harvester(reader: _Reader, document: Mapping[str, Any]) -> HarvesterSettings | None:
    if "harvester_collector" not in document:
        return None
    where = "harvester_collector."
    table = reader.table(document, "harvester_collector")
    reader.only(table, ("harvester", "timeout_seconds"), where)
    address = _address(reader, table, "harvester", "localhost:8560", where)
    if address is None:
        reader.refuse(f"{where}harvester", "is empty; name host:port, or remove the table")
        return None
    return HarvesterSettings(address, _positive(reader, table, "timeout_seconds", 10.0, where))


def _positive(
    reader: _Reader, table: Mapping[str, Any], key: str, usual: float, where: str
) -> float:
    value: float = reader.take(table, key, float, usual, where)
    if not 0 < value < float("inf"):
        reader.refuse(f"{where}{key}", f"is {value!r}; it must be more than 0")
        return usual
    return value


def _address(
    reader: _Reader, table: Mapping[str, Any], key: str, usual: str, where: str
) -> Address | None:
    text: str = reader.take(table, key, str, usual, where)
    if not text:
        return None
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        reader.refuse(f"{where}{key}", f"is {text!r}; it must be host:port, such as {usual}")
        return None
    return Address(host, int(port))


def _plot(
    reader: _Reader, table: Mapping[str, Any], plotters: Mapping[str, PlotterSettings]
) -> PlotSettings:
    texts = ("farmer_public_key", "pool_contract_address", "pool_public_key")
    reader.only(table, ("plotter", "k", "compression", *texts), "plot.")
    keys = {key: reader.take(table, key, str, "", "plot.") for key in texts}
    if keys["pool_contract_address"] and keys["pool_public_key"]:
        reader.refuse("plot.pool_public_key", "is set with plot.pool_contract_address: remove one")
    plotter = reader.take(table, "plotter", str, "chiapos", "plot.")
    if plotter not in plotters:
        reader.refuse(
            "plot.plotter",
            f"is {plotter!r}, but [plotters.{plotter}] is missing; add that table",
        )
    k = reader.take(table, "k", int, 32, "plot.")
    compression = reader.take(table, "compression", int, 0, "plot.")
    try:
        plot_format = PlotFormat(k, compression)
    except ValueError as error:
        reader.refuse("plot.k", f"{error}; set plot.k and plot.compression to a known format")
        plot_format = PlotFormat(32)
    return PlotSettings(plotter, plot_format, **keys)


def _plotters(reader: _Reader, table: Mapping[str, Any]) -> dict[str, PlotterSettings]:
    plotters: dict[str, PlotterSettings] = {}
    for name in table:
        where = f"plotters.{name}."
        entry = reader.table(table, name, "plotters.")
        reader.only(
            entry, ("program", "options", "environment", "command", "grammar", "temp_gib"), where
        )
        environment = reader.table(entry, "environment", where)
        if not all(isinstance(value, str) for value in environment.values()):
            reader.refuse(f"{where}environment", "every value must be text")
            environment = {}
        settings = PlotterSettings(
            name=name,
            program=reader.take(entry, "program", str, "", where),
            options=reader.strings(entry, "options", where),
            environment=dict(environment),
            command=reader.strings(entry, "command", where),
            grammar=reader.take(entry, "grammar", str, "", where),
            temp_gib=reader.take(entry, "temp_gib", float, None, where),
        )
        _check_plotter(reader, settings, tuple(PLOTTERS), where)
        plotters[name] = settings
    return plotters


def _check_plotter(
    reader: _Reader, settings: PlotterSettings, grammars: tuple[str, ...], where: str
) -> None:
    if settings.command:
        request = Request("", (), PlotFormat(32), Path("/"), "", "", "")
        try:
            template.command(settings.command, request)
        except ValueError as error:
            reader.refuse(f"{where}command", str(error))
        if settings.grammar not in grammars:
            reader.refuse(f"{where}grammar", f"must name one of {', '.join(grammars)}")
        if settings.temp_gib is None:
            reader.refuse(f"{where}temp_gib", "a command template needs the temp space of a plot")
        if settings.program or settings.options:
            reader.refuse(f"{where}command", "replaces program and options: remove those")
    elif settings.name not in grammars:
        reader.refuse(
            where.rstrip("."),
            f"is not a known plotter ({', '.join(grammars)}); give it a command",
        )
    elif not settings.program:
        reader.refuse(f"{where}program", "is missing: name the plotter's program")
