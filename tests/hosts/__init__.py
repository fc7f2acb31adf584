"""Real test hosts on one machine.

Each host is a systemd-nspawn machine: real systemd, a real SSH server, an address of its own on a
bridge, and disks that are loop devices with real file systems. The demo, molecule and the tests
all make their hosts here: ``python3 -m tests.hosts --help``.

Only the standard library is used, so that hosts can be made before anything is installed.
"""
