"""What reopened files must not hold: anything that acts, loads, links or stands where our own writers put nothing."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Collection, Iterator
from pathlib import PurePosixPath
from typing import Any

import pikepdf
from lxml import etree

Links = Collection[str]
"""Addresses that may be linked to."""

_PDF_ACTIVE = frozenset(
    {"/JS", "/JavaScript", "/AA", "/OpenAction", "/AcroForm", "/XFA", "/RichMediaContent", "/EmbeddedFiles", "/AF"}
    | {"/F"}
)
_PDF_ACTIONS = frozenset({"/GoTo", "/URI"})
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_XML = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
_ACTIVE_TAGS = frozenset(
    {"altChunk", "object", "control", "subDoc", "OLEObject", "dataBinding", "attachedTemplate", "externalData",
     "imagedata", "shape", "textbox", "customXml", "smartTag", "mailMerge"}
)  # fmt: skip
_OWN_FIELD = re.compile(
    r"\s*(?:PAGE|NUMPAGES|SECTIONPAGES|(?:PAGEREF|NOTEREF|REF)\s+[\w-]+|SEQ\s+\w+|STYLEREF\s+(?:\w+|\"[\w ]+\")|"
    r"HYPERLINK\s+\\l\s+\"[\w-]+\"|TOC)(?:\s+\\[a-z*#](?:\s+(?:\"[\w -]*\"|MERGEFORMAT|ARABIC|\d+))?)*\s*"
)
_PART_TYPES = re.compile(r"vnd\.openxmlformats|application/xml|package\.core|image/(?:png|jpeg|svg\+xml)")
_OWN_TAG = re.compile(r'<a id="[a-zA-Z][A-Za-z0-9-]*">|</a>|</?su[pb]>')
_FORMULA = re.compile(r"^[\s\ufeff]*[=+\-@|%\uff1d\uff0b\uff0d\uff20]|^[\t\r\n]")
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
_DISPOSITION = re.compile(
    r"attachment; filename=\"[A-Za-z0-9 ._()\[\],+=@-]+\"; filename\*=UTF-8''(?:[A-Za-z0-9!#$&+.^_`|~-]|%[0-9A-F]{2})+"
)
_DEVICE = re.compile(r"(?i)(con|prn|aux|nul|clock\$|(com|lpt)[0-9\u00b9\u00b2\u00b3])(\.|$)")
_NEVER = ("RawBlock", "Math", "CodeBlock", "Cite", "HorizontalRule", "DefinitionList", "LineBlock")


def pdf_faults(body: bytes, links: Links, *, embedded: Collection[str] = ()) -> list[str]:
    """Actions, scripts, files and syntax errors of a PDF. `embedded` are names of files it may hold."""
    found: list[str] = []
    with pikepdf.open(io.BytesIO(body)) as pdf:
        found += [f"syntax: {problem}" for problem in pdf.check_pdf_syntax()]
        found += [f"holds the file {name}" for name in pdf.attachments if name not in embedded]
        for item in pdf.objects:
            if isinstance(item, (pikepdf.Dictionary, pikepdf.Stream)):
                found += _pdf_dictionary(item, links, bool(embedded))
    return found


def _pdf_dictionary(item: Any, links: Links, files: bool) -> list[str]:
    found: list[str] = []
    keys = set(item.keys())
    active = keys & _PDF_ACTIVE
    # /F holds an annotation's flags as a number; as anything else it names a file.
    if "/F" in active and not isinstance(item["/F"], (pikepdf.String, pikepdf.Dictionary, pikepdf.Array)):
        active.discard("/F")
    if active and not (files and active <= {"/EmbeddedFiles", "/AF", "/F"}):
        found.append(f"holds {sorted(active)}")
    actions = [item["/A"]] if "/A" in keys and isinstance(item["/A"], pikepdf.Dictionary) else []
    if item.get("/Type") == "/Action":
        actions.append(item)
    for action in actions:
        kind = str(action.get("/S", "/GoTo"))
        if kind not in _PDF_ACTIONS:
            found.append(f"acts: {kind}")
        elif kind == "/URI" and (address := str(action["/URI"])) not in links:
            found.append(f"links to {address}")
    return found


def docx_faults(body: bytes, links: Links) -> list[str]:
    """Relationships, fields, active elements and broken parts of a Word document."""
    found: list[str] = []
    with zipfile.ZipFile(io.BytesIO(body)) as package:
        names = package.namelist()
        if len(set(names)) != len(names):
            found.append("a part stands twice")
        for name in names:
            if name.endswith((".xml", ".rels")):
                tree = etree.fromstring(package.read(name), _XML)
                found += _relationships(name, tree, set(names), links) if name.endswith(".rels") else _part(name, tree)
        types = etree.fromstring(package.read("[Content_Types].xml"), _XML)
        kinds = [item.get("ContentType", "") for item in types if isinstance(item.tag, str)]
        found += [f"part of type {kind}" for kind in kinds if not _PART_TYPES.search(kind) or "macro" in kind.lower()]
    return found


def _relationships(name: str, tree: Any, parts: set[str], links: Links) -> list[str]:
    found: list[str] = []
    folder = PurePosixPath(name).parent.parent
    for item in tree:
        target, kind = item.get("Target", ""), item.get("Type", "").rpartition("/")[2]
        if item.get("TargetMode") == "External":
            if kind != "hyperlink" or target not in links:
                found.append(f"{name}: {kind} to {target}")
        elif (target.lstrip("/") if target.startswith("/") else str(folder / target)) not in parts:
            found.append(f"{name}: {kind} to {target}, which is no part")
    return found


def _part(name: str, tree: Any) -> list[str]:
    found: list[str] = []
    marks = {item.get(f"{_W}name") for item in tree.iter(f"{_W}bookmarkStart")}
    instructions: list[str] = []
    for item in tree.iter():
        if not isinstance(item.tag, str):
            found.append(f"{name}: comment or processing instruction")
            continue
        tag = etree.QName(item).localname
        if tag in _ACTIVE_TAGS:
            found.append(f"{name}: {tag}")
        if item.get(f"{_R}link") is not None or item.get(f"{_R}href") is not None:
            found.append(f"{name}: {tag} linked from outside")
        match tag:
            case "instrText":
                instructions.append(item.text or "")
            case "fldSimple":
                instructions.append(item.get(f"{_W}instr", ""))
            case "hyperlink" if name == "word/document.xml":
                anchor = item.get(f"{_W}anchor")
                if anchor is not None and anchor not in marks:
                    found.append(f"{name}: link to {anchor}, which is nowhere")
    found += [f"{name}: field {text}" for text in instructions if not _OWN_FIELD.fullmatch(text)]
    return found


def markdown_tree(source: str, dialect: str) -> dict[str, Any]:
    """Markdown without its front matter as pandoc understands it."""
    import pypandoc

    tree: dict[str, Any] = json.loads(pypandoc.convert_text(without_front_matter(source), "json", format=dialect))
    return tree


def without_front_matter(source: str) -> str:
    return source.split("\n---\n", 1)[1]


def nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """All nodes of a pandoc tree, in the order of the text."""
    if isinstance(tree, dict):
        if "t" in tree:
            yield tree
        for value in tree.values():
            yield from nodes(value)
    elif isinstance(tree, list):
        for item in tree:
            yield from nodes(item)


def markdown_faults(tree: dict[str, Any], links: Links, *, headings: int, formulas: bool = False) -> list[str]:
    """Links, pictures, raw markup and headings that are not ours. `formulas`: whether the document has some."""
    found: list[str] = []
    anchors, targets, seen = set(), [], 0
    for node in nodes(tree["blocks"]):
        kind = node["t"]
        match kind:
            case "Link":
                targets.append(node["c"][2][0])
            case "RawInline" if _OWN_TAG.fullmatch(node["c"][1]):
                if id := re.search(r'id="([^"]+)"', node["c"][1]):
                    anchors.add(id[1])
            case "Span" | "Header" | "Div":
                anchors.add(node["c"][1 if kind == "Header" else 0][0])
                seen += kind == "Header"
            case "Image":
                address = node["c"][2][0]
                if not re.fullmatch(r"figures/[\w-]+\.png|data:image/svg\+xml(;base64)?,.*", address, re.DOTALL):
                    found.append(f"picture from {address[:200]}")
            case "RawInline":
                found.append(f"{kind}: {node['c']}"[:200])
            case _ if kind in _NEVER and not (kind == "Math" and formulas):
                found.append(f"{kind}: {node.get('c')}"[:200])
    for target in targets:
        # A footnote's marks are links in dialects without footnotes.
        if target not in links and not (target.startswith("#") and target[1:] in anchors):
            found.append(f"link to {target}")
    if seen != headings:
        found.append(f"{seen} headings, not {headings}")
    return found


def csv_faults(body: bytes) -> list[str]:
    """Cells that a spreadsheet would run, and rows of unequal length."""
    rows = list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline="")))
    found = [f"runs: {cell[:80]!r}" for row in rows for cell in row if runs(cell)]
    return found + ([f"rows of {lengths} cells"] if len(lengths := {len(row) for row in rows}) > 1 else [])


def runs(cell: str) -> bool:
    """Whether a spreadsheet would take the cell for a formula."""
    return bool(_FORMULA.match(cell)) and not _NUMBER.fullmatch(cell)


def path_faults(path: str) -> list[str]:
    """Why a path must not stand in an archive."""
    parts = PurePosixPath(path).parts
    bad = (
        not path or path.startswith("/") or "\\" in path or ".." in parts or ":" in path or not path.isprintable()
        or any(part.startswith(".") or part.endswith((".", " ")) or _DEVICE.match(part) for part in parts)
        or any(len(part.encode()) > 255 for part in parts)
    )  # fmt: skip
    return [f"path {path!r}"] if bad else []


def zip_faults(body: bytes) -> list[str]:
    """Paths that leave the folder, names that stand twice, and tables that spreadsheets would run."""
    found: list[str] = []
    with zipfile.ZipFile(io.BytesIO(body)) as package:
        names = package.namelist()
        folded = [name.casefold() for name in names]
        found += ["a path stands twice"] if len(set(folded)) != len(folded) else []
        for entry in package.infolist():
            found += path_faults(entry.filename)
            if entry.external_attr >> 16 & 0o170000 not in (0, 0o100000):
                found.append(f"{entry.filename!r} is no plain file")
            if entry.filename.endswith(".csv"):
                found += [f"{entry.filename}: {fault}" for fault in csv_faults(package.read(entry))]
    return found


def header_faults(value: str) -> list[str]:
    """Whether a `Content-Disposition` is more than one attachment with two forms of one name."""
    return [] if _DISPOSITION.fullmatch(value) else [f"header {value!r}"]


def words(tree: dict[str, Any]) -> str:
    """The text of a pandoc tree, a line for each block."""
    found: list[str] = []
    for node in nodes(tree["blocks"]):
        match node["t"]:
            case "Str":
                found.append(node["c"])
            case "Code" | "Math":
                found.append(node["c"][1])
            case "Space" | "SoftBreak":
                found.append(" ")
            case "Plain" | "Para" | "Header" | "LineBreak":
                found.append("\n")
    return "".join(found)
