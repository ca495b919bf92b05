"""A report as a Pandoc document tree. Text is put into the tree as strings, so nothing in it can become markup.

Each paragraph names its style. What pandoc has no word for stands in the tree as a plain paragraph or table, is noted
down in the order of the document, and is made in Word's own way by the modules `word_*`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.results.rendering.composing.report import (
    Anchored,
    Block,
    Bullets,
    FigureBlock,
    Finding,
    Inline,
    Link,
    Math,
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
)

API_VERSION = [1, 23, 1]
"""The version of the tree's types (pandoc-types) that this module writes."""

Node = dict[str, Any]

_TAB: Node = {"t": "RawInline", "c": ["openxml", "<w:r><w:tab/></w:r>"]}
"""What the tree has no node for. It leads to the hanging indent."""

_STYLES = {"emph": "Emph", "strong": "Strong", "super": "Superscript"}


@dataclass(slots=True)
class Outline:
    """What stands in the tree, each list in the order of the document.

    :ivar headings: whether each heading is numbered.
    :ivar figures: the figures that have a drawing.
    :ivar captions: the label of each caption, such as `Table 2`.
    :ivar notes: the number of each footnote, where its first mark stands.
    """

    headings: list[bool] = field(default_factory=list)
    tables: list[TableBlock | Pairs] = field(default_factory=list)
    figures: list[FigureBlock] = field(default_factory=list)
    captions: list[str] = field(default_factory=list)
    notes: list[int] = field(default_factory=list)


def document(report: Report) -> tuple[Node, Outline]:
    """The tree of the report, and what stands in it."""
    tree = _Tree(report)
    blocks = tree.blocks()
    return {"pandoc-api-version": API_VERSION, "meta": {}, "blocks": blocks}, tree.outline


