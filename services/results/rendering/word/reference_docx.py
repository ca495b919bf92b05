"""The reference document: the styles, lists, page, header and footer that every report in Word is given."""

from __future__ import annotations

import copy
from functools import cache

from lxml import etree

from services.results.rendering.packing import archives
from services.results.rendering.word.styles import ACCENT, BULLETS, FINDINGS, HEADING_NUMBERS, styles, twips
from services.results.rendering.word.xml import Element, R, field, run, serialize, w

PAGE_MILLIMETRES = (210.0, 297.0)
SIDE_MILLIMETRES = 26.0
TEXT_WIDTH = twips(PAGE_MILLIMETRES[0] - 2 * SIDE_MILLIMETRES)
"""Width of the text block in twentieths of a point."""

LANDSCAPE_WIDTH = twips(PAGE_MILLIMETRES[1] - 2 * SIDE_MILLIMETRES)

_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_MATH = f"{_OFFICE}/math"
_WORD_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml"

RELATIONS = {"styles": "styles", "numbering": "numbering", "settings": "settings", "footnotes": "footnotes",
             "header": "header1", "footer": "footer1"}  # fmt: skip
"""Parts of the document, by the kind of their relationship. Its id is `rPrsm` and the kind."""

TURNED = {"header": "header2", "footer": "footer2"}
"""Those of pages on their side, where the right margin is elsewhere. The id is `rPrsmTurned` and the kind."""


@cache
def build() -> bytes:
    """The reference document as a package of its own; always the same bytes."""
    return archives.pack(parts())


@cache
def parts() -> dict[str, bytes]:
    """The parts of the reference document by their names, with a document that is empty."""
    body = w("document", w("body", w("p"), section(landscape=False, first=True)))
    notes = w("footnotes", *(_note(kind, id) for id, kind in ((-1, "separator"), (0, "continuationSeparator"))))
    return {
        "[Content_Types].xml": _content_types(),
        "_rels/.rels": relationships(
            [
                ("rId1", f"{_OFFICE}/relationships/officeDocument", "word/document.xml", False),
                ("rId2", f"{_PACKAGE}/relationships/metadata/core-properties", "docProps/core.xml", False),
                ("rId3", f"{_OFFICE}/relationships/extended-properties", "docProps/app.xml", False),
            ]
        ),
        "word/document.xml": serialize(body),
        "word/_rels/document.xml.rels": relationships(own_relationships()),
        "word/styles.xml": serialize(styles(TEXT_WIDTH)),
        "word/numbering.xml": serialize(_numbering()),
        "word/settings.xml": serialize(_settings()),
        "word/footnotes.xml": serialize(notes),
        **{f"word/{name}.xml": serialize(part) for name, part in margins("", "", heading=False).items()},
        "docProps/core.xml": serialize(etree.Element(f"{{{_PACKAGE}/metadata/core-properties}}coreProperties")),
        "docProps/app.xml": serialize(etree.Element(f"{{{_OFFICE}/extended-properties}}Properties")),
    }


def own_relationships() -> list[tuple[str, str, str, bool]]:
    """Id, type, target and whether it lies outside, of the parts that each document has."""
    return [
        (f"rPrsm{turned}{kind}", f"{_OFFICE}/relationships/{kind}", f"{name}.xml", False)
        for turned, names in (("", RELATIONS), ("Turned", TURNED))
        for kind, name in names.items()
    ]


def relationships(items: list[tuple[str, str, str, bool]]) -> bytes:
    """A part with relationships."""
    root = etree.Element(f"{{{_PACKAGE}/relationships}}Relationships", nsmap={None: f"{_PACKAGE}/relationships"})
    for id, kind, target, external in items:
        item = etree.SubElement(root, f"{{{_PACKAGE}/relationships}}Relationship", Id=id, Type=kind, Target=target)
        if external:
            item.set("TargetMode", "External")
    return serialize(root)


def section(*, landscape: bool, first: bool) -> Element:
    """The properties of a section. The first page has no running head."""
    width, height = (twips(side) for side in (reversed(PAGE_MILLIMETRES) if landscape else PAGE_MILLIMETRES))
    turned, which = ({"orient": "landscape"}, "Turned") if landscape else ({}, "")
    side, top = twips(SIDE_MILLIMETRES), twips(27)
    margins = w("pgMar", top=top, right=side, bottom=top, left=side, header=twips(13), footer=twips(13), gutter=0)
    made = w("sectPr", w("pgSz", w=width, h=height, **turned), margins)
    kinds = [("header", "default"), ("footer", "default"), *([("footer", "first")] if first else [])]
    for index, (name, kind) in enumerate(kinds):
        reference = w(f"{name}Reference", type=kind)
        reference.set(f"{{{R}}}id", f"rPrsm{which}{name}")
        made.insert(index, reference)
    if first:
        made.append(w("titlePg"))
    return made


def margins(title: str, kind: str, *, heading: bool) -> dict[str, Element]:
    """What stands above and below the text, by the parts' names: for upright pages and for those on their side."""
    made = {}
    for names, stops in ((RELATIONS, []), (TURNED, [_stops()])):
        made[names["header"]] = _running_head(title, stops, heading=heading)
        made[names["footer"]] = _foot(kind, stops)
    return made


