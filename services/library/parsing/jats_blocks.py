"""The parts of a JATS article as blocks of text: paragraphs, lists, tables, captions, formulae, references."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from lxml import etree

from services.library.parsing.bibliography import paragraph
from services.library.parsing.csl import checked_item
from services.library.parsing.flow import Block, grid, table_block
from services.library.parsing.mathml import formula, tex
from services.library.parsing.normalise import one_line
from services.library.parsing.xml import entity_text, local

_CONTAINER_NAMES = (
    "sec app app-group boxed-text body fig-group table-wrap-group notes ack fn-group glossary statement disp-quote "
    "floats-group verse-group speech def-list supplementary-material sec-meta answer question caption "
    "table-wrap-foot fn author-notes"
)
_BLOCK_NAMES = "list table-wrap fig p ref-list preformat code array def-item media"
_SILENT_NAMES = (
    "graphic inline-graphic object-id permissions alt-text long-desc label-only processing-meta sec-meta kwd-group "
    "inline-supplementary-material private-char"
)
_CONTAINERS = frozenset(_CONTAINER_NAMES.split())
_BLOCKS = _CONTAINERS.union(_BLOCK_NAMES.split())
_SILENT = frozenset(_SILENT_NAMES.split())
_TITLED = frozenset(("title", "label"))
_SPACED = frozenset(("disp-formula", "break", "td", "th", "p", "disp-formula-group", "def", "term", "title"))
_CITATIONS = frozenset(("mixed-citation", "element-citation", "citation", "nlm-citation", "note"))
_NUMERIC = re.compile(r"^[-+−–]?\d+(?:[.,/]\d+)?$")


def section(node: Any, heading: str = "") -> Iterator[Block]:
    """A part with its heading, or `heading` when it has none of its own."""
    own = _heading(node)
    if local(node) == "ref-list":
        yield Block(own or heading)
        yield from _references(node)
        return
    inside = list(blocks_of(node))
    if inside and not own and heading:
        yield Block(heading)
    yield from inside


def blocks_of(node: Any) -> Iterator[Block]:
    """The blocks of a container, its heading first."""
    if heading := _heading(node):
        yield Block(heading)
    for child in node:
        if local(child) and local(child) not in _TITLED:
            yield from _block(child)


def inline(node: Any) -> str:
    """The text of an element on one line."""
    return one_line(_inline(node))


def _heading(node: Any) -> str:
    parts = [inline(child) for child in node if local(child) in _TITLED]
    return " ".join(part for part in parts if part)


def _block(node: Any) -> Iterator[Block]:
    name = local(node)
    if name in _SILENT:
        return
    if name == "table-wrap":
        yield from _table(node)
    elif name in ("fig", "media"):
        yield Block(_captioned(node))
    elif name == "list":
        yield from _list(node)
    elif name == "def-item":
        yield Block(": ".join(filter(None, (inline(child) for child in node))))
    elif name in ("preformat", "code"):
        yield Block("".join(node.itertext()))
    elif name == "ref-list":
        yield from section(node)
    elif name in _CONTAINERS:
        yield from blocks_of(node)
    else:
        yield from _paragraph(node)


def _paragraph(node: Any) -> Iterator[Block]:
    """A paragraph; what stands in it as a block of its own comes where it stands."""
    parts = [node.text or ""]
    for child in node:
        if local(child) in _BLOCKS:
            yield Block(one_line("".join(parts)))
            parts = []
            yield from _block(child)
        else:
            parts.append(_piece(child, "".join(parts[-1:])))
        parts.append(child.tail or "")
    yield Block(one_line("".join(parts)))


def _list(node: Any) -> Iterator[Block]:
    close = False
    for item in node:
        if local(item) == "list-item":
            label = next((inline(child) for child in item if local(child) == "label"), "")
            for position, block in enumerate(blocks_of_item(item)):
                text = f"{label} {block.text}" if label and position == 0 else block.text
                if text.strip():
                    yield Block(text, block.table, close)
                    close = True
        elif local(item) == "title":
            yield Block(inline(item))


def blocks_of_item(item: Any) -> Iterator[Block]:
    for child in item:
        if local(child) and local(child) != "label":
            yield from _block(child)


def _table(node: Any) -> Iterator[Block]:
    caption = _captioned(node)
    yield Block(caption)
    for table in (each for each in node.iter() if local(each) == "table"):
        rows = [row for row in table.iter() if local(row) == "tr"]
        cells = grid(
            [
                (inline(cell), _span(cell, "colspan"), _span(cell, "rowspan"))
                for cell in row
                if local(cell) in ("td", "th")
            ]
            for row in rows
        )
        if (block := table_block(cells, caption)) is not None:
            yield block
    for foot in node:
        if local(foot) == "table-wrap-foot":
            yield from blocks_of(foot)


def _span(cell: Any, name: str) -> int:
    value = cell.get(name, "1").strip()
    return int(value) if value.isdecimal() and len(value) < 5 else 1


def _captioned(node: Any) -> str:
    """Label and caption of a figure or table as a sentence or two."""
    label = next((inline(child) for child in node if local(child) == "label"), "")
    caption = next((child for child in node if local(child) == "caption"), ())
    parts = [label, *(inline(child) for child in caption)]
    return " ".join(part if part[-1] in ".:?!" else f"{part}." for part in parts if part)


def _references(node: Any) -> Iterator[Block]:
    for child in node:
        if local(child) == "ref":
            label = next((inline(part) for part in child if local(part) == "label"), "")
            texts = [_citation(part) for part in child if local(part) in _CITATIONS]
            alternatives = [part for part in child if local(part) == "citation-alternatives"]
            texts += [_citation(alternative[0]) for alternative in alternatives if len(alternative)]
            if words := " ".join(filter(None, texts)):
                yield Block(f"{label} {words}".strip())
        elif local(child) == "ref-list":
            yield from section(child)
        elif local(child) == "p":
            yield from _paragraph(child)


def _citation(node: Any) -> str:
    """A reference as printed, or, when only its parts are given, put together from them."""
    parts = {local(child): inline(child) for child in node if local(child)}
    printed = any((child.tail or "").strip() for child in node) or (node.text or "").strip()
    if printed or not parts or local(node) == "note":
        return inline(node)
    names = [each for each in node.iter() if local(each) in ("name", "string-name", "collab")]
    number = next(
        (inline(child) for child in node if local(child) == "pub-id" and child.get("pub-id-type") == "doi"), ""
    )
    first, last = parts.get("fpage", ""), parts.get("lpage", "")
    title = parts.get("article-title") or parts.get("chapter-title") or parts.get("data-title", "")
    item = {
        "title": title or parts.get("source", ""),
        "author": [_person(name) for name in names],
        "issued": {"literal": parts.get("year", "")},
        "container-title": parts.get("source", "") if title else "",
        "volume": parts.get("volume", ""),
        "issue": parts.get("issue", ""),
        "page": f"{first}-{last}" if first and last else first or parts.get("elocation-id", ""),
        "publisher": parts.get("publisher-name", ""),
        "DOI": number,
    }
    return paragraph(checked_item(item)) or inline(node)


def _person(name: Any) -> dict[str, str]:
    parts = {local(child): inline(child) for child in name if local(child)}
    if "surname" in parts:
        return {"family": parts["surname"], "given": parts.get("given-names", "")}
    return {"literal": inline(name)}


def _inline(node: Any) -> str:
    parts = [node.text or ""]
    for child in node:
        parts.append(_piece(child, "".join(parts[-2:])))
        parts.append(child.tail or "")
    return "".join(parts)


def _piece(node: Any, before: str) -> str:
    """The text of something inside a line, `before` being what stands to its left."""
    if isinstance(node, etree._Entity):
        return entity_text(node)
    name = local(node)
    if name in _SILENT or not name:
        return ""
    if name in ("disp-formula", "inline-formula", "alternatives"):
        return _formula(node)
    if name == "math":
        return formula(node)
    if name == "tex-math":
        return tex(node.text or "")
    text = _inline(node)
    if name in ("name", "string-name") and not any((child.tail or "").strip() for child in node):
        text = " ".join(_inline(child).strip() for child in node)
    if name == "sup" and before[-1:].isdigit():
        if any(local(child) == "xref" for child in node):
            return f" {text}"  # the mark of a note or reference must not become part of a number
        return f"^{text}" if _NUMERIC.match(text.strip()) else text
    return f" {text} " if name in _SPACED else text


def _formula(node: Any) -> str:
    """One of the forms in which a formula is given, the structured one first; its number in brackets."""
    forms = {local(each): each for each in node.iter() if local(each) in ("math", "tex-math")}
    label = next((inline(child) for child in node if local(child) == "label"), "")
    if "math" in forms:
        text = formula(forms["math"])
    elif "tex-math" in forms:
        text = tex("".join(forms["tex-math"].itertext()))
    else:
        text = "".join(
            (node.text or "", *(_piece(child, "") + (child.tail or "") for child in node if local(child) != "label"))
        )
    if local(node) != "disp-formula":
        return text
    return f" {text} {label if not label or label.startswith('(') else f'({label})'} "
