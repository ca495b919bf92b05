"""Word documents: paragraphs, tables, equations and notes in document order."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import docx
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml import parse_xml

from services.library.errors import DocumentUnreadable, UnreadableCause
from services.library.parsing.archive import check_archive
from services.library.parsing.csl import described
from services.library.parsing.document import Kind, ParsedDocument, ParseLimits
from services.library.parsing.facts import find_doi, split_authors, title_from_filename, usable_title
from services.library.parsing.flow import Block, put_together, table_block
from services.library.parsing.omml import formula_part

if TYPE_CHECKING:
    from docx.document import Document

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_TEXT = {f"{_W}t", f"{_M}t"}
_SPACING = {f"{_W}tab": "\t", f"{_W}br": "\n", f"{_W}cr": "\n", f"{_W}noBreakHyphen": "-"}
_SKIPPED = {f"{_W}del", f"{_W}moveFrom", f"{_W}instrText", f"{_W}pPr", f"{_W}rPr", f"{_MC}Fallback"}
_WRAPPERS = {f"{_W}sdt", f"{_W}sdtContent", f"{_W}ins", f"{_W}moveTo", f"{_W}customXml"}
_SPAN_MAX = 200
_Piece = tuple[str, str, list[list[str]] | None]
_NO_NOTES = {"separator", "continuationSeparator", "continuationNotice"}
_MAX_DEPTH = 200
# What python-docx, lxml, zipfile and zlib raise at a broken container or at broken XML in it.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    KeyError,
    ValueError,
    AttributeError,
    TypeError,
    OSError,
    SyntaxError,
    NotImplementedError,
)


def parse_docx(data: bytes, filename: str, content_type: str, limits: ParseLimits) -> ParsedDocument:
    """A Word document. Deleted text of tracked changes is left out; pages are not known before layout."""
    check_archive(data, limits)
    try:
        document = docx.Document(io.BytesIO(data))
        body = document.element.body
        blocks = list(_blocks(body, 0))
        notes = [text for text in _notes(document) if text]
        core = document.core_properties
        title, author = core.title or "", core.author or ""
    except RecursionError as error:
        raise DocumentUnreadable(UnreadableCause.CORRUPT, "It is nested too deeply.") from error
    except _DAMAGE as error:
        raise DocumentUnreadable(UnreadableCause.CORRUPT, "It is no readable Word document.") from error
    text, tables = put_together([*_joined(blocks), *(Block(note) for note in notes)], limits)
    if not text:
        raise DocumentUnreadable(UnreadableCause.NO_TEXT)
    headed = next((words for style, words, _ in blocks if style in ("Title", "Heading1") and words), "")
    shown = usable_title(headed) or usable_title(title) or title_from_filename(filename)
    authors, doi = split_authors(author), find_doi(text)
    return ParsedDocument(
        title=shown,
        kind=Kind.DOCX,
        text=text,
        authors=authors,
        doi=doi,
        csl=described("document", shown, authors, None, doi),
        tables=tables,
    )


def _blocks(parent: Any, depth: int) -> Iterator[_Piece]:
    """(style, text, None) of each paragraph and (`table`, "", rows) of each table below `parent`."""
    if depth > _MAX_DEPTH:
        raise RecursionError
    for child in parent:
        if child.tag == f"{_W}p":
            yield _style(child), _text(child).strip(), None
        elif child.tag == f"{_W}tbl":
            rows = [list(_within(row, f"{_W}tc")) for row in _within(child, f"{_W}tr")]
            if len(rows) == 1 and len(rows[0]) == 1:  # a frame around text, no table
                yield from _blocks(rows[0][0], depth + 1)
            else:
                yield "table", "", [[text for cell in row for text in _cell(cell)] for row in rows]
        elif child.tag in _WRAPPERS:
            yield from _blocks(child, depth + 1)


def _within(parent: Any, tag: str) -> Iterator[Any]:
    """The elements `tag` of `parent`, also those in a wrapper; not those of tables inside its cells."""
    stack = list(reversed(parent))
    while stack:
        node = stack.pop()
        if node.tag == tag:
            yield node
        elif node.tag in _WRAPPERS:
            stack.extend(reversed(node))


def _cell(cell: Any) -> list[str]:
    """A cell's text, then an empty one for each further column that it spans."""
    span = cell.find(f"{_W}tcPr/{_W}gridSpan")
    columns = "" if span is None else str(span.get(f"{_W}val") or "")
    return [_text(cell), *[""] * (min(int(columns), _SPAN_MAX) - 1 if columns.isdecimal() else 0)]


def _style(paragraph: Any) -> str:
    properties = paragraph.find(f"{_W}pPr")
    if properties is None:
        return ""
    if properties.find(f"{_W}numPr") is not None:
        return "list"
    style = properties.find(f"{_W}pStyle")
    name = "" if style is None else str(style.get(f"{_W}val") or "")
    return "list" if name.startswith("List") else name


def _text(element: Any) -> str:
    """All text below `element`, in order; paragraphs inside (cells, text boxes) end in a line feed."""
    parts: list[str] = []
    stack: list[Any] = [element]
    while stack:
        node = stack.pop()
        if isinstance(node, str):
            parts.append(node)
            continue
        if node.tag in _TEXT:
            parts.append(node.text or "")
        elif node.tag in _SPACING:
            parts.append(_SPACING[node.tag])
        elif node is not element and (formula := formula_part(node, _text)) is not None:
            parts.append(formula)
        elif node.tag not in _SKIPPED:
            if node.tag == f"{_W}p" and node is not element:
                stack.append("\n")
            elif node.tag == f"{_W}tc":
                stack.append(" ")
            stack.extend(child for child in reversed(node) if isinstance(child.tag, str))
    return "".join(parts)


def _notes(document: Document) -> Iterator[str]:
    for kind, tag in ((RELATIONSHIP_TYPE.FOOTNOTES, "footnote"), (RELATIONSHIP_TYPE.ENDNOTES, "endnote")):
        for relation in document.part.rels.values():
            if relation.reltype == kind and not relation.is_external:
                for note in parse_xml(relation.target_part.blob).iter(f"{_W}{tag}"):
                    if note.get(f"{_W}type") not in _NO_NOTES:
                        yield _text(note).strip()


def _joined(pieces: list[_Piece]) -> Iterator[Block]:
    """Items of a list stand on lines of one block, all else apart; a caption beside a table is its caption."""
    previous = ""
    for index, (style, words, rows) in enumerate(pieces):
        if rows is not None:
            beside = pieces[max(0, index - 1) : index] + pieces[index + 1 : index + 2]
            caption = next((text for kind, text, _ in beside if kind == "Caption" and text), "")
            if (table := table_block(rows, caption)) is not None:
                yield table
        elif words:
            yield Block(words, close=style == previous == "list")
        previous = style if words or rows else previous
