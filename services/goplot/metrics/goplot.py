"""What goplot knows."""

from goplot.metrics.family import Family, counter, gauge

GOPLOT = (
    gauge("goplot_build_info", "Version of goplot.", "version"),
    gauge("goplot_last_success_timestamp_seconds", "When a program last did its work.", "program"),
    gauge(
        "goplot_drive_place_info",
        "Which drives hold a disk or a temp farm.",
        "drive",
        "farm",
        "disk",
        or_labels=("drive", "temp_farm"),
    ),
    # Tunables
    gauge("goplot_on_toggle", "1 when on_toggle is run."),
    gauge("goplot_plot_gap_seconds", "Minimum time between two plot starts."),
    gauge("goplot_plot_poll_seconds", "Time between two polls of the conditions."),
    gauge("goplot_max_plots", "Maximum plots that run at the same time."),
    gauge("goplot_load_max", "goplot load above which no plot starts."),
    gauge("goplot_temp_plots_max", "Maximum plots in one temp farm; 0: any."),
    gauge("goplot_early_plots_max", "Maximum early plots in a temp farm; 0: any."),
    gauge("goplot_dest_plots_max", "Maximum plots to a destination farm; 0: any."),
    gauge("goplot_memory_min_bytes", "Minimum free memory for a plot start; 0: any."),
    gauge("goplot_tunable_valid", "0 when a tunable's file holds an invalid value.", "tunable"),
    # Pacing
    gauge("goplot_load", "(5 min + 15 min load average) / 2."),
    gauge("goplot_pacer_up", "1 when the pacer has polled recently."),
    gauge("goplot_start_blocked", "1 for the reason why no plot starts now.", "reason"),
    # Plot jobs
    gauge("goplot_plots_running", "Plots that run on this host."),
    gauge("goplot_foreign_plots_running", "Plots that run outside goplot."),
    gauge("goplot_plots_stranded", "Finished plots that fit on no disk."),
    gauge(
        "goplot_plots_kept",
        "Finished plots on a temp farm that no job delivers; they wait for a person.",
        "temp_farm",
    ),
    gauge("goplot_annotations_waiting", "Annotations that have not been sent to Grafana yet."),
    gauge(
        "goplot_plots",
        "Plot jobs by destination farm, temp farm and phase.",
        "farm",
        "temp_farm",
        "phase",
    ),
    gauge(
        "goplot_plot_progress_ratio",
        "How far a plot is, 0 to 1.",
        "index",
        "farm",
        "disk",
        "temp_farm",
        "phase",
    ),
    gauge(
        "goplot_plot_age_seconds",
        "Time since a plot's start.",
        "index",
        "farm",
        "disk",
        "temp_farm",
        "phase",
    ),
    counter("goplot_plots_started_total", "Plot jobs that were started."),
    counter("goplot_plots_finished_total", "Plots made, verified, delivered."),
    counter("goplot_plots_failed_total", "Plot jobs without a plot, by reason.", "reason"),
    Family(
        "goplot_plot_phase_seconds",
        "summary",
        "Time of phases of finished plots.",
        ("plotter", "format", "phase"),
    ),
    # Disks and temp farms, as the plotter sees them
    gauge("goplot_disk_mounted", "1 when a disk's folder is a mount point.", "farm", "disk"),
    gauge("goplot_disk_failing", "1 when a disk can't be read or written.", "farm", "disk"),
    gauge(
        "goplot_disk_in_rotation", "1 when plots may be placed on a disk with room.", "farm", "disk"
    ),
    gauge(
        "goplot_disk_refused",
        "1 while a disk with room is out: it refused a plot, or has no inodes.",
        "farm",
        "disk",
    ),
    gauge("goplot_disk_size_bytes", "Size of a disk without root's reserve.", "farm", "disk"),
    gauge("goplot_disk_used_bytes", "Used bytes of a disk.", "farm", "disk"),
    gauge(
        "goplot_disk_committed_bytes",
        "Bytes that running jobs will still write to a disk.",
        "farm",
        "disk",
    ),
    gauge(
        "goplot_disk_available_bytes",
        "Bytes of a disk that are not reserved for a job.",
        "farm",
        "disk",
    ),
    gauge("goplot_disk_plots", "Plots on a disk, as diskhand last counted them.", "farm", "disk"),
    gauge("goplot_temp_mounted", "1 when a temp farm's folder is a mount point.", "temp_farm"),
    gauge("goplot_temp_size_bytes", "Size of a temp farm without root's reserve.", "temp_farm"),
    gauge("goplot_temp_used_bytes", "Used bytes of a temp farm.", "temp_farm"),
    gauge(
        "goplot_temp_committed_bytes",
        "Bytes that running jobs will still write to it.",
        "temp_farm",
    ),
    gauge(
        "goplot_temp_available_bytes",
        "Bytes of a temp farm that are not reserved for a job.",
        "temp_farm",
    ),
    # Disks, as the harvester's host sees them
    gauge(
        "goplot_harvester_disk_mounted",
        "1 when a disk's folder is a mount point.",
        "farm",
        "disk",
    ),
    gauge("goplot_harvester_disk_up", "1 when a disk's plots folder can be read.", "farm", "disk"),
    gauge("goplot_harvester_disk_plot_files", "Finished plots that are on a disk.", "farm", "disk"),
    gauge("goplot_harvester_disk_plot_files_bytes", "Bytes of these files.", "farm", "disk"),
    # Certificates
    gauge(
        "goplot_certificate_expiry_timestamp_seconds",
        "When a certificate expires; of a file of several, the first.",
        "certificate",
    ),
    # The Chia log
    gauge("goplot_harvester_log_up", "1 when the Chia log can be read."),
    gauge("goplot_harvester_log_state", "1 for the state of the Chia log.", "state"),
    counter("goplot_harvester_log_lines_total", "Lines of the Chia log that were read."),
    counter(
        "goplot_harvester_log_look_alikes_total",
        "Lines that look like an eligible line and match no known form.",
    ),
    counter(
        "goplot_harvester_log_damaged_lines_total",
        "Lines of the Chia log that are torn, overwritten by zeros or in UTF-16.",
    ),
    gauge(
        "goplot_harvester_log_unmatched_lines",
        "INFO lines of the harvester that matched nothing since its last eligible line.",
    ),
    counter("goplot_harvester_log_cut_lines_total", "Lines too long to be read to their end."),
    counter("goplot_harvester_log_lost_files_total", "Files that were gone before they were read."),
    gauge("goplot_harvester_log_last_line_timestamp_seconds", "When the last line was written."),
    gauge(
        "goplot_harvester_log_last_match_timestamp_seconds",
        "When the last line was written that was understood.",
    ),
    gauge(
        "goplot_harvester_log_clock_behind_seconds",
        "By how much the times in the Chia log are behind this host's clock; 0 below 2 minutes.",
    ),
)