class _Tree:
    def __init__(self, report: Report) -> None:
        self._report = report
        self._labels = report.labels
        self._notes = {note.number: note for note in report.notes}
        self.outline = Outline()

    def blocks(self) -> list[Node]:
        report, labels = self._report, self._labels
        blocks = list(self._title())
        if report.partial:
            blocks.append(_styled("Notice", words(labels["partial"])))
        if report.summary:
            blocks.append(self._header(1, labels["summary"], ""))
            blocks.extend(self._paragraph(item) for item in report.summary)
        if report.findings:
            blocks.append(self._header(1, labels["key_findings"], ""))
            for finding in report.findings:
                blocks.extend(self._finding(finding))
        for section in report.sections:
            blocks.extend(self._section(section, numbered=True))
        if report.references:
            blocks.append(self._header(1, labels["references"], ""))
            for reference in report.references:
                blocks.extend(self._reference(reference))
        for section in report.appendix:
            blocks.extend(self._section(section, numbered=False))
        return blocks

    def _title(self) -> Iterable[Node]:
        report = self._report
        yield _styled("Report Kind", words(report.kind))
        yield _styled("Title", words(report.title))
        if report.question:
            yield _styled("Subtitle", words(report.question))
        confidence = f"{self._labels['confidence']} {report.confidence}" if report.confidence else None
        if facts := [fact for fact in (report.date, report.session_id, confidence) if fact]:
            yield _styled("Report Facts", words(" · ".join(facts)))

    def _section(self, section: SectionBlock, *, numbered: bool) -> Iterable[Node]:
        yield self._header(1, section.heading, section.anchor, numbered=numbered)
        for block in section.blocks:
            yield from self._block(block, numbered)

    def _block(self, block: Block, numbered: bool) -> list[Node]:
        match block:
            case Paragraph():
                return [self._paragraph(block)]
            case Bullets(items):
                return [_styled("List Bullet", self._inlines(item.parts)) for item in items]
            case Subheading(text, level):
                return [self._header(level, text, "", numbered=numbered and level < 3)]
            case Pairs(rows):
                self.outline.tables.append(block)
                return [_table([], [[words(name), words(value)] for name, value in rows])]
            case TableBlock():
                return self._table(block)
            case FigureBlock():
                return self._figure(block)

    def _paragraph(self, paragraph: Paragraph) -> Node:
        return _styled("Body Text", self._inlines(paragraph.parts))

    def _finding(self, finding: Finding) -> list[Node]:
        blocks = [_styled("Finding", [_anchor(finding.anchor), *self._inlines(finding.inlines)])]
        if finding.quote:
            blocks.extend(_quote(finding.quote, self._inlines(finding.source)))
        details: list[list[Node]] = []
        if finding.confidence:
            details.append(words(f"{self._labels['confidence']} {finding.confidence}"))
        if finding.source and not finding.quote:
            details.append(self._inlines(finding.source))
        if finding.exhibits:
            details.append(self._inlines(finding.exhibits))
        if details:
            line = [node for detail in details for node in (*words(" · "), *detail)][1:]
            blocks.append(_styled("Finding Detail", line))
        return blocks

    def _reference(self, reference: Reference) -> list[Node]:
        marker = [*words(reference.marker), _TAB] if reference.marker else []
        blocks = [_styled("Bibliography", [_anchor(reference.anchor), *marker, *self._inlines(reference.inlines)])]
        for evidence in reference.evidence:
            blocks.extend(_quote(evidence.quote, words(evidence.place)))
        if reference.note:
            blocks.append(_styled("Finding Detail", words(reference.note)))
        if reference.text_hash:
            blocks.append(
                _styled(
                    "Finding Detail", words(f"{self._labels['text_hash']}{self._labels['colon']} {reference.text_hash}")
                )
            )
        return blocks

    def _table(self, table: TableBlock) -> list[Node]:
        self.outline.tables.append(table)
        blocks = []
        if table.label:
            blocks.append(self._caption("Table Caption", table))
        header = [words(column.header) for column in table.columns]
        rows = [[words(cell) if isinstance(cell, str) else self._inlines(cell) for cell in row] for row in table.rows]
        blocks.append(_table(header, rows))
        if table.note:
            blocks.append(_styled("Detail", words(table.note)))
        return blocks

    def _figure(self, figure: FigureBlock) -> list[Node]:
        if figure.svg is None:
            shown = [_styled("Notice", words(text)) for text in (figure.problem, figure.alt) if text]
        else:
            # The words hold the place of the drawing.
            self.outline.figures.append(figure)
            shown = [_styled("Captioned Figure", words(figure.alt))]
        return [*shown, self._caption("Image Caption", figure)]

    def _caption(self, style: str, exhibit: TableBlock | FigureBlock) -> Node:
        self.outline.captions.append(exhibit.label)
        label = _span("Caption Label", words(f"{exhibit.label}."))
        return _styled(
            style, [_anchor(exhibit.anchor), label, *words(f" {exhibit.caption}" if exhibit.caption else "")]
        )

    def _header(self, level: int, text: str, anchor: str, *, numbered: bool = False) -> Node:
        self.outline.headings.append(numbered)
        return {"t": "Header", "c": [level, [anchor, [], []], words(text)]}

    def _inlines(self, parts: Sequence[Anchored | Inline]) -> list[Node]:
        """Inline values of the report as nodes of the tree."""
        result: list[Node] = []
        for part in parts:
            match part:
                case Text(value):
                    result.extend(words(value))
                case Anchored(anchor, children):
                    result.append({"t": "Span", "c": [[anchor, [], []], self._inlines(children)]})
                case Styled("mono", children):
                    result.append(_span("Verbatim Char", self._inlines(children)))
                case Styled(kind, children):
                    result.append({"t": _STYLES[kind], "c": self._inlines(children)})
                case Link(url, children):
                    result.append({"t": "Link", "c": [["", [], []], self._inlines(children), [url, ""]]})
                case Ref(anchor, children):
                    result.append(_ref(anchor, self._inlines(children)))
                case Math(tex=tex):
                    result.append({"t": "Math", "c": [{"t": "InlineMath"}, tex]})
                case NoteRef(number):
                    result.append(self._mark(number))
        return result

    def _mark(self, number: int) -> Node:
        """A footnote at its first mark, at later ones its number as a link to the first."""
        note = self._notes[number]
        if number in self.outline.notes:
            counted = self.outline.notes.index(number) + 1
            return _ref(note.anchor, [_span("footnote reference", words(str(counted)))])
        self.outline.notes.append(number)
        place = f", {note.place}" if note.place else ""
        quote = f": “{note.quote}”" if note.quote else ""
        text = [*self._inlines(note.source), *words(place + quote)]
        return {"t": "Span", "c": [[note.anchor, [], []], [{"t": "Note", "c": [{"t": "Para", "c": text}]}]]}


def words(value: str) -> list[Node]:
    """A string as one node: pandoc keeps its blanks as they are."""
    return [{"t": "Str", "c": value}] if value else []


def _ref(anchor: str, content: list[Node]) -> Node:
    return {"t": "Link", "c": [["", [], []], content, [f"#{anchor}", ""]]}


def _span(style: str, content: list[Node]) -> Node:
    return {"t": "Span", "c": [["", [], [["custom-style", style]]], content]}


def _anchor(anchor: str) -> Node:
    return {"t": "Span", "c": [[anchor, [], []], []]}


def _styled(style: str, content: list[Node]) -> Node:
    return {"t": "Div", "c": [["", [], [["custom-style", style]]], [{"t": "Para", "c": content}]]}


def _quote(quote: str, source: list[Node]) -> list[Node]:
    return [_styled("Block Text", words(f"“{quote}”")), *([_styled("Quote Source", source)] if source else [])]


def _table(header: list[list[Node]], rows: list[list[list[Node]]]) -> Node:
    def row(cells: list[list[Node]]) -> list[Any]:
        return [["", [], []], [[["", [], []], left, 1, 1, [{"t": "Plain", "c": cell}]] for cell in cells]]

    left = {"t": "AlignDefault"}
    columns = [[left, {"t": "ColWidthDefault"}]] * len(header or rows[0])
    head = [["", [], []], [row(header)] if header else []]
    body = [["", [], []], 0, [], [row(cells) for cells in rows]]
    return {"t": "Table", "c": [["", [], []], [None, []], columns, head, [body], [["", [], []], []]]}
