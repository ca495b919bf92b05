"""How tables, figures and scripts are laid out in the Word document."""

from __future__ import annotations

import dataclasses
import struct
from typing import Any

import pytest

from services.results.rendering import figures
from services.results.rendering.composing.report import SectionBlock
from services.results.rendering.word import reference_docx
from services.results.rendering.word.text import east_asian_font, languages, mark_scripts
from services.results.rendering.word.xml import run, w
from tests.unit.rendering.word_report import (
    ARABIC,
    HEBREW,
    JAPANESE,
    WIDE,
    get,
    package_of,
    table_of,
    text_of,
    with_text,
)
from tests.unit.rendering.word_schema import WP, Package, R, W


def word_text_of(text: str) -> list[Any]:
    """The runs that a run of `text` becomes."""
    root = w("body", w("p", run(text)))
    mark_scripts(root, right=False)
    return list(root.iter(f"{W}r"))


@pytest.fixture(scope="module")
def package() -> Package:
    return package_of()


def test_bold_is_not_set_twice(package: Package) -> None:
    styles = package.parts["word/styles.xml"].iter(f"{W}style")
    assert not [style for style in styles if style.get(f"{W}type") == "table" and list(style.iter(f"{W}b"))]


def test_tables_have_headers_that_repeat_and_rows_that_stay_whole(package: Package) -> None:
    table, wide, facts = package.document.iter(f"{W}tbl")
    rows = table.findall(f"{W}tr")
    assert [row.find(f"{W}trPr/{W}tblHeader") is not None for row in rows] == [True, False, False, False]
    assert all(row.find(f"{W}trPr/{W}cantSplit") is not None for row in (*rows, *wide.iterfind(f"{W}tr")))
    assert get(table, "tblPr/tblCaption") == "Table 1. How it boils"
    looks = [(get(t, "tblPr/tblLook", "firstRow"), get(t, "tblPr/tblLook", "firstColumn")) for t in (table, facts)]
    assert looks == [("1", "0"), ("0", "1")]
    kept = [p.find(f"{W}pPr/{W}keepNext") is not None for row in rows[1:] for p in row.iter(f"{W}p")]
    assert kept == [True] * 6 + [False] * 3


def test_tables_fit_the_page(package: Package) -> None:
    widths = [
        sum(int(column.get(f"{W}w")) for column in table.iter(f"{W}gridCol"))
        for table in package.document.iter(f"{W}tbl")
    ]
    assert widths[0] < reference_docx.TEXT_WIDTH
    assert reference_docx.TEXT_WIDTH < widths[1] <= reference_docx.LANDSCAPE_WIDTH
    assert widths[2] == reference_docx.TEXT_WIDTH


def test_numbers_stand_with_their_points_below_each_other(package: Package) -> None:
    table = next(package.document.iter(f"{W}tbl"))
    cells = [row.findall(f"{W}tc")[1].find(f"{W}p") for row in table.findall(f"{W}tr")]
    assert [get(cell, "pPr/jc") for cell in cells] == ["right"] * 4
    assert [text_of(cell) for cell in cells][1:] == ["101.325", "95.4", "90"]
    indents = [int(get(cell, "pPr/ind", "right") or 0) for cell in cells[1:]]
    assert indents[0] == 0
    assert indents[1] == pytest.approx(2 * indents[2] / 3, rel=0.15)


def test_room_is_left_for_the_digits_after_the_point() -> None:
    cells = [("100000.5", "12 (9; 15)"), ("1.123456", "7 (5.25; 9)"), ("–", "2 × 10⁶")]
    table = table_of("table-1", "Table 1", tuple(cells), ("A", True), ("B", True))
    package = package_of(sections=(SectionBlock("section-1", "One", (table,)),), findings=())
    shown = next(package.document.iter(f"{W}tbl"))
    first = int(shown.find(f"{W}tblGrid/{W}gridCol").get(f"{W}w"))
    # Six digits before the point and six after it, at more than half of nine points each.
    assert first > 13 * 9 * 20 * 0.5
    others = [row.findall(f"{W}tc")[1].find(f"{W}p") for row in shown.findall(f"{W}tr")]
    assert [get(p, "pPr/ind", "right") for p in others] == [None] * 4
    assert [get(p, "pPr/jc") for p in others] == ["right"] * 4


