"""A report with everything that a Word document can hold, and ways to read what became of it."""

from __future__ import annotations

import dataclasses
from typing import Any

from services.results.rendering.composing.labels import labels
from services.results.rendering.composing.report import (
    Anchored,
    Bullets,
    Column,
    Evidence,
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
)
from services.results.rendering.word.writer import docx
from tests.unit.rendering.word_schema import Package, W

_SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="{}" height="{}"><rect width="9" height="9" fill="#1f5f7a"/></svg>'
)
ARABIC, HEBREW, JAPANESE = "تغلي المياه عند 100 درجة", "המים רותחים", "水は沸騰する。"
MOMENT = 1_751_452_300


def paragraph(*parts: Anchored | Inline) -> Paragraph:
    return Paragraph(parts)


def table_of(anchor: str, label: str, rows: tuple[tuple[str, ...], ...], *headers: tuple[str, bool]) -> TableBlock:
    return TableBlock(anchor, label, "How it boils", tuple(Column(*header) for header in headers), rows, None)


def figure(number: int, width: int, height: int) -> FigureBlock:
    return FigureBlock(
        f"figure-{number}", f"Figure {number}", "A fall", f"A line falls, {number}.", _SVG.format(width, height), None
    )


WIDE = table_of(
    "table-2", "Table 2", (tuple("unbreakablewords" for _ in range(8)),) * 2, *[("Longish header", False)] * 8
)


def report(**changes: Any) -> Report:
    formula = Math(r"\hat{y} = a + \frac{b}{x^{2}}", "hat(y)", "y = a + b / x^2")
    see = paragraph(Text("See "), Ref("table-1", (Text("Table 1"),)))
    sections = (
        SectionBlock(
            "section-1",
            "Why it boils",
            (
                paragraph(Anchored("claim-1", (Text("Water boils. "), NoteRef(1), NoteRef(2))), Text(" So it is.")),
                Bullets((paragraph(Text("As said"), NoteRef(1)), see)),
                Subheading("A formula", 2),
                paragraph(Text("Then "), formula, Text(" holds.")),
                Subheading("A detail", 3),
                paragraph(Text(ARABIC + " (H2O).")),
                paragraph(Text("The words "), Styled("emph", (Text(HEBREW),)), Text(" and "), Text(JAPANESE)),
            ),
        ),
        SectionBlock(
            "section-2",
            "What shows it",
            (
                figure(1, 400, 200),
                figure(2, 1200, 500),
                dataclasses.replace(figure(3, 1, 1), svg=None, problem="It could not be drawn."),
                table_of(
                    "table-1",
                    "Table 1",
                    (("0", "101.325", "sea"), ("500", "95.4", "hill"), ("1000", "90", "mountain")),
                    ("Altitude", True),
                    ("Pressure", True),
                    ("Remark", False),
                ),
                paragraph(Text("After it.")),
                WIDE,
                paragraph(Text("And on.")),
            ),
        ),
    )
    made = Report(
        title="How water boils",
        language="en",
        labels=labels("en"),
        kind="Research report",
        question="Why does it boil?",
        date="2025-07-02",
        session_id="01981f2e",
        confidence="0.81",
        partial=True,
        summary=(paragraph(Text("It boils.")),),
        findings=(
            Finding("finding-1", (Text("It boils."),), "Water boils", (Ref("ref-1", (Text("Doe 2001"),)),), "0.9", ()),
            Finding("finding-2", (Text("It cools."),), None, (), "0.8", (Ref("figure-2", (Text("Figure 2"),)),)),
        ),
        sections=sections,
        references=(
            Reference(
                "ref-1",
                "[1]",
                (Text("Doe, J. "), Link("https://example.org/a?b=1&c=2", (Text("link"),))),
                (Evidence("Quoted words", "page 3"),),
                "more",
                "ab12",
            ),
        ),
        appendix=(SectionBlock("section-run", "About this run", (Pairs((("Engine", "research"), ("Cost", "1.2"))),)),),
        notes=(
            Note(1, "note-1", (Ref("ref-1", (Text("Doe 2001"),)),), "Water boils indeed", "page 3"),
            Note(2, "note-2", (Link("https://example.org/n", (Text("there"),)),), "", "page 4; word for word"),
        ),
    )
    return dataclasses.replace(made, **changes)


def package_of(**changes: Any) -> Package:
    return Package(docx(report(**changes), timestamp=MOMENT))


def text_of(element: Any) -> str:
    return "".join(part.text or "" for part in element.iter(f"{W}t"))


def get(element: Any, path: str, attribute: str = "val") -> str | None:
    found = element.find("/".join(f"{W}{name}" for name in path.split("/")))
    return None if found is None else found.get(f"{W}{attribute}")


def with_text(package: Package, text: str) -> Any:
    return next(p for p in package.document.iter(f"{W}p") if text in text_of(p))
