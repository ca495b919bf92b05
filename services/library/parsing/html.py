"""HTML by Lexbor: the article's text without the page's furniture, and its citation metadata."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode

from services.library.errors import DocumentUnreadable, UnreadableCause
from services.library.parsing.csl import described
from services.library.parsing.document import Kind, ParsedDocument, ParseLimits
from services.library.parsing.encoding import declared_charset, decode
from services.library.parsing.facts import (
    clean_doi,
    split_authors,
    title_from_filename,
    usable_title,
    year_of,
)
from services.library.parsing.flow import Block, put_together
from services.library.parsing.html_tables import data_tables
from services.library.parsing.normalise import one_line
from services.library.places import CSL

_AUTHORS = ("citation_author", "dc.creator", "dcterms.creator", "author", "article:author")
_DATES = (
    "citation_publication_date",
    "citation_date",
    "dc.date",
    "dcterms.date",
    "dcterms.issued",
    "article:published_time",
    "date",
)
"""Meta tags by name, the surest first."""
_NEVER_TEXT = (
    "script, style, noscript, template, svg, math annotation, iframe, object, canvas, audio, video, map, "
    "nav, aside, form, button, select, dialog, "
    "[hidden], [aria-hidden=true], [role=navigation], [role=banner], [role=contentinfo], [role=search], "
    "[role=complementary]"
)
_FURNITURE_NAMES = (
    "nav navbar navbox navigation menu sidebar breadcrumb breadcrumbs footer site-footer page-footer "
    "site-header page-header cookie cookies cookie-banner consent advert advertisement ads share sharing "
    "social toc noprint skip-link visually-hidden sr-only mw-editsection mw-jump-link catlinks "
    "related newsletter subscribe comments"
)
_FURNITURE = frozenset(_FURNITURE_NAMES.split())
_MAIN = "main, article, [role=main], [itemprop=articleBody]"
_MAIN_SHARE = 0.4
_FURNITURE_SHARE = 0.3
_LINK_SHARE = 0.8
_MANY_LINKS = 8
_BOX_LINK_SHARE = 0.25
_LEAST_BOX = 200
_PARAGRAPH_TAGS = (
    "p div section article main header footer h1 h2 h3 h4 h5 h6 ul ol dl table blockquote pre figure "
    "figcaption address hr details summary fieldset center body"
)
_PARAGRAPH = frozenset(_PARAGRAPH_TAGS.split())
_LINE = frozenset(("li", "dt", "dd", "tr", "br", "caption"))
_CELL = frozenset(("td", "th"))


def parse_html(data: bytes, filename: str, content_type: str, limits: ParseLimits) -> ParsedDocument:
    """A web page. Text comes from its main part when it marks one that holds most of the words."""
    declared = declared_charset(content_type) or declared_charset(data[:2048].decode("latin-1"))
    raw, problems = decode(data, declared)
    tree = LexborHTMLParser(raw)
    facts = _metadata(tree)
    title = usable_title(facts.get("citation_title", "") or facts.get("dc.title", ""))
    title = title or usable_title(facts.get("og:title", "")) or usable_title(_node_text(tree, "title"))
    title = title or usable_title(_node_text(tree, "h1"))
    title = title or title_from_filename(filename)
    text, tables = put_together(_article(tree), limits)
    if not text:
        raise DocumentUnreadable(UnreadableCause.NO_TEXT, "The page has no text of its own.")
    # What holds no name, as the address of a profile, gives way to the next.
    authors = next((found for name in _AUTHORS if (found := split_authors(facts.get(name, "")))), ())
    year = next((dated for name in _DATES if (dated := year_of(facts.get(name, "")))), None)
    doi = clean_doi(facts.get("citation_doi") or facts.get("dc.identifier", ""))
    return ParsedDocument(
        title=title,
        kind=Kind.HTML,
        text=text,
        authors=authors,
        year=year,
        doi=doi,
        problems=problems,
        csl=_item(facts, title, authors, year, doi),
        tables=tables,
    )


def _item(facts: dict[str, str], title: str, authors: tuple[str, ...], year: int | None, doi: str) -> CSL:
    journal = facts.get("citation_journal_title", "")
    proceedings = facts.get("citation_conference_title", "")
    first, last = facts.get("citation_firstpage", ""), facts.get("citation_lastpage", "")
    return described(
        "article-journal" if journal else "paper-conference" if proceedings else "webpage",
        title,
        authors,
        year,
        doi,
        container_title=journal or proceedings or facts.get("og:site_name", ""),
        volume=facts.get("citation_volume", ""),
        issue=facts.get("citation_issue", ""),
        page=f"{first}-{last}" if first and last and first != last else first,
        publisher=facts.get("citation_publisher", ""),
        ISSN=facts.get("citation_issn", "").partition(";")[0],
        URL=facts.get("citation_public_url") or facts.get("og:url", ""),
    )


def _metadata(tree: LexborHTMLParser) -> dict[str, str]:
    """Meta tags by lower-case name; repeated ones (authors) are joined by semicolons."""
    facts: dict[str, str] = {}
    for node in tree.css("meta[content]"):
        name = (node.attributes.get("name") or node.attributes.get("property") or "").lower()
        content = one_line(node.attributes.get("content") or "")
        if name and content and len(facts) < 500:
            facts[name] = f"{facts[name]}; {content}" if name in facts else content
    return facts


def _node_text(tree: LexborHTMLParser, selector: str) -> str:
    node = tree.css_first(selector)
    return one_line(node.text(deep=True)) if node is not None else ""


def _article(tree: LexborHTMLParser) -> list[Block]:
    body = tree.body
    if body is None:
        return []
    skipped = {node.mem_id for node in tree.css(_NEVER_TEXT) if node.tag not in ("body", "html")}
    lengths, links = _lengths(body, skipped)
    total = lengths[body.mem_id]
    for node in tree.css("[class], [id]"):
        length = lengths.get(node.mem_id, 0)
        small = length < _FURNITURE_SHARE * total
        box = length >= _LEAST_BOX and links.get(node.mem_id, 0) < _BOX_LINK_SHARE * length
        if box and _named(node) & _FURNITURE == {"sidebar"}:
            continue  # a box beside the text, as manuals have them, and no list of links
        if small and node.tag not in ("body", "html", "main", "article") and _is_furniture(node):
            skipped.add(node.mem_id)
    if links[body.mem_id] < _LINK_SHARE * total:  # a page that is all links is an index; it stays whole
        for node in tree.css("ul, ol, table"):
            length = lengths.get(node.mem_id, 0)
            if length and links[node.mem_id] > _LINK_SHARE * length and len(node.css("a")) >= _MANY_LINKS:
                skipped.add(node.mem_id)
    lengths, _ = _lengths(body, skipped)
    main = max(tree.css(_MAIN), key=lambda node: lengths.get(node.mem_id, 0), default=body)
    if lengths.get(main.mem_id, 0) < _MAIN_SHARE * lengths[body.mem_id]:
        main = body
    return _flow(main, skipped, data_tables(main, lambda node: _flat(node, skipped)))


def _is_furniture(node: LexborNode) -> bool:
    return not _FURNITURE.isdisjoint(_named(node))


def _named(node: LexborNode) -> set[str]:
    return set(f"{node.attributes.get('class') or ''} {node.attributes.get('id') or ''}".lower().split())


def _walk(root: LexborNode, skipped: set[int], closed: Container[int] = ()) -> Iterator[tuple[LexborNode, bool]]:
    """Each node below `root` with True when it opens and False when it closes; text nodes only open.

    Nodes are skipped, never removed: removing one frees what lies below it, which other results of a
    selector may still point to. What is `closed` is not entered. There is no recursion, so depth costs nothing.
    """
    node: LexborNode | None = root
    while node is not None:
        child = None
        if node.mem_id not in skipped:
            yield node, True
            child = None if node.mem_id in closed else node.first_child
        while child is None:
            if node.is_element_node and node.mem_id not in skipped:
                yield node, False
            if node.mem_id == root.mem_id:
                return
            child = node.next
            if child is None:
                parent = node.parent
                if parent is None:
                    return
                node = parent
        node = child


def _lengths(root: LexborNode, skipped: set[int]) -> tuple[dict[int, int], dict[int, int]]:
    """Characters of text below each element, and how many of them stand in links."""
    lengths: dict[int, int] = {}
    links: dict[int, int] = {}
    counts: list[list[int]] = []
    for node, opens in _walk(root, skipped):
        if node.is_text_node:
            counts[-1][0] += len((node.text_content or "").strip())
        elif node.is_element_node and opens:
            counts.append([0, 0])
        elif node.is_element_node:
            length, linked = counts.pop()
            linked = length if node.tag == "a" else linked
            lengths[node.mem_id], links[node.mem_id] = length, linked
            if counts:
                counts[-1][0] += length
                counts[-1][1] += linked
    return lengths, links


def _flow(root: LexborNode, skipped: set[int], tables: dict[int, Block]) -> list[Block]:
    """Text in reading order: blank lines between paragraphs, tabs between cells; `pre` keeps its line ends."""
    blocks: list[Block] = []
    parts: list[str] = []
    preformatted = 0
    for node, opens in _walk(root, skipped, tables):
        if node.is_text_node:
            content = node.text_content or ""
            parts.append(content if preformatted else re.sub(r"\s+", " ", content))
        elif node.mem_id in tables:
            if opens:
                table = tables[node.mem_id]
                caption = table.table.caption if table.table is not None else ""
                blocks += [Block(_tidy("".join(parts))), Block(caption), table]
                parts = []
        elif node.is_element_node:
            preformatted += (1 if opens else -1) if node.tag == "pre" else 0
            parts.append(_separator(node.tag, opens))
    return [*blocks, Block(_tidy("".join(parts)))]


def _flat(root: LexborNode, skipped: set[int]) -> str:
    """The text below an element on one line."""
    parts = [
        (node.text_content or "") if node.is_text_node else " " if node.tag in _PARAGRAPH or node.tag in _LINE else ""
        for node, _ in _walk(root, skipped)
    ]
    return one_line("".join(parts))


def _separator(tag: str | None, opens: bool) -> str:
    if tag in _PARAGRAPH:
        return "\n\n"
    if tag in _LINE:
        return "\n" if opens else ""
    return "\t" if tag in _CELL and not opens else ""


def _tidy(text: str) -> str:
    lines = [re.sub(r" {2,}", " ", line).strip(" \t\xa0") for line in text.split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines))
