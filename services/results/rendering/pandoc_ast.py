"""A report as a Pandoc document tree. Text is put into the tree as strings, so nothing in it can become markup."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from services.results.rendering import figures
from services.results.rendering.plain_text import direction
from services.results.rendering.report import (
    Anchored,
    Block,
    Bullets,
    FigureBlock,
    Finding,
    Inline,
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
    plain,
)

API_VERSION = [1, 23, 1]
"""The version of the tree's types (pandoc-types) that this module writes."""

Node = dict[str, Any]

_SPACE = re.compile(r"( +)")
_STYLES = {"emph": "Emph", "strong": "Strong", "super": "Superscript"}
_TEXT_WIDTH_PX = 620.0


def document(report: Report, *, picture: Callable[[str], bytes] = figures.png) -> Node:
    """The tree of the report. `picture` turns a drawing's SVG into PNG bytes."""
    return {
        "pandoc-api-version": API_VERSION,
        "meta": _meta(report),
        "blocks": _Tree(report, picture).blocks(),
    }


def _meta(report: Report) -> Node:
    meta: Node = {
        "title": _meta_text(report.title),
        "lang": {"t": "MetaString", "c": report.language},
        "subject": {"t": "MetaString", "c": report.question or report.title},
    }
    if report.question:
        meta["subtitle"] = _meta_text(report.question)
    if report.date:
        meta["date"] = _meta_text(report.date)
    return meta


def _meta_text(value: str) -> Node:
    return {"t": "MetaInlines", "c": words(value)}


class _Tree:
    def __init__(self, report: Report, picture: Callable[[str], bytes]) -> None:
        self._report = report
        self._labels = report.labels
        self._picture = picture

    def blocks(self) -> list[Node]:
        report, labels = self._report, self._labels
        blocks: list[Node] = []
        if report.partial:
            blocks.append(_styled("Notice", [_para(words(labels["partial"]))]))
        if report.summary:
            blocks.append(_header(1, labels["summary"], ""))
            blocks.extend(self._paragraph(item) for item in report.summary)
        if report.confidence:
            blocks.append(_styled("Detail", [_para(words(f"{labels['confidence']} {report.confidence}"))]))
        if report.findings:
            blocks.append(_header(1, labels["key_findings"], ""))
            items = [self._finding(item) for item in report.findings]
            blocks.append({"t": "OrderedList", "c": [[1, {"t": "Decimal"}, {"t": "Period"}], items]})
        for section in report.sections:
            blocks.extend(self._section(section))
        if report.references:
            blocks.append(_header(1, labels["references"], ""))
            for reference in report.references:
                blocks.extend(self._reference(reference))
        for section in report.appendix:
            blocks.extend(self._section(section))
        return blocks

    def _section(self, section: SectionBlock) -> Iterable[Node]:
        yield _header(1, section.heading, section.anchor)
        for block in section.blocks:
            yield from self._block(block)

    def _block(self, block: Block) -> list[Node]:
        match block:
            case Paragraph():
                return [self._paragraph(block)]
            case Bullets(items):
                return [{"t": "BulletList", "c": [[self._paragraph(item)] for item in items]}]
            case Subheading(text, level):
                return [_header(level, text, "")]
            case Pairs(rows):
                cells = [[words(name), words(value)] for name, value in rows]
                return [_table("", [], [], ["AlignLeft", "AlignLeft"], cells)]
            case TableBlock():
                return self._table(block)
            case FigureBlock():
                return self._figure(block)

    def _paragraph(self, paragraph: Paragraph) -> Node:
        return _directed(direction(plain(paragraph.parts)), _para(inlines(paragraph.parts)))

    def _finding(self, finding: Finding) -> list[Node]:
        text = _directed(direction(plain(finding.inlines)), _para([_anchor(finding.anchor), *inlines(finding.inlines)]))
        blocks = [text]
        if finding.quote:
            blocks.extend(_quote(finding.quote, inlines(finding.source)))
        details: list[list[Node]] = []
        if finding.confidence:
            details.append(words(f"{self._labels['confidence']} {finding.confidence}"))
        if finding.source and not finding.quote:
            details.append(inlines(finding.source))
        if finding.exhibits:
            details.append(inlines(finding.exhibits))
        if details:
            line = [node for detail in details for node in (*words(" · "), *detail)][3:]
            blocks.append(_styled("Detail", [_para(line)]))
        return blocks

    def _reference(self, reference: Reference) -> list[Node]:
        marker = [*words(reference.marker), {"t": "Space"}] if reference.marker else []
        entry = _para([_anchor(reference.anchor), *marker, *inlines(reference.inlines)])
        blocks = [_styled("Bibliography", [entry])]
        for evidence in reference.evidence:
            blocks.extend(_quote(evidence.quote, words(evidence.place)))
        if reference.note:
            blocks.append(_styled("Detail", [_para(words(reference.note))]))
        if reference.text_hash:
            blocks.append(_styled("Detail", [_para(words(f"{self._labels['text_hash']}: {reference.text_hash}"))]))
        return blocks

    def _table(self, table: TableBlock) -> list[Node]:
        caption = [*_label(table.label), *words(table.caption)] if table.label else []
        alignment = ["AlignRight" if column.numeric else "AlignLeft" for column in table.columns]
        header = [words(column.header) for column in table.columns]
        rows = [[words(cell) if isinstance(cell, str) else inlines(cell) for cell in row] for row in table.rows]
        blocks = [_table(table.anchor, caption, header, alignment, rows)]
        if table.note:
            blocks.append(_styled("Detail", [_para(words(table.note))]))
        return blocks

    def _figure(self, figure: FigureBlock) -> list[Node]:
        caption = [*_label(figure.label), *words(figure.caption)]
        if figure.svg is None:
            text = [_para(words(figure.problem or "")), _para(words(figure.alt))]
            return [
                _styled("Notice", text),
                _styled("Image Caption", [_para([_anchor(figure.anchor), *caption])]),
            ]
        data = base64.b64encode(self._picture(figure.svg)).decode()
        share = min(1.0, figures.size(figure.svg)[0] / _TEXT_WIDTH_PX)
        attributes = ["", [], [["width", f"{share:.0%}"], ["alt", figure.alt]]]
        image = {"t": "Image", "c": [attributes, words(figure.alt), [f"data:image/png;base64,{data}", ""]]}
        body = [{"t": "Plain", "c": [image]}]
        return [{"t": "Figure", "c": [[figure.anchor, [], []], [None, [_plain(caption)]], body]}]


