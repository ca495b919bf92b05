"""The package of a report in Word: what pandoc wrote of the text, in our own parts, with pictures and properties."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from urllib.parse import urlsplit

from lxml import etree

from services.results.rendering.composing.report import FigureBlock, Report
from services.results.rendering.packing import archives
from services.results.rendering.plain_text import shorten
from services.results.rendering.word import reference_docx
from services.results.rendering.word.text import east_asian_font, languages, mark_scripts, right_to_left
from services.results.rendering.word.xml import Element, R, q, serialize, w

PRODUCT = "PRSM"

_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006"
_LINK = f"{_OFFICE}/relationships/hyperlink"
_IMAGE = f"{_OFFICE}/relationships/image"
_DRAWING = "http://schemas.openxmlformats.org/drawingml/2006"
_CORE = "http://schemas.openxmlformats.org/package/2006/metadata/core-properties"
_DC, _TERMS = "http://purl.org/dc/elements/1.1/", "http://purl.org/dc/terms/"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_PROPERTIES = f"{_OFFICE}/extended-properties"

_PIXEL = 9525
"""English metric units to a CSS pixel."""

_RUNNING_TITLE = 60

Relation = tuple[str, str, str, bool]


def pack(
    report: Report,
    body: Element,
    notes: Element,
    links: dict[str, str],
    pictures: list[bytes],
    *,
    text: str,
    timestamp: int,
) -> bytes:
    """The finished file. Equal arguments give equal bytes.

    :param links: addresses of hyperlinks by the ids of their relationships.
    :param text: all text of the report: which scripts it holds decides on fonts.
    :param timestamp: when it was made, in seconds since 1970.
    """
    named = languages(report.language, text)
    right = right_to_left(report.language)
    media = [
        (f"rPrsmPicture{place}", _IMAGE, f"media/picture{place}.png", False) for place in range(1, len(pictures) + 1)
    ]
    margins = reference_docx.margins(shorten(report.title, _RUNNING_TITLE), report.kind, heading=True)
    for part in margins.values():
        mark_scripts(part, right=right)
    parts = dict(reference_docx.parts())
    parts |= {
        "docProps/core.xml": _core(report, timestamp),
        "docProps/app.xml": _application(),
        "word/document.xml": serialize(body),
        "word/_rels/document.xml.rels": reference_docx.relationships(
            [*reference_docx.own_relationships(), *media, *_links(body, links)]
        ),
        "word/footnotes.xml": serialize(notes),
        "word/styles.xml": _in_languages("word/styles.xml", tuple(named.items())),
        "word/settings.xml": _in_languages("word/settings.xml", tuple(named.items())),
        **{f"word/{name}.xml": serialize(part) for name, part in margins.items()},
    }
    if used := _links(notes, links):
        parts["word/_rels/footnotes.xml.rels"] = reference_docx.relationships(used)
    for place, picture in enumerate(pictures, start=1):
        parts[f"word/media/picture{place}.png"] = picture
    return archives.pack(parts)


def picture(figure: FigureBlock, size: tuple[float, float], number: int) -> Element:
    """The run of a drawing in the line, with what it shows in words.

    :param size: width and height in CSS pixels.
    """
    extent = {"cx": str(round(size[0] * _PIXEL)), "cy": str(round(size[1] * _PIXEL))}
    wp, a, pic = (f"{{{_DRAWING}/{name}}}" for name in ("wordprocessingDrawing", "main", "picture"))
    inline = etree.Element(
        f"{wp}inline",
        nsmap={"wp": wp[1:-1], "a": a[1:-1], "pic": pic[1:-1], "r": R},
        attrib={"distT": "0", "distB": "0", "distL": "0", "distR": "0"},
    )
    words = {"name": figure.label or f"Picture {number}", "descr": figure.alt}
    etree.SubElement(inline, f"{wp}extent", extent)
    etree.SubElement(inline, f"{wp}docPr", {"id": str(number), **words})
    locks = etree.SubElement(inline, f"{wp}cNvGraphicFramePr")
    etree.SubElement(locks, f"{a}graphicFrameLocks", noChangeAspect="1")
    data = etree.SubElement(etree.SubElement(inline, f"{a}graphic"), f"{a}graphicData", uri=pic[1:-1])
    shown = etree.SubElement(data, f"{pic}pic")
    about = etree.SubElement(shown, f"{pic}nvPicPr")
    etree.SubElement(about, f"{pic}cNvPr", {"id": str(number), **words})
    etree.SubElement(about, f"{pic}cNvPicPr")
    fill = etree.SubElement(shown, f"{pic}blipFill")
    etree.SubElement(fill, f"{a}blip").set(f"{{{R}}}embed", f"rPrsmPicture{number}")
    etree.SubElement(etree.SubElement(fill, f"{a}stretch"), f"{a}fillRect")
    shape = etree.SubElement(shown, f"{pic}spPr")
    frame = etree.SubElement(shape, f"{a}xfrm")
    etree.SubElement(frame, f"{a}off", x="0", y="0")
    etree.SubElement(frame, f"{a}ext", extent)
    geometry = etree.SubElement(shape, f"{a}prstGeom", prst="rect")
    etree.SubElement(geometry, f"{a}avLst")
    return w("r", w("drawing", inline))


def _links(part: Element, links: dict[str, str]) -> list[Relation]:
    """The relationships of the links in a part: to places of the web, and to nothing else."""
    name = f"{{{R}}}id"
    used = dict.fromkeys(id for link in part.iter(q("hyperlink")) if (id := link.get(name)) is not None)
    for id in used:
        if urlsplit(links[id]).scheme.lower() not in ("http", "https"):
            raise ValueError("a link leads elsewhere than to the web")
    return [(id, _LINK, links[id], True) for id in used]


@cache
def _in_languages(name: str, named: tuple[tuple[str, str], ...]) -> bytes:
    """A part of the reference document for these languages and their fonts."""
    root = etree.fromstring(reference_docx.parts()[name])
    for element in root.iter(q("lang"), q("themeFontLang")):
        for key, value in named:
            element.set(q(key), value)
    for fonts in root.iterfind(f"{q('docDefaults')}//{q('rFonts')}"):
        fonts.set(q("eastAsia"), east_asian_font(dict(named)["eastAsia"]))
    return serialize(root)


def _core(report: Report, timestamp: int) -> bytes:
    names = {"cp": _CORE, "dc": _DC, "dcterms": _TERMS, "xsi": _XSI}
    root = etree.Element(f"{{{_CORE}}}coreProperties", nsmap=names)
    etree.SubElement(root, f"{{{_DC}}}title").text = report.title
    if report.question:
        etree.SubElement(root, f"{{{_DC}}}subject").text = report.question
    etree.SubElement(root, f"{{{_DC}}}creator").text = PRODUCT
    if report.session_id:
        etree.SubElement(root, f"{{{_DC}}}identifier").text = report.session_id
    etree.SubElement(root, f"{{{_DC}}}language").text = report.worded_in
    etree.SubElement(root, f"{{{_CORE}}}category").text = report.kind
    if timestamp:
        moment = datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        for name in ("created", "modified"):
            made = etree.SubElement(root, f"{{{_TERMS}}}{name}")
            made.text = moment
            made.set(f"{{{_XSI}}}type", "dcterms:W3CDTF")
    return serialize(root)


def _application() -> bytes:
    root = etree.Element(f"{{{_PROPERTIES}}}Properties", nsmap={None: _PROPERTIES})
    etree.SubElement(root, f"{{{_PROPERTIES}}}Application").text = PRODUCT
    return serialize(root)
