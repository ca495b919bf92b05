"""A report as PDF: its values handed to the typesetter as data, tagged (PDF/UA-1) and archivable (PDF/A-3a)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

import typst

from services.results.rendering import figures, typesetting
from services.results.rendering.plain_text import direction, shorten
from services.results.rendering.report import (
    Anchored,
    Block,
    Bullets,
    FigureBlock,
    Finding,
    Inline,
    Inlines,
    Link,
    Pairs,
    Paragraph,
    Ref,
    Reference,
    Report,
    SectionBlock,
    Styled,
    Subheading,
    TableBlock,
    Text,
    cell_text,
    plain,
)

ACCESSIBLE: list[typst.PDFStandard] = ["ua-1"]
ARCHIVABLE: list[typst.PDFStandard] = ["a-3a", "ua-1"]
"""PDF/A wants the document's date, which is only known where execution metadata is given."""

# Reports longer than this many characters, some seven pages, get a table of contents.
_CONTENTS_FROM = 16_000
_TEXT_WIDTH = 575.0
"""Width of the text block in CSS pixels; a figure this wide fills the line."""

_FIGURE_HEIGHT = 380.0
"""The most height a figure takes, in CSS pixels."""

_LONG_WORD = re.compile(r"\S{40,}")
# In a narrow column ids, hashes and paths are broken anywhere; words of a language are left whole.
_CODE = re.compile(r"(?=\S*[\d_/])[^\s\u2007\u2008]{12,}|\S{28,}")
_ROUNDS = 4
# Without the glyph that they act on they show nothing.
_VARIATION_SELECTORS = frozenset(map(chr, range(0xFE00, 0xFE10)))

# Families that carry a report first, then what an installation may have for other scripts.
_FAMILIES = (
    "Libertinus Serif",
    "New Computer Modern",
    "New Computer Modern Math",
    "DejaVu Serif",
    "DejaVu Sans",
    "DejaVu Sans Mono",
)

# Characters found to be without a glyph, kept for the life of the process: fonts do not change under it.
_missing: set[str] = set()


def pdf(report: Report, *, timestamp: int) -> bytes:
    """Typeset the report. A character without a glyph in any font at hand is shown as its code point.

    :param timestamp: creation date in seconds since 1970; the same report and timestamp give the same bytes.
    :raises TypesettingError: the typesetter refused the document.
    """
    standards = ARCHIVABLE if report.date else ACCESSIBLE
    for _ in range(_ROUNDS):
        try:
            return typesetting.pdf("report.typ", _Data(report).all(), standards=standards, timestamp=timestamp)
        except typesetting.MissingGlyphs as missing:
            if missing.characters <= _missing:
                raise
            _missing.update(missing.characters)
    raise typesetting.TypesettingError("characters without a glyph remain")


