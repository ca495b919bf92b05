"""Looking for the texts of a document of `carriers` in the text of a finished file."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from services.results.rendering.citing.hayagriva import web_address
from services.results.rendering.composing.report import Report, Subheading
from services.results.rendering.plain_text import clean
from tests.injection.carriers import SHOWN, bare, everywhere, mark, placed
from tests.unit.rendering.reading import squeezed

# What stands for characters that cannot be shown, and one that reference lists use for themselves.
_REPLACED = re.compile("[\ufffd\ue000]")
_PAGE = 150
_DOI = "https://doi.org/"


def links(texts: Sequence[str]) -> frozenset[str]:
    """Addresses among the texts that may be linked to: plain ones of the web, and DOIs. Evil ones are none, nor are
    those with a name, a password or a script in them."""
    plain = [text for text in texts if text.startswith(("http://plain.example/", "https://plain.example/"))]
    addresses = {address for text in plain if (address := web_address(text)) is not None}
    dois = [text.removeprefix("doi:").removeprefix(_DOI) for text in texts]
    return frozenset(addresses | {f"{_DOI}{doi}" for doi in dois if doi.startswith("10.") and web_address(_DOI + doi)})


def headings(report: Report) -> int:
    """How many headings a report has, with its title."""
    blocks = (block for section in (*report.sections, *report.appendix) for block in section.blocks)
    fixed = 1 + bool(report.summary) + bool(report.findings) + bool(report.references)
    return fixed + len(report.sections) + len(report.appendix) + sum(isinstance(block, Subheading) for block in blocks)


def missing(text: str, payloads: Sequence[str], stride: int, *, drawn: bool = False) -> list[tuple[str, str]]:
    """Fields and texts of a document by `everywhere(payloads, stride)` that are not in `text`.

    :param drawn: leave out what a page shows in another form: characters without a glyph, and directions.
    """
    read = _folded(text)
    _, count = everywhere(payloads, stride)
    found: list[tuple[str, str]] = []
    for field in SHOWN:
        for index in range(count):
            payload = payloads[placed(field, index, len(payloads), stride)]
            if drawn and not _plain(payload):
                continue
            wanted = _folded(clean(payload) + ("" if bare(field, index) else mark(field, index)))
            if wanted not in read:
                found.append((field, payload))
    for payload in payloads:
        if not (drawn and not _plain(payload)) and read.count(_folded(clean(payload))) < len(SHOWN) // stride:
            found.append(("anywhere", payload))
    return found


def _folded(text: str) -> str:
    # Styles change the case of titles.
    return squeezed(_REPLACED.sub("", text)).casefold()


def _plain(payload: str) -> bool:
    """Whether a page shows each character by a glyph of its own, from left to right, and all of them on one page."""
    return len(payload) < _PAGE and all(
        unicodedata.bidirectional(letter)
        not in ("R", "AL", "RLE", "RLO", "LRE", "LRO", "PDF", "RLI", "LRI", "FSI", "PDI")
        and unicodedata.category(letter) not in ("Co", "Cf", "Cn", "Cc")
        and not unicodedata.combining(letter)
        and (letter < "\u0e00" or "\u2010" < letter < "\u2800")
        for letter in clean(payload)
    )
