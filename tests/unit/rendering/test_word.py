"""The Word document as an office program takes it: read with python-docx and lxml, held against the schema."""

from __future__ import annotations

import dataclasses
import io

import docx as python_docx
import pytest

from services.results.rendering.composing.report import (
    Column,
    Finding,
    Note,
    NoteRef,
    Pairs,
    SectionBlock,
    TableBlock,
    Text,
)
from services.results.rendering.word import reference_docx
from services.results.rendering.word.writer import docx
from tests.unit.rendering.payloads import PAYLOADS
from tests.unit.rendering.word_report import (
    MOMENT,
    figure,
    get,
    package_of,
    paragraph,
    report,
    text_of,
    with_text,
)
from tests.unit.rendering.word_schema import Package, R, W

_M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"


@pytest.fixture(scope="module")
def package() -> Package:
    return package_of()


def test_word_finds_no_fault_with_it(package: Package) -> None:
    assert package.faults() == []


def test_word_finds_no_fault_with_the_reference_document() -> None:
    assert Package(reference_docx.build()).faults() == []


def test_the_same_report_gives_the_same_bytes() -> None:
    assert docx(report(), timestamp=MOMENT) == docx(report(), timestamp=MOMENT)


def test_headings_are_numbered_by_their_styles_and_only_in_the_body(package: Package) -> None:
    numbers = {
        text_of(p): get(p, "pPr/numPr/numId") for style in ("Heading1", "Heading2") for p in package.paragraphs(style)
    }
    plain = {"Summary", "Key findings", "References", "About this run"}
    assert numbers == dict.fromkeys(plain, "0") | dict.fromkeys(("Why it boils", "A formula", "What shows it"))
    styles = {style.get(f"{W}styleId"): style for style in package.parts["word/styles.xml"].iter(f"{W}style")}
    assert [get(styles[name], "pPr/numPr/numId") for name in ("Heading1", "Heading2", "Heading3")] == ["1", "1", None]
    levels = package.parts["word/numbering.xml"].find(f"{W}abstractNum").findall(f"{W}lvl")
    assert [(get(level, "pStyle"), get(level, "lvlText")) for level in levels] == [
        ("Heading1", "%1"),
        ("Heading2", "%1.%2"),
    ]


def test_captions_are_counted_by_fields_and_named_by_bookmarks(package: Package) -> None:
    counted = [words for words in package.fields() if words[0] == "SEQ"]
    assert [words[:2] for words in counted] == [["SEQ", "Figure"]] * 3 + [["SEQ", "Table"]] * 2
    captions = [*package.paragraphs("ImageCaption"), *package.paragraphs("TableCaption")]
    assert [text_of(p) for p in captions][::3] == ["Figure 1. A fall", "Table 1. How it boils"]
    first = [mark.get(f"{W}name") for mark in captions[0].iter(f"{W}bookmarkStart")]
    assert first[0] == "figure-1"
    assert "\\r" not in [word for words in counted for word in words]


def test_a_caption_out_of_its_turn_keeps_its_number() -> None:
    section = SectionBlock("section-1", "One", (figure(4, 40, 40),))
    package = package_of(sections=(section,), findings=())
    assert ["SEQ", "Figure", "\\*", "ARABIC", "\\r", "4"] in package.fields()


def test_references_to_exhibits_follow_their_numbers(package: Package) -> None:
    bookmarks = {
        mark.get(f"{W}name"): text_of(p)
        for style in ("ImageCaption", "TableCaption")
        for p in package.paragraphs(style)
        for mark in p.iter(f"{W}bookmarkStart")
    }
    targets = [words[1] for words in package.fields() if words[0] == "REF"]
    assert [bookmarks[target].partition(".")[0] for target in targets] == ["Figure 2", "Table 1"]


def test_numbers_of_references_stand_before_their_indent(package: Package) -> None:
    (reference,) = package.paragraphs("Bibliography")
    assert [child.tag.removeprefix(W) for run in reference.findall(f"{W}r")[:2] for child in run] == ["t", "tab"]


def test_a_passage_has_one_footnote_and_later_marks_repeat_its_number(package: Package) -> None:
    marks = list(package.document.iter(f"{W}footnoteReference"))
    notes = {note.get(f"{W}id"): note for note in package.notes.iter(f"{W}footnote")}
    shown = [text_of(notes[mark.get(f"{W}id")]) for mark in marks]
    assert [text.strip() for text in shown] == [
        "Doe 2001, page 3: “Water boils indeed”",
        "there, page 4; word for word",
    ]
    assert {get(p, "pPr/pStyle") for mark in marks for p in notes[mark.get(f"{W}id")].iter(f"{W}p")} == {"FootnoteText"}
    again = [words for words in package.fields() if words[0] == "NOTEREF"]
    assert again == [["NOTEREF", "_RefNote1", "\\f", "\\h"]]
    assert text_of(with_text(package, "As said")) == "As said1"


def test_formulas_are_equations(package: Package) -> None:
    (formula,) = package.document.iter(f"{_M}oMath")
    assert [element.tag.removeprefix(_M) for element in formula] == ["acc", "r", "r", "r", "f"]


