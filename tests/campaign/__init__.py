"""Plotting under fire: a host whose programs, power and disks are taken away while it plots."""
