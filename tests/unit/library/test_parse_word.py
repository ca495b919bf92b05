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
