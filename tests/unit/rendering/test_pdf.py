"""The PDF: archivable and accessible, with real footnotes, links that lead somewhere and fonts of its own."""

from __future__ import annotations

import functools
import io
from dataclasses import replace
from typing import Any

import pikepdf
import pypdf
import pytest

from services.results.rendering.composing.compose import compose
from services.results.rendering.composing.report import (
    Column,
    Math,
    Note,
    NoteRef,
    Paragraph,
    Ref,
    Report,
    SectionBlock,
    TableBlock,
    Text,
)
from services.results.rendering.document import ResultDocument
from services.results.rendering.pdf.tables import Setting, setting
from services.results.rendering.pdf.text import hyphenated
from services.results.rendering.pdf.writer import MOST_ATTACHED, pdf
from services.results.rendering.serializer import export_json
from tests.unit.rendering.reading import pdf_text, squeezed
from tests.unit.rendering.sample import metadata, sample

_ARABIC = "ينخفض الضغط الجوي مع الارتفاع ويغلي الماء عند درجة حرارة أقل"


def _report(source: dict[str, Any] | None = None, language: str = "en") -> Report:
    document = ResultDocument.parse(source or sample())
    return compose(document, metadata(), citation_style="apa", language=language)


@functools.cache
def _sample_pdf() -> bytes:
    attached = export_json(ResultDocument.parse(sample()), metadata(), "s")
    return pdf(_report(), timestamp=1_751_452_300, attachment=attached)


def _fonts(body: bytes) -> dict[str, bool]:
    """Names of the fonts, and whether their files are within."""
    with pikepdf.open(io.BytesIO(body)) as file:
        found = [item for item in file.objects if isinstance(item, pikepdf.Dictionary) and "/FontName" in item]
        files = {"/FontFile", "/FontFile2", "/FontFile3"}
        return {str(item["/FontName"]).partition("+")[2]: bool(files & set(item.keys())) for item in found}


def _pictures(body: bytes) -> list[int]:
    """Widths of the pictures of dots."""
    with pikepdf.open(io.BytesIO(body)) as file:
        found = [item for item in file.objects if isinstance(item, pikepdf.Stream)]
        return [int(item.Width) for item in found if str(item.get("/Subtype")) == "/Image"]


def test_the_file_is_sound_tagged_and_archivable() -> None:
    with pikepdf.open(io.BytesIO(_sample_pdf())) as file:
        assert file.check_pdf_syntax() == []
        root: Any = file.Root
        assert bool(root.MarkInfo.Marked)
        assert root.StructTreeRoot.K is not None
        assert str(root.Lang).startswith("en")
        with file.open_metadata() as xmp:
            assert (xmp["pdfaid:part"], xmp["pdfaid:conformance"], xmp["pdfuaid:part"]) == ("3", "A", "1")
            assert xmp["dc:title"] == sample()["title"]
            assert xmp["xmp:CreateDate"].startswith("2025-07-02")
        assert str(file.docinfo["/Author"]) == "PRSM"
        assert metadata()["session_id"] in str(file.docinfo["/Keywords"])


def test_the_results_go_with_the_file() -> None:
    attached = export_json(ResultDocument.parse(sample()), metadata(), "s")
    with pikepdf.open(io.BytesIO(_sample_pdf())) as file:
        assert file.attachments["results.json"].get_file().read_bytes() == attached
        assert [str(item.AFRelationship) for item in file.Root.AF] == ["/Data"]
    with pikepdf.open(io.BytesIO(pdf(_report(), timestamp=0, attachment=b"1" * (MOST_ATTACHED + 1)))) as file:
        assert len(file.attachments) == 0


def test_all_fonts_are_within_the_file() -> None:
    source = sample() | {"summary": f"{_ARABIC} 光速是常数 빛 प्रकाश ความเร็ว 😀 ∑"}
    fonts = _fonts(pdf(_report(source), timestamp=0))
    assert {"NotoSansCJKkr-Regular", "NotoEmoji-Regular", "LibertinusSerif-Regular"} <= fonts.keys()
    assert len(fonts) > 7
    assert all(fonts.values())


def test_links_within_the_file_lead_to_its_pages() -> None:
    with pikepdf.open(io.BytesIO(_sample_pdf())) as file:
        pages = {page.objgen for page in file.pages}
        names = {str(name): target for name, target in pikepdf.NameTree(file.Root.Names.Dests).items()}
        targets = []
        for page in file.pages:
            links: Any = page.get("/Annots", [])
            for link in links:
                action: Any = link.get("/A", {})
                target = link.get("/Dest", action.get("/D"))
                if target is None:
                    assert str(action["/URI"]).startswith("http")
                    continue
                place: Any = target if isinstance(target, pikepdf.Array) else names[str(target)]
                place = place if isinstance(place, pikepdf.Array) else place["/D"]
                targets.append(place[0].objgen)
        assert len(targets) > 10
        assert set(targets) <= pages
        assert {"section-s1", "section-s2", "section-exhibits"} <= names.keys()


def test_chapters_are_bookmarks_with_their_numbers() -> None:
    outline = pypdf.PdfReader(io.BytesIO(_sample_pdf())).outline
    titles = [item.title for item in outline if not isinstance(item, list)]
    assert titles[:2] == ["Summary", "Key findings"]
    assert "1\u2002Why boiling depends on pressure" in titles
    assert "References" in titles


