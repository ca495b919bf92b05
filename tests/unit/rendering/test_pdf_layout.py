"""Where things stand on the pages of a PDF: nothing over something else, nothing past the margin."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import pypdfium2
import pytest

from services.results.rendering.composing.anchors import Anchors
from services.results.rendering.composing.compose import compose
from services.results.rendering.composing.exhibits import Exhibits
from services.results.rendering.composing.labels import labels
from services.results.rendering.composing.report import (
    Block,
    Column,
    Pairs,
    Paragraph,
    Report,
    SectionBlock,
    TableBlock,
    Text,
)
from services.results.rendering.document import ResultDocument
from services.results.rendering.pdf.tables import aligned, laid_out
from services.results.rendering.pdf.writer import pdf
from tests.support.pdf_contents import pdf_contents

EMPTY = compose(ResultDocument.parse({"title": "T"}), None, citation_style="apa", language="en")
RIGHT = 514.0
"""The right margin, in points from the left of the page."""

LONG = "From “Does cold water dissolve more carbon dioxide than warm water, and how did solubility change in spring?”"

Box = tuple[float, float, float, float]


def _report(*blocks: Block, heading: str = "Filled") -> Report:
    return replace(EMPTY, sections=(SectionBlock("section-x", heading, blocks),), appendix=())


def _lines(made: bytes, page: int = 0) -> list[tuple[str, Box]]:
    """The stretches of text of a page as they are read, each with its left, bottom, right and top."""
    with pypdfium2.PdfDocument(made) as file:
        text = file[page].get_textpage()
        boxes = [text.get_rect(index) for index in range(text.count_rects())]
        return [(text.get_text_bounded(*box), box) for box in boxes]


def _place(made: bytes, words: str, letter: int = 0) -> Box:
    """Where a letter of the words stands, the first time that they do."""
    with pypdfium2.PdfDocument(made) as file:
        text = file[0].get_textpage()
        found = text.search(words, match_case=True).get_next()
        assert found is not None, words
        left, bottom, right, top = text.get_charbox(found[0] + letter, loose=True)
        return left, bottom, right, top


def _overlapping(lines: list[tuple[str, Box]]) -> Iterator[tuple[str, str]]:
    for place, (one, a) in enumerate(lines):
        for other, b in lines[place + 1 :]:
            if min(a[2], b[2]) - max(a[0], b[0]) > 2 and min(a[3], b[3]) - max(a[1], b[1]) > 3:
                yield one, other


@pytest.mark.parametrize("headings", [4, 30])
def test_entries_of_the_contents_may_be_longer_than_a_line(headings: int) -> None:
    filler = tuple(Paragraph((Text("Filler. " * 80),)) for _ in range(3))
    sections = tuple(
        SectionBlock(f"section-{number}", f"{LONG} {number}", filler if headings == 30 else filler * 10)
        for number in range(headings)
    )
    made = pdf(replace(EMPTY, sections=sections, appendix=()), timestamp=0)
    first = _lines(made)
    assert any("Contents" in text for text, _ in first)
    assert not list(_overlapping(first))
    entries = "".join(text for text, _ in first)
    assert "in spring?” 3" in re.sub(r"\s+", " ", entries)


@pytest.mark.parametrize("names", ["short", "long ones, whole questions " * 5, "unbroken" * 15])
def test_pairs_stay_between_the_margins(names: str) -> None:
    rows = tuple((f"{names}{number}", "answered, by one source") for number in range(4))
    lines = _lines(pdf(_report(Pairs(rows)), timestamp=0))
    values = [(text, box) for text, box in lines if "answered, by one source" in text]
    assert len(values) == 4
    assert all(box[2] <= RIGHT for _, box in lines)


ROWS = ("alpha", "beta", "gamma", "delta")
MIXED = {
    "whole": ("0", "5", "100", "2018"),
    "decimals": ("0.0002304", "8.025", "32.541", "4181.8"),
    "both": ("0", "5", "0.0001507", "2181.8"),
    "negative": ("−59.801", "−174.804", "12", "−3"),
    "absent": ("–", "1.25", "", "7"),
}


def test_numbers_get_the_room_of_the_digits_below_them() -> None:
    assert aligned(MIXED["both"]) == [".0000000", ".0000000", "", "000000"]
    assert aligned(MIXED["whole"]) == []
    assert aligned(MIXED["absent"]) == [".00", "", "", ".00"]
    assert aligned(("1.5", "2 × 10⁻⁵")) == aligned(("1.5", "2e-05")) == aligned(("1.5", "2 %")) == []


@pytest.mark.parametrize("copies", [1, 2])
@pytest.mark.parametrize("language", ["en", "ar"])
def test_rows_of_numbers_take_a_line_each_and_their_points_stand_in_one(copies: int, language: str) -> None:
    columns = [cells for _ in range(copies) for cells in MIXED.values()]
    table = TableBlock(
        "table-a",
        "Table 1",
        "Rows",
        (Column("row", numeric=False), *(Column(f"c{n}", numeric=True) for n in range(len(columns)))),
        tuple((name, *cells) for name, *cells in zip(ROWS, *columns, strict=True)),
        None,
    )
    made = pdf(replace(_report(table), language=language), timestamp=0)
    tops = [_place(made, name)[1] for name in ROWS]
    steps = [above - below for above, below in pairwise(tops)]
    assert max(steps) - min(steps) < 1
    if copies == 1:
        # The digit before the point.
        assert len({round(_place(made, number, number.index(".") - 1)[2]) for number in MIXED["decimals"]}) == 1
        assert _place(made, "−59.801", 2)[2] == pytest.approx(_place(made, "−174.804", 3)[2], abs=0.5)


def test_alignment_does_not_turn_the_page() -> None:
    cells = ("123456", "0.00000012345")
    names = tuple(Column(f"c{index}", numeric=True) for index in range(7))
    table = TableBlock("t", "Table 1", "", names, tuple((cell,) * 7 for cell in cells), None)
    rooms, chosen = laid_out(table)
    assert not chosen.across
    assert not any(rooms)


def test_a_drawing_whose_title_has_lines_leaves_it_to_the_caption() -> None:
    spec = {
        "title": ["Differences in x", "between levels"],
        "data": {"values": [{"a": 1}]},
        "mark": "point",
        "encoding": {"x": {"field": "a", "type": "quantitative"}},
    }
    figure = {"id": "f", "title": "Differences in x between levels", "alt": "", "spec": spec}
    made = Exhibits(ResultDocument.parse({"title": "T", "figures": [figure]}), Anchors(), labels("en")).section()
    assert made is not None
    assert "Differences" not in getattr(made.blocks[0], "svg", "Differences")


def test_pages_are_counted_from_left_to_right_in_every_report() -> None:
    made = pdf(replace(_report(Paragraph((Text("نص"),))), language="ar"), timestamp=0)
    foot = [(text, box) for text, box in _lines(made) if box[1] < 60]
    assert any("1 / 1" in text for text, _ in foot)


def test_a_long_number_among_words_stays_on_one_line() -> None:
    rows = [["a", "some words of a cell that is wide enough to be set in lines"] * 4, ["b", 794615242281.1558] * 4]
    table = {"id": "t", "title": "x", "columns": [f"column {number}" for number in range(8)], "rows": rows}
    document = ResultDocument.parse({"title": "T", "tables": [table], "sections": []})
    report = compose(document, None, citation_style="apa", language="en")
    assert pdf_contents(pdf(report, timestamp=0)).count("794615242281") == 4
