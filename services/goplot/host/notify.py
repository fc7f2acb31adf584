"""Messages to systemd, sd_notify(3)."""

import os
import socket

from goplot.farm.names import shown


def notify(message: str) -> None:
    """Send one message (such as `READY=1`); nothing happens outside a notify unit."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as connection:
        try:
            connection.connect(address)
            connection.sendall(shown(message).encode())
        except OSError:
            # A lost message costs a restart by the watchdog at worst; it must not end a plot.
            return


def watchdog_seconds() -> float | None:
    """Seconds within which systemd expects a keep-alive; None without a watchdog."""
    value = os.environ.get("WATCHDOG_USEC", "")
    return int(value) / 1e6 if value.isdigit() and int(value) else None
