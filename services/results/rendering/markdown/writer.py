"""A report as Markdown: CommonMark with footnotes, pipe tables and YAML front matter, and every text taken literally.

No raw HTML but anchors, and nothing that only some readers show: raised numbers are superscript characters, formulas
stand in one line of plain characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from services.results.rendering.composing.report import (
    Anchored,
    Block,
    Bullets,
    FigureBlock,
    Finding,
    Inline,
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
    plain,
)
from services.results.rendering.filenames import FIGURE_FOLDER
from services.results.rendering.markdown.text import at_line_start, code, emphasis, escape, heading, raised
from services.results.rendering.serializer import SCHEMA_VERSION

_DECIMAL = re.compile(r"\d\.\d{1,4}")
_MARKS = {"emph": "*", "strong": "**"}


def markdown(report: Report, *, archived: bool = False, citation_style: str | None = None) -> str:
    """Write the report.

    :param archived: whether pictures lie beside it, in `FIGURE_FOLDER`, as `<anchor>.png`. Otherwise the words for a
        figure stand in its place, and where to get it: a picture as text would be most of the file, and nobody can
        read it.
    :param citation_style: the style's name, for the front matter.
    """
    return _Writer(report, archived, citation_style).write()


class _Writer:
    def __init__(self, report: Report, archived: bool, citation_style: str | None) -> None:
        self._report = report
        self._labels = report.labels
        self._archived = archived
        self._citation_style = citation_style

    def write(self) -> str:
        report = self._report
        parts: list[str] = [self._front_matter(), _headed(report.title, 1)]
        if report.question:
            parts.append(f"**{self._labels['question']}{self._labels['colon']}** {escape(report.question)}")
        if report.partial:
            parts.append(f"> {escape(self._labels['partial'])}")
        if report.summary:
            parts.append(_headed(self._labels["summary"], 2))
            parts.extend(self._paragraph(item) for item in report.summary)
        if report.confidence:
            parts.append(f"**{self._labels['confidence']}{self._labels['colon']}** {report.confidence}")
        if report.findings:
            parts.append(_headed(self._labels["key_findings"], 2))
            parts.extend(self._finding(index, item) for index, item in enumerate(report.findings, start=1))
        for section in report.sections:
            parts.extend(self._section(section))
        if report.references:
            parts.append(_headed(self._labels["references"], 2))
            parts.extend(self._reference(item) for item in report.references)
        for section in report.appendix:
            parts.extend(self._section(section))
        parts.extend(self._note(note) for note in report.notes)
        return "\n\n".join(parts) + "\n"

    def _front_matter(self) -> str:
        report = self._report
        confidence: Any = report.confidence
        if confidence is not None and _DECIMAL.fullmatch(confidence):
            confidence = float(confidence)
        fields = {
            "title": report.title,
            "lang": report.worded_in,
            "date": report.date,
            "session_id": report.session_id,
            "confidence": confidence,
            "partial": report.partial,
            "citation_style": self._citation_style,
            "schema_version": SCHEMA_VERSION,
        }
        # A JSON value is a YAML value, and escapes whatever YAML could take for its own.
        lines = [f"{key}: {orjson.dumps(value).decode()}" for key, value in fields.items() if value is not None]
        return "\n".join(["---", *lines, "---"])

    def _section(self, section: SectionBlock) -> Iterable[str]:
        yield _headed(section.heading, 2, section.anchor)
        for block in section.blocks:
            yield self._block(block)

    def _block(self, block: Block) -> str:
        match block:
            case Paragraph():
                return self._paragraph(block)
            case Bullets(items):
                return "\n".join(f"- {self._paragraph(item)}" for item in items)
            case Subheading(text, level):
                return _headed(text, level + 1)
            case Pairs(rows):
                # Another bullet than that of lists, so that one beside it stays a list of its own.
                return "\n".join(f"* **{escape(name)}{self._labels['colon']}** {escape(value)}" for name, value in rows)
            case TableBlock():
                return self._table(block)
            case FigureBlock():
                return self._figure(block)

    def _paragraph(self, paragraph: Paragraph) -> str:
        return at_line_start(self._joined(paragraph.parts)).rstrip(" ")

    def _joined(self, parts: Sequence[Anchored | Inline]) -> str:
        written = [self._inline(part) for part in parts]
        for index, part in enumerate(parts):
            before = written[index - 1] if index else ""
            if isinstance(part, Styled) and (mark := _MARKS.get(part.kind)):
                following = written[index + 1] if index + 1 < len(parts) else ""
                written[index] = emphasis(written[index], mark, before, following)
            elif index and isinstance(parts[index - 1], NoteRef) and written[index].startswith("("):
                written[index] = f"\\{written[index]}"  # A mark and an address would be a link.
        return "".join(written)

    def _inline(self, part: Anchored | Inline) -> str:
        match part:
            case Text(value):
                return escape(value)
            case Anchored(anchor, inlines):
                return _target(anchor) + self._joined(inlines)
            case Styled("mono", children):
                return code(plain(children))
            case Styled("super", children):
                return self._joined(_raised(children))
            case Styled(_, children):
                return self._joined(children)
            case Link(url, (Text(text),)) if text == url:
                return f"<{url}>"
            case Link(url, children):
                return f"[{self._joined(children)}](<{url}>)"
            case Ref(anchor, children):
                return f"[{self._joined(children)}](#{anchor})"
            case NoteRef(number):
                return f"[^{number}]"
            case Math(text=text):
                return code(text)

    def _finding(self, index: int, finding: Finding) -> str:
        indent = " " * (len(str(index)) + 2)
        lines = [f"{index}. {_target(finding.anchor)}{self._joined(finding.inlines)}"]
        source = self._joined(finding.source)
        if finding.quote:
            lines += ["", f"{indent}> {_literal(finding.quote)}"]
            lines += [f"{indent}>", f"{indent}> — {source}"] if source else []
        details = [f"{self._labels['confidence']} {finding.confidence}"] if finding.confidence else []
        details += [source] if source and not finding.quote else []
        details += [self._joined(finding.exhibits)] if finding.exhibits else []
        if details:
            lines += ["", indent + " · ".join(details)]
        return "\n".join(lines)

    def _table(self, table: TableBlock) -> str:
        lines = []
        if table.label:
            lines += [f"{_target(table.anchor)}**{escape(table.label)}.** {escape(table.caption)}", ""]
        lines.append(_row(escape(column.header) for column in table.columns))
        lines.append(_row("---:" if column.numeric else "---" for column in table.columns))
        lines += [
            _row(escape(cell) if isinstance(cell, str) else self._joined(cell) for cell in cells)
            for cells in table.rows
        ]
        if table.note:
            lines += ["", f"*{escape(table.note)}*"]
        return "\n".join(lines)

    def _figure(self, figure: FigureBlock) -> str:
        path = f"{FIGURE_FOLDER}/{figure.anchor}.png"
        lines = [f"![{escape(figure.alt)}]({path})", ""] if figure.svg is not None and self._archived else []
        lines.append(f"{_target(figure.anchor)}**{escape(figure.label)}.** {escape(figure.caption)}")
        if figure.svg is None or not self._archived:
            reason = figure.problem or self._labels["drawing_in_archive"].format(path=path)
            lines += ["", _literal(figure.alt), "", f"*{escape(reason)}*"]
        return "\n".join(lines)

    def _reference(self, reference: Reference) -> str:
        text = self._joined(reference.inlines)
        marker = f"{escape(reference.marker)} " if reference.marker else ""
        lines = [f"- {_target(reference.anchor)}{marker}{text}"]
        for evidence in reference.evidence:
            lines += ["", f"  > {_literal(evidence.quote)}", "  >", f"  > — {escape(evidence.place)}"]
        if reference.note:
            lines += ["", f"  *{escape(reference.note)}*"]
        if reference.text_hash:
            lines += ["", f"  {self._labels['text_hash']}{self._labels['colon']} {escape(reference.text_hash)}"]
        return "\n".join(lines)

    def _note(self, note: Note) -> str:
        said = [f"“{escape(note.quote)}”"] if note.quote else []
        place = ", ".join(part for part in (self._joined(note.source), escape(note.place)) if part)
        return f"[^{note.number}]: {_target(note.anchor)}{' — '.join([*said, *([place] if place else [])])}"


def _headed(text: str, level: int, anchor: str = "") -> str:
    return f"{'#' * level} {_target(anchor)}{heading(text)}"


def _literal(text: str) -> str:
    return at_line_start(escape(text))


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _raised(children: Sequence[Inline]) -> tuple[Inline, ...]:
    """`children` with their texts in superscript characters."""
    return tuple(_raised_one(child) for child in children)


def _raised_one(child: Inline) -> Inline:
    match child:
        case Text(value):
            return Text(raised(value))
        case Styled(kind, children):
            return Styled(kind, _raised(children))
        case Link(url, children):
            return Link(url, _raised(children))
        case Ref(anchor, children):
            return Ref(anchor, _raised(children))
        case _:
            return child


def _target(anchor: str) -> str:
    return f'<a id="{anchor}"></a>' if anchor else ""
