"""Lines of the Chia log as released versions write them, and one of a version to come."""

OLD = (
    b"1 plots were eligible for farming 0123456789... Found 0 proofs. Time: 0.12345 s. "
    b"Total 10 plots"
)
NOW = (
    b"challenge_hash: a87483a29a ...4 plots were eligible for farming challengeFound 0 V1 proofs "
    b"and 0 V2 qualities. Time: 0.04333 s. Total 4 plots"
)
NEXT = (
    b"4 plots were eligible for farming challenge_hash: a87483a29a... Found 12 V1 proofs "
    b"and 11 V2 qualities. Time: 8.50000 s. Total 4 plots"
)
#: What no version has written yet: it has neither the words nor the order of the others.
UNSEEN = b"lookup a87483a29a: eligible=4 proofs=0/0 in 43ms of 4"

CLOCK = b"17:01:33.290 "
DATE = b"2026-11-22T17:01:33.290 "
ESC = b"\x1b"


def prefixed(
    message: bytes,
    *,
    time: bytes = DATE,
    version: bytes = b"2.7.5 ",
    service: bytes = b"harvester",
    logger: bytes = b"chia.harvester.harvester",
    level: bytes = b"INFO",
) -> bytes:
    """A line as Chia's formatter makes it."""
    padded = logger.ljust(33 - len(service))
    return time + version + service + b" " + padded + b": " + level.ljust(8) + b" " + message


def coloured(message: bytes, level: bytes = b"INFO") -> bytes:
    """A line as `log_stdout` has it."""
    head = prefixed(b"", level=level).rstrip().removesuffix(level).rstrip()
    return head + b" " + ESC + b"[32m" + level.ljust(8) + ESC + b"[0m " + message + ESC + b"[0m"


#: By name, every released form of the prefix round an eligible line.
PREFIXES = {
    "1.0.0": prefixed(OLD, time=CLOCK, version=b"", logger=b"src.harvester.harvester"),
    "1.0.4": prefixed(OLD, time=CLOCK, version=b""),
    "1.1.0": prefixed(OLD, version=b""),
    "2.4.4": prefixed(OLD, version=b"2.4.4 "),
    "2.7.5": prefixed(NOW),
    "2.7.5rc": prefixed(
        NOW,
        version=b"2.7.5rc1.dev12+g01ab ",
    ),
    "backcompat": prefixed(NOW, version=b""),
    "stdout": coloured(NOW),
    "syslog": b"harvester " + NOW,
    "syslog file": b"Nov 22 17:01:33 farmer1 harvester " + NOW,
    "journal": b"Nov 22 17:01:33 farmer1 chia.harvester[812]: " + NOW,
    "message": NOW,
}
