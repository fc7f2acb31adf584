"""goplot-plotter-collector: writes what goplot knows for node_exporter's textfile collector."""

import sys
import time
from collections import Counter
from pathlib import Path

from goplot import __version__
from goplot.farm.disks import FAILING
from goplot.farm.jobs import Job, Stage
from goplot.host import clock, program
from goplot.host.annotations import waiting
from goplot.host.diskstate import read_own, read_plots
from goplot.host.drives import add_places
from goplot.host.mounts import read_mounts
from goplot.host.observe import Observation, observe
from goplot.host.report import read_report
from goplot.host.settings import Settings
from goplot.host.success import add_success, read_successes, record_success
from goplot.host.textfile import Metrics
from goplot.host.totals import Totals, read_totals
from goplot.host.tunables import NAMES, Tunables, read_last_good, read_tunables
from goplot.pacer.decision import Reason


def collect(settings: Settings) -> Metrics:
    """All metrics of this host's plotting. Raises OSError."""
    metrics = Metrics()
    metrics.family("goplot_build_info", "gauge", "Version of goplot.")
    metrics.sample("goplot_build_info", 1, {"version": __version__})
    tunables = read_tunables(settings.roots.config, read_last_good(settings.roots.state))
    _add_tunables(metrics, tunables)
    metrics.gauge("goplot_load", "(5 min + 15 min load average) / 2.", clock.goplot_load())
    observation = observe(settings)
    _add_jobs(metrics, observation, waiting(settings.roots.state))
    _add_disks(metrics, observation, settings)
    _add_temps(metrics, observation)
    mounts = read_mounts(settings.host.mountinfo)
    temps = [temp for temp in observation.temps if str(temp.path) in mounts]
    add_places(metrics, [(mounts[str(t.path)], {"temp_farm": str(t.farm)}) for t in temps])
    totals = read_totals(settings.roots.state)
    _add_totals(metrics, totals, len(observation.jobs) + len(observation.broken))
    _add_pacer(metrics, settings.roots.state, tunables)
    add_success(metrics, {**read_successes(settings.roots.state), "plotter-collector": time.time()})
    return metrics


def _add_tunables(metrics: Metrics, tunables: Tunables) -> None:
    metrics.gauge("goplot_on_toggle", "1 when on_toggle is run.", int(tunables.run))
    for name, family, text in (
        ("plot_gap", "goplot_plot_gap_seconds", "Least time between two plot starts."),
        ("plot_poll", "goplot_plot_poll_seconds", "Time between two looks at the conditions."),
        ("max_plots", "goplot_max_plots", "Most plots that run at the same time."),
        ("load_max", "goplot_load_max", "goplot load above which no plot starts."),
        ("temp_plots_max", "goplot_temp_plots_max", "Most plots in one temp farm; 0: any."),
        ("early_plots_max", "goplot_early_plots_max", "Most early plots in a temp farm; 0: any."),
        ("dest_plots_max", "goplot_dest_plots_max", "Most plots to a destination farm; 0: any."),
    ):
        metrics.gauge(family, text, tunables[name])
    metrics.gauge(
        "goplot_memory_min_bytes",
        "Least free memory for a plot start; 0: any.",
        tunables["memory_min"] * (1 << 20),
    )
    metrics.family("goplot_tunable_valid", "gauge", "0 when a tunable's file holds no good value.")
    for name in NAMES:
        metrics.sample("goplot_tunable_valid", int(name not in tunables.invalid), {"tunable": name})


def _add_jobs(metrics: Metrics, observation: Observation, annotations: int) -> None:
    jobs = observation.jobs
    metrics.gauge("goplot_plots_running", "Plots that run on this host.", observation.running)
    metrics.gauge(
        "goplot_foreign_plots_running", "Plots that run outside goplot.", observation.foreign
    )
    stranded = sum(job.stage is Stage.STRANDED for job in jobs)
    metrics.gauge("goplot_plots_stranded", "Finished plots that no disk can take.", stranded)
    metrics.gauge(
        "goplot_annotations_waiting", "Annotations that Grafana has not taken yet.", annotations
    )
    metrics.family("goplot_plots", "gauge", "Plot jobs by destination farm, temp farm and phase.")
    counts = Counter((job.dest_farm, job.temp_farm, job.phase) for job in jobs)
    for (farm, temp_farm, phase), count in sorted(counts.items()):
        labels = {"farm": str(farm), "temp_farm": str(temp_farm), "phase": phase}
        metrics.sample("goplot_plots", count, labels)
    metrics.family("goplot_plot_progress_ratio", "gauge", "How far a plot is, 0 to 1.")
    metrics.family("goplot_plot_age_seconds", "gauge", "Time since a plot's start.")
    now = clock.now()
    for job in jobs:
        metrics.sample("goplot_plot_progress_ratio", job.progress, _job_labels(job))
        age = round(clock.seconds_between(job.start, now), 1)
        metrics.sample("goplot_plot_age_seconds", age, _job_labels(job))


def _job_labels(job: Job) -> dict[str, str]:
    return {
        "index": str(job.index),
        "farm": str(job.dest_farm),
        "disk": job.disk,
        "temp_farm": str(job.temp_farm),
        "phase": job.phase,
    }


