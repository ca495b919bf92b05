"""What belongs together stands on one page, wherever the page ends."""

from __future__ import annotations

from dataclasses import replace

import pypdfium2
import pytest

from services.results.rendering.composing.compose import compose
from services.results.rendering.composing.report import (
    Block,
    Bullets,
    Column,
    FigureBlock,
    Finding,
    Pairs,
    Paragraph,
    Report,
    SectionBlock,
    Subheading,
    TableBlock,
    Text,
)
from services.results.rendering.document import ResultDocument
from services.results.rendering.pdf.writer import pdf
from services.results.rendering.word.writer import docx
from tests.unit.rendering.word_report import text_of
from tests.unit.rendering.word_schema import Package, W

EMPTY = compose(ResultDocument.parse({"title": "T"}), None, citation_style="apa", language="en")
LINES = (23, 26, 29)
"""Lines that leave too little of the first page for what comes after them."""


def _line(text: str) -> Paragraph:
    return Paragraph((Text(text),))


def _report(lines: int, *blocks: Block) -> Report:
    filled = (*(_line("Filler.") for _ in range(lines)), *blocks)
    return replace(EMPTY, sections=(SectionBlock("section-x", "Filled", filled),), appendix=())


def _pages(report: Report) -> list[str]:
    with pypdfium2.PdfDocument(pdf(report, timestamp=0)) as file:
        return [page.get_textpage().get_text_range() for page in file]


def _page(pages: list[str], words: str) -> int:
    return next(number for number, text in enumerate(pages) if words in text)


TABLE = TableBlock(
    "table-a", "Table 1", "Rows", (Column("Head", numeric=False),), tuple((f"cell{n}",) for n in range(10)), None
)


@pytest.mark.parametrize("lines", LINES)
def test_a_heading_and_its_lead_go_with_the_table_below(lines: int) -> None:
    pages = _pages(_report(lines, Subheading("Task", 2), _line("Asked."), TABLE))
    assert _page(pages, "Task") == _page(pages, "Asked.") == _page(pages, "cell0") == _page(pages, "cell9")


FIGURE = FigureBlock(
    "figure-a", "Figure 1", "Drawn", "alt", '<svg xmlns="http://www.w3.org/2000/svg" width="400" height="300"/>', None
)


@pytest.mark.parametrize(("exhibit", "words"), [(TABLE, "cell0"), (FIGURE, "Drawn")])
@pytest.mark.parametrize("lines", LINES)
def test_a_heading_goes_with_all_of_a_short_lead(lines: int, exhibit: Block, words: str) -> None:
    pages = _pages(_report(lines, Subheading("Task", 2), _line("Held."), _line("Asked."), exhibit))
    assert _page(pages, "Task") == _page(pages, "Asked.") == _page(pages, words)


@pytest.mark.parametrize("lines", LINES)
def test_a_few_facts_are_not_parted(lines: int) -> None:
    pages = _pages(_report(lines, Subheading("Facts", 2), Pairs(tuple((f"name{n}", "value") for n in range(12)))))
    assert _page(pages, "Facts") == _page(pages, "name0") == _page(pages, "name11")


@pytest.mark.parametrize("lines", [8, 12, 16])
def test_a_short_table_after_facts_is_not_left_alone(lines: int) -> None:
    facts = Pairs(tuple((f"name{n}", "value") for n in range(20)))
    pages = _pages(_report(lines, Subheading("Facts", 2), facts, Subheading("Stages", 2), TABLE))
    assert _page(pages, "Stages") == _page(pages, "name0") == _page(pages, "cell9")


def test_a_lead_goes_with_its_list() -> None:
    items = Bullets(tuple(_line("Item.") for _ in range(3)))
    for lines in range(30, 37):
        pages = _pages(_report(lines, _line("Lead."), items))
        assert "Item." in pages[_page(pages, "Lead.")], lines


def _findings(quote: str) -> list[str]:
    """The pages of thirteen findings."""
    made = [
        Finding(f"finding-{n}", (Text(f"Found{n}."),), quote, (Text("Doe 2000"),), "0.5", ()) for n in range(10, 23)
    ]
    return _pages(replace(EMPTY, findings=tuple(made), sections=(), appendix=()))


def test_a_finding_stands_with_its_quote_and_its_confidence() -> None:
    pages = _findings("These are the words of the source as they stand in it. " * 6)
    assert len(pages) > 1
    for number in range(10, 23):
        told = pages[_page(pages, f"Found{number}.")].partition(f"Found{number}.")[2].partition("Found")[0]
        assert "Doe 2000" in told
        assert "Confidence" in told


def test_findings_with_long_quotes_are_parted_rather_than_leave_pages_half_empty() -> None:
    pages = _findings("These are the words of the source as they stand in it. " * 40)
    assert any("Doe 2000" in page.partition("Found")[0] for page in pages)


def test_in_word_too() -> None:
    report = replace(
        _report(
            4,
            _line("Before the list."),
            Bullets((_line("Item."), _line("Other."))),
            Subheading("Task", 2),
            _line("Held."),
            _line("Asked."),
            TABLE,
        ),
        notes=(),
    )
    kept = {
        text_of(p): p.find(f"{W}pPr/{W}keepNext") is not None
        for p in Package(docx(report, timestamp=0)).document.iter(f"{W}p")
    }
    assert kept["Before the list."]
    assert kept["Held."]
    assert kept["Asked."]
    assert not kept["Filler."]
    assert not kept["Other."]
