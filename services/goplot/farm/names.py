"""Names from disk for people and programs: names are bytes, and need not be UTF-8. Pure."""

import re

_SURROGATE = re.compile("[\ud800-\udfff]")
# What a terminal acts on: control characters but tab and newline, separators of lines, and what
# changes the direction of writing.
_ACTED_ON = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
# What os.fsdecode makes of the byte 0: it stands for byte n at this place plus n.
_BYTES = 0xDC00


def shown(text: str) -> str:
    r"""The text as it can be encoded: each byte of a name that is not UTF-8 appears as `\xe9`.

    Everything that leaves goplot goes through here, except names in state files: these are
    read again, and JSON's own escapes preserve them.
    """
    return _SURROGATE.sub(_escaped, text)


def printable(text: str) -> str:
    r"""The text as a terminal may get it: as `shown`, an escape character as `\x1b`."""
    return _ACTED_ON.sub(_escaped, shown(text))


def is_utf8(name: str) -> bool:
    """True when a name from disk is UTF-8."""
    return _SURROGATE.search(name) is None


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    if _BYTES + 0x80 <= code <= _BYTES + 0xFF:
        code -= _BYTES
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"
