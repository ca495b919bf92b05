"""JATS, the XML of journal articles: what the article says of itself, its text, its references at the end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from services.library.errors import DocumentUnreadable, UnreadableCause
from services.library.parsing.csl import checked_item, names_of, year_in
from services.library.parsing.document import Kind, ParsedDocument, ParseLimits
from services.library.parsing.facts import clean_doi, title_from_filename, usable_title
from services.library.parsing.flow import Block, put_together
from services.library.parsing.jats_blocks import blocks_of, inline, section
from services.library.parsing.normalise import one_line
from services.library.parsing.xml import local, read_xml

_TYPES = {"book-review": "review-book", "product-review": "review", "dissertation": "thesis"}
_NOT_ABSTRACTS = frozenset(("graphical", "toc", "teaser", "precis", "web-summary"))
_NOT_DATES = frozenset(("received", "accepted", "rev-recd", "rev-request", "nihms-submitted", "pmc-release"))
_BACK_LEFT_OUT = frozenset(("ref-list", "bio"))


def parse_jats(data: bytes, filename: str, content_type: str, limits: ParseLimits) -> ParsedDocument:
    """A JATS article (.nxml, .xml). Reviews and translations that ride along (`sub-article`) are left out.

    Raises DocumentUnreadable: `corrupt`, `unsupported_type` for other XML, `no_text`, `too_large`.
    """
    root = read_xml(data)
    article = (
        root if local(root) == "article" else next((node for node in root.iter() if local(node) == "article"), None)
    )
    if article is None or not any(local(child) in ("front", "body") for child in article):
        raise DocumentUnreadable(UnreadableCause.UNSUPPORTED_TYPE, "(XML that is no JATS article)")
    item = _item(article)
    text, tables = put_together(_blocks(article, str(item.get("title", ""))), limits)
    if not text:
        raise DocumentUnreadable(UnreadableCause.NO_TEXT)
    return ParsedDocument(
        title=usable_title(str(item.get("title", ""))) or title_from_filename(filename),
        kind=Kind.JATS,
        text=text,
        authors=names_of(item)[:100],
        year=year_in(item),
        doi=str(item.get("DOI", "")),
        csl=item,
        tables=tables,
    )


def _blocks(article: Any, title: str) -> Iterator[Block]:
    yield Block(title)
    for abstract in _all(article, "front", "article-meta", "abstract"):
        if abstract.get("abstract-type") not in _NOT_ABSTRACTS:
            yield from section(abstract, "Abstract")
    for body in _all(article, "body"):
        yield from blocks_of(body)
    for floats in _all(article, "floats-group"):
        yield from blocks_of(floats)
    for back in _all(article, "back"):
        for child in back:
            if local(child) not in _BACK_LEFT_OUT:
                yield from section(child, "Acknowledgements" if local(child) == "ack" else "")
    for references in (node for back in _all(article, "back") for node in back.iter() if local(node) == "ref-list"):
        if local(references.getparent()) != "ref-list":
            yield from section(references, "References")


def _item(article: Any) -> dict[str, Any]:
    meta = next(_all(article, "front", "article-meta"), None)
    item: dict[str, Any] = {"type": _TYPES.get(article.get("article-type", ""), "article-journal")}
    if meta is None:
        return item
    title = _text(meta, "title-group", "article-title")
    subtitle = _text(meta, "title-group", "subtitle")
    item["title"] = f"{title}: {subtitle}" if title and subtitle else title
    item["author"] = [name for group in _all(meta, "contrib-group") for name in _authors(group)]
    item["issued"] = _issued(meta)
    for node in _all(meta, "article-id"):
        kind, value = node.get("pub-id-type"), inline(node)
        if kind == "doi":
            item["DOI"] = clean_doi(value)
        elif kind == "pmid":
            item["PMID"] = value
        elif kind in ("pmc", "pmcid"):
            item["PMCID"] = value if value.startswith("PMC") else f"PMC{value}"
    for name in ("volume", "issue"):
        item[name] = _text(meta, name)
    first, last = _text(meta, "fpage"), _text(meta, "lpage")
    item["page"] = f"{first}-{last}" if first and last and first != last else first or _text(meta, "elocation-id")
    journal = ("front", "journal-meta")
    item["container-title"] = _text(article, *journal, "journal-title-group", "journal-title") or _text(
        article, *journal, "journal-title"
    )
    item["ISSN"] = _text(article, *journal, "issn")
    item["publisher"] = _text(article, *journal, "publisher", "publisher-name")
    item["publisher-place"] = _text(article, *journal, "publisher", "publisher-loc")
    item["keyword"] = "; ".join(filter(None, (inline(node) for node in _all(meta, "kwd-group", "kwd"))))
    item["language"] = article.get("{http://www.w3.org/XML/1998/namespace}lang", "")
    return checked_item(item)


def _authors(group: Any) -> Iterator[dict[str, str]]:
    if group.get("content-type", "author").rstrip("s") != "author":
        return
    for contributor in _all(group, "contrib"):
        if contributor.get("contrib-type", "author") != "author":
            continue
        found = next((node for node in contributor.iter() if local(node) in ("name", "collab", "string-name")), None)
        if found is None:
            continue
        family, given = _text(found, "surname"), _text(found, "given-names")
        if family:
            yield {"family": family, "given": given, "suffix": _text(found, "suffix")}
        else:
            yield {"literal": _collective(found)}


def _collective(node: Any) -> str:
    """A group's own name, without the members that may be listed inside it."""
    institution = _text(node, "institution")
    return institution or one_line(node.text or "") or inline(node)


def _issued(meta: Any) -> dict[str, Any]:
    """The earliest date of publication, print or online; the archive's release is none."""
    dates: list[list[int]] = []
    for node in _all(meta, "pub-date"):
        if {node.get("pub-type", ""), node.get("date-type", "")} & _NOT_DATES:
            continue
        parts: list[int] = []
        for name in ("year", "month", "day"):
            value = _text(node, name)
            if not re.fullmatch(r"\d{1,4}", value):
                break
            parts.append(int(value))
        if parts:
            dates.append(parts)
    # A date without a month is not earlier than one of the same year with it.
    return {"date-parts": [min(dates, key=lambda parts: [*parts, 13, 32][:3])]} if dates else {}


def _all(node: Any, *path: str) -> Iterator[Any]:
    """The elements at the end of `path`, names without namespaces."""
    if not path:
        yield node
        return
    for child in node:
        if local(child) == path[0]:
            yield from _all(child, *path[1:])


def _text(node: Any, *path: str) -> str:
    found = next(_all(node, *path), None)
    return "" if found is None else inline(found)
