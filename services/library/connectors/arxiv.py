"""arXiv: preprints, found over its Atom API.

https://info.arxiv.org/help/api. One request in three seconds, one at a time. Entries tell no licence as a rule, so that
their abstracts are what is used, unless an entry links to its licence or another connector knows it.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

from services.library.connectors.connector import ConnectorFailed
from services.library.connectors.http import XML, Unusable
from services.library.connectors.paged import MOST_PAGES, Paged
from services.library.connectors.values import paragraphs_of, string, whole, year
from services.library.connectors.wording import expressions
from services.library.connectors.work import FullText, Work
from services.library.parsing.csl import checked_item
from services.library.parsing.facts import clean_doi

if TYPE_CHECKING:
    from lxml.etree import _Element

ADDRESS = "https://export.arxiv.org/api"
INTERVAL = 3.0
"""Seconds between two requests, as its terms of use ask for."""
_ATOM = "{http://www.w3.org/2005/Atom}"
_ARXIV = "{http://arxiv.org/schemas/atom}"
_OPENSEARCH = "{http://a9.com/-/spec/opensearch/1.1/}"
_ENTRY = re.compile(r"arxiv\.org/abs/((?:[a-z\-]+(?:\.[A-Z]{2})?/)?\d{4}[.\d]\d{2,5})(v\d+)?\Z")
_ERROR = "arxiv.org/api/errors"
_WITHDRAWN = re.compile(
    r"\Athis (?:paper|article|submission|manuscript|work) (?:has been|was|is) withdrawn", re.IGNORECASE
)


class Arxiv(Paged):
    """See the module."""

    name = "arxiv"

    def expressions(self, words: tuple[str, ...]) -> Sequence[str]:
        return expressions(words, "all:") if words else ()

    async def pages(self, expression: str, limit: int) -> AsyncIterator[list[Work]]:
        size = self._sizes(limit)
        start = 0
        for _ in range(MOST_PAGES):
            params = {
                "search_query": expression,
                "start": str(start),
                "max_results": str(size),
                "sortBy": "relevance",
                "sortOrder": "descending",
            }
            works, total, entries = await self._http.get(f"{self.address}/query", params, XML, _feed)
            yield works
            start += entries
            if not entries or start >= total:
                return


def _feed(body: bytes) -> tuple[list[Work], int, int]:
    """The works of a feed, how many there are in all, and how many entries this page has. Raises Unusable, and
    ConnectorFailed for a feed that tells of an error."""
    root = _parsed(body)
    if root.tag != f"{_ATOM}feed":
        raise Unusable("no Atom feed")
    entries = root.findall(f"{_ATOM}entry")
    if any(_ERROR in _child(entry, f"{_ATOM}id") for entry in entries):
        raise ConnectorFailed("refuses the query")
    total = whole(_child(root, f"{_OPENSEARCH}totalResults")) or 0
    start = whole(_child(root, f"{_OPENSEARCH}startIndex")) or 0
    if not entries and total > start:
        # It happens that a page is empty though there are results; asked again it is not.
        raise Unusable("an empty page")
    works = [work for entry in entries if (work := _work(entry)) is not None]
    return works, total, len(entries)


def _parsed(body: bytes) -> _Element:
    from lxml import etree

    # Nothing is loaded or expanded, whatever a document type says; what has one at all is no feed.
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False, recover=False
    )
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError):
        raise Unusable("no XML") from None
    if root.getroottree().docinfo.doctype:
        raise Unusable("XML with a document type")
    return root


def _work(entry: _Element) -> Work | None:
    match = _ENTRY.search(_child(entry, f"{_ATOM}id"))
    # Titles and abstracts are plain text here, with formulas: a < in them begins no tag.
    summary = paragraphs_of(entry.findtext(f"{_ATOM}summary") or "")
    if match is None or _WITHDRAWN.match(summary):
        return None
    number = match.group(1)
    title = _child(entry, f"{_ATOM}title")
    names = (string(_child(author, f"{_ATOM}name")) for author in entry.findall(f"{_ATOM}author"))
    authors = tuple(name for name in names if name)
    published = _child(entry, f"{_ATOM}published")
    # The DOI of the version in a journal where it has one, else the one that arXiv registers for every preprint.
    doi = clean_doi(_child(entry, f"{_ARXIV}doi")) or f"10.48550/arXiv.{number}"
    url = f"https://arxiv.org/abs/{number}"
    csl = {
        "type": "article",
        "title": title,
        "author": [{"literal": name} for name in authors],
        "issued": {"raw": published[:10]},
        "publisher": "arXiv",
        "number": f"arXiv:{number}",
        "note": string(_child(entry, f"{_ARXIV}journal_ref")),
        "DOI": doi,
        "URL": url,
    }
    return Work(
        title=title,
        abstract=summary,
        authors=authors,
        year=year(published[:4]),
        doi=doi,
        url=url,
        csl=checked_item(csl),
        full_texts=_full_texts(entry),
    )


def _full_texts(entry: _Element) -> tuple[FullText, ...]:
    links = entry.findall(f"{_ATOM}link")
    licence = next((string(link.get("href")) for link in links if link.get("rel") == "license"), "")
    licence = licence or _child(entry, f"{_ATOM}rights")
    pdf = next((string(link.get("href")) for link in links if link.get("title") == "pdf"), "")
    pdf = pdf.replace("http://arxiv.org/", "https://arxiv.org/", 1)
    return (FullText(pdf, licence, "pdf"),) if pdf and licence else ()


def _child(element: _Element, tag: str) -> str:
    return string(element.findtext(tag))
