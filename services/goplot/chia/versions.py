"""Which releases of Chia work together. Pure.

Farmer, harvesters and full node pass signage points in a form that changed twice: a service that
gets one in another form drops it, stays connected, and farms nothing. Measured with 2.7.3 and
2.7.5; harvesters up to 2.5.4 are served by farmers from 2.7.4 on.
"""

import re

#: The first release of each protocol, newest first.
_FIRST = (((2, 7, 4), "0.0.38"), ((2, 5, 5), "0.0.37"), ((0, 0, 0), "0.0.36"))
#: Later releases may bring another protocol.
_NEWEST = (2, 7, 5)
_SERVED = {"0.0.38": ("0.0.36", "0.0.38")}
_VERSION = re.compile(r"v?(\d{1,6})\.(\d{1,6})(?:\.(\d{1,6}))?(?P<rest>[^\d].*)?")
#: The services that take part in passing signage points.
SERVICES = ("full_node", "farmer", "harvester")


def protocol_of(version: str) -> str:
    """The protocol of a release; of one that is not known, its version.

    So a release that is not known works only with the same one.
    """
    match = _VERSION.fullmatch(version)
    if match is None:
        return version
    number = (int(match[1]), int(match[2]), int(match[3] or 0))
    early = bool(match["rest"]) and not match["rest"].startswith("+")
    if number > _NEWEST or (early and any(number == first for first, _ in _FIRST)):
        return version
    return next(protocol for first, protocol in _FIRST if number >= first)


def served_by(farmer: str) -> tuple[str, ...]:
    """The protocols of harvesters that a farmer of this version sends signage points to."""
    protocol = protocol_of(farmer)
    return _SERVED.get(protocol, (protocol,))


def work_together(farmer: str, service: str, version: str) -> bool:
    """True when signage points pass between a farmer and a harvester or a full node."""
    if service == "harvester":
        return protocol_of(version) in served_by(farmer)
    return protocol_of(version) == protocol_of(farmer)
