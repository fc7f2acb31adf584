"""The static settings, /etc/goplot/settings.toml: the declaration of every key, and the checks."""

import os
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from goplot.farm.formats import PlotFormat
from goplot.farm.keys import (
    NAMED_TEXTS,
    OPTIONAL_PATH,
    PATH,
    POSITIVE,
    TEXTS,
    Kind,
    Mistake,
    Mistakes,
    key,
    one_of,
    read_entries,
    read_table,
)
from goplot.plotters import template
from goplot.plotters.base import PlotSettings, PlotterSettings, Request
from goplot.plotters.registry import PLOTTERS

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

DEFAULT_PATH = Path("/etc/goplot/settings.toml")


class SettingsError(Exception):
    """The settings can't be used; the text names file, key and fix."""


@dataclass(frozen=True, slots=True)
class Address:
    """The address of an RPC."""

    host: str
    port: int

    def __str__(self) -> str:
        """As in the settings file, and in a URL."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def _address_of(text: Any) -> Address:
    host, _, port = text.rpartition(":") if isinstance(text, str) else ("", "", "")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError
    return Address(host, int(port))


def _rpc(usual: Address) -> Kind:
    """An RPC that need not be queried: None for an empty text."""
    return Kind(
        f"host:port, such as {usual}, or empty",
        lambda value: None if value == "" else _address_of(value),
    )


def _own_rpc(value: Any) -> Address:
    if value == "":
        raise ValueError("to query nothing, remove the table")
    return _address_of(value)


def _log(value: Any) -> Path | None:
    return None if value == "journal" else PATH.take(value)


def _url(value: Any) -> str | None:
    if value == "":
        return None
    if not isinstance(value, str) or not value.startswith(("http://", "https://")):
        raise ValueError
    return value


_NODE = Address("localhost", 8555)
_FARMER = Address("localhost", 8559)
_WALLET = Address("localhost", 9256)
_HARVESTER = Address("localhost", 8560)
_RPC = "its RPC; empty: it is not queried"
_TIMEOUT = "limit for all queries to a service together, in seconds"


@dataclass(frozen=True, slots=True)
class Roots:
    """Every folder that goplot reads or writes."""

    farm: Path = key(PATH, Path("/farm"), "disks: `<farm>/<disk>` with `plots` and `logs` in it")
    plot_temp: Path = key(PATH, Path("/plot_temp"), "temp farms: `<farm>`")
    config: Path = key(
        PATH,
        Path("/etc/chia/goplot/config"),
        "tunables and the files `index`, `farm_dest`, `farm_temp`",
    )
    disks: Path = key(PATH, Path("/etc/chia/goplot/disks"), "disk files")
    logs: Path = key(PATH, Path("/etc/chia/goplot/logs"), "`goplot.log`, `diskhand.log`")
    state: Path = key(PATH, Path("/var/lib/goplot"), "jobs, results and other state of goplot")
    textfiles: Path = key(
        PATH,
        Path("/var/lib/prometheus/node-exporter"),
        "metrics for node_exporter's textfile collector",
    )

    @property
    def jobs(self) -> Path:
        """One file for every job that has not ended."""
        return self.state / "jobs"

    @property
    def main_log(self) -> Path:
        """goplot.log."""
        return self.logs / "goplot.log"


@dataclass(frozen=True, slots=True)
class AnnotationSettings:
    """Grafana. `url` is None without it, `ca` where the system trusts its certificate's CA."""

    url: str | None = key(
        Kind("a URL that begins with http:// or https://, or empty", _url),
        None,
        "Grafana's address, for annotations",
    )
    ca: Path | None = key(
        OPTIONAL_PATH, None, "certificate of Grafana's CA, if the system does not trust it"
    )
    tags: tuple[str, ...] = key(
        TEXTS, (), "further tags of every annotation, after `plot_start` or `plot_stop`"
    )