def _add_disks(metrics: Metrics, observation: Observation, settings: Settings) -> None:
    for name, text in (
        ("goplot_disk_mounted", "1 when a disk's folder is a mount point."),
        ("goplot_disk_failing", "1 when a disk can't be read or does not take a write."),
        ("goplot_disk_in_rotation", "1 when plots may be placed on a disk with room."),
        ("goplot_disk_size_bytes", "Size of a disk without root's reserve."),
        ("goplot_disk_used_bytes", "Used bytes of a disk."),
        ("goplot_disk_committed_bytes", "Bytes that running jobs will still write to a disk."),
        ("goplot_disk_available_bytes", "Bytes of a disk that are promised to no job."),
        ("goplot_disk_plots", "Plots on a disk, as diskhand last counted them."),
    ):
        metrics.family(name, "gauge", text)
    plots = read_plots(settings.roots.state)
    own = read_own(settings.roots.state)
    for disk in observation.disks:
        labels = {"farm": str(disk.farm), "disk": disk.name}
        metrics.sample("goplot_disk_mounted", int(disk.mounted), labels)
        fault = disk.trouble or (own[disk.name].reason if disk.name in own else "")
        metrics.sample("goplot_disk_failing", int(fault.startswith(FAILING)), labels)
        metrics.sample("goplot_disk_in_rotation", int(disk.in_rotation), labels)
        metrics.sample("goplot_disk_committed_bytes", disk.committed, labels)
        if disk.space is None:
            continue
        metrics.sample("goplot_disk_size_bytes", disk.space.total, labels)
        metrics.sample("goplot_disk_used_bytes", disk.space.used, labels)
        metrics.sample("goplot_disk_available_bytes", disk.available, labels)
        if str(disk.path) in plots:
            metrics.sample("goplot_disk_plots", plots[str(disk.path)], labels)


def _add_temps(metrics: Metrics, observation: Observation) -> None:
    for name, text in (
        ("goplot_temp_mounted", "1 when a temp farm's folder is a mount point."),
        ("goplot_temp_size_bytes", "Size of a temp farm without root's reserve."),
        ("goplot_temp_used_bytes", "Used bytes of a temp farm."),
        ("goplot_temp_committed_bytes", "Bytes that running jobs will still write to it."),
        ("goplot_temp_available_bytes", "Bytes of a temp farm that are promised to no job."),
    ):
        metrics.family(name, "gauge", text)
    for temp in observation.temps:
        labels = {"temp_farm": str(temp.farm)}
        metrics.sample("goplot_temp_mounted", int(temp.mounted), labels)
        metrics.sample("goplot_temp_committed_bytes", temp.committed, labels)
        if temp.space is not None:
            metrics.sample("goplot_temp_size_bytes", temp.space.total, labels)
            metrics.sample("goplot_temp_used_bytes", temp.space.used, labels)
            metrics.sample("goplot_temp_available_bytes", temp.available, labels)


def _add_totals(metrics: Metrics, totals: Totals, active: int) -> None:
    failed = sum(totals.failed.values())
    metrics.family("goplot_plots_started_total", "counter", "Plot jobs that were started.")
    metrics.sample("goplot_plots_started_total", totals.finished + failed + active)
    metrics.family("goplot_plots_finished_total", "counter", "Plots made, verified, delivered.")
    metrics.sample("goplot_plots_finished_total", totals.finished)
    metrics.family("goplot_plots_failed_total", "counter", "Plot jobs without a plot, by reason.")
    for reason, count in sorted(totals.failed.items()):
        metrics.sample("goplot_plots_failed_total", count, {"reason": reason})
    metrics.family("goplot_plot_phase_seconds", "summary", "Time of phases of finished plots.")
    for key, (plots, seconds) in sorted(totals.phases.items()):
        plotter, plot_format, phase = key.split("/")
        labels = {"plotter": plotter, "format": plot_format, "phase": phase}
        metrics.sample("goplot_plot_phase_seconds", round(seconds, 3), labels, "_sum")
        metrics.sample("goplot_plot_phase_seconds", plots, labels, "_count")


def _add_pacer(metrics: Metrics, state: Path, tunables: Tunables) -> None:
    report = read_report(state, tunables["plot_poll"])
    metrics.gauge("goplot_pacer_up", "1 when the pacer has looked lately.", int(report is not None))
    metrics.family("goplot_start_blocked", "gauge", "1 for the reason why no plot starts now.")
    if report is not None:
        for known in Reason:
            if known is not Reason.START:
                blocked = int(known.value == report.reason)
                metrics.sample("goplot_start_blocked", blocked, {"reason": known.value})


def main() -> int:
    """Write the metrics once. Returns an exit code of goplot.host.program."""
    options = program.parser("goplot-plotter-collector", __doc__).parse_args()
    return program.run("goplot-plotter-collector", options.settings, _once)


def _once(settings: Settings) -> int:
    collect(settings).write(settings.roots.textfiles, "goplot_plotter")
    record_success(settings.roots.state, "plotter-collector")
    return program.OK


if __name__ == "__main__":
    sys.exit(main())