def _noted(*notes: Note, marks: tuple[int, ...]) -> Report:
    parts = [part for mark in marks for part in (Text(f"Statement {mark}. "), NoteRef(mark))]
    section = SectionBlock("section-x", "Marks", (Paragraph(tuple(parts)),))
    return replace(_report(), findings=(), sections=(section,), appendix=(), notes=notes)


def _note(number: int, quote: str) -> Note:
    return Note(number, f"note-{number}", (Ref("ref-k1", (Text("Marsh 2014"),)),), quote, "page 3")


def test_a_note_stands_once_at_the_foot_and_later_marks_repeat_its_number() -> None:
    report = _noted(_note(1, "First words."), _note(2, "Second words."), marks=(1, 2, 1))
    text = squeezed(pdf_text(pdf(report, timestamp=0)))
    for words in ("First words.", "Second words."):
        assert text.count(squeezed(f"Marsh 2014, page 3: “{words}”")) == 1
    assert text.count(squeezed("Statement 1.1")) == 2


def test_a_long_quote_begins_at_the_foot_and_is_whole_with_its_reference() -> None:
    quote = " ".join(f"word{index}" for index in range(400))
    text = squeezed(pdf_text(pdf(_noted(_note(1, quote), marks=(1,)), timestamp=0)))
    assert text.count("word5word6word7") == 2
    assert text.count("word398word399") == 1
    assert squeezed("in full: References") in text


def test_a_note_without_a_mark_is_not_lost() -> None:
    text = squeezed(pdf_text(pdf(_noted(_note(1, "Unmarked words."), marks=()), timestamp=0)))
    assert squeezed("“Unmarked words.”") in text


def test_formulas_are_set_and_said() -> None:
    formula = Math("y = x^2", "y = x^2", "y equals x squared")
    report = _noted(marks=())
    section = replace(report.sections[0], blocks=(Paragraph((Text("It is "), formula)),))
    body = pdf(replace(report, sections=(section,)), timestamp=0)
    assert {"𝑦", "𝑥"} <= set(pdf_text(body))
    with pikepdf.open(io.BytesIO(body)) as file:
        elements = [item for item in file.objects if isinstance(item, pikepdf.Dictionary)]
        assert [str(item.Alt) for item in elements if str(item.get("/S")) == "/Formula"] == ["y equals x squared"]


@pytest.mark.parametrize("words", [_ARABIC, "प्रकाश", "q\u0307\u0323", "c\u0328\u0301x", "\U0001f469\u200d\U0001f52c"])
def test_drawings_with_letters_that_join_are_drawn(words: str) -> None:
    source = sample()
    source["figures"][0]["spec"]["encoding"]["x"]["title"] = words
    assert max(_pictures(pdf(_report(source), timestamp=0))) > 1000


def test_drawings_of_other_letters_are_vectors() -> None:
    assert _pictures(_sample_pdf()) == []
    assert "Altitude (m)" in pdf_text(_sample_pdf())


@pytest.mark.parametrize(("columns", "across"), [(4, False), (30, True)])
def test_a_table_too_wide_for_the_page_is_turned(columns: int, across: bool) -> None:
    source = sample()
    header = [f"measure {index}" for index in range(columns)]
    source["tables"] = [
        {"id": "t", "title": "T", "columns": header, "rows": [[1234.5 * i for i in range(columns)]] * 3}
    ]
    pages = pypdf.PdfReader(io.BytesIO(pdf(_report(source), timestamp=0))).pages
    assert any(page.mediabox.width > page.mediabox.height for page in pages) is across


def test_han_letters_have_the_forms_of_the_language_around_them() -> None:
    source = sample() | {"summary": "光速は一定である\n\n光速是常数\n\n광속 光速"}
    names = _fonts(pdf(_report(source), timestamp=0))
    assert {name for name in names if "CJK" in name} == {
        f"NotoSansCJK{region}-Regular" for region in ("jp", "sc", "kr")
    }


def test_what_has_no_glyph_is_shown_by_its_code_point() -> None:
    text = pdf_text(pdf(_report(sample() | {"summary": "A letter: \U00013000 and words."}), timestamp=0))
    assert "13000" in text


@pytest.mark.parametrize(
    ("text", "broken"),
    [
        ("The sea is cold and the wind is from the north today.", False),
        ("Die Versicherungsgesellschaften veröffentlichen Geschäftsberichte.", True),
        ("It is said of floccinaucinihilipilification that it is long.", True),
        ("12 345 678", False),
    ],
)
def test_words_are_hyphenated_where_they_are_long(text: str, broken: bool) -> None:
    assert hyphenated(text) is broken


@pytest.mark.parametrize(
    ("columns", "cell", "size", "across"),
    [(5, "1234.5", 9.0, False), (8, "0f" * 12, 7.0, False), (9, "1234567.5", 8.0, False), (40, "123456", 6.0, True)],
)
def test_type_shrinks_before_the_page_is_turned(columns: int, cell: str, size: float, across: bool) -> None:
    names = tuple(Column(f"c{index}", True) for index in range(columns))
    table = TableBlock("t", "Table 1", "", names, ((cell,) * columns,), None)
    assert setting(table) == Setting(size, across)