def test_links_lead_to_the_web_and_to_bookmarks(package: Package) -> None:
    outside = {item.get("Target") for root in (package.parts["word/_rels/document.xml.rels"],) for item in root
               if item.get("TargetMode")}  # fmt: skip
    assert outside == {"https://example.org/a?b=1&c=2"}
    names = {mark.get(f"{W}name") for mark in package.document.iter(f"{W}bookmarkStart")}
    anchors = {"section-1", "claim-1", "finding-1", "ref-1", "figure-2", "table-1", "note-1", "section-run"}
    assert anchors <= names
    assert {link.get(f"{W}anchor") for link in package.notes.iter(f"{W}hyperlink")} == {"ref-1", None}


def test_a_long_report_has_contents_and_a_short_one_none(package: Package) -> None:
    assert not list(package.document.iter(f"{W}sdt"))
    much = tuple(paragraph(Text("Much to say about it. " * 100)) for _ in range(10))
    whole = report()
    long = package_of(sections=(dataclasses.replace(whole.sections[0], blocks=much), *whole.sections[1:]))
    (contents,) = long.document.iter(f"{W}sdt")
    entries = [text_of(p) for p in contents.iter(f"{W}p")]
    assert entries == [
        "Contents", "Summary", "Key findings", "1Why it boils", "2What shows it", "References", "About this run"
    ]  # fmt: skip
    assert ["TOC", "\\o", '"1-2"', "\\h", "\\z"] in long.fields()
    assert text_of(long.paragraphs("Heading1")[0]) == "Summary"
    body = list(long.document[0])
    assert body.index(contents) > body.index(long.paragraphs("Heading1")[0])
    assert long.faults() == []


def test_nothing_asks_when_it_is_opened(package: Package) -> None:
    settings = package.parts["word/settings.xml"]
    assert settings.find(f"{W}updateFields") is None
    assert not [mark for root in package.parts.values() for mark in root.iter(f"{W}fldChar") if mark.get(f"{W}dirty")]
    mode = {item.get(f"{W}name"): item.get(f"{W}val") for item in settings.iter(f"{W}compatSetting")}
    assert mode["compatibilityMode"] == "15"


def test_pages_have_running_heads_and_numbers(package: Package) -> None:
    head, foot = package.parts["word/header1.xml"], package.parts["word/footer1.xml"]
    assert text_of(head).startswith("How water boils")
    assert [code.text.split() for code in head.iter(f"{W}instrText")] == [["STYLEREF", "1"]]
    assert text_of(foot) == "Research report1 / 1"
    assert [code.text.split() for code in foot.iter(f"{W}instrText")] == [["PAGE"], ["NUMPAGES"]]
    first = next(package.document.iter(f"{W}sectPr"))
    assert first.find(f"{W}titlePg") is not None
    assert [item.get(f"{W}type") for item in first.iter(f"{W}footerReference")] == ["default", "first"]


def test_properties_say_what_it_is() -> None:
    written = python_docx.Document(io.BytesIO(docx(report(), timestamp=MOMENT))).core_properties
    assert (written.title, written.author, written.language) == ("How water boils", "PRSM", "en")
    assert (written.subject, written.identifier) == ("Why does it boil?", "01981f2e")
    assert written.created.isoformat() == "2025-07-02T10:31:40+00:00"


def test_a_report_without_a_date_claims_none() -> None:
    package = Package(docx(report(date=None), timestamp=0))
    assert b"created" not in package.files["docProps/core.xml"]


def test_hostile_text_stays_text() -> None:
    hostile = " ".join(PAYLOADS).translate(dict.fromkeys(range(32), " ") | {0xFFFE: " ", 0xFFFF: " "})
    table = TableBlock("table-1", "Table 1", hostile, (Column(hostile, False),), ((hostile,),), hostile)
    drawn = dataclasses.replace(figure(1, 40, 40), alt=hostile, caption=hostile)
    section = SectionBlock("section-1", hostile, (paragraph(Text(hostile)), table, drawn, Pairs(((hostile, hostile),))))
    note = Note(1, "note-1", (Text(hostile),), hostile, hostile)
    finding = Finding("finding-1", (Text(hostile), NoteRef(1)), hostile, (Text(hostile),), None, ())
    package = package_of(title=hostile, question=hostile, sections=(section,), notes=(note,), findings=(finding,))
    assert package.faults() == []
    assert {words[0] for words in package.fields()} <= {"SEQ", "REF", "TOC", "PAGEREF", "STYLEREF", "PAGE", "NUMPAGES"}
    outside = [item.get("Target") for name, root in package.parts.items() if name.endswith(".rels") for item in root
               if item.get("TargetMode") == "External"]  # fmt: skip
    assert outside == ["https://example.org/a?b=1&c=2"]
    assert not {name for name in package.files if name.endswith((".bin", ".vml", ".html"))}
    elements = [element for root in package.parts.values() for element in root.iter("*")]
    assert {key for element in elements for key in element.attrib if R in key} == {f"{R}id", f"{R}embed"}