def test_long_headers_are_broken_and_numbers_are_not() -> None:
    header = ("A header of many words that no column of numbers should be as wide as", True)
    table = table_of("table-1", "Table 1", (("1234567.25",) * 5,), *[header] * 5)
    package = package_of(sections=(SectionBlock("section-1", "One", (table,)),), findings=())
    assert [get(section, "pgSz", "orient") for section in package.document.iter(f"{W}sectPr")] == [None]
    widths = [int(column.get(f"{W}w")) for column in next(package.document.iter(f"{W}tbl")).iter(f"{W}gridCol")]
    assert sum(widths) <= reference_docx.TEXT_WIDTH
    assert min(widths) > 10 * 9 * 20 * 0.5


def test_a_table_too_wide_has_a_page_on_its_side(package: Package) -> None:
    sections = list(package.document.iter(f"{W}sectPr"))
    assert [get(section, "pgSz", "orient") for section in sections] == [None, "landscape", None]
    shown = [[item.get(f"{R}id") for item in section.iter(f"{W}headerReference")] for section in sections]
    assert shown == [["rPrsmheader"], ["rPrsmTurnedheader"], ["rPrsmheader"]]
    before = with_text(package, "After it.")
    assert before.find(f"{W}pPr/{W}sectPr") is sections[0]
    body = list(package.document[0])
    caption = next(p for p in package.paragraphs("TableCaption") if "Table 2" in text_of(p))
    assert body.index(before) < body.index(caption) < body.index(sections[1].getparent().getparent())
    assert body.index(sections[1].getparent().getparent()) < body.index(with_text(package, "And on."))


def test_wide_tables_in_a_row_share_their_pages() -> None:
    section = SectionBlock("section-1", "One", (WIDE, dataclasses.replace(WIDE, anchor="table-3", label="Table 3")))
    package = package_of(sections=(section,), references=(), appendix=(), findings=())
    sections = [get(section, "pgSz", "orient") for section in package.document.iter(f"{W}sectPr")]
    assert sections == [None, "landscape"]
    assert package.faults() == []


def test_figures_are_said_in_words_and_fit_the_page(package: Package) -> None:
    drawn = list(package.document.iter(f"{WP}inline"))
    assert [d.find(f"{WP}docPr").get("descr") for d in drawn] == ["A line falls, 1.", "A line falls, 2."]
    sizes = [[int(d.find(f"{WP}extent").get(side)) / 635 for side in ("cx", "cy")] for d in drawn]
    assert sizes[0] == [400 * 15, 200 * 15]
    assert sizes[1][0] == pytest.approx(reference_docx.TEXT_WIDTH, abs=1)
    assert sizes[1][1] / sizes[1][0] == pytest.approx(500 / 1200, rel=1e-4)
    width = struct.unpack(">I", package.files["word/media/picture1.png"][16:20])[0]
    assert width == pytest.approx(400 * figures.PNG_SCALE, abs=2)
    assert "It could not be drawn." in text_of(package.document)


def test_text_from_right_to_left_is_marked(package: Package) -> None:
    paragraph = with_text(package, "تغلي")
    assert paragraph.find(f"{W}pPr/{W}bidi") is not None
    runs = {text_of(run): run.find(f"{W}rPr/{W}rtl") is not None for run in paragraph.iter(f"{W}r")}
    assert runs == {f"{ARABIC} (": True, "H2O": False, ").": True}
    mixed = with_text(package, "The words")
    assert mixed.find(f"{W}pPr/{W}bidi") is None
    marked = {text_of(run): run.find(f"{W}rPr") for run in mixed.iter(f"{W}r")}
    assert marked[HEBREW].find(f"{W}rtl") is not None
    assert marked[HEBREW].find(f"{W}i") is not None
    assert marked[JAPANESE].find(f"{W}rFonts").get(f"{W}hint") == "eastAsia"
    assert marked["The words "] is None


def test_a_report_in_arabic_runs_from_right_to_left() -> None:
    package = package_of(language="ar")
    table = next(package.document.iter(f"{W}tbl"))
    assert table.find(f"{W}tblPr/{W}bidiVisual") is not None
    number = table.findall(f"{W}tr")[1].find(f"{W}tc/{W}p")
    assert number.find(f"{W}pPr/{W}bidi") is None
    fact = list(package.document.iter(f"{W}tbl"))[-1].findall(f"{W}tr")[1].findall(f"{W}tc")[1].find(f"{W}p")
    assert fact.find(f"{W}pPr/{W}bidi") is not None
    assert package.faults() == []


