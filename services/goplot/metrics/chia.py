"""What Chia says: its services by RPC, and its log."""

from goplot.metrics.family import Family, counter, gauge

CHIA = (
    # Every service
    gauge("chia_full_node_up", "1 when the full_node's RPC answers."),
    gauge("chia_farmer_up", "1 when the farmer's RPC answers."),
    gauge("chia_wallet_up", "1 when the wallet's RPC answers."),
    gauge("chia_harvester_up", "1 when the harvester's RPC answers."),
    gauge("chia_rpc_failed", "1 for each question without an answer.", "service", "endpoint"),
    gauge("chia_version_info", "Version of a running service.", "service", "version"),
    gauge(
        "chia_protocol_info",
        "Protocol that a service passes signage points in; its version where that is not known.",
        "service",
        "version",
        "protocol",
    ),
    gauge("chia_peers", "Connections of a service by the peer's type.", "service", "type"),
    # Full node
    gauge("chia_full_node_synced", "1 when the full node is synced."),
    gauge("chia_full_node_syncing", "1 while the full node catches up."),
    gauge("chia_full_node_sync_progress_ratio", "How far it has caught up, 0 to 1."),
    gauge("chia_full_node_sync_tip_height", "Height that it catches up to."),
    gauge("chia_full_node_height", "Height of the peak."),
    gauge("chia_full_node_difficulty", "Difficulty of the network."),
    gauge("chia_full_node_mempool_transactions", "Transactions that wait."),
    gauge("chia_full_node_block_interval_seconds", "Time between two blocks, over the last day."),
    gauge("chia_netspace_bytes", "Estimated space of the network."),
    # The chain's clock, of a synced full node of 2.7.2 and later
    gauge(
        "chia_chain_event_set",
        "1 when the height of a change on the chain is decided, 0 while it is not yet set.",
        "event",
    ),
    gauge("chia_chain_event_height", "Height of a change on the chain.", "event"),
    gauge(
        "chia_chain_event_seconds",
        "Time until the peak gets there, at 4608 blocks a day; negative when it has passed.",
        "event",
    ),
    gauge(
        "chia_v1_win_ratio",
        "Share of a v1 plot's proofs that still win in so many days, 0 to 1.",
        "days",
    ),
    # Farmer
    gauge(
        "chia_farming_status",
        "1 for the status that Chia's own command shows, or for no_keys.",
        "status",
    ),
    gauge(
        "chia_farmer_keys_loaded",
        "1 when the farmer has loaded its keys; without them it does not farm.",
    ),
    gauge(
        "chia_expected_win_seconds",
        "Mean time to a win with this farm's share of the network's space.",
    ),
    gauge(
        "chia_farmer_served_protocol_info",
        "Protocols of the harvesters that the farmer sends signage points to.",
        "protocol",
    ),
    gauge(
        "chia_farmer_harvester_connected",
        "1 when a harvester is connected to the farmer.",
        "harvester",
    ),
    gauge("chia_farmer_harvester_plots", "Plots that a harvester farms.", "harvester"),
    gauge("chia_farmer_harvester_bytes", "Bytes of these plots.", "harvester"),
    gauge("chia_farmer_harvester_effective_bytes", "Effective size of these plots.", "harvester"),
    gauge("chia_farmer_harvester_failed_plots", "Plots that can't be opened.", "harvester"),
    gauge(
        "chia_farmer_harvester_missing_keys",
        "Plots whose keys the farmer does not have.",
        "harvester",
    ),
    gauge("chia_farmer_harvester_duplicates", "Duplicate plots.", "harvester"),
    gauge(
        "chia_farmer_harvester_last_sync_timestamp_seconds",
        "When its plots were last sent in full.",
        "harvester",
    ),
    gauge("chia_farmer_harvester_syncing", "1 while it sends its plots.", "harvester"),
    gauge("chia_farmer_harvester_loading_ratio", "How far its first sync is, 0 to 1.", "harvester"),
    # Pools
    gauge("chia_pool_difficulty", "Difficulty that the pool sets.", "pool", "launcher"),
    gauge("chia_pool_plots", "Plots of a plot NFT.", "pool", "launcher"),
    counter(
        "chia_pool_points_found_total",
        "Points found since the farmer's start.",
        "pool",
        "launcher",
    ),
    counter(
        "chia_pool_points_acknowledged_total",
        "Points that the pool acknowledged since the farmer's start.",
        "pool",
        "launcher",
    ),
    gauge(
        "chia_pool_points_acknowledged_24h",
        "Points acknowledged within a day.",
        "pool",
        "launcher",
    ),
    counter(
        "chia_pool_partials_total",
        "Partials since the farmer's start, by result.",
        "pool",
        "launcher",
        "result",
    ),
    gauge("chia_pool_errors_24h", "Errors of the pool within a day.", "pool", "launcher"),
    # Wallet
    gauge("chia_keys", "Keys in Chia's keyring; 0 while it is locked."),
    gauge("chia_keyring_locked", "1 while Chia's keyring is locked by its passphrase."),
    gauge("chia_wallet_synced", "1 when the wallet is synced."),
    gauge("chia_farmed_mojo", "Everything farmed; 1 XCH is 10^12."),
    gauge("chia_farmed_blocks", "Blocks that were won."),
    gauge("chia_last_farmed_height", "Height of the last block that was won."),
    gauge("chia_last_farmed_timestamp_seconds", "When the last block was won."),
    # Harvester, by RPC
    gauge("chia_harvester_processes", "Processes of the harvester by state.", "state"),
    gauge("chia_harvester_farmer_connections", "Farmers that the harvester is connected to."),
    gauge(
        "chia_harvester_plots",
        "Plots that the harvester farms.",
        "version",
        "k",
        "compression",
    ),
    gauge("chia_harvester_plot_bytes", "Bytes of these plots.", "version", "k", "compression"),
    gauge("chia_harvester_disk_plots", "Plots that it farms, by disk.", "farm", "disk"),
    gauge("chia_harvester_disk_plot_bytes", "Bytes of these plots, by disk.", "farm", "disk"),
    gauge("chia_harvester_failed_plots", "Plots that can't be opened."),
    gauge("chia_harvester_missing_keys", "Plots whose keys the farmer does not have."),
    # Harvester, by its log
    gauge(
        "chia_harvester_quiet",
        "1 when no eligible line was written for longer than quiet_seconds.",
    ),
    gauge("chia_harvester_quiet_threshold_seconds", "The setting quiet_seconds."),
    gauge(
        "chia_harvester_eligible_age_seconds",
        "Time since the last eligible line, or since watching began.",
    ),
    gauge(
        "chia_harvester_last_eligible_timestamp_seconds",
        "When the last eligible line was written.",
    ),
    gauge("chia_harvester_eligible_plots", "Plots of the last lookup."),
    gauge("chia_harvester_log_plots", "All plots, by the last eligible line."),
    counter("chia_harvester_eligible_plots_total", "Plots that passed the filter."),
    counter(
        "chia_harvester_proofs_found_total",
        "Proofs of v1 plots, and qualities of v2 plots, that were found.",
        "version",
    ),
    Family("chia_harvester_lookup_seconds", "histogram", "Time of lookups."),
    counter("chia_harvester_slow_lookups_total", "Lookups that Chia warned about.", "version"),
    counter(
        "chia_harvester_lookup_errors_total",
        "Lookups that failed or whose proof was dropped.",
        "reason",
    ),
    counter(
        "chia_harvester_plot_problems_total",
        "Lines on plots that are not farmed; Chia repeats them.",
        "problem",
    ),
    counter("chia_harvester_refreshes_total", "Refreshes of all plot folders."),
    counter("chia_harvester_starts_total", "Starts of the harvester."),
    # The rest of the log
    counter(
        "chia_log_lines_total", "Lines of the Chia log by service and level.", "service", "level"
    ),
    counter(
        "chia_log_unmatched_total",
        "Lines of WARNING and above of harvester, farmer and solver that goplot does not know.",
        "service",
        "level",
    ),
    counter("chia_log_daemon_unreachable_total", "Lines on an unreachable daemon."),
    counter("chia_log_peers_lost_total", "Connections to peers that ended.", "service"),
    counter(
        "chia_log_protocol_mismatches_total",
        "Connections to a peer of another protocol, each logged once.",
        "service",
    ),
    counter("chia_log_connect_failures_total", "Peers not reached.", "service"),
    counter("chia_farmer_pool_errors_total", "Errors with pools.", "reason"),
    counter("chia_farmer_partials_total", "Partials that were submitted."),
    counter("chia_farmer_pool_answers_total", "Answers of pools."),
    counter("chia_farmer_v2_partial_proofs_total", "Collections of partial proofs of v2 plots."),
    counter("chia_farmer_solver_errors_total", "Calls of the solver without a proof.", "reason"),
    counter("chia_solver_requests_total", "Partial proofs that the solver was asked to solve."),
    counter("chia_solver_errors_total", "Partial proofs that the solver did not solve.", "reason"),
    counter("chia_full_node_signage_points_total", "Finished signage points."),
    counter(
        "chia_full_node_unknown_signage_points_total",
        "Proofs for a signage point that the full node does not know.",
    ),
    counter("chia_full_node_farmed_blocks_total", "Blocks farmed."),
)
