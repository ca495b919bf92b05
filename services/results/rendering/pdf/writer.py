"""A report as PDF: its values handed to the typesetter as data, tagged (PDF/UA-1) and archivable (PDF/A-3a)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet

import typst

from services.results.rendering import figures, typesetting
from services.results.rendering.composing.report import FigureBlock, Report
from services.results.rendering.pdf.data import data

ACCESSIBLE: list[typst.PDFStandard] = ["ua-1"]
ARCHIVABLE: list[typst.PDFStandard] = ["a-3a", "ua-1"]
"""PDF/A wants the document's date, which is only known where execution metadata is given."""

MOST_ATTACHED = 1 << 20
"""Bytes of JSON that are attached; more would double a document for what can be fetched by itself."""

_ROUNDS = 6
_GLYPHLESS = re.compile("missing codepoints|could not be displayed")

# Characters found to be without a glyph, kept for the life of the process: fonts do not change under it.
_missing: set[str] = set()


def pdf(report: Report, *, timestamp: int, attachment: bytes | None = None) -> bytes:
    """Typeset the report. A character without a glyph in any font at hand is shown as its code point.

    :param timestamp: creation date in seconds since 1970; the same arguments give the same bytes.
    :param attachment: the same results as JSON, which an archivable document takes with it as an associated file
        unless they are longer than `MOST_ATTACHED`.
    :raises TypesettingError: the typesetter refused the document.
    """
    standards = ARCHIVABLE if report.date else ACCESSIBLE
    attached = report.date is not None and attachment is not None and len(attachment) <= MOST_ATTACHED
    drawn = frozenset(letter for svg in _drawings(report) for letter in set(svg) if not letter.isascii())
    if any(figures.shaped(svg) for svg in _drawings(report)):
        # What a drawing is set as depends on what of it can be drawn at all, not on what was met before.
        _missing.update(_without_glyph(drawn, report.language))
    pictured = False
    for _ in range(_ROUNDS):
        values = data(report, _missing, attachment if attached else None, pictured=pictured)
        try:
            return typesetting.pdf("report.typ", values, standards=standards, timestamp=timestamp)
        except typesetting.TypesettingError as error:
            named = error.characters if isinstance(error, typesetting.MissingGlyphs) else frozenset()
            if not named and not _GLYPHLESS.search(str(error)):
                raise
            # Of a drawing it is not always said which have no glyph, and of a sequence all parts are named.
            if found := _without_glyph(named | drawn, report.language) - _missing:
                _missing.update(found)
            elif not pictured:
                pictured = True
            elif named - _missing:
                _missing.update(named)
            else:
                raise
    raise typesetting.TypesettingError("characters without a glyph remain")


def _drawings(report: Report) -> Iterator[str]:
    for section in (*report.sections, *report.appendix):
        for block in section.blocks:
            if isinstance(block, FigureBlock) and block.svg is not None:
                yield block.svg


def _without_glyph(characters: AbstractSet[str], language: str) -> frozenset[str]:
    """Those of the characters that no font at hand has a glyph for, each by itself."""
    values = {"fonts": typesetting.families(language), "text": " ".join(sorted(characters))}
    try:
        typesetting.pdf("glyphs.typ", values, standards=["a-3a"], timestamp=0)
    except typesetting.MissingGlyphs as missing:
        return missing.characters
    return frozenset()