@pytest.mark.parametrize(
    ("language", "text", "val", "asian", "complex", "font"),
    [
        ("en", "Water", "en-GB", "zh-CN", "ar-SA", "SimSun"),
        ("de", "Wasser", "de-DE", "zh-CN", "ar-SA", "SimSun"),
        ("fr-CA", "Eau", "fr-CA", "zh-CN", "ar-SA", "SimSun"),
        ("ja", "水", "en-GB", "ja-JP", "ar-SA", "Yu Mincho"),
        ("en", "水は", "en-GB", "ja-JP", "ar-SA", "Yu Mincho"),
        ("he", "물", "en-GB", "ko-KR", "he-IL", "Batang"),
        ("en", "מים", "en-GB", "zh-CN", "he-IL", "SimSun"),
        ("en", "מים ماء", "en-GB", "zh-CN", "ar-SA", "SimSun"),
        ("zh-TW", "水", "en-GB", "zh-TW", "ar-SA", "PMingLiU"),
    ],
)
def test_languages_and_fonts_are_chosen(
    language: str, text: str, val: str, asian: str, complex: str, font: str
) -> None:
    assert languages(language, text) == {"val": val, "eastAsia": asian, "bidi": complex}
    assert east_asian_font(asian) == font


def test_languages_and_fonts_are_named(package: Package) -> None:
    defaults = package.parts["word/styles.xml"].find(f"{W}docDefaults/{W}rPrDefault/{W}rPr")
    named = dict(defaults.find(f"{W}lang").attrib)
    assert named == {f"{W}val": "en-GB", f"{W}eastAsia": "ja-JP", f"{W}bidi": "ar-SA"}
    fonts = defaults.find(f"{W}rFonts")
    assert [fonts.get(f"{W}{key}") for key in ("ascii", "eastAsia", "cs")] == [
        "Cambria",
        "Yu Mincho",
        "Times New Roman",
    ]
    assert dict(package.parts["word/settings.xml"].find(f"{W}themeFontLang").attrib) == named


def test_every_size_and_weight_is_set_for_complex_scripts_too(package: Package) -> None:
    for style in package.parts["word/styles.xml"].iter(f"{W}style"):
        for one, other in (("sz", "szCs"), ("b", "bCs"), ("i", "iCs")):
            if style.get(f"{W}styleId") != "VerbatimChar":
                assert len(list(style.iter(f"{W}{one}"))) == len(list(style.iter(f"{W}{other}")))


def test_no_paragraph_is_empty(package: Package) -> None:
    marks = [p for p in package.document.iter(f"{W}p") if get(p, "pPr/pStyle") == "SectionMark"]
    empty = [p for p in package.document.iter(f"{W}p") if not text_of(p).strip() and p.find(f".//{W}drawing") is None]
    assert empty == marks
    assert len(marks) == 1


def test_what_belongs_together_stays_together(package: Package) -> None:
    finding, quote = package.paragraphs("Finding")[0], package.paragraphs("BlockText")[0]
    assert [p.find(f"{W}pPr/{W}keepNext") is not None for p in (finding, quote)] == [True, True]
    styles = {style.get(f"{W}styleId"): style for style in package.parts["word/styles.xml"].iter(f"{W}style")}
    for name in ("Heading1", "Heading2", "Heading3", "TableCaption", "CaptionedFigure", "TableHeading"):
        assert styles[name].find(f"{W}pPr/{W}keepNext") is not None


@pytest.mark.parametrize(
    ("text", "face"), [("पानी उबलता है", "Nirmala UI"), ("น้ำเดือด", "Leelawadee UI"), ("ရေဆူ", "Myanmar Text")]
)
def test_scripts_of_south_asia_have_a_face_of_their_own(text: str, face: str) -> None:
    (marked,) = word_text_of(text)
    assert get(marked, "rPr/rFonts", "cs") == face
    assert marked.find(f"{W}rPr/{W}cs") is not None


def test_punctuation_goes_with_the_paragraph() -> None:
    marked = [
        (text_of(part), part.find(f"{W}rPr/{W}rtl") is not None) for part in word_text_of("See (מים, 12) and מים.")
    ]
    assert marked == [("See (", False), ("מים, 12", True), (") and ", False), ("מים", True), (".", False)]
