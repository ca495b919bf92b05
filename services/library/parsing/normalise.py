"""The form in which text is stored. Every offset in the product refers to text in this form.

The form is: Unicode NFC; lines end in a line feed; of the control characters only tab and line feed
remain; no byte-order mark, soft hyphen, noncharacter or lone surrogate. Nothing else is changed, so
that what a caller sends is what a quote shows. Normalising twice changes nothing.
"""

from __future__ import annotations

import re
import unicodedata

_LINE_ENDS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_DROPPED = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\ufeff\ufdd0-\ufdef"
    + "".join(f"{chr(plane * 0x10000 + 0xFFFE)}{chr(plane * 0x10000 + 0xFFFF)}" for plane in range(17))
    + "]"
)
_SURROGATES = re.compile("[\ud800-\udfff]")


def normalise(text: str) -> str:
    """`text` in the stored form."""
    text = _LINE_ENDS.sub("\n", text)
    text = _DROPPED.sub("", text)
    text = _SURROGATES.sub("\N{REPLACEMENT CHARACTER}", text)
    return unicodedata.normalize("NFC", text)


def one_line(text: str) -> str:
    """`text` in the stored form with every run of white space as one space: for titles and names."""
    return " ".join(normalise(text).split())
