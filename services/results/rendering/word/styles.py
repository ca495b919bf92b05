"""The styles of a report in Word. Every look has a style of its own, so that whoever edits the file changes it once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from services.results.rendering.word.xml import Element, q, w

FACE = "Cambria"
COMPLEX_FACE = "Times New Roman"
"""For Arabic, Hebrew and other complex scripts; Word has it with glyphs for the first two everywhere."""

ACCENT, SOFT, INK, HAIRLINE = "1F5F7A", "56616B", "1D2329", "B8C0C6"

TABLE_POINTS = 9.0

HEADING_NUMBERS, BULLETS, FINDINGS = 1, 2, 3
"""Numbers of the lists that styles belong to."""


@dataclass(frozen=True, slots=True)
class _Paragraph:
    """Sizes and spaces in points, indents in millimetres; None leaves a value to the style that this is based on.

    :ivar stop: whether a tab leads to the right margin.
    """

    name: str
    based: str = "Normal"
    next: str | None = None
    size: float | None = None
    bold: bool | None = None
    italic: bool | None = None
    caps: bool = False
    colour: str | None = None
    before: float = 0
    after: float = 6
    left: float = 0
    hanging: float = 0
    keep_next: bool = False
    keep_lines: bool = False
    outline: int | None = None
    list: tuple[int, int] | None = None
    jc: Literal["start", "center"] | None = None
    rule: Literal["left", "right", "bottom", "notice"] | None = None
    stop: bool = False
    custom: bool = True
    priority: int = 1


_PARAGRAPHS = (
    _Paragraph("Body Text", custom=False),
    _Paragraph("First Paragraph", based="BodyText", next="BodyText"),
    _Paragraph("Compact", based="BodyText", before=1, after=1),
    _Paragraph("Text After Table", based="BodyText", next="BodyText", before=8),
    _Paragraph("Report Kind", next="Title", size=8.5, bold=True, caps=True, colour=ACCENT, after=8, keep_next=True),
    _Paragraph("Title", next="Subtitle", size=22, bold=True, after=6, keep_next=True, custom=False, priority=10),
    _Paragraph("Subtitle", next="BodyText", size=11, italic=True, colour=SOFT, custom=False, priority=11),
    _Paragraph("Report Facts", next="BodyText", size=8.5, colour=SOFT, after=14, rule="bottom"),
    _Paragraph("Notice", size=9.5, before=6, left=2, rule="notice"),
    _Paragraph("heading 1", next="BodyText", size=14.5, bold=True, colour=ACCENT, before=20, after=7, keep_next=True,
               keep_lines=True, outline=0, list=(HEADING_NUMBERS, 0), custom=False, priority=9),
    _Paragraph("heading 2", next="BodyText", size=11.5, bold=True, before=14, after=5, keep_next=True,
               keep_lines=True, outline=1, list=(HEADING_NUMBERS, 1), custom=False, priority=9),
    _Paragraph("heading 3", next="BodyText", size=10.5, italic=True, before=11, after=4, keep_next=True,
               keep_lines=True, outline=2, custom=False, priority=9),
    _Paragraph("TOC Heading", next="BodyText", size=10.5, bold=True, colour=ACCENT, before=14, after=5, keep_next=True,
               custom=False, priority=39),
    _Paragraph("toc 1", next="Normal", size=9.5, after=3, left=8, hanging=8, stop=True, custom=False, priority=39),
    _Paragraph("toc 2", next="Normal", size=9.5, after=2, left=19, hanging=11, stop=True, custom=False, priority=39),
    _Paragraph("List Bullet", based="BodyText", after=4, list=(BULLETS, 0), custom=False),
    _Paragraph("Finding", based="BodyText", before=4, after=3, list=(FINDINGS, 0)),
    _Paragraph("Block Text", based="BodyText", size=9.5, before=2, after=2, left=11, keep_lines=True,
               rule="left", custom=False),
    _Paragraph("Block Text Right", based="BodyText", size=9.5, before=2, after=2, left=11, keep_lines=True,
               rule="right"),
    _Paragraph("Quote Source", based="BodyText", size=8.5, colour=SOFT, after=5, left=11),
    _Paragraph("Finding Detail", based="BodyText", size=8.5, colour=SOFT, after=7, left=8),
    _Paragraph("Detail", based="BodyText", size=8.5, colour=SOFT, before=4),
    _Paragraph("Bibliography", size=9.5, before=7, after=3, left=8, hanging=8, keep_lines=True, custom=False),
    _Paragraph("caption", next="BodyText", size=9, before=4, after=10, custom=False, priority=35),
    _Paragraph("Table Caption", based="Caption", size=9, before=12, after=4, keep_next=True, keep_lines=True),
    _Paragraph("Image Caption", based="Caption", size=9, before=3, after=12, keep_lines=True, jc="center"),
    _Paragraph("Captioned Figure", size=9, before=10, after=2, keep_next=True, jc="center"),
    _Paragraph("Table Text", size=TABLE_POINTS, before=1.5, after=1.5),
    _Paragraph("Table Heading", based="TableText", size=TABLE_POINTS, bold=True, before=1.5, after=1.5, keep_next=True),
    _Paragraph("Table Number", based="TableText", size=TABLE_POINTS, before=1.5, after=1.5),
    _Paragraph("Section Mark", size=1, after=0),
    _Paragraph("footnote text", size=8.5, after=2, custom=False, priority=99),
    _Paragraph("header", size=8.5, colour=SOFT, after=0, stop=True, custom=False, priority=99),
    _Paragraph("footer", size=8.5, colour=SOFT, after=0, stop=True, custom=False, priority=99),
)  # fmt: skip


def styles(text_width: int) -> Element:
    """The part with all styles. Fonts of East Asia and languages are set for each report, see `word_package`.

    :param text_width: width of the text block in twentieths of a point.
    """
    return w(
        "styles",
        w(
            "docDefaults",
            w("rPrDefault", _default_run()),
            w("pPrDefault", _default_paragraph()),
        ),
        _normal(),
        *(_paragraph(style, text_width) for style in _PARAGRAPHS),
        *_characters(),
        *_tables(),
    )


def style_id(name: str) -> str:
    """The id of the style of this name: each word begins with a capital letter, as pandoc and Word have it."""
    return "TOC" + name[4:] if name.startswith("toc ") else "".join(word[0].upper() + word[1:] for word in name.split())


def twips(millimetres: float) -> int:
    """Twentieths of a point."""
    return round(millimetres * 1440 / 25.4)


def _default_run() -> Element:
    fonts = w("rFonts", ascii=FACE, hAnsi=FACE, eastAsia="SimSun", cs=COMPLEX_FACE)
    language = w("lang", val="en", eastAsia="zh-CN", bidi="ar-SA")
    return w("rPr", fonts, w("color", val=INK), w("sz", val=21), w("szCs", val=21), language)


def _default_paragraph() -> Element:
    return w("pPr", w("widowControl"), w("spacing", after=120, line=271, lineRule="auto"))


def _normal() -> Element:
    return w("style", w("name", val="Normal"), w("qFormat"), type="paragraph", default=1, styleId="Normal")


def _paragraph(style: _Paragraph, text_width: int) -> Element:
    id = style_id(style.name)
    made = w("style", w("name", val=style.name), w("basedOn", val=style.based), type="paragraph", styleId=id)
    if style.custom:
        made.set(q("customStyle"), "1")
    if style.next:
        made.append(w("next", val=style.next))
    made.append(w("uiPriority", val=style.priority))
    made.append(w("qFormat"))
    paragraph, run = _paragraph_properties(style, text_width), _run_properties(style)
    made.append(paragraph)
    if len(run):
        made.append(run)
    return made


def _paragraph_properties(style: _Paragraph, text_width: int) -> Element:
    made = w("pPr")
    if style.keep_next:
        made.append(w("keepNext"))
    if style.keep_lines:
        made.append(w("keepLines"))
    if style.list:
        number, level = style.list
        made.append(w("numPr", *([w("ilvl", val=level)] if level else []), w("numId", val=number)))
    made.extend(_rule(style.rule))
    if style.stop:
        made.append(w("tabs", w("tab", val="right", pos=text_width)))
    made.append(w("spacing", before=round(style.before * 20), after=round(style.after * 20)))
    if style.list is None and (style.left or style.hanging):
        hanging = {"hanging": twips(style.hanging)} if style.hanging else {}
        made.append(w("ind", left=twips(style.left), **hanging))
    if style.jc:
        made.append(w("jc", val=style.jc))
    if style.outline is not None:
        made.append(w("outlineLvl", val=style.outline))
    return made


def _rule(kind: str | None) -> list[Element]:
    if kind in ("left", "right"):
        return [w("pBdr", w(kind, val="single", sz=12, space=8, color="9DBCC9"))]
    if kind == "bottom":
        return [w("pBdr", w("bottom", val="single", sz=6, space=8, color=ACCENT))]
    if kind == "notice":
        border = w("pBdr", w("left", val="single", sz=16, space=6, color="C2703D"))
        return [border, w("shd", val="clear", color="auto", fill="FBF3E6")]
    return []


def _run_properties(style: _Paragraph) -> Element:
    made = w("rPr")
    for name, value in (("b", style.bold), ("i", style.italic)):
        if value:
            made.extend((w(name), w(f"{name}Cs")))
    if style.caps:
        made.append(w("caps"))
    if style.colour:
        made.append(w("color", val=style.colour))
    if style.caps:
        made.append(w("spacing", val=20))
    if style.size:
        half_points = round(style.size * 2)
        made.extend((w("sz", val=half_points), w("szCs", val=half_points)))
    return made


def _characters() -> list[Element]:
    def character(name: str, *settings: Element, custom: bool = False, **attributes: str | int) -> Element:
        made = w("style", w("name", val=name), type="character", styleId=style_id(name), **attributes)
        if custom:
            made.set(q("customStyle"), "1")
        if "default" not in attributes:
            made.append(w("basedOn", val="DefaultParagraphFont"))
        made.append(w("uiPriority", val=99 if settings else 1))
        if not settings:
            made.extend((w("semiHidden"), w("unhideWhenUsed")))
        else:
            made.append(w("rPr", *settings))
        return made

    mono = "Consolas"
    return [
        character("Default Paragraph Font", default=1),
        character("Hyperlink", w("color", val=ACCENT)),
        character("footnote reference", w("vertAlign", val="superscript")),
        character("Caption Label", w("b"), w("bCs"), custom=True),
        character(
            "Verbatim Char", w("rFonts", ascii=mono, hAnsi=mono, cs=mono), w("noProof"), w("sz", val=18), custom=True
        ),
    ]


def _tables() -> list[Element]:
    margins = w("tblCellMar", w("top", w=0, type="dxa"), w("left", w=100, type="dxa"), w("bottom", w=0, type="dxa"),
                w("right", w=100, type="dxa"))  # fmt: skip
    normal = w("style", w("name", val="Normal Table"), w("uiPriority", val=99), w("semiHidden"), w("unhideWhenUsed"),
               w("tblPr", w("tblInd", w=0, type="dxa"), margins),
               type="table", default=1, styleId="TableNormal")  # fmt: skip
    none = w("style", w("name", val="No List"), w("uiPriority", val=99), w("semiHidden"), w("unhideWhenUsed"),
             type="numbering", default=1, styleId="NoList")  # fmt: skip
    heavy: dict[str, str | int] = {"val": "single", "sz": 8, "space": 0, "color": INK}
    light: dict[str, str | int] = {"val": "single", "sz": 4, "space": 0, "color": INK}
    # Rules above, below and under the header. The header is bold by its paragraphs' style: bold in
    # both would undo itself (toggle properties, 17.7.3).
    report = w("style", w("name", val="Report Table"), w("basedOn", val="TableNormal"), w("uiPriority", val=59),
               w("qFormat"), w("tblPr", w("tblBorders", w("top", **heavy), w("bottom", **heavy))),
               w("tblStylePr",
                 w("tcPr", w("tcBorders", w("bottom", **light)), w("vAlign", val="bottom")), type="firstRow"),
               type="table", customStyle=1, styleId="ReportTable")  # fmt: skip
    facts = w("style", w("name", val="Report Facts Table"), w("basedOn", val="TableNormal"), w("uiPriority", val=59),
              w("qFormat"), w("tblPr"), w("tblStylePr", w("rPr", w("color", val=SOFT)), type="firstCol"),
              type="table", customStyle=1, styleId="ReportFactsTable")  # fmt: skip
    return [normal, none, report, facts]
