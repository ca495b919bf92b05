"""A report as readable text, for people to look at and for golden files: what stands where, and with which marks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from services.results.rendering.composing.report import (
    Anchored,
    Block,
    Bullets,
    FigureBlock,
    Inline,
    Link,
    Math,
    NoteRef,
    Pairs,
    Paragraph,
    Ref,
    Report,
    SectionBlock,
    Styled,
    Subheading,
    TableBlock,
    Text,
)

_MARKS = {"emph": "_", "strong": "*", "super": "^", "mono": "`"}


def inlines(parts: Sequence[Anchored | Inline]) -> str:
    """One line: `{claim-1: ...}` an anchor, `[label](#ref-1)` a link, `[^1]` a note, `$...$` a formula."""
    return "".join(map(_inline, parts))


def _inline(part: Anchored | Inline) -> str:
    match part:
        case Text(value):
            return value
        case Anchored(anchor, children):
            return f"{{{anchor}: {inlines(children)}}}"
        case Styled(kind, children):
            return f"{_MARKS[kind]}{inlines(children)}{_MARKS[kind]}"
        case Link(url, children):
            return f"[{inlines(children)}]({url})"
        case Ref(anchor, children):
            return f"[{inlines(children)}](#{anchor})"
        case NoteRef(number):
            return f"[^{number}]"
        case Math(tex=tex):
            return f"${tex}$"


def dump(report: Report) -> str:
    """The whole report, from its head to its notes."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    words = report.labels
    yield f"{report.kind}: {report.title}"
    facts = (("question", report.question), ("date", report.date), ("session", report.session_id))
    yield from (f"{name}: {value}" for name, value in (*facts, ("confidence", report.confidence)) if value)
    yield f"language: {report.language}{', partial' if report.partial else ''}"
    yield from _headed("summary", words["summary"], [inlines(line.parts) for line in report.summary])
    findings: list[str] = []
    for number, item in enumerate(report.findings, start=1):
        findings.append(f"{number}. {{{item.anchor}}} {inlines(item.inlines)}")
        shown = (
            ("quote", item.quote),
            ("source", inlines(item.source)),
            ("confidence", item.confidence),
            ("shown in", inlines(item.exhibits)),
        )
        findings += [f"   {name}: {value}" for name, value in shown if value]
    yield from _headed("findings", words["key_findings"], findings)
    for section in report.sections:
        yield from _section(section)
    entries: list[str] = []
    for entry in report.references:
        entries.append(f"{{{entry.anchor}}} {entry.marker} {inlines(entry.inlines)}".replace("  ", " "))
        entries += [f"   “{item.quote}” {item.place}" for item in entry.evidence]
        entries += [f"   {line}" for line in (entry.note, entry.text_hash) if line]
    yield from _headed("references", words["references"], entries)
    for section in report.appendix:
        yield from _section(section)
    notes = [
        f"[^{note.number}] {{{note.anchor}}} {inlines(note.source)}"
        f"{f' “{note.quote}”' if note.quote else ''}, {note.place}"
        for note in report.notes
    ]
    yield from _headed("notes", "", notes)


def _headed(anchor: str, heading: str, lines: Sequence[str]) -> list[str]:
    return ["", f"# {{{anchor}}} {heading}".rstrip(), *lines] if lines else []


def _section(section: SectionBlock) -> Iterator[str]:
    yield from ("", f"# {{{section.anchor}}} {section.heading}")
    for block in section.blocks:
        yield from _block(block)


def _block(block: Block) -> list[str]:
    match block:
        case Paragraph(parts):
            return [inlines(parts)]
        case Bullets(items):
            return [f"- {inlines(item.parts)}" for item in items]
        case Subheading(text, level):
            return ["", f"{'#' * level} {text}"]
        case Pairs(rows):
            return [f"{name} = {value}" for name, value in rows]
        case TableBlock():
            return _table(block)
        case FigureBlock():
            drawn = "drawn" if block.svg else block.problem
            return [f"[{{{block.anchor}}} {block.label}. {block.caption}; {block.alt}; {drawn}]"]


def _table(block: TableBlock) -> list[str]:
    title = f"{{{block.anchor}}} {block.label}. {block.caption}" if block.label else block.caption
    head = " | ".join(f"{column.header}{' #' if column.numeric else ''}" for column in block.columns)
    rows = [" | ".join(cell if isinstance(cell, str) else inlines(cell) for cell in row) for row in block.rows]
    return [
        *([title] if title.strip() else []),
        f"| {head}",
        *(f"| {row}" for row in rows),
        *filter(None, [block.note]),
    ]