@dataclass(frozen=True, slots=True)
class ChiaSettings:
    """Where Chia is on this host. `log` is None if it logs to journald."""

    root: Path = key(PATH, Path("/var/lib/chia/mainnet"), "CHIA_ROOT of this host")
    keys_root: Path = key(
        PATH, Path("/var/lib/chia/keys"), "CHIA_KEYS_ROOT, where Chia keeps its keyring"
    )
    program: Path = key(
        PATH,
        Path("/opt/chia/current/bin/chia"),
        "Chia's command, for `goplot chia` and `goplot keys`",
    )
    log: Path | None = key(
        Kind("an absolute path or journal", _log),
        Path("log/debug.log"),
        "the Chia log; `journal` where Chia logs to journald",
        shown="`log/debug.log` in `chia.root`",
    )
    quiet_seconds: float = key(
        POSITIVE, 300.0, "seconds without an eligible line after which a harvester counts as quiet"
    )

    def fault(self) -> str:
        """Why the log can't be read now; empty when it can."""
        if self.log is None or os.access(self.log, os.R_OK):
            return ""
        return f"{self.log} is not there" if not self.log.exists() else f"{self.log} is unreadable"


@dataclass(frozen=True, slots=True)
class FarmerSettings:
    """What the farmer collector queries, and harvesters' names by address."""

    full_node: Address | None = key(_rpc(_NODE), _NODE, _RPC)
    farmer: Address | None = key(_rpc(_FARMER), _FARMER, _RPC)
    wallet: Address | None = key(_rpc(_WALLET), _WALLET, _RPC)
    timeout_seconds: float = key(POSITIVE, 10.0, _TIMEOUT)
    harvesters: Mapping[str, str] = key(
        NAMED_TEXTS,
        {},
        "names of harvesters by the address from which they connect to the farmer",
    )


@dataclass(frozen=True, slots=True)
class HarvesterSettings:
    """What the harvester collector queries."""

    harvester: Address = key(
        Kind(f"host:port, such as {_HARVESTER}", _own_rpc), _HARVESTER, "its RPC"
    )
    timeout_seconds: float = key(POSITIVE, 10.0, _TIMEOUT)


