"""WordprocessingML elements: made from values, and put where the schema wants them.

Word refuses a document whose properties stand in another order than the schema's, so nothing here appends blindly.
Orders: ISO/IEC 29500-1, 17.3.1.26 (pPr), 17.3.2.28 (rPr), 17.4.60 (tblPr), 17.4.70 (tcPr), 17.4.82 (trPr).
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from lxml import etree

W: Final = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
R: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
MATH: Final = "http://schemas.openxmlformats.org/officeDocument/2006/math"
SPACE: Final = "{http://www.w3.org/XML/1998/namespace}space"

Element: TypeAlias = Any
"""An element of lxml, which has no types."""

_SCHEMA = """
pPr: pStyle keepNext keepLines pageBreakBefore framePr widowControl numPr suppressLineNumbers pBdr shd tabs
 suppressAutoHyphens kinsoku wordWrap overflowPunct topLinePunct autoSpaceDE autoSpaceDN bidi adjustRightInd snapToGrid
 spacing ind contextualSpacing mirrorIndents suppressOverlap jc textDirection textAlignment textboxTightWrap outlineLvl
 divId cnfStyle rPr sectPr pPrChange
rPr: rStyle rFonts b bCs i iCs caps smallCaps strike dstrike outline shadow emboss imprint noProof snapToGrid vanish
 webHidden color spacing w kern position sz szCs highlight u effect bdr shd fitText vertAlign rtl cs em lang
 eastAsianLayout specVanish oMath
tblPr: tblStyle tblpPr tblOverlap bidiVisual tblStyleRowBandSize tblStyleColBandSize tblW jc tblCellSpacing tblInd
 tblBorders shd tblLayout tblCellMar tblLook tblCaption tblDescription
tcPr: cnfStyle tcW gridSpan hMerge vMerge tcBorders shd noWrap tcMar textDirection tcFitText vAlign
trPr: cnfStyle divId gridBefore gridAfter wBefore wAfter cantSplit trHeight tblHeader tblCellSpacing
"""
_ORDERS: Mapping[str, tuple[str, ...]] = {
    name: tuple(children.split())
    for name, _, children in (line.partition(": ") for line in _SCHEMA.replace("\n ", " ").strip().splitlines())
}


def q(name: str) -> str:
    """The qualified name of an element or attribute of WordprocessingML."""
    return f"{{{W}}}{name}"


def w(name: str, /, *children: Element, **attributes: str | int) -> Element:
    """An element of WordprocessingML; its attributes are of the same namespace."""
    made = etree.Element(q(name), {q(key): str(value) for key, value in attributes.items()}, nsmap={"w": W, "r": R})
    made.extend(children)
    return made


def local(element: Element) -> str:
    """The name without its namespace."""
    return str(etree.QName(element).localname)


def properties(owner: Element, name: str) -> Element:
    """The properties of a paragraph, run, table, row or cell; they stand before everything else in it."""
    found = owner.find(q(name))
    if found is None:
        found = w(name)
        owner.insert(0, found)
    return found


def put(parent: Element, child: Element) -> None:
    """Set a property: in place of one of the same name, or where the schema wants it."""
    order = _ORDERS[local(parent)]
    place = order.index(local(child))
    for index, other in enumerate(parent):
        rank = order.index(local(other))
        if rank == place:
            parent.replace(other, child)
            return
        if rank > place:
            parent.insert(index, child)
            return
    parent.append(child)


def set_paragraph(paragraph: Element, *settings: Element) -> None:
    """Set properties of a paragraph."""
    for setting in settings:
        put(properties(paragraph, "pPr"), setting)


def style_of(paragraph: Element) -> str:
    """The id of a paragraph's style, empty for the default one."""
    found = paragraph.find(f"{q('pPr')}/{q('pStyle')}")
    return "" if found is None else str(found.get(q("val")))


def text_of(element: Element) -> str:
    """All text within."""
    return "".join(part.text or "" for part in element.iter(q("t")))


def run(text: str, *settings: Element) -> Element:
    """A run of text. The settings are copied."""
    made = w("t")
    made.text = text
    made.set(SPACE, "preserve")
    return _run(made, settings)


def field(instruction: str, shown: str, *settings: Element) -> list[Element]:
    """The runs of a field with the result to show until it is brought up to date. `instruction` is ours, never a text
    of somebody's."""
    code = w("instrText")
    code.text = f" {instruction} "
    code.set(SPACE, "preserve")
    return [
        _run(w("fldChar", fldCharType="begin"), settings),
        _run(code, settings),
        _run(w("fldChar", fldCharType="separate"), settings),
        run(shown, *settings),
        _run(w("fldChar", fldCharType="end"), settings),
    ]


def _run(content: Element, settings: tuple[Element, ...]) -> Element:
    # An element stands in one place only: without the copy it would move from run to run.
    return w("r", *([w("rPr", *copy.deepcopy(settings))] if settings else []), content)


def serialize(root: Element) -> bytes:
    """A part of the package."""
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True))
