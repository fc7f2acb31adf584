"""Names from disk for people and programs: names are bytes, and need not be UTF-8. Pure."""

import re

_SURROGATE = re.compile("[\ud800-\udfff]")
# What os.fsdecode makes of the byte 0: it stands for byte n at this place plus n.
_BYTES = 0xDC00


def shown(text: str) -> str:
    r"""The text as it can be encoded: each byte of a name that is not UTF-8 appears as `\xe9`.

    Everything that leaves goplot goes through here, except names in state files: these are
    read again, and JSON's own escapes preserve them.
    """
    return _SURROGATE.sub(_escaped, text)


def is_utf8(name: str) -> bool:
    """True when a name from disk is UTF-8."""
    return _SURROGATE.search(name) is None


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    if _BYTES + 0x80 <= code <= _BYTES + 0xFF:
        return f"\\x{code - _BYTES:02x}"
    return f"\\u{code:04x}"
