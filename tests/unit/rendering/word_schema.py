"""What Word insists on in a package: the order of children, and that whatever is referred to is there.

Orders: the complex types of wml.xsd in ISO/IEC 29500-4 (transitional).
"""

from __future__ import annotations

import io
import posixpath
import zipfile
from collections import Counter
from collections.abc import Iterator
from typing import Any

from lxml import etree

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
WP = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}"
TYPES = "{http://schemas.openxmlformats.org/package/2006/content-types}"

_ORDERS = {
    "pPr": "pStyle keepNext keepLines pageBreakBefore framePr widowControl numPr suppressLineNumbers pBdr shd tabs "
    "suppressAutoHyphens kinsoku wordWrap overflowPunct topLinePunct autoSpaceDE autoSpaceDN bidi adjustRightInd "
    "snapToGrid spacing ind contextualSpacing mirrorIndents suppressOverlap jc textDirection textAlignment "
    "textboxTightWrap outlineLvl divId cnfStyle rPr sectPr pPrChange",
    "rPr": "rStyle rFonts b bCs i iCs caps smallCaps strike dstrike outline shadow emboss imprint noProof snapToGrid "
    "vanish webHidden color spacing w kern position sz szCs highlight u effect bdr shd fitText vertAlign rtl cs em "
    "lang eastAsianLayout specVanish oMath",
    "tblPr": "tblStyle tblpPr tblOverlap bidiVisual tblStyleRowBandSize tblStyleColBandSize tblW jc tblCellSpacing "
    "tblInd tblBorders shd tblLayout tblCellMar tblLook tblCaption tblDescription",
    "tblBorders": "top left start bottom right end insideH insideV",
    "tblCellMar": "top left start bottom right end",
    "pBdr": "top left bottom right between bar",
    "tcPr": "cnfStyle tcW gridSpan hMerge vMerge tcBorders shd noWrap tcMar textDirection tcFitText vAlign hideMark",
    "sectPr": "headerReference footerReference footnotePr endnotePr type pgSz pgMar paperSrc pgBorders lnNumType "
    "pgNumType cols formProt vAlign noEndnote titlePg textDirection bidi rtlGutter docGrid printerSettings",
    "tbl": "bookmarkStart bookmarkEnd tblPr tblGrid tr",
    "tr": "tblPrEx trPr tc",
    "style": "name aliases basedOn next link autoRedefine hidden uiPriority semiHidden unhideWhenUsed qFormat locked "
    "personal personalCompose personalReply rsid pPr rPr tblPr trPr tcPr tblStylePr",
    "tblStylePr": "pPr rPr tblPr trPr tcPr",
    "styles": "docDefaults latentStyles style",
    "docDefaults": "rPrDefault pPrDefault",
    "abstractNum": "nsid multiLevelType tmpl name styleLink numStyleLink lvl",
    "lvl": "start numFmt lvlRestart pStyle isLgl suff lvlText lvlPicBulletId legacy lvlJc pPr rPr",
    "numPr": "ilvl numId",
    "numbering": "numPicBullet abstractNum num numIdMacAtCleanup",
    "settings": "writeProtection view zoom removePersonalInformation defaultTabStop autoHyphenation "
    "characterSpacingControl footnotePr endnotePr compat docVars rsids mathPr themeFontLang clrSchemeMapping "
    "decimalSymbol listSeparator",
    "sdt": "sdtPr sdtEndPr sdtContent",
}
_RANKS = {name: {child: rank for rank, child in enumerate(order.split())} for name, order in _ORDERS.items()}
_FIRST = {"p": "pPr", "r": "rPr", "tc": "tcPr"}


