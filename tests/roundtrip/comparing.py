"""Whether what a result document says is found in finished files: statements, quotes, sources and numbers.

The words are compared as a reader has them, without regard to blanks, line ends, hyphens, ligatures, case (which
citation styles change) and quotation marks (which languages change). A page may show a character that no font has as
its code point, and the words of a line that runs from right to left in another order.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.results.rendering.plain_text import clean

JSON = Mapping[str, Any]

_DROPPED = re.compile(
    r"[\s\u00ad\u200b-\u200f\u2010\u2011\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff\ufffd`'\"‘’“”„«»-]"
)
_TWICE = re.compile(
    r"((?:[^\W\d_a-z][\u0300-\u036f\u1dc0-\u1dff\u20d0-\u20ff]+|[a-z][\u0300-\u036f]+|[\u0590-\u109f\u1200-\u137f\u1780-\u17ff\u2600-\u27bf\U0001f000-\U0001faff]){1,8}?)\1+"
)
_COMPLEX = re.compile(r"[\u0590-\u109f\u1780-\u17ff\u2600-\u27bf\U0001f000-\U0001faff]")
"""Scripts that run from right to left, or whose letters are drawn by several glyphs."""

_TURNED = re.compile(r"[\u0590-\u08ff]")
_TURN = re.compile(r"([^\u0590-\u08ff]+)")
_NUMBER = re.compile(r"[−-]?\d+(?:\.\d+)?(?:\s*×\s*10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?")
_LOWERED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
_MOST_ROWS = 500
_MOST_PASSAGES = 50
_MOST_AUTHORS = 3
_PRECISION = 6e-6
"""Reports show six digits of a number."""

_MANTISSA = 6e-3
"""And three where a power of ten follows."""


@dataclass(frozen=True, slots=True)
class Item:
    """Something a document says: `kind` is claim, finding, quote, passage, title, author, year, cell or number."""

    kind: str
    text: str
    value: float | None = None


def items(document: JSON) -> Iterator[Item]:
    """What must be found again."""
    for section in document.get("sections") or ():
        for claim in section.get("claims") or ():
            yield Item("claim", claim["text"])
    for finding in document.get("key_findings") or ():
        yield Item("finding", finding["text"])
        if finding.get("quote"):
            yield Item("quote", finding["quote"])
    for citation in document.get("citations") or ():
        yield Item("title", citation.get("title") or "")
        yield from (Item("author", name) for name in _families(citation))
        if citation.get("year") is not None:
            yield Item("year", str(citation["year"]))
        for passage in (citation.get("passages") or ())[:_MOST_PASSAGES]:
            yield Item("passage", passage["quote"])
    for table in document.get("tables") or ():
        yield Item("cell", table.get("title") or "")
        for column in table["columns"]:
            name = column if isinstance(column, str) else column.get("title") or column["name"]
            # Wide tables have the limits of an interval beside what they are limits of.
            if not name.endswith(("95 % low", "95 % high")):
                yield Item("cell", name)
        for row in (table.get("rows") or ())[:_MOST_ROWS]:
            for cell in row:
                if isinstance(cell, str):
                    yield Item("cell", cell)
                elif isinstance(cell, (int, float)) and not isinstance(cell, bool) and math.isfinite(cell):
                    yield Item("number", repr(cell), float(cell))


def _families(citation: JSON) -> list[str]:
    """Family names that every style shows: given names may be letters, and of many authors the first is enough."""
    listed = (citation.get("csl") or {}).get("author") or []
    names = [name.get("family") or name.get("literal") for name in listed if isinstance(name, Mapping)]
    told = [author.partition(",")[0] if "," in author else author for author in citation.get("authors") or ()]
    found = [name for name in names or told if name]
    return found if len(found) <= _MOST_AUTHORS else found[:1]


class Finished:
    """The text of one file, ready to be searched.

    :param page: whether it comes from a page, where characters without a glyph stand as code points, and words of
        right-to-left lines in the order of the page.
    """

    def __init__(self, text: str, *, page: bool) -> None:
        self._page = page
        # Long numbers have places to be broken that show nothing.
        text = text.replace("\u200b", "")
        self._text = folded(text)
        self._letters = frozenset(self._text)
        # Blocks of text end within words as well. Runs of a word from right to left may come in the page's order, with
        # letters noted twice: then the letters that a word is made of have to do.
        words = text.replace("\n", "").split() if page else []
        self._words = frozenset(map(folded, words))
        self._made_of = frozenset(
            frozenset(folded(piece)) for word in words if _TURNED.search(word) for piece in _TURN.split(word)
        )
        self._numbers = sorted(set(map(_value, _NUMBER.findall(text))))
        self._coarse = sorted({_value(found) for found in _NUMBER.findall(text) if "×" in found})

    def lacks(self, item: Item) -> bool:
        """Whether the item is not there."""
        if item.value is not None:
            return not (_near(item.value, self._numbers, _PRECISION) or _near(item.value, self._coarse, _MANTISSA))
        wanted = folded(item.text)
        if wanted in self._text:
            return False
        if not self._page:
            return True
        wanted = self._drawn(wanted)
        if wanted in self._text:
            return False
        if not _COMPLEX.search(item.text):
            return True
        return not all(self._has(piece) for piece in _pieces(item.text))

    def _has(self, piece: str) -> bool:
        wanted = self._drawn(folded(piece))
        if wanted in self._words or wanted in self._text:
            return True
        return bool(_TURNED.search(piece)) and frozenset(wanted) in self._made_of

    def _drawn(self, text: str) -> str:
        return "".join(letter if letter in self._letters else f"{ord(letter):04x}" for letter in text)


def lost(document: JSON, files: Mapping[str, Finished]) -> list[tuple[str, Item]]:
    """What of the document is in which file not."""
    everything = [item for item in items(document) if folded(item.text) or item.value is not None]
    return [(name, item) for name, file in files.items() for item in everything if file.lacks(item)]


def folded(text: str) -> str:
    """`text` for comparison."""
    text = _DROPPED.sub("", unicodedata.normalize("NFKC", clean(text)).casefold())
    return _once(unicodedata.normalize("NFC", text))


def _once(text: str) -> str:
    """`text` with what stands twice in a row once: where a letter's marks or dots are glyphs of their own, the
    typesetter notes the letter with each of them."""
    while (less := _TWICE.sub(r"\1", text)) != text:
        text = less
    return text


def _pieces(text: str) -> Iterator[str]:
    """Words by their direction: where a line changes it, a word is parted too."""
    for word in unicodedata.normalize("NFKC", clean(text)).split():
        yield from (piece for piece in _TURN.split(word) if piece)


def _value(text: str) -> float:
    mantissa, _, power = text.replace("−", "-").partition("×")
    exponent = int(power.strip()[2:].translate(_LOWERED)) if power else 0
    return float(f"{mantissa.strip()}e{exponent}")


def _near(value: float, numbers: Sequence[float], tolerance: float) -> bool:
    from bisect import bisect_left

    room = abs(value) * tolerance
    place = bisect_left(numbers, value - room)
    return place < len(numbers) and numbers[place] <= value + room
