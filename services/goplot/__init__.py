"""goplot: starts, paces and watches Chia plots, and keeps the disks that they fill."""

__version__ = "0.1.0"
