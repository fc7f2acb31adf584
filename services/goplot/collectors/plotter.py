"""goplot-plotter-collector: writes what goplot knows for node_exporter's textfile collector."""

import sys
import time
from collections import Counter
from pathlib import Path

from goplot import __version__
from goplot.diskhand.leftovers import kept_plots
from goplot.farm.disks import NO_INODES, Trouble, TroubleKind
from goplot.farm.jobs import Job, Stage
from goplot.host import clock, program
from goplot.host.annotations import waiting
from goplot.host.diskstate import read_own, read_plots
from goplot.host.drives import add_places
from goplot.host.jobstore import RECENT_RESULTS, read_results
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
    metrics.add("goplot_build_info", 1, version=__version__)
    tunables = read_tunables(settings.roots.config, read_last_good(settings.roots.state))
    _add_tunables(metrics, tunables)
    metrics.add("goplot_load", clock.goplot_load())
    observation = observe(settings)
    _add_jobs(metrics, observation, waiting(settings.roots.state))
    _add_disks(metrics, observation, settings)
    _add_temps(metrics, observation)
    mounts = read_mounts(settings.host.mountinfo)
    temps = [temp for temp in observation.temps if str(temp.path) in mounts]
    add_places(metrics, [(mounts[str(t.path)], {"temp_farm": str(t.farm)}) for t in temps])
    totals = read_totals(settings.roots.state)
    _add_totals(metrics, totals, _without_result(observation, settings.roots.state, totals))
    _add_pacer(metrics, settings.roots.state, tunables)
    add_success(metrics, {**read_successes(settings.roots.state), "plotter-collector": time.time()})
    return metrics


def _add_tunables(metrics: Metrics, tunables: Tunables) -> None:
    metrics.add("goplot_on_toggle", tunables.run)
    for tunable, name in (
        ("plot_gap", "goplot_plot_gap_seconds"),
        ("plot_poll", "goplot_plot_poll_seconds"),
        ("max_plots", "goplot_max_plots"),
        ("load_max", "goplot_load_max"),
        ("temp_plots_max", "goplot_temp_plots_max"),
        ("early_plots_max", "goplot_early_plots_max"),
        ("dest_plots_max", "goplot_dest_plots_max"),
    ):
        metrics.add(name, tunables.values[tunable])
    metrics.add("goplot_memory_min_bytes", tunables.memory_min * (1 << 20))
    for tunable in NAMES:
        metrics.add("goplot_tunable_valid", int(tunable not in tunables.invalid), tunable=tunable)


def _add_jobs(metrics: Metrics, observation: Observation, annotations: int) -> None:
    jobs = observation.jobs
    metrics.add("goplot_plots_running", observation.running)
    metrics.add("goplot_foreign_plots_running", observation.foreign)
    metrics.add("goplot_plots_stranded", sum(job.stage is Stage.STRANDED for job in jobs))
    metrics.add("goplot_annotations_waiting", annotations)
    counts = Counter((job.dest_farm, job.temp_farm, job.phase) for job in jobs)
    for (farm, temp_farm, phase), count in sorted(counts.items()):
        metrics.add("goplot_plots", count, farm=str(farm), temp_farm=str(temp_farm), phase=phase)
    for job in jobs:
        labels = _job_labels(job)
        metrics.add("goplot_plot_progress_ratio", job.progress, **labels)
        age = round(clock.seconds_between(job.start, observation.moment), 1)
        metrics.add("goplot_plot_age_seconds", age, **labels)


def _job_labels(job: Job) -> dict[str, str]:
    return {
        "index": str(job.index),
        "farm": str(job.dest_farm),
        "disk": job.disk,
        "temp_farm": str(job.temp_farm),
        "phase": job.phase,
    }