class _Data:
    """The report as the template reads it."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._heads: list[list[Any]] = []

    def all(self) -> dict[str, Any]:
        report, words = self._report, self._report.labels
        language, _, region = report.language.partition("-")
        facts = [
            report.date,
            report.session_id,
            f"{words['confidence']} {report.confidence}" if report.confidence else None,
        ]
        return {
            "labels": words,
            "lang": language.lower() if re.fullmatch(r"[A-Za-z]{2,3}", language) else "en",
            "region": region.upper() if re.fullmatch(r"[A-Za-z]{2}", region) else None,
            "fonts": [name for name in (*_FAMILIES, *_others()) if name in typesetting.font_families()],
            "title": report.title,
            "title-dir": direction(report.title),
            "title-inlines": _text(report.title),
            "description": report.question or report.title,
            "date": _date(report.date),
            "kind": report.kind,
            "question": _paragraph(Paragraph((Text(report.question),))) if report.question else None,
            "facts": [_text(fact) for fact in facts if fact],
            "running": _text(shorten(report.title, 70)),
            "footer": _text(report.kind),
            "partial": report.partial,
            "contents": _length(report) > _CONTENTS_FROM,
            "summary": [_paragraph(item) for item in report.summary],
            "summary-heading": self._head(words["summary"]) if report.summary else [],
            "findings": [_finding(item) for item in report.findings],
            "findings-heading": self._head(words["key_findings"]) if report.findings else [],
            "sections": [self._section(item) for item in report.sections],
            "references": [_reference(item) for item in report.references],
            "references-heading": self._head(words["references"]) if report.references else [],
            "appendix": [self._section(item) for item in report.appendix],
            "heads": self._heads,
        }

    def _head(self, heading: str) -> list[Any]:
        """A heading of the first level; the running heads are found by their order."""
        self._heads.append(_text(shorten(heading, 40)))
        return _text(heading)

    def _section(self, section: SectionBlock) -> dict[str, Any]:
        return {
            "anchor": section.anchor,
            "heading": self._head(section.heading),
            "blocks": [_block(block) for block in section.blocks],
        }


def _others() -> list[str]:
    return [name for name in typesetting.font_families() if name not in _FAMILIES]


def _date(day: str | None) -> dict[str, int] | None:
    if day is None:
        return None
    parsed = date.fromisoformat(day)
    return {"year": parsed.year, "month": parsed.month, "day": parsed.day}


def _length(report: Report) -> int:
    """Roughly how many characters of text the report is long, its figures and tables included."""
    length = sum(len(plain(finding.inlines)) + 150 for finding in report.findings)
    length += sum(300 + 200 * len(reference.evidence) for reference in report.references)
    for section in (*report.sections, *report.appendix):
        for block in section.blocks:
            match block:
                case Paragraph(parts):
                    length += len(plain(parts))
                case Bullets(items):
                    length += sum(len(plain(item.parts)) for item in items)
                case Pairs(rows) | TableBlock(rows=rows):
                    length += 60 * len(rows)
                case FigureBlock():
                    length += 1_500
    return length


def _text(value: str, *, breakable: bool = True) -> list[Any]:
    """Text as runs, with the characters that cannot be drawn as their code points."""
    if breakable:
        value = _LONG_WORD.sub(lambda match: _with_breaks(match[0]), value)
    if not _missing or _missing.isdisjoint(value):
        return [["text", value]]
    runs: list[Any] = []
    start = 0
    for index, character in enumerate(value):
        if character in _missing:
            if index > start:
                runs.append(["text", value[start:index]])
            if unicodedata.category(character) != "Cf" and character not in _VARIATION_SELECTORS:
                runs.append(["code", f"{ord(character):04X}"])
            start = index + 1
    if start < len(value):
        runs.append(["text", value[start:]])
    return runs


def _with_breaks(word: str) -> str:
    """A word too long for a line, with places to break it that show nothing."""
    return "\u200b".join(word[index : index + 20] for index in range(0, len(word), 20))


def _breakable(cell: str) -> str:
    """A cell whose long unbroken strings may be broken after every character."""
    return _CODE.sub(lambda match: "\u200b".join(match[0]), cell)


def _inlines(parts: Sequence[Anchored | Inline]) -> list[Any]:
    result: list[Any] = []
    for part in parts:
        match part:
            case Text(value):
                result.extend(_text(value))
            case Anchored(anchor, inlines):
                result.append(["at", anchor, _inlines(inlines)])
            case Styled(kind, children):
                result.append([kind, _inlines(children)])
            case Link(url, children):
                result.append(["link", url, _inlines(children)])
            case Ref(anchor, children):
                result.append(["ref", anchor, _inlines(children)])
    return result


def _paragraph(paragraph: Paragraph) -> dict[str, Any]:
    return {"kind": "paragraph", "dir": direction(plain(paragraph.parts)), "parts": _inlines(paragraph.parts)}


def _block(block: Block) -> dict[str, Any]:
    match block:
        case Paragraph():
            return _paragraph(block)
        case Bullets(items):
            return {"kind": "bullets", "items": [_paragraph(item) for item in items]}
        case Subheading(text, level):
            return {"kind": "subheading", "text": _text(text), "level": level}
        case Pairs(rows):
            return {"kind": "pairs", "rows": [[_text(name), _text(value)] for name, value in rows]}
        case TableBlock():
            return _table(block)
        case FigureBlock():
            return _figure(block)


def _table(table: TableBlock) -> dict[str, Any]:
    columns: list[list[str | Inlines]] = []
    for index, column in enumerate(table.columns):
        cells = [row[index] for row in table.rows]
        columns.append([*_aligned([cell_text(cell) for cell in cells])] if column.numeric else cells)
    return {
        "kind": "table",
        "anchor": table.anchor,
        "label": table.label,
        "caption": _text(table.caption) if table.caption else [],
        "header": [_text(_breakable(column.header), breakable=False) for column in table.columns],
        "numeric": [column.numeric for column in table.columns],
        "widths": [_width(map(cell_text, column)) for column in columns],
        "cells": [_cell(cell) for row in zip(*columns, strict=True) for cell in row],
        "note": _text(table.note) if table.note else [],
    }


def _cell(cell: str | Inlines) -> list[Any]:
    return _text(_breakable(cell), breakable=False) if isinstance(cell, str) else _inlines(cell)


def _aligned(cells: Sequence[str]) -> list[str]:
    """Numbers padded on the right with blanks as wide as digits and points, so that the points stand in a line."""
    if any("×" in cell for cell in cells):
        return list(cells)
    tails = [len(cell.partition(".")[2]) for cell in cells]
    deepest = max(tails, default=0)
    if deepest == 0:
        return list(cells)
    return [
        cell + ("" if "." in cell else "\u2008") + "\u2007" * (deepest - tail)
        for cell, tail in zip(cells, tails, strict=True)
    ]


def _width(cells: Iterable[str]) -> float:
    """Share of the width for a column of running text; 0 for one that takes just what it needs."""
    longest = max((len(cell) for cell in cells), default=0)
    return 0 if longest <= 24 else min(longest, 160) ** 0.5


def _figure(figure: FigureBlock) -> dict[str, Any]:
    return {
        "kind": "figure",
        "anchor": figure.anchor,
        "label": figure.label,
        "caption": _text(figure.caption) if figure.caption else [],
        "alt": figure.alt,
        "svg": _drawable(figure.svg) if figure.svg is not None else None,
        "width": _share(figure.svg) if figure.svg is not None else 0,
        "problem": _text(figure.problem or ""),
        "words": _text(figure.alt),
    }


def _share(svg: str) -> float:
    """The drawing's width in per cent of the line: its own size, unless it is too wide or too high for the page."""
    width, height = figures.size(svg)
    return 100.0 * min(1.0, width / _TEXT_WIDTH, _FIGURE_HEIGHT / height * width / _TEXT_WIDTH)


def _drawable(svg: str) -> str:
    return "".join("\ufffd" if character in _missing else character for character in svg) if _missing else svg


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "anchor": finding.anchor,
        "dir": direction(plain(finding.inlines)),
        "parts": _inlines(finding.inlines),
        "quote": _text(f"“{finding.quote}”") if finding.quote else None,
        "quote-dir": direction(finding.quote or ""),
        "source": _inlines(finding.source),
        "confidence": finding.confidence,
        "exhibits": _inlines(finding.exhibits),
    }


def _reference(reference: Reference) -> dict[str, Any]:
    return {
        "anchor": reference.anchor,
        "marker": _text(reference.marker) if reference.marker else [],
        "parts": _inlines(reference.inlines),
        "evidence": [
            {"quote": _text(f"“{item.quote}”"), "dir": direction(item.quote), "place": _text(item.place)}
            for item in reference.evidence
        ],
        "note": _text(reference.note) if reference.note else [],
        "hash": _text(reference.text_hash) if reference.text_hash else [],
    }
