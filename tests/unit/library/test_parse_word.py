from __future__ import annotations

import io
import zipfile

import docx
import pytest
from docx.document import Document
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from services.library.errors import DocumentUnreadable, UnreadableCause
from services.library.parsing.document import ParsedDocument, ParseLimits
from services.library.parsing.parse import parse


def saved(document: Document) -> bytes:
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def read(data: bytes, limits: ParseLimits | None = None) -> ParsedDocument:
    return parse(data, "report_final.docx", "", limits or ParseLimits())


def cause(data: bytes, limits: ParseLimits | None = None) -> UnreadableCause:
    with pytest.raises(DocumentUnreadable) as raised:
        read(data, limits)
    return raised.value.cause


def rewritten(data: bytes, name: str, content: bytes) -> bytes:
    """The container with one member in other words."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.namelist():
            new.writestr(member, content if member == name else old.read(member))
    return out.getvalue()


def test_paragraphs_lists_and_tables_stand_in_document_order() -> None:
    document = docx.Document()
    document.add_heading("The Hedge", 0)
    document.add_paragraph("Hedges hold soil.")
    for item in ("Hazel", "Thorn"):
        document.add_paragraph(item, style="List Bullet")
    table = document.add_table(rows=2, cols=2)
    for row, cells in zip(table.rows, (("species", "height"), ("hazel", "4 m")), strict=True):
        for cell, text in zip(row.cells, cells, strict=True):
            cell.text = text
    document.add_paragraph("The end.")
    document.core_properties.author = "Rosa Field"
    parsed = read(saved(document))
    assert parsed.text == ("The Hedge\n\nHedges hold soil.\n\nHazel\nThorn\n\nspecies\theight\nhazel\t4 m\n\nThe end.")
    assert parsed.title == "The Hedge"
    assert parsed.authors == ("Rosa Field",)
    assert parsed.pages == ()


def test_without_a_heading_the_file_names_the_document() -> None:
    document = docx.Document()
    document.add_paragraph("Only words.")
    document.core_properties.author = "Office User"
    parsed = read(saved(document))
    assert parsed.title == "report final"
    assert parsed.authors == ()


def test_inserted_text_counts_and_deleted_does_not() -> None:
    document = docx.Document()
    paragraph = document.add_paragraph("Rain ")
    for tag, inner in (("ins", "w:t"), ("del", "w:delText")):
        paragraph._p.append(parse_xml(f"<w:{tag} {nsdecls('w')}><w:r><{inner}>{tag}erted</{inner}></w:r></w:{tag}>"))
    assert read(saved(document)).text == "Rain inserted"


def test_equations_tabs_and_breaks_are_kept() -> None:
    document = docx.Document()
    paragraph = document.add_paragraph("area\tis")
    paragraph.add_run().add_break()
    paragraph._p.append(parse_xml(f"<m:oMath {nsdecls('m')}><m:r><m:t>A=a·b</m:t></m:r></m:oMath>"))
    assert read(saved(document)).text == "area\tis\nA=a·b"


def test_an_empty_document_has_no_text() -> None:
    assert cause(saved(docx.Document())) is UnreadableCause.NO_TEXT


def test_damage_and_hostile_content() -> None:
    document = docx.Document()
    document.add_paragraph("words")
    data = saved(document)
    assert cause(data[: len(data) // 2]) is UnreadableCause.CORRUPT
    begin = data.index(b"word/document.xml") + 40
    assert cause(data[:begin] + bytes(200) + data[begin + 200 :]) is UnreadableCause.CORRUPT
    assert cause(rewritten(data, "word/document.xml", b"<w:document")) is UnreadableCause.CORRUPT
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    bomb = f'<!DOCTYPE d [<!ENTITY e0 "ha">{entities}]><w:document {nsdecls("w")}><w:body><w:p><w:r><w:t>&e11;'
    bomb += "</w:t></w:r></w:p></w:body></w:document>"
    assert cause(rewritten(data, "word/document.xml", bomb.encode())) in {
        UnreadableCause.CORRUPT,
        UnreadableCause.NO_TEXT,
    }
    assert cause(data, ParseLimits(unpacked_bytes=10_000)) is UnreadableCause.DECOMPRESSION_LIMIT


def test_nesting_costs_no_stack() -> None:
    document = docx.Document()
    deep = f"<w:document {nsdecls('w')}><w:body>{'<w:sdt><w:sdtContent>' * 150}<w:p><w:r><w:t>deep</w:t></w:r></w:p>"
    deep += f"{'</w:sdtContent></w:sdt>' * 150}</w:body></w:document>"
    assert cause(rewritten(saved(document), "word/document.xml", deep.encode())) is UnreadableCause.CORRUPT


def test_tables_have_places_and_captions() -> None:
    document = docx.Document()
    document.add_paragraph("Table 1: heights", style="Caption")
    table = document.add_table(rows=2, cols=2)
    for cell, text in zip((cell for row in table.rows for cell in row.cells), ("a", "b", "1", "2"), strict=True):
        cell.text = text
    inner = table.cell(1, 1).add_table(rows=1, cols=2)
    inner.cell(0, 0).text, inner.cell(0, 1).text = "x", "y"
    framed = document.add_table(rows=1, cols=1)
    framed.cell(0, 0).text = "A framed note."
    parsed = read(saved(document))
    (place,) = parsed.tables
    assert parsed.text[place.start : place.end] == "a\tb\n1\t2 x y"
    assert (place.caption, place.rows, place.columns, place.page) == ("Table 1: heights", 2, 2, None)
    assert parsed.text.endswith("\n\nA framed note.")


@pytest.mark.parametrize(
    ("math", "expected"),
    [
        ("<m:f><m:num>{a}{b}</m:num><m:den>{b}</m:den></m:f>", "ab/b"),
        ("<m:sSup><m:e>{a}</m:e><m:sup>{plus}</m:sup></m:sSup>", "a^(a+b)"),
        ("<m:rad><m:deg/><m:e>{plus}</m:e></m:rad>", "√(a+b)"),
        ('<m:nary><m:naryPr><m:chr m:val="∑"/></m:naryPr><m:sub>{a}</m:sub><m:sup/><m:e>{b}</m:e></m:nary>', "∑_a b"),
        ('<m:d><m:dPr><m:begChr m:val="["/><m:endChr m:val="]"/></m:dPr><m:e>{a}</m:e></m:d>', "[a]"),
        ("<m:m><m:mr><m:e>{a}</m:e><m:e>{b}</m:e></m:mr><m:mr><m:e>{b}</m:e></m:mr></m:m>", "a, b; b"),
    ],
)
def test_formulae_read_as_a_line(math: str, expected: str) -> None:
    runs = {name: f"<m:r><m:t>{text}</m:t></m:r>" for name, text in (("a", "a"), ("b", "b"), ("plus", "a+b"))}
    document = docx.Document()
    paragraph = document.add_paragraph("")
    paragraph._p.append(parse_xml(f"<m:oMath {nsdecls('m')}>{math.format(**runs)}</m:oMath>"))
    assert read(saved(document)).text == expected