def _add_disks(metrics: Metrics, observation: Observation, settings: Settings) -> None:
    plots = read_plots(settings.roots.state)
    own = read_own(settings.roots.state)
    for disk in observation.disks:
        place = {"farm": str(disk.farm), "disk": disk.name}
        metrics.add("goplot_disk_mounted", int(disk.mounted), **place)
        # diskhand knows more: it has tried to write.
        trouble = disk.trouble or Trouble.of(own[disk.name].reason if disk.name in own else "")
        fails = trouble is not None and trouble.kind is TroubleKind.FAILING
        metrics.add("goplot_disk_failing", int(fails), **place)
        metrics.add("goplot_disk_in_rotation", int(disk.in_rotation), **place)
        metrics.add("goplot_disk_committed_bytes", disk.committed, **place)
        refused = disk.refused is not None or disk.trouble == NO_INODES
        metrics.add("goplot_disk_refused", int(refused), **place)
        if disk.space is None:
            continue
        metrics.add("goplot_disk_size_bytes", disk.space.total, **place)
        metrics.add("goplot_disk_used_bytes", disk.space.used, **place)
        metrics.add("goplot_disk_available_bytes", disk.available, **place)
        metrics.add_known("goplot_disk_plots", plots.get(str(disk.path)), **place)


def _add_temps(metrics: Metrics, observation: Observation) -> None:
    kept = kept_plots(observation)
    for temp in observation.temps:
        farm = str(temp.farm)
        metrics.add("goplot_temp_mounted", int(temp.mounted), temp_farm=farm)
        metrics.add("goplot_temp_committed_bytes", temp.committed, temp_farm=farm)
        if temp.space is not None:
            metrics.add("goplot_temp_size_bytes", temp.space.total, temp_farm=farm)
            metrics.add("goplot_temp_used_bytes", temp.space.used, temp_farm=farm)
            metrics.add("goplot_temp_available_bytes", temp.available, temp_farm=farm)
            metrics.add("goplot_plots_kept", len(kept[temp.farm]), temp_farm=farm)


def _without_result(observation: Observation, state: Path, totals: Totals) -> int:
    """The number of jobs that are not in the totals.

    One that has ended since it was observed, or whose record a crash kept, is in both.
    """
    start = max(0, totals.offset - RECENT_RESULTS)
    ended = {result.index for result in read_results(state, start=start, end=totals.offset)}
    return len({*(job.index for job in observation.jobs), *observation.broken} - ended)


def _add_totals(metrics: Metrics, totals: Totals, active: int) -> None:
    failed = sum(totals.failed.values())
    metrics.add("goplot_plots_started_total", totals.finished + failed + active)
    metrics.add("goplot_plots_finished_total", totals.finished)
    for reason, count in sorted(totals.failed.items()):
        metrics.add("goplot_plots_failed_total", count, reason=reason)
    for key, (plots, seconds) in sorted(totals.phases.items()):
        plotter, plot_format, phase = key.split("/")
        labels = {"plotter": plotter, "format": plot_format, "phase": phase}
        metrics.add("goplot_plot_phase_seconds_sum", round(seconds, 3), **labels)
        metrics.add("goplot_plot_phase_seconds_count", plots, **labels)


def _add_pacer(metrics: Metrics, state: Path, tunables: Tunables) -> None:
    report = read_report(state, tunables.plot_poll)
    metrics.add("goplot_pacer_up", int(report is not None))
    if report is not None:
        for known in Reason:
            if known is not Reason.START:
                blocked = int(known.value == report.reason)
                metrics.add("goplot_start_blocked", blocked, reason=known.value)


def main() -> int:
    """Write the metrics once. Returns an exit code of goplot.host.program."""
    options = program.parser("goplot-plotter-collector", __doc__).parse_args()
    return program.run("goplot-plotter-collector", options.settings, _once, ("roots", "host"))


def _once(settings: Settings) -> int:
    collect(settings).write(settings.roots.textfiles, "goplot_plotter")
    record_success(settings.roots.state, "plotter-collector")
    return program.OK


if __name__ == "__main__":
    sys.exit(main())
