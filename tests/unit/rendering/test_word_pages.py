"""What an office program showed to be wrong on the pages of the Word document, and what mends it there."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from services.results.rendering.composing.report import Finding, Math, Pairs, SectionBlock, TableBlock, Text
from services.results.rendering.word import reference_docx
from tests.unit.rendering.word_report import get, package_of, paragraph, table_of, text_of, with_text
from tests.unit.rendering.word_schema import Package, W

_M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_ARABIC_HEADER = "ضغط"


def _section(*blocks: Any, **changes: Any) -> Package:
    return package_of(sections=(SectionBlock("section-1", "One", blocks),), findings=(), appendix=(), **changes)


def _style(package: Package, name: str) -> Any:
    return next(
        style for style in package.parts["word/styles.xml"].iter(f"{W}style") if style.get(f"{W}styleId") == name
    )


def _widths(package: Package) -> list[int]:
    return [int(column.get(f"{W}w")) for column in next(package.document.iter(f"{W}tbl")).iter(f"{W}gridCol")]


@pytest.fixture(scope="module")
def package() -> Package:
    noted = dataclasses.replace(
        table_of("table-1", "Table 1", (("1", "a"),), ("n", True), ("b", False)), note="A note."
    )
    bare = table_of("table-2", "Table 2", (("1", "a"),), ("n", True), ("b", False))
    formula = Math(r"\mathrm{yield} = a + b x", "", "yield = a + b x")
    lines = tuple(paragraph(Text("Much to say about it. " * 100)) for _ in range(8))
    return _section(noted, bare, paragraph(Text("Below.")), paragraph(formula), *lines)


def test_the_pages_are_counted_at_the_right_in_programs_without_tabs_bound_to_the_margin(package: Package) -> None:
    for name in ("Header", "Footer"):
        assert get(_style(package, name), "pPr/tabs/tab") == "right"
        assert get(_style(package, name), "pPr/tabs/tab", "pos") == str(reference_docx.TEXT_WIDTH)
    for name in ("header2", "footer2"):
        stops = {tab.get(f"{W}val"): tab.get(f"{W}pos") for tab in package.parts[f"word/{name}.xml"].iter(f"{W}tab")}
        assert stops == {"clear": str(reference_docx.TEXT_WIDTH), "right": str(reference_docx.LANDSCAPE_WIDTH)}


def test_text_below_a_table_stands_apart_from_it(package: Package) -> None:
    style = get(with_text(package, "Below."), "pPr/pStyle")
    assert style == "TextAfterTable"
    for name in (style, "Detail"):
        assert int(get(_style(package, name), "pPr/spacing", "before") or 0) >= 80
    assert get(with_text(package, "Much to say"), "pPr/pStyle") == "BodyText"


def test_a_note_stays_with_the_last_row_of_its_table(package: Package) -> None:
    rows = [table.findall(f"{W}tr")[-1] for table in package.document.iter(f"{W}tbl")]
    assert [row.find(f"{W}tc/{W}p/{W}pPr/{W}keepNext") is not None for row in rows] == [True, False]


def test_words_in_formulas_are_not_parted_into_letters(package: Package) -> None:
    runs = [text.text for text in package.document.iter(f"{_M}t")]
    assert runs == ["yield", "=", "a", "+", "b", "x"]


def test_entries_of_the_contents_wait_for_their_pages_without_a_wrong_number(package: Package) -> None:
    (contents,) = package.document.iter(f"{W}sdt")
    entries = contents.findall(f".//{W}hyperlink")
    names = {mark.get(f"{W}name") for mark in package.document.iter(f"{W}bookmarkStart")}
    fields = [words for words in package.fields() if words[0] == "PAGEREF"]
    assert [words[1] for words in fields] == [entry.get(f"{W}anchor") for entry in entries]
    assert {words[1] for words in fields} <= names
    assert [text_of(entry) for entry in entries] == ["Summary", "1One", "References"]
    for name in ("TOC1", "TOC2"):
        left, hanging = (int(get(_style(package, name), "pPr/ind", key) or 0) for key in ("left", "hanging"))
        assert left >= hanging > 0


@pytest.mark.parametrize(
    ("header", "cell", "least"),
    # In Cambria bold: m 0.89, M 0.84, w 0.78, W 0.96, e 0.51, a 0.52, n 0.6; each of its digits 0.554.
    [("mean", "1", 2.52), ("MWm", "1", 2.69), ("a", "1234567890", 5.54)],
)
def test_columns_are_as_wide_as_the_widest_letters_of_their_words(header: str, cell: str, least: float) -> None:
    package = _section(table_of("table-1", "Table 1", ((cell, "b"),), (header, True), ("b", False)))
    assert _widths(package)[0] >= least * 9 * 20 + 200


def test_a_number_with_a_power_is_not_broken() -> None:
    rows = (("1 × 10⁻¹²", *["unbreakableword unbreakableword"] * 4),)
    headers = (("p", True), *[("what is said of it", False)] * 4)
    assert _widths(_section(table_of("table-1", "Table 1", rows, *headers)))[0] >= 4.0 * 9 * 20 + 200


def test_the_rule_of_a_quote_from_right_to_left_stands_before_its_lines() -> None:
    finding = Finding("finding-1", (Text("It boils."),), "המים רותחים", (), None, ())
    package = package_of(findings=(finding,), sections=(), appendix=())
    quote = with_text(package, "המים")
    rules = [rule.tag for rule in _style(package, get(quote, "pPr/pStyle") or "").find(f"{W}pPr/{W}pBdr")]
    assert rules == [f"{W}right"]


def test_the_cells_of_a_report_from_right_to_left_begin_at_the_right() -> None:
    table = table_of("table-1", "Table 1", (("1", "sea"),), (_ARABIC_HEADER, True), ("Remark", False))
    assert isinstance(table, TableBlock)
    package = _section(table, Pairs((("Engine", "research"),)), language="ar")
    cells = {text_of(p): p for p in package.document.iter(f"{W}p")}
    for text in ("Remark", "sea", "Engine", "research"):
        assert (get(cells[text], "pPr/jc"), cells[text].find(f"{W}pPr/{W}bidi")) == ("right", None)
    # Where lines run from right to left, `right` would be the left.
    header = cells[_ARABIC_HEADER]
    assert header.find(f"{W}pPr/{W}bidi") is not None
    assert header.find(f"{W}pPr/{W}jc") is None
    assert package.faults() == []
