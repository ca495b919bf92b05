"""What the files of the golden reports are made of: of a PDF pages, bookmarks, tags, links and fonts; of a Word
document headings, captions, notes, tables, links and pictures; Markdown as it is. Read with real readers."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import docx
import pikepdf
import pypdf
from docx.oxml.ns import qn
from lxml import etree

from services.results.rendering.composing.report import Report
from services.results.rendering.markdown.writer import markdown
from services.results.rendering.pdf.writer import pdf
from services.results.rendering.word.writer import docx as word
from tests.unit.rendering.word_schema import Package

_MOMENT = 1_751_452_300
_WORDS = 60
_HEADINGS = ("Title", "Heading ")
_CAPTIONS = ("Table Caption", "Image Caption")
_OWN_NOTES = ("separator", "continuationSeparator")

JSON = dict[str, Any]


def files(report: Report, style: str) -> dict[str, str]:
    """What is kept of the files of a report in a citation style, by ending."""
    written = {
        "pdf": pdf_structure(pdf(report, timestamp=_MOMENT)),
        "docx": docx_structure(word(report, timestamp=_MOMENT)),
    }
    return {
        "files.json": json.dumps(written, ensure_ascii=False, indent=1) + "\n",
        "markdown": markdown(report, archived=True, citation_style=style),
    }


def pdf_structure(body: bytes) -> JSON:
    """The build of a PDF.

    :raises AssertionError: its syntax is faulty, a font is not embedded, or a link within it leads nowhere.
    """
    reader = pypdf.PdfReader(io.BytesIO(body))
    with pikepdf.open(io.BytesIO(body)) as file:
        assert file.check_pdf_syntax() == []
        root: Any = file.Root
        pages: dict[Any, int] = {page.objgen: number for number, page in enumerate(file.pages, start=1)}
        names = root.get("/Names", {}).get("/Dests")
        named = {} if names is None else {str(name): place for name, place in pikepdf.NameTree(names).items()}
        inside: Counter[str] = Counter()
        outside = set()
        for number, page in enumerate(file.pages, start=1):
            annotations: Any = page.get("/Annots", [])
            for link in annotations:
                action: Any = link.get("/A", {})
                target = link.get("/Dest", action.get("/D"))
                if target is None:
                    outside.add(str(action["/URI"]))
                    continue
                place = target if isinstance(target, pikepdf.Array) else named[str(target)]
                place = place if isinstance(place, pikepdf.Array) else place["/D"]
                inside[f"{number} → {pages[place[0].objgen]}"] += 1
        fonts = [item for item in file.objects if isinstance(item, pikepdf.Dictionary) and "/FontName" in item]
        assert all({"/FontFile", "/FontFile2", "/FontFile3"} & set(item.keys()) for item in fonts)
        with file.open_metadata() as xmp:
            claims = {key: str(xmp[key]) for key in ("pdfaid:part", "pdfaid:conformance", "pdfuaid:part") if key in xmp}
        return {
            "claims": claims,
            "language": str(root.Lang),
            "pages": len(pages),
            "bookmarks": list(_bookmarks(reader, reader.outline)),
            "named": sorted(named),
            "links": dict(inside),
            "addresses": sorted(outside),
            "tags": dict(sorted(_tags(root.StructTreeRoot).items())),
            "fonts": sorted({str(item["/FontName"]).partition("+")[2] for item in fonts}),
        }


def docx_structure(body: bytes) -> JSON:
    """The build of a Word document.

    :raises AssertionError: its parts are not what Word insists on, or a link within it leads nowhere.
    """
    assert Package(body).faults() == []
    document = docx.Document(io.BytesIO(body))
    root = document.element.body
    styled = [(paragraph.style.name or "", paragraph.text) for paragraph in document.paragraphs if paragraph.style]
    marks = {mark.get(qn("w:name")) for mark in root.iter(qn("w:bookmarkStart"))}
    inside = {link.get(qn("w:anchor")) for link in root.iter(qn("w:hyperlink"))} - {None}
    assert inside <= marks, f"links that lead nowhere: {inside - marks}"
    relations = document.part.rels.values()
    notes = [etree.fromstring(item.target_part.blob) for item in relations if item.reltype.endswith("/footnotes")]
    return {
        "headings": [[name, text] for name, text in styled if name.startswith(_HEADINGS)],
        "captions": [text for name, text in styled if name in _CAPTIONS],
        "tables": [[len(table.rows), len(table.columns)] for table in document.tables],
        "notes": [
            _text(note)[:_WORDS]
            for part in notes
            for note in part.iter(qn("w:footnote"))
            if note.get(qn("w:type")) not in _OWN_NOTES
        ],
        "links": sorted(inside),
        "addresses": sorted({item.target_ref for item in relations if item.is_external}),
        "pictures": [item.get("descr") for item in root.iter(qn("wp:docPr"))],
        "formulas": len(list(root.iter("{http://schemas.openxmlformats.org/officeDocument/2006/math}oMath"))),
        "fields": dict(sorted(Counter((item.text or "").split()[0] for item in root.iter(qn("w:instrText"))).items())),
    }


def _bookmarks(reader: pypdf.PdfReader, items: Any, level: int = 1) -> Iterator[str]:
    """Each with its level and the page that it leads to."""
    for item in items:
        if isinstance(item, list):
            yield from _bookmarks(reader, item, level + 1)
        else:
            page = reader.get_destination_page_number(item)
            assert page is not None
            yield f"{level} {item.title} ({page + 1})"


def _tags(root: Any) -> Counter[str]:
    found: Counter[str] = Counter()
    stack: list[Any] = [root.K]
    while stack:
        item = stack.pop()
        if isinstance(item, pikepdf.Array):
            stack.extend(item)
        elif isinstance(item, pikepdf.Dictionary) and "/S" in item:
            name = str(item.S)[1:]
            found[name] += 1
            if name in ("Figure", "Formula"):
                assert str(item.get("/Alt", "")), f"a {name} that is not said in words"
            if name == "TH":
                assert "/Scope" in str(item.get("/A")), "a header that says not of what"
            stack.append(item.get("/K"))
    return found


def _text(element: Any) -> str:
    return "".join(part.text or "" for part in element.iter(qn("w:t"))).strip()
