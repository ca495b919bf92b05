"""The values of a report as the page template reads them. Texts stay strings in JSON; nothing here is typst source."""

from __future__ import annotations

import re
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import date
from typing import Any

from services.results.rendering import figures, typesetting
from services.results.rendering.composing.report import (
    Anchored,
    Block,
    Bullets,
    Evidence,
    FigureBlock,
    Finding,
    Inline,
    Inlines,
    Link,
    Math,
    Note,
    NoteRef,
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
from services.results.rendering.pdf.length import length
from services.results.rendering.pdf.tables import laid_out, pair_widths, width
from services.results.rendering.pdf.text import (
    Runs,
    base_direction,
    breakable,
    han_language,
    hyphenated,
    joined,
    runs,
    strong_direction,
)
from services.results.rendering.plain_text import Direction, leads, shorten
from services.results.rendering.spoken import spoken

# Reports longer than this many characters, some seven pages, get a table of contents.
_CONTENTS_FROM = 16_000
_TEXT_WIDTH = 575.0
"""Width of the text block in CSS pixels; a figure this wide fills the line."""

_FIGURE_HEIGHT = 380.0
"""The most height a figure takes, in CSS pixels."""

_LONGEST_NOTE = 700
"""Characters of a quote in a footnote; a longer one stands whole with the reference, and the footnote begins it."""

_LONGEST_LEAD = 400
"""Characters of a paragraph that stays with the table, list or figure that it leads to."""

_LONGEST_FINDING = 1_200
"""Characters of a finding with its quote that is not parted by the end of a page."""

_LONGEST_FACTS, _FEW_ROWS = 24, 12
"""Facts, and rows of the table after them, that go to the next page together."""

_LED_TO = frozenset({"table", "figure", "bullets", "pairs"})

_GAP = "\u2002"
"""Between the number of a heading and its words."""

_MONO = ("DejaVu Sans Mono", "Noto Sans Mono")


def data(
    report: Report, missing: AbstractSet[str], attachment: bytes | None, *, pictured: bool = False
) -> dict[str, Any]:
    """All that the template reads.

    :param missing: characters to be shown as their code points.
    :param attachment: a JSON document to attach, or None.
    :param pictured: drawings with other letters than ASCII are handed on as pictures of dots.
    """
    return _Data(report, missing, pictured).all() | {
        "attachment": attachment.decode() if attachment is not None else None
    }


class _Data:
    def __init__(self, report: Report, missing: AbstractSet[str], pictured: bool) -> None:
        self._report = report
        self._pictured = pictured
        self._missing = missing
        self._heads: list[Runs] = []
        self._entries: list[Runs] = []
        self._direction = base_direction(report.language)
        self._language = report.language.partition("-")[0].lower()
        self._notes = {note.number: note for note in report.notes}
        self._marked: set[int] = set()
        self._whole: dict[str, list[Evidence]] = {}

    def all(self) -> dict[str, Any]:
        report, words = self._report, self._report.labels
        language, _, region = report.worded_in.partition("-")
        facts = [
            report.date,
            report.session_id,
            f"{words['confidence']} {report.confidence}" if report.confidence else None,
        ]
        # In the order of the pages: the first mark of a note carries it, and references come after what cites them.
        return {
            "labels": words,
            "lang": language.lower(),
            "region": region.upper() if re.fullmatch(r"[A-Za-z]{2}", region) else None,
            "rtl": self._direction == "rtl",
            "fonts": typesetting.families(report.language),
            "mono": [*_MONO, *typesetting.families(report.language)],
            "title": report.title,
            "title-dir": self._dir(report.title),
            "title-lang": self._lang(report.title),
            "title-inlines": self._text(report.title),
            "description": report.question or report.title,
            "keywords": [word for word in (report.kind, report.session_id) if word],
            "date": _date(report.date),
            "kind": report.kind,
            "question": self._paragraph(Paragraph((Text(report.question),))) if report.question else None,
            "facts": [self._text(self._isolated(fact)) for fact in facts if fact],
            "running": self._text(shorten(report.title, 70)),
            "footer": self._text(report.kind),
            "partial": report.partial,
            "contents": length(report, note=_LONGEST_NOTE) > _CONTENTS_FROM,
            "summary-heading": self._head(words["summary"]) if report.summary else "",
            "summary": [self._paragraph(item) for item in report.summary],
            "findings-heading": self._head(words["key_findings"]) if report.findings else "",
            "findings": [self._finding(item) for item in report.findings],
            "sections": [self._section(item, number) for number, item in enumerate(report.sections, start=1)],
            "references-heading": self._head(words["references"]) if report.references else "",
            "references": self._references(),
            "appendix": [self._section(item) for item in report.appendix],
            "heads": self._heads,
            "entries": self._entries[1:] if report.summary else self._entries,
        }

    def _head(self, heading: str, number: int | None = None) -> Runs:
        """A heading of the first level; the running heads are found by their order."""
        self._heads.append(self._text(self._isolated(shorten(heading, 40))))
        heading = self._isolated(heading)
        self._entries.append(self._text(heading if number is None else f"{number}{_GAP}{heading}"))
        return self._entries[-1]

    def _section(self, section: SectionBlock, number: int | None = None) -> dict[str, Any]:
        heading, blocks, parts = self._head(section.heading, number), [], 0
        for block in section.blocks:
            if number is not None and isinstance(block, Subheading) and block.level == 2:
                parts += 1
                block = replace(block, text=f"{number}.{parts}{_GAP}{block.text}")
            blocks.append(self._block(block))
        # A few words before what they lead to do not end a page, nor does a heading with nothing but a few words.
        lengths = [len(plain(item.parts)) if isinstance(item, Paragraph) else None for item in section.blocks]
        for place, node in enumerate(blocks):
            if node["kind"] in _LED_TO and not node.get("across", False):
                for lead in leads(lengths, place, _LONGEST_LEAD):
                    blocks[lead]["sticky"] = True
        # A short table that ends the facts before it is not left alone on a page.
        if [node["kind"] for node in blocks[-3:]] == ["pairs", "subheading", "table"]:
            few = len(blocks[-1]["cells"]) <= _FEW_ROWS * len(blocks[-1]["header"])
            blocks[-3]["whole"] = few and len(blocks[-3]["rows"]) <= _LONGEST_FACTS
        return {"anchor": section.anchor, "heading": heading, "blocks": blocks}

    # ---- text ----------------------------------------------------------------------------------------------------

    def _text(self, value: str, *, breakable: bool = True) -> Runs:
        text = runs(value, self._missing, breakable=breakable)
        han = han_language(value)
        return text if han in (None, self._language) else [["han", han, typesetting.families(han or ""), text]]

    def _lang(self, text: str) -> str | None:
        """The language of a text that is plainly not in the report's."""
        language = spoken(text)
        return None if language == self._report.worded_in.partition("-")[0].lower() else language

    def _dir(self, text: str) -> Direction | None:
        """The direction of a text that is not read as the report is."""
        found = strong_direction(text)
        return None if found == self._direction else found

    def _isolated(self, value: str) -> str:
        """A value in a report from right to left, kept in its own order if it is from left to right."""
        return f"\u2066{value}\u2069" if self._direction == "rtl" and strong_direction(value) == "ltr" else value

    def _inlines(self, parts: Sequence[Anchored | Inline]) -> Runs:
        return joined([self._inline(part) for part in parts])

    def _inline(self, part: Anchored | Inline) -> Runs:
        match part:
            case Text(value):
                return self._text(value)
            case Anchored(anchor, inlines):
                return [["at", anchor, self._inlines(inlines)]]
            case Styled(kind, children):
                return [[kind, self._inlines(children)]]
            case Link(url, children):
                return [["link", url, self._inlines(children)]]
            case Ref(anchor, children):
                return [["ref", anchor, self._inlines(children)]]
            case Math():
                return [["math", part.typst, part.text]]
            case NoteRef(number):
                return self._mark(number)

    def _mark(self, number: int) -> Runs:
        """The first mark of a note with the note, a later one with its number; nothing of a note that is not there."""
        note = self._notes.get(number)
        if note is None:
            return ""
        if number in self._marked:
            return [["again", number, note.anchor]]
        self._marked.add(number)
        source = self._inlines(note.source)
        quote, whole = self._note_quote(note)
        return [["note", number, note.anchor, source, self._text(note.place), quote, self._dir(note.quote), whole]]

    def _note_quote(self, note: Note) -> tuple[Runs, str | None]:
        """The quote as the footnote has it, and the anchor of the reference that has the whole of one too long."""
        if not note.quote:
            return "", None
        entry = next((part.anchor for part in _flat(note.source) if isinstance(part, Ref)), None)
        if len(note.quote) <= _LONGEST_NOTE or entry is None:
            return self._text(f"“{note.quote}”"), None
        self._whole.setdefault(entry, []).append(Evidence(note.quote, note.place))
        return self._text(f"“{shorten(note.quote, _LONGEST_NOTE * 2 // 3)}”"), entry

    def _paragraph(self, paragraph: Paragraph) -> dict[str, Any]:
        words = plain(paragraph.parts)
        return {
            "kind": "paragraph",
            "dir": self._dir(words),
            "hyphenate": hyphenated(words),
            "sticky": False,
            "lang": self._lang(words),
            "parts": self._inlines(paragraph.parts),
        }

    # ---- blocks --------------------------------------------------------------------------------------------------

    def _block(self, block: Block) -> dict[str, Any]:
        match block:
            case Paragraph():
                return self._paragraph(block)
            case Bullets(items):
                return {"kind": "bullets", "items": [self._paragraph(item) for item in items]}
            case Subheading(text, level):
                return {"kind": "subheading", "text": self._text(self._isolated(text)), "level": level}
            case Pairs(rows):
                facts = [[self._text(self._isolated(name)), self._text(self._isolated(value))] for name, value in rows]
                return {"kind": "pairs", "rows": facts, "widths": pair_widths(rows), "whole": False}
            case TableBlock():
                return self._table(block)
            case FigureBlock():
                return self._figure(block)

    def _table(self, table: TableBlock) -> dict[str, Any]:
        columns = [[row[index] for row in table.rows] for index in range(len(table.columns))]
        rooms, chosen = laid_out(table)
        return {
            "kind": "table",
            "anchor": table.anchor,
            "label": table.label,
            "caption": self._text(table.caption),
            "size": chosen.size,
            "across": chosen.across,
            "header": [self._cell(column.header) for column in table.columns],
            "numeric": [column.numeric for column in table.columns],
            "widths": [width(map(cell_text, column)) for column in columns],
            "cells": [
                self._number(cell_text(cell), room[index]) if room else self._cell(cell)
                for index, row in enumerate(table.rows)
                for cell, room in zip(row, rooms, strict=True)
            ],
            "note": self._text(table.note or ""),
        }

    def _cell(self, cell: str | Inlines) -> Runs:
        return (
            self._text(breakable(self._isolated(cell)), breakable=False)
            if isinstance(cell, str)
            else self._inlines(cell)
        )

    def _number(self, cell: str, room: str) -> Runs:
        """A number, which is never broken, with room after it for the digits that those below it have."""
        number: list[Any] = [self._text(cell, breakable=False), *([["room", room]] if room else [])]
        # A sign stands before its number in a report from right to left too.
        return ["\u2066", *number, "\u2069"] if self._direction == "rtl" else number

    def _figure(self, figure: FigureBlock) -> dict[str, Any]:
        return {
            "kind": "figure",
            "anchor": figure.anchor,
            "label": figure.label,
            "caption": self._text(figure.caption),
            "alt": figure.alt,
            "svg": self._drawable(figure.svg) if figure.svg is not None else None,
            "width": _share(figure.svg) if figure.svg is not None else 0,
            "problem": self._text(figure.problem or ""),
            "words": self._text(figure.alt),
        }

    def _drawable(self, svg: str) -> str:
        if not self._missing.isdisjoint(svg):
            svg = "".join("\ufffd" if character in self._missing else character for character in svg)
        dots = figures.shaped(svg) or (self._pictured and not svg.isascii())
        return figures.pictured(svg) if dots else svg

    def _finding(self, finding: Finding) -> dict[str, Any]:
        words = plain(finding.inlines)
        return {
            "anchor": finding.anchor,
            "dir": self._dir(words),
            "hyphenate": hyphenated(words),
            "sticky": False,
            "lang": self._lang(words),
            "parts": self._inlines(finding.inlines),
            "quote": self._text(f"“{finding.quote}”") if finding.quote else None,
            "quote-lang": self._lang(finding.quote or ""),
            "breakable": len(words) + len(finding.quote or "") > _LONGEST_FINDING,
            "quote-dir": self._dir(finding.quote or ""),
            "source": self._inlines(finding.source),
            "confidence": finding.confidence,
            "exhibits": self._inlines(finding.exhibits),
        }

    def _references(self) -> list[dict[str, Any]]:
        # A note that nothing marks would be lost.
        for number, note in self._notes.items():
            entry = next((part.anchor for part in _flat(note.source) if isinstance(part, Ref)), None)
            if number not in self._marked and note.quote and entry is not None:
                self._whole.setdefault(entry, []).append(Evidence(note.quote, note.place))
        return [
            self._reference(replace(item, evidence=(*self._whole.get(item.anchor, ()), *item.evidence)))
            for item in self._report.references
        ]

    def _reference(self, reference: Reference) -> dict[str, Any]:
        return {
            "anchor": reference.anchor,
            "marker": self._text(reference.marker),
            "dir": self._dir(plain(reference.inlines)),
            "parts": self._inlines(reference.inlines),
            "evidence": [
                {
                    "quote": self._text(f"“{item.quote}”"),
                    "dir": self._dir(item.quote),
                    "lang": self._lang(item.quote),
                    "place": self._text(item.place),
                }
                for item in reference.evidence
            ],
            "note": self._text(reference.note or ""),
            "hash": self._text(reference.text_hash or ""),
        }


def _flat(inlines: Inlines) -> list[Inline]:
    """`inlines` and all within them, in order."""
    result: list[Inline] = []
    for part in inlines:
        result.append(part)
        if isinstance(part, (Styled, Link, Ref)):
            result.extend(_flat(part.children))
    return result


def _date(day: str | None) -> dict[str, int] | None:
    if day is None:
        return None
    parsed = date.fromisoformat(day)
    return {"year": parsed.year, "month": parsed.month, "day": parsed.day}


def _share(svg: str) -> float:
    """The drawing's width in per cent of the line: its own size, unless it is too wide or too high for the page."""
    width, height = figures.size(svg)
    return 100.0 * min(1.0, width / _TEXT_WIDTH, _FIGURE_HEIGHT / height * width / _TEXT_WIDTH)
