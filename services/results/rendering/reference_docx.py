"""The reference document for DOCX: pandoc's own, with our styles, page and footer."""

from __future__ import annotations

import io
from datetime import datetime
from typing import Any

import docx
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor

from services.results.rendering import archives

FACE = "Cambria"
ACCENT = RGBColor(0x1F, 0x5F, 0x7A)
SOFT = RGBColor(0x56, 0x61, 0x6B)
INK = RGBColor(0x1D, 0x23, 0x29)

# name: (size in points, bold, italic, colour, space before, space after, left indent in millimetres)
_Style = tuple[float, bool, bool, RGBColor, float, float, float]
_STYLES: dict[str, _Style] = {
    "Normal": (10.5, False, False, INK, 0, 6, 0),
    "Body Text": (10.5, False, False, INK, 0, 6, 0),
    "First Paragraph": (10.5, False, False, INK, 0, 6, 0),
    "Compact": (9.5, False, False, INK, 1, 1, 0),
    "Title": (24, True, False, INK, 0, 6, 0),
    "Subtitle": (12, False, True, SOFT, 0, 4, 0),
    "Date": (9, False, False, SOFT, 0, 14, 0),
    "Heading 1": (15, True, False, ACCENT, 20, 7, 0),
    "Heading 2": (12, True, False, INK, 14, 5, 0),
    "Heading 3": (10.5, False, True, INK, 11, 4, 0),
    "Block Text": (9.5, False, False, INK, 2, 2, 8),
    "Table Caption": (9, False, False, INK, 12, 4, 0),
    "Image Caption": (9, False, False, INK, 4, 12, 0),
    "Captioned Figure": (9, False, False, INK, 10, 2, 0),
    "Bibliography": (9.5, False, False, INK, 9, 2, 0),
}
_NEW_STYLES: dict[str, _Style] = {
    "Quote Source": (8.5, False, False, SOFT, 0, 5, 8),
    "Detail": (8.5, False, False, SOFT, 0, 6, 0),
    "Notice": (9.5, False, False, INK, 6, 6, 4),
}


def build(base: bytes) -> bytes:
    """Restyle `base`, pandoc's default reference document. The same base gives the same bytes."""
    document = docx.Document(io.BytesIO(base))
    for name, style in _STYLES.items():
        _apply(document.styles[name], style)
    for name, style in _NEW_STYLES.items():
        added = document.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
        added.base_style = document.styles["Body Text"]
        _apply(added, style)
    for name in ("Title", "Subtitle", "Date"):
        document.styles[name].paragraph_format.alignment = WD_ALIGN_PARAGRAPH.LEFT
    document.styles["Captioned Figure"].paragraph_format.alignment = WD_ALIGN_PARAGRAPH.CENTER
    document.styles["Image Caption"].paragraph_format.alignment = WD_ALIGN_PARAGRAPH.CENTER
    document.styles["Table Caption"].paragraph_format.keep_with_next = True
    document.styles["Hyperlink"].font.color.rgb = ACCENT
    _rule_left(document.styles["Block Text"])
    _rule_tables(document.styles["Table"])
    _page(document)
    document.core_properties.created = document.core_properties.modified = datetime(2000, 1, 1)
    result = io.BytesIO()
    document.save(result)
    return archives.repack(result.getvalue())


def _apply(style: Any, values: _Style) -> None:
    size, bold, italic, colour, before, after, indent = values
    font = style.font
    font.size, font.bold, font.italic = Pt(size), bold, italic
    font.color.rgb = colour
    _face(style)
    spacing = style.paragraph_format
    spacing.space_before, spacing.space_after = Pt(before), Pt(after)
    spacing.left_indent = Mm(indent)


def _face(style: Any) -> None:
    """One Latin face throughout; the office program picks its own for other scripts."""
    properties = style.element.get_or_add_rPr()
    for old in properties.findall(qn("w:rFonts")):
        properties.remove(old)
    fonts = OxmlElement("w:rFonts")
    for kind in ("ascii", "hAnsi"):
        fonts.set(qn(f"w:{kind}"), FACE)
    properties.insert(0, fonts)


def _rule_left(style: Any) -> None:
    properties = style.element.get_or_add_pPr()
    borders = OxmlElement("w:pBdr")
    left = OxmlElement("w:left")
    for key, value in (("val", "single"), ("sz", "12"), ("space", "8"), ("color", "9DBCC9")):
        left.set(qn(f"w:{key}"), value)
    borders.append(left)
    properties.insert_element_before(borders, "w:shd", "w:tabs", "w:spacing", "w:ind", "w:jc")


def _rule_tables(style: Any) -> None:
    """A rule above and below, none between columns."""
    properties = style.element.find(qn("w:tblPr"))
    borders = OxmlElement("w:tblBorders")
    for side in ("top", "bottom"):
        rule = OxmlElement(f"w:{side}")
        for key, value in (("val", "single"), ("sz", "8"), ("space", "0"), ("color", "1D2329")):
            rule.set(qn(f"w:{key}"), value)
        borders.append(rule)
    # The schema wants the borders before the cell margins.
    margins = properties.find(qn("w:tblCellMar"))
    if margins is None:
        properties.append(borders)
    else:
        margins.addprevious(borders)


def _page(document: Any) -> None:
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin = section.right_margin = Mm(26)
    section.top_margin, section.bottom_margin = Mm(25), Mm(25)
    footer = section.footer.paragraphs[0]
    footer.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    for kind, text in (("begin", ""), ("", " PAGE "), ("end", "")):
        run = footer.add_run()
        run.font.size, run.font.color.rgb = Pt(8.5), SOFT
        if kind:
            mark = OxmlElement("w:fldChar")
            mark.set(qn("w:fldCharType"), kind)
        else:
            mark = OxmlElement("w:instrText")
            mark.text = text
        run._r.append(mark)
