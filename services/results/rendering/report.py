"""The one model from which Markdown, PDF and DOCX are written.

It says what stands where, with numbers, labels and citations already settled; the writers only decide how it looks.
So whatever one rendition carries, the others carry too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Text:
    value: str


@dataclass(frozen=True, slots=True)
class Styled:
    kind: Literal["emph", "strong", "super", "mono"]
    children: tuple[Inline, ...]


@dataclass(frozen=True, slots=True)
class Link:
    """A link out of the document. `url` has been checked to be http or https."""

    url: str
    children: tuple[Inline, ...]


@dataclass(frozen=True, slots=True)
class Ref:
    """A link to an anchor of the same document."""

    anchor: str
    children: tuple[Inline, ...]


Inline = Text | Styled | Link | Ref
Inlines = tuple[Inline, ...]


@dataclass(frozen=True, slots=True)
class Anchored:
    """Text that can be pointed at, such as a claim within its paragraph."""

    anchor: str
    inlines: Inlines


@dataclass(frozen=True, slots=True)
class Paragraph:
    parts: tuple[Anchored | Inline, ...]


@dataclass(frozen=True, slots=True)
class Bullets:
    items: tuple[Paragraph, ...]


@dataclass(frozen=True, slots=True)
class Subheading:
    """`level` is 2 or 3; sections are level 1."""

    text: str
    level: int


@dataclass(frozen=True, slots=True)
class Pairs:
    """Names and values, such as the facts of a run."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Column:
    header: str
    numeric: bool


@dataclass(frozen=True, slots=True)
class TableBlock:
    """Cells are bare text, or inlines where something in them is a link."""

    anchor: str
    label: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str | Inlines, ...], ...]
    note: str | None


@dataclass(frozen=True, slots=True)
class FigureBlock:
    """`svg` is the drawing; None when it could not be drawn, and then `problem` says why."""

    anchor: str
    label: str
    caption: str
    alt: str
    svg: str | None
    problem: str | None


Block = Paragraph | Bullets | Subheading | Pairs | TableBlock | FigureBlock


@dataclass(frozen=True, slots=True)
class SectionBlock:
    anchor: str
    heading: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """`quote` is None where the finding itself is the quote; `source` is the quote's citation and place; `exhibits`
    are links to the figure and table that show it."""

    anchor: str
    inlines: Inlines
    quote: str | None
    source: Inlines
    confidence: str | None
    exhibits: Inlines


@dataclass(frozen=True, slots=True)
class Evidence:
    """A passage word for word and where it stands: page and code points."""

    quote: str
    place: str


@dataclass(frozen=True, slots=True)
class Reference:
    """An entry of the list of references. `marker` is its number in numeric styles, else empty; `note` says what of
    the evidence was left out."""

    anchor: str
    marker: str
    inlines: Inlines
    evidence: tuple[Evidence, ...]
    note: str | None
    text_hash: str | None


@dataclass(frozen=True, slots=True)
class Report:
    """A whole report. `labels` are its fixed words in `language`."""

    title: str
    language: str
    labels: dict[str, str]
    kind: str
    question: str
    date: str | None
    session_id: str | None
    confidence: str | None
    partial: bool
    summary: tuple[Paragraph, ...]
    findings: tuple[Finding, ...]
    sections: tuple[SectionBlock, ...]
    references: tuple[Reference, ...]
    appendix: tuple[SectionBlock, ...]


def plain(parts: Sequence[Anchored | Inline]) -> str:
    """The bare words of `parts`."""
    words: list[str] = []
    for part in parts:
        match part:
            case Text(value):
                words.append(value)
            case Anchored(_, inlines):
                words.append(plain(inlines))
            case Styled(_, children) | Link(_, children) | Ref(_, children):
                words.append(plain(children))
    return "".join(words)


def cell_text(cell: str | Inlines) -> str:
    """The bare words of a table's cell."""
    return cell if isinstance(cell, str) else plain(cell)