class Package:
    """A file of Word, its parts parsed."""

    def __init__(self, body: bytes) -> None:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            self.files = {name: archive.read(name) for name in archive.namelist()}
        self.parts = {
            name: etree.fromstring(content) for name, content in self.files.items() if name.endswith((".xml", ".rels"))
        }
        self.document = self.parts["word/document.xml"]
        self.notes = self.parts["word/footnotes.xml"]

    def paragraphs(self, style: str) -> list[Any]:
        """The paragraphs of this style, by its id."""
        return [p for p in self.document.iter(f"{W}p") if _value(p.find(f"{W}pPr/{W}pStyle")) == style]

    def faults(self) -> list[str]:
        """Everything that Word would refuse the file for, or lose."""
        return [*self._orders(), *self._references(), *self._relationships(), *self._bookmarks(), *self._fields()]

    def _orders(self) -> Iterator[str]:
        for part, root in self.parts.items():
            for element in root.iter(etree.Element):
                name, children = _local(element), [_local(child) for child in element]
                if name in _RANKS and element.tag.startswith(W):
                    unknown = set(children) - set(_RANKS[name])
                    if unknown:
                        yield f"{part}: {name} holds {unknown}"
                        continue
                    ranks = [_RANKS[name][child] for child in children]
                    if ranks != sorted(ranks):
                        yield f"{part}: children of {name} in the order {children}"
                    repeated = {child for child, count in Counter(children).items() if count > 1}
                    if name.endswith("Pr") and repeated - {"headerReference", "footerReference"}:
                        yield f"{part}: {name} holds {repeated} more than once"
                if (first := _FIRST.get(name)) in children[1:] and element.tag.startswith(W):
                    yield f"{part}: {first} is not the first in {name}"
                if name == "tc" and (not children or children[-1] != "p"):
                    yield f"{part}: a cell does not end with a paragraph"
        if _local(self.document[0][-1]) != "sectPr":
            yield "the body does not end with a section"

    def _references(self) -> Iterator[str]:
        styles = {style.get(f"{W}styleId") for style in self.parts["word/styles.xml"].iter(f"{W}style")}
        lists = {number.get(f"{W}numId") for number in self.parts["word/numbering.xml"].iter(f"{W}num")} | {"0"}
        notes = {note.get(f"{W}id") for note in self.notes.iter(f"{W}footnote")}
        for part, root in self.parts.items():
            for name in ("pStyle", "rStyle", "tblStyle", "basedOn", "next", "link"):
                for reference in root.iter(f"{W}{name}"):
                    if _value(reference) not in styles:
                        yield f"{part}: no style {_value(reference)}"
            for reference in root.iter(f"{W}numId"):
                if _value(reference) not in lists:
                    yield f"{part}: no list {_value(reference)}"
            for reference in root.iter(f"{W}footnoteReference"):
                if reference.get(f"{W}id") not in notes:
                    yield f"{part}: no footnote {reference.get(f'{W}id')}"
            for table in root.iter(f"{W}tbl"):
                columns = len(table.findall(f"{W}tblGrid/{W}gridCol"))
                if any(len(row.findall(f"{W}tc")) != columns for row in table.iterfind(f"{W}tr")):
                    yield f"{part}: a row has other cells than the table has columns"
        pictures = [element.get("id") for element in self.document.iter(f"{WP}docPr")]
        if len(set(pictures)) != len(pictures):
            yield "two pictures have the same id"

    def _relationships(self) -> Iterator[str]:
        types = self.parts["[Content_Types].xml"]
        overrides = {item.get("PartName") for item in types.iter(f"{TYPES}Override")}
        endings = {item.get("Extension") for item in types.iter(f"{TYPES}Default")}
        for name in overrides:
            if name[1:] not in self.files:
                yield f"a type is given for {name}, which is not there"
        for name in self.files:
            if f"/{name}" not in overrides and name.rpartition(".")[2] not in endings:
                yield f"no type is given for {name}"
        for part, root in self.parts.items():
            folder, _, file = part.rpartition("/")
            known = self.parts.get(f"{folder}/_rels/{file}.rels")
            targets = {item.get("Id"): item for item in known} if known is not None else {}
            for element in root.iter(etree.Element):
                for key, id in element.items():
                    if key.startswith(R) and id not in targets:
                        yield f"{part}: no relationship {id}"
            for item in targets.values():
                if item.get("TargetMode") == "External":
                    if not item.get("Type").endswith("/hyperlink") or not item.get("Target").startswith("http"):
                        yield f"{part}: reaches for {item.get('Target')}"
                elif posixpath.normpath(f"{folder}/{item.get('Target')}") not in self.files:
                    yield f"{part}: {item.get('Target')} is not there"

    def _bookmarks(self) -> Iterator[str]:
        parts = self.document, self.notes
        starts = [mark for root in parts for mark in root.iter(f"{W}bookmarkStart")]
        names = Counter(mark.get(f"{W}name") for mark in starts)
        ids = Counter(mark.get(f"{W}id") for mark in starts)
        ends = Counter(
            mark.get(f"{W}id") for root in (self.document, self.notes) for mark in root.iter(f"{W}bookmarkEnd")
        )
        if ids != ends or max(ids.values(), default=1) > 1:
            yield "bookmarks do not begin and end"
        for name, count in names.items():
            if count > 1 or name is None or len(name) > 40:
                yield f"bookmark {name} stands {count} times"
        targets = [link.get(f"{W}anchor") for root in self.parts.values() for link in root.iter(f"{W}hyperlink")]
        targets += [words[1] for words in self.fields() if words[0] in ("REF", "NOTEREF", "PAGEREF")]
        yield from (f"no bookmark {target}" for target in targets if target is not None and target not in names)

    def fields(self) -> list[list[str]]:
        """The instructions of all fields, each as its words."""
        return [(code.text or "").split() for root in self.parts.values() for code in root.iter(f"{W}instrText")]

    def _fields(self) -> Iterator[str]:
        for part, root in self.parts.items():
            kinds = [mark.get(f"{W}fldCharType") for mark in root.iter(f"{W}fldChar")]
            depth = 0
            for kind in kinds:
                depth += {"begin": 1, "end": -1}.get(kind or "", 0)
                if depth < 0:
                    yield f"{part}: a field ends before it begins"
            if depth:
                yield f"{part}: a field does not end"


def _local(element: Any) -> str:
    return str(etree.QName(element).localname)


def _value(element: Any) -> str | None:
    return None if element is None else element.get(f"{W}val")
