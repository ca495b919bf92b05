"""How many pages a PDF has, found by following its cross-reference table: texts inside it cannot lead that astray."""

from __future__ import annotations

import re

_START = re.compile(rb"startxref\s+(\d+)\s+%%EOF\s*$")
_ROOT = re.compile(rb"/Root\s+(\d+)\s+0\s+R")
_PAGES = re.compile(rb"/Pages\s+(\d+)\s+0\s+R")
_COUNT = re.compile(rb"/Count\s+(\d+)")
_SECTION = re.compile(rb"xref\s+0\s+\d+\s*?\r?\n")
_ENTRY = 20


class NoPageTree(ValueError):
    """The file is not written as the typesetter writes them: one table of plain objects at its end."""


def page_count(pdf: bytes) -> int:
    """The pages of a PDF whose objects are listed in one plain table (ISO 32000-1, 7.5.4). Raises NoPageTree."""
    start = int(_found(_START, pdf[-64:]))
    section = _SECTION.match(pdf, start)
    if section is None:
        raise NoPageTree("no table")
    trailer = pdf.rfind(b"trailer", start)
    root = int(_found(_ROOT, pdf[trailer:]))
    pages = int(_found(_PAGES, _object(pdf, section.end(), root)))
    return int(_found(_COUNT, _object(pdf, section.end(), pages)))


def _object(pdf: bytes, table: int, number: int) -> bytes:
    at = table + number * _ENTRY
    offset = int(pdf[at : at + 10] or b"0")
    end = pdf.find(b"endobj", offset)
    if not pdf[offset : offset + 20].startswith(b"%d 0 obj" % number):
        raise NoPageTree(f"object {number} is not where the table says")
    return pdf[offset:end]


def _found(pattern: re.Pattern[bytes], text: bytes) -> bytes:
    match = pattern.search(text)
    if match is None:
        raise NoPageTree(f"nothing matches {pattern.pattern!r}")
    return match[1]