@dataclass(frozen=True, slots=True)
class HostSettings:
    """Adapters: where mounts and processes are read, and what runs tractors."""

    units: str = key(
        one_of("systemd", "processes"),
        "systemd",
        "`processes`: run tractors as plain processes, to try goplot in a folder",
    )
    mountinfo: Path = key(PATH, Path("/proc/self/mountinfo"), "where goplot reads the mounts")
    proc: Path = key(
        PATH, Path("/proc"), "where goplot looks for plotters that were started by hand"
    )


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that the settings file says; a collector is None where it has no table."""

    path: Path
    roots: Roots = field(default_factory=Roots)
    plot: PlotSettings = field(default_factory=PlotSettings)
    plotters: Mapping[str, PlotterSettings] = field(default_factory=dict)
    annotations: AnnotationSettings = field(default_factory=AnnotationSettings)
    chia: ChiaSettings = field(default_factory=ChiaSettings)
    farmer_collector: FarmerSettings | None = None
    harvester_collector: HarvesterSettings | None = None
    host: HostSettings = field(default_factory=HostSettings)
    mistakes: tuple[Mistake, ...] = ()


#: The tables of the file. [plotters] has one such table for each plotter, by its name.
TABLES: "dict[str, type[DataclassInstance]]" = {
    "roots": Roots,
    "plot": PlotSettings,
    "plotters": PlotterSettings,
    "annotations": AnnotationSettings,
    "chia": ChiaSettings,
    "farmer_collector": FarmerSettings,
    "harvester_collector": HarvesterSettings,
    "host": HostSettings,
}


def load(path: Path, tables: Collection[str] = TABLES) -> Settings:
    """Read a settings file as `parse` does. Raises SettingsError when it can't be read, too."""
    try:
        with path.open("rb") as file:
            document = tomllib.load(file)
    except OSError as error:
        raise SettingsError(
            f"{path}: can't be read ({error.strerror}); name a file with --settings FILE"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: is not valid TOML: {error}; correct it there") from error
    return parse(document, path, tables)


def parse(document: Mapping[str, Any], path: Path, tables: Collection[str] = TABLES) -> Settings:
    """The settings for a program that uses these tables of them.

    Raises SettingsError with all mistakes in them. Keys of other tables may be wrong: they have
    their defaults, and `mistakes` lists them.
    """
    settings = _read(document, path)
    found = [one for one in settings.mistakes if one.table in tables or one.table not in TABLES]
    if found:
        raise SettingsError("\n".join(f"{path}: {mistake}" for mistake in found))
    return settings


def _read(document: Mapping[str, Any], path: Path) -> Settings:
    mistakes = Mistakes()
    mistakes.check_names(document, TABLES)
    found: dict[str, Any] = {
        name: read_table(table, document[name], name, mistakes)
        for name, table in TABLES.items()
        if name in document and table is not PlotterSettings
    }
    entries = read_entries(document.get("plotters", {}), "plotters", mistakes)
    found["plotters"] = dict(_plotters(entries, mistakes))
    found["plot"] = _checked(found.get("plot", PlotSettings()), entries, mistakes)
    chia: ChiaSettings = found.get("chia", ChiaSettings())
    if chia.log is not None:
        found["chia"] = replace(chia, log=chia.root / chia.log)
    return Settings(path=path, **found, mistakes=tuple(mistakes))


def _checked(
    plot: PlotSettings, plotters: Mapping[str, object], mistakes: Mistakes
) -> PlotSettings:
    """The plot, of a known format; mistakes of several keys together are appended."""
    if plot.pool_contract_address and plot.pool_public_key:
        mistakes.add("plot.pool_public_key", "is set with plot.pool_contract_address: remove one")
    if plot.plotter not in plotters:
        text = f"is {plot.plotter!r}, but [plotters.{plot.plotter}] is missing; add that table"
        mistakes.add("plot.plotter", text)
    try:
        PlotFormat(plot.k, plot.compression)
    except ValueError as error:
        mistakes.add("plot.compression", f"{error}; set plot.k and plot.compression to a known one")
        return replace(plot, compression=0)
    return plot


def _plotters(
    entries: Mapping[str, object], mistakes: Mistakes
) -> Iterator[tuple[str, PlotterSettings]]:
    """The plotters that can be used, by name."""
    for name, entry in entries.items():
        where = f"plotters.{name}"
        before = len(mistakes)
        plotter = read_table(PlotterSettings, entry, where, mistakes, name=name)
        if len(mistakes) == before:
            for one, text in _faults(plotter):
                mistakes.add(f"{where}{one}", text)
        if len(mistakes) == before:
            yield name, plotter


def _faults(plotter: PlotterSettings) -> Iterator[tuple[str, str]]:
    """Mistakes of several keys of a plotter together."""
    known = ", ".join(PLOTTERS)
    if plotter.command:
        request = Request("", (), PlotFormat(32), Path("/"), Path("/"), "", "", "")
        try:
            template.command(plotter.command, request)
        except ValueError as error:
            yield ".command", str(error)
        if plotter.grammar not in PLOTTERS:
            yield ".grammar", f"is {plotter.grammar!r}; it must name one of {known}"
        if plotter.temp_gib is None:
            yield ".temp_gib", "is missing: a command template needs the temp space of a plot"
        if plotter.program or plotter.options:
            yield ".command", "replaces program and options: remove those"
        if plotter.temp2 is not None and plotter.temp2_gib is None:
            yield ".temp2_gib", "is missing: a command template needs the space of its {temp2}"
    elif plotter.name not in PLOTTERS:
        yield "", f"is not a known plotter ({known}); correct its name, or give it a command"
    elif not plotter.program:
        yield ".program", "is missing: name the plotter's program"
    yield from _second_faults(plotter)


def _second_faults(plotter: PlotterSettings) -> Iterator[tuple[str, str]]:
    """Mistakes of the second temporary folder."""
    if plotter.temp2 is None:
        if plotter.temp2_gib is not None:
            yield ".temp2_gib", "is set without temp2: name the temp farm there"
        return
    known = PLOTTERS.get(plotter.name)
    if plotter.command:
        second = template.has_second(plotter.command)
    else:
        second = known is None or known.two_temps is not None
    if not second:
        yield ".temp2", "is set, but its command has no second temporary folder: remove it"