def words(value: str) -> list[Node]:
    """A string as words and spaces."""
    return [{"t": "Space"} if part.startswith(" ") else {"t": "Str", "c": part} for part in _SPACE.split(value) if part]


def inlines(parts: Sequence[Anchored | Inline]) -> list[Node]:
    """Inline values of the report as nodes of the tree."""
    result: list[Node] = []
    for part in parts:
        match part:
            case Text(value):
                result.extend(words(value))
            case Anchored(anchor, children):
                result.append({"t": "Span", "c": [[anchor, [], []], inlines(children)]})
            case Styled("mono", children):
                result.append({"t": "Code", "c": [["", [], []], plain(children)]})
            case Styled(kind, children):
                result.append({"t": _STYLES[kind], "c": inlines(children)})
            case Link(url, children):
                result.append({"t": "Link", "c": [["", [], []], inlines(children), [url, ""]]})
            case Ref(anchor, children):
                result.append({"t": "Link", "c": [["", [], []], inlines(children), [f"#{anchor}", ""]]})
    return result


def _label(label: str) -> list[Node]:
    return [{"t": "Strong", "c": words(f"{label}.")}, {"t": "Space"}]


def _para(content: list[Node]) -> Node:
    return {"t": "Para", "c": content}


def _plain(content: list[Node]) -> Node:
    return {"t": "Plain", "c": content}


def _anchor(anchor: str) -> Node:
    return {"t": "Span", "c": [[anchor, [], []], []]}


def _header(level: int, text: str, anchor: str) -> Node:
    return {"t": "Header", "c": [level, [anchor, [], []], words(text)]}


def _styled(style: str, blocks: list[Node]) -> Node:
    return {"t": "Div", "c": [["", [], [["custom-style", style]]], blocks]}


def _directed(dir: str, block: Node) -> Node:
    return block if dir == "ltr" else {"t": "Div", "c": [["", [], [["dir", dir]]], [block]]}


def _quote(quote: str, source: list[Node]) -> list[Node]:
    blocks = [_directed(direction(quote), _para(words(f"“{quote}”")))]
    return [{"t": "BlockQuote", "c": blocks}, *([_styled("Quote Source", [_para(source)])] if source else [])]


def _table(
    anchor: str,
    caption: list[Node],
    header: list[list[Node]],
    alignment: list[str],
    rows: list[list[list[Node]]],
) -> Node:
    def cell(content: list[Node], align: str) -> list[Any]:
        return [["", [], []], {"t": align}, 1, 1, [_plain(content)]]

    def row(cells: list[list[Node]]) -> list[Any]:
        return [["", [], []], [cell(content, align) for content, align in zip(cells, alignment, strict=True)]]

    head = [["", [], []], [row(header)] if header else []]
    body = [["", [], []], 0, [], [row(cells) for cells in rows]]
    columns = [[{"t": align}, {"t": "ColWidthDefault"}] for align in alignment]
    captioned = [None, [_plain(caption)] if caption else []]
    return {"t": "Table", "c": [[anchor, [], []], captioned, columns, head, [body], [["", [], []], []]]}