def _running_head(title: str, stops: list[Element], *, heading: bool) -> Element:
    """The title on one side and, with `heading`, the chapter on the other."""
    chapter = [_to_the_right(), *field("STYLEREF 1", "", w("i"), w("iCs"))] if heading else []
    border = w("pBdr", w("bottom", val="single", sz=4, space=4, color="B8C0C6"))
    settings = w("pPr", w("pStyle", val="Header"), border, *copy.deepcopy(stops))
    return w("hdr", w("p", settings, run(title), *chapter))


def _foot(kind: str, stops: list[Element]) -> Element:
    """The kind of report, and the page of how many."""
    pages = [*field("PAGE", "1"), run(" / "), *field("NUMPAGES", "1")]
    settings = w("pPr", w("pStyle", val="Footer"), *copy.deepcopy(stops))
    return w("ftr", w("p", settings, run(kind), _to_the_right(), *pages))


def _stops() -> Element:
    """In place of the stop that the styles have at the right margin of an upright page."""
    return w("tabs", w("tab", val="clear", pos=TEXT_WIDTH), w("tab", val="right", pos=LANDSCAPE_WIDTH))


def _to_the_right() -> Element:
    # Bound to the margin, not to a place: it holds where somebody changes the margins. An office program that does not
    # know this kind of tab goes to the next stop.
    return w("r", w("ptab", relativeTo="margin", alignment="right", leader="none"))


def _note(kind: str, id: int) -> Element:
    return w("footnote", w("p", w("pPr", w("spacing", after=0)), w("r", w(kind))), type=kind, id=id)


def _level(level: int, text: str, format: str, left: int, *look: Element, style: str | None) -> Element:
    return w(
        "lvl", w("start", val=1), w("numFmt", val=format), *([w("pStyle", val=style)] if style else []),
        w("lvlText", val=text), w("lvlJc", val="left"), w("pPr", w("ind", left=left, hanging=left)),
        *([w("rPr", *look)] if look else []), ilvl=level,
    )  # fmt: skip


def _numbering() -> Element:
    bold = w("b"), w("bCs"), w("color", val=ACCENT)
    lists = {
        HEADING_NUMBERS: [
            _level(0, "%1", "decimal", 454, style="Heading1"),
            _level(1, "%1.%2", "decimal", 624, style="Heading2"),
        ],
        BULLETS: [_level(0, "•", "bullet", twips(6), style="ListBullet")],
        FINDINGS: [_level(0, "%1", "decimal", twips(8), *bold, style="Finding")],
    }
    root = w("numbering")
    for number, levels in lists.items():
        kind = w("multiLevelType", val="multilevel" if len(levels) > 1 else "singleLevel")
        root.append(w("abstractNum", w("nsid", val=f"5C0D00{number:02X}"), kind, *levels, abstractNumId=number))
    for number in lists:
        root.append(w("num", w("abstractNumId", val=number), numId=number))
    return root


def _settings() -> Element:
    compatible = [
        w("compatSetting", name=name, uri="http://schemas.microsoft.com/office/word", val=value)
        for name, value in (
            ("compatibilityMode", 15),
            ("overrideTableStyleFontSizeAndJustification", 1),
            ("enableOpenTypeFeatures", 1),
            ("doNotFlipMirrorIndents", 1),
            ("differentiateMultirowTableHeaders", 1),
        )
    ]
    math = etree.Element(f"{{{_MATH}}}mathPr", nsmap={"m": _MATH})
    etree.SubElement(math, f"{{{_MATH}}}mathFont").set(f"{{{_MATH}}}val", "Cambria Math")
    return w(
        "settings",
        w("zoom", percent=100),
        w("defaultTabStop", val=720),
        w("characterSpacingControl", val="doNotCompress"),
        w("footnotePr", w("footnote", id=-1), w("footnote", id=0)),
        w("compat", *compatible),
        math,
        w("themeFontLang", val="en", eastAsia="zh-CN", bidi="ar-SA"),
        w("decimalSymbol", val="."),
        w("listSeparator", val=","),
    )


def _content_types() -> bytes:
    namespace = f"{_PACKAGE}/content-types"
    root = etree.Element(f"{{{namespace}}}Types", nsmap={None: namespace})
    defaults = {"rels": "application/vnd.openxmlformats-package.relationships+xml", "xml": "application/xml",
                "png": "image/png"}  # fmt: skip
    for extension, kind in defaults.items():
        etree.SubElement(root, f"{{{namespace}}}Default", Extension=extension, ContentType=kind)
    named = (*RELATIONS.items(), *TURNED.items())
    overrides = {f"/word/{name}.xml": f"{_WORD_TYPE}.{kind}+xml" for kind, name in named}
    overrides["/word/document.xml"] = f"{_WORD_TYPE}.document.main+xml"
    overrides["/docProps/core.xml"] = "application/vnd.openxmlformats-package.core-properties+xml"
    overrides["/docProps/app.xml"] = "application/vnd.openxmlformats-officedocument.extended-properties+xml"
    for name, kind in overrides.items():
        etree.SubElement(root, f"{{{namespace}}}Override", PartName=name, ContentType=kind)
    return serialize(root)
