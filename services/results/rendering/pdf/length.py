"""How long a report is."""

from __future__ import annotations

from services.results.rendering.composing.report import (
    Bullets,
    FigureBlock,
    Pairs,
    Paragraph,
    Report,
    TableBlock,
    plain,
)


def length(report: Report, *, note: int) -> int:
    """Roughly how many characters of text the report is long, its figures and tables included.

    :param note: the most characters that a footnote shows of a quote.
    """
    total = sum(len(plain(finding.inlines)) + 150 for finding in report.findings)
    total += sum(300 + 200 * len(reference.evidence) for reference in report.references)
    total += sum(100 + min(len(item.quote), note) for item in report.notes)
    for section in (*report.sections, *report.appendix):
        for block in section.blocks:
            match block:
                case Paragraph(parts):
                    total += len(plain(parts))
                case Bullets(items):
                    total += sum(len(plain(item.parts)) for item in items)
                case Pairs(rows) | TableBlock(rows=rows):
                    total += 60 * len(rows)
                case FigureBlock():
                    total += 1_500
    return total
