"""What damage leaves of lines of the Chia log: it must not pass for a new form of them. Pure.

A power cut leaves zeros where the end of the file was not written, and a line without its end,
which the next one follows at once. An editor adds a byte order mark, or writes UTF-16.
"""

import re

#: A number as Python prints it: 0.12345, -2.27123, 5.0067901611328125e-06, nan.
NUMBER = rb"-?(?:\d{1,20}(?:\.\d{1,20})?(?:[eE][+-]?\d{1,4})?|nan|inf)"

_DATE = rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3} "
_DATED = re.compile(_DATE)
# 1 plots were eli2022-03-26T19:43:04.699 harvester chia.harvester.harvester: INFO     1 plots …
_WHOLE = re.compile(_DATE + rb"(?:\d[\w.+-]{0,40} )?harvester [a-z]")
# Text of two bytes a character.
_WIDE = re.compile(rb"(?:[ -~]\0){8}")
# The known forms of an eligible line, with h for a challenge and 0 for a number.
_FORMS = (
    b"challenge_hash: h ...0 plots were eligible for farming challengeFound 0 V0 proofs "
    b"and 0 V0 qualities. Time: 0 s. Total 0 plots",
    b"0 plots were eligible for farming h... Found 0 proofs. Time: 0 s. Total 0 plots",
    b"0 plots were eligible for farming challenge_hash: h... Found 0 V0 proofs "
    b"and 0 V0 qualities. Time: 0 s. Total 0 plots",
)
_CHALLENGE = re.compile(rb"(?<![a-z_])[0-9a-f]{1,64}(?= ?\.\.\.)")
_CUT_CHALLENGE = re.compile(rb"(?<= )[0-9a-f]{1,64}\.{0,2}$")
_NUMBERS = re.compile(NUMBER)


def whole_begin(line: bytes) -> int:
    """Where the last whole line of the harvester begins behind damage; 0 without damage."""
    begin = 0
    if b" harvester " in line:
        for match in _WHOLE.finditer(line):
            begin = match.start()
    return begin


def is_utf16(text: bytes) -> bool:
    """True for text of two bytes a character."""
    return b"\0" in text and _WIDE.search(text) is not None


def is_remnant(message: bytes) -> bool:
    """True for what is left of an eligible line in a known form."""
    if b"\0" in message or _DATED.search(message):
        return True
    text = _CHALLENGE.sub(b"h", message.rstrip())
    cut = {text, _CUT_CHALLENGE.sub(b"h", text)}
    found = {_NUMBERS.sub(b"0", part).rstrip(b"-.") for part in cut}
    return any(form.startswith(part) or form.endswith(part) for form in _FORMS for part in found)
