"""The one model from which Markdown, PDF and DOCX are written.

It says what stands where, with numbers, labels and citations already settled; the writers only decide how it looks.
So whatever one rendition carries, the others carry too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from services.results.rendering.composing.block_labels import worded_in


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


@dataclass(frozen=True, slots=True)
class NoteRef:
    """A mark that points at a note: the passage that the words before it rest on."""

    number: int


@dataclass(frozen=True, slots=True)
class Math:
    """A formula. `tex` is in the part of LaTeX that pandoc turns into Word's own equations, `typst` the same for the
    typesetter; both are made by our own code from a checked expression, never from a text of somebody's. `text` says it
    in one line of plain characters."""

    tex: str
    typst: str
    text: str


Inline = Text | Styled | Link | Ref | NoteRef | Math
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
    are links to the figure and table that show it. Among `inlines` stand the anchors of what says the same elsewhere
    and was left out there."""

    anchor: str
    inlines: tuple[Anchored | Inline, ...]
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
class Note:
    """A footnote: a passage word for word. Notes are numbered from 1 in the order of their first marks; later marks
    repeat the number. `source` is the short citation, a link to the entry of the references. `quote` is empty where
    the words before every mark are the passage already; `place` then says so."""

    number: int
    anchor: str
    source: Inlines
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
    """A whole report. `labels` are its fixed words, in `worded_in`; `language` is the one that was asked for."""

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
    notes: tuple[Note, ...] = ()

    @property
    def worded_in(self) -> str:
        """The language that the fixed words really are in: English where there are none in the one asked for."""
        return worded_in(self.language)


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
            case Math(text=text):
                words.append(text)
            case NoteRef():
                pass
    return "".join(words)


def cell_text(cell: str | Inlines) -> str:
    """The bare words of a table's cell."""
    return cell if isinstance(cell, str) else plain(cell)
