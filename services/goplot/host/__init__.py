"""Adapters: files, mounts, processes, systemd and the clock."""
