"""A report as Markdown: CommonMark, with YAML front matter and pipe tables, and every text taken literally."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Sequence

import orjson

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

_SPECIAL = re.compile(r"[\\`*_{}\[\]<>|~$^]|&(?=#?\w+;)|!(?=\[)|(?<!\w)@(?=[\w{])")
# What would begin a heading, a list, a rule or a definition at the start of a line.
_BLOCK_START = re.compile(r"^(?:(\d{1,9})(?=[.)])|(?=[#+\-=:]))")
_MARKS = {"emph": ("*", "*"), "strong": ("**", "**"), "super": ("<sup>", "</sup>")}


def escape(text: str) -> str:
    """`text` so that CommonMark and its common extensions show it as it is, in the middle of a line."""
    return _SPECIAL.sub(lambda match: "\\" + match[0], text)


def markdown(report: Report, *, figure_folder: str | None = None) -> str:
    """Write the report.

    :param figure_folder: where each figure's picture lies as `<anchor>.png`; without it the drawings are part of the
        text, as link definitions at its end.
    """
    return _Writer(report, figure_folder).write()


class _Writer:
    def __init__(self, report: Report, figure_folder: str | None) -> None:
        self._report = report
        self._labels = report.labels
        self._figure_folder = figure_folder
        self._definitions: list[str] = []

    def write(self) -> str:
        report = self._report
        parts: list[str] = [self._front_matter(), self._heading(report.title, 1)]
        if report.question:
            parts.append(f"**{self._labels['question']}:** {escape(report.question)}")
        if report.partial:
            parts.append(f"> {escape(self._labels['partial'])}")
        if report.summary:
            parts.append(self._heading(self._labels["summary"], 2))
            parts.extend(self._paragraph(item) for item in report.summary)
        if report.confidence:
            parts.append(f"**{self._labels['confidence']}:** {report.confidence}")
        if report.findings:
            parts.append(self._heading(self._labels["key_findings"], 2))
            parts.extend(self._finding(index, item) for index, item in enumerate(report.findings, start=1))
        for section in report.sections:
            parts.extend(self._section(section))
        if report.references:
            parts.append(self._heading(self._labels["references"], 2))
            parts.extend(self._reference(item) for item in report.references)
        for section in report.appendix:
            parts.extend(self._section(section))
        return "\n\n".join([*parts, *self._definitions]) + "\n"

    def _front_matter(self) -> str:
        report = self._report
        fields = {
            "title": report.title,
            "lang": report.language,
            "date": report.date,
            "session_id": report.session_id,
            "partial": report.partial,
        }
        # A JSON value is a YAML value, and escapes whatever YAML could take for its own.
        lines = [f"{key}: {orjson.dumps(value).decode()}" for key, value in fields.items() if value is not None]
        return "\n".join(["---", *lines, "---"])

    def _section(self, section: SectionBlock) -> Iterable[str]:
        yield self._heading(section.heading, 2, section.anchor)
        for block in section.blocks:
            yield self._block(block)

    def _heading(self, text: str, level: int, anchor: str = "") -> str:
        return f"{'#' * level} {_target(anchor)}{_heading_text(text)}"

    def _block(self, block: Block) -> str:
        match block:
            case Paragraph():
                return self._paragraph(block)
            case Bullets(items):
                return "\n".join(f"- {self._paragraph(item)}" for item in items)
            case Subheading(text, level):
                return self._heading(text, level + 1)
            case Pairs(rows):
                return "\n".join(f"- **{escape(name)}:** {escape(value)}" for name, value in rows)
            case TableBlock():
                return self._table(block)
            case FigureBlock():
                return self._figure(block)

    def _paragraph(self, paragraph: Paragraph) -> str:
        return self._inlines(paragraph.parts)

    def _inlines(self, parts: Sequence[Anchored | Inline]) -> str:
        return _BLOCK_START.sub(r"\1\\", self._joined(parts), count=1)

    def _joined(self, parts: Sequence[Anchored | Inline]) -> str:
        return "".join(self._inline(part) for part in parts)

    def _inline(self, part: Anchored | Inline) -> str:
        match part:
            case Text(value):
                return escape(value)
            case Anchored(anchor, inlines):
                return _target(anchor) + self._joined(inlines)
            case Styled("mono", children):
                return f"`{plain(children)}`"
            case Styled(kind, children):
                before, after = _MARKS[kind]
                inner = self._joined(children)
                core = inner.strip()
                if not core:
                    return inner
                lead, _, trail = inner.partition(core)
                return f"{lead}{before}{core}{after}{trail}"
            case Link(url, children):
                return f"[{self._joined(children)}](<{url}>)"
            case Ref(anchor, children):
                return f"[{self._joined(children)}](#{anchor})"

    def _finding(self, index: int, finding: Finding) -> str:
        indent = " " * (len(str(index)) + 2)
        lines = [f"{index}. {_target(finding.anchor)}{self._joined(finding.inlines)}"]
        source = self._joined(finding.source)
        if finding.quote:
            lines += ["", f"{indent}> {self._inlines((Text(finding.quote),))}"]
            lines += [f"{indent}>", f"{indent}> — {source}"] if source else []
        details = [f"{self._labels['confidence']} {finding.confidence}"] if finding.confidence else []
        details += [source] if source and not finding.quote else []
        details += [self._joined(finding.exhibits)] if finding.exhibits else []
        if details:
            lines += ["", indent + " · ".join(details)]
        return "\n".join(lines)

    def _table(self, table: TableBlock) -> str:
        def row(cells: Iterable[str]) -> str:
            return "| " + " | ".join(cells) + " |"

        lines = []
        if table.label:
            lines += [f"{_target(table.anchor)}**{escape(table.label)}.** {escape(table.caption)}", ""]
        lines.append(row(escape(column.header) for column in table.columns))
        lines.append(row("---:" if column.numeric else "---" for column in table.columns))
        lines += [
            row(escape(cell) if isinstance(cell, str) else self._joined(cell) for cell in cells) for cells in table.rows
        ]
        if table.note:
            lines += ["", f"*{escape(table.note)}*"]
        return "\n".join(lines)

    def _figure(self, figure: FigureBlock) -> str:
        lines = []
        if figure.svg is not None and self._figure_folder is not None:
            lines += [f"![{escape(figure.alt)}]({self._figure_folder}/{figure.anchor}.png)", ""]
        elif figure.svg is not None:
            lines += [f"![{escape(figure.alt)}][{figure.anchor}]", ""]
            data = base64.b64encode(figure.svg.encode()).decode()
            self._definitions.append(f"[{figure.anchor}]: data:image/svg+xml;base64,{data}")
        lines.append(f"{_target(figure.anchor)}**{escape(figure.label)}.** {escape(figure.caption)}")
        if figure.problem:
            lines += ["", f"*{escape(figure.problem)}*", "", self._inlines((Text(figure.alt),))]
        return "\n".join(lines)

    def _reference(self, reference: Reference) -> str:
        text = self._joined(reference.inlines)
        marker = f"{escape(reference.marker)} " if reference.marker else ""
        lines = [f"- {_target(reference.anchor)}{marker}{text}"]
        for evidence in reference.evidence:
            lines += [
                "",
                f"  > {self._inlines((Text(evidence.quote),))}",
                "  >",
                f"  > — {escape(evidence.place)}",
            ]
        if reference.note:
            lines += ["", f"  *{escape(reference.note)}*"]
        if reference.text_hash:
            lines += ["", f"  {self._labels['text_hash']}: {escape(reference.text_hash)}"]
        return "\n".join(lines)


def _heading_text(text: str) -> str:
    # A row of # at the end of a heading line would be taken as its closing.
    return escape(text).replace("#", "\\#")


def _target(anchor: str) -> str:
    return f'<a id="{anchor}"></a>' if anchor else ""
