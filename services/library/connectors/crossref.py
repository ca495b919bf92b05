"""Crossref: what publishers deposit with their DOIs, abstracts among it as JATS.

https://api.crossref.org. With a contact address requests go to the polite pool.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from kit.times import Clock, Instant, from_datetime
from services.library.connectors.http import JSON, Http
from services.library.connectors.licences import licence_of
from services.library.connectors.paged import MOST_PAGES, Paged, display_name, json_object
from services.library.connectors.values import items, line_of, mapping, string, text_of, whole, year
from services.library.connectors.work import FullText, Work
from services.library.parsing.csl import checked_item
from services.library.parsing.facts import clean_doi

ADDRESS = "https://api.crossref.org"
INTERVAL = 0.5
"""Seconds between two requests: lists are allowed three a second in the polite pool."""
_FIELDS = (
    "DOI,title,subtitle,author,abstract,issued,container-title,volume,issue,page,publisher,type,URL,license,link,ISSN"
)
_TYPES = {
    "journal-article": "article-journal",
    "proceedings-article": "paper-conference",
    "posted-content": "article",
    "book": "book",
    "monograph": "book",
    "edited-book": "book",
    "reference-book": "book",
    "book-chapter": "chapter",
    "book-section": "chapter",
    "dissertation": "thesis",
    "report": "report",
    "dataset": "dataset",
    "standard": "standard",
    "peer-review": "review",
}
_FORMS = {"application/xml": "xml", "text/xml": "xml", "application/pdf": "pdf"}


class Crossref(Paged):
    """See the module."""

    name = "crossref"

    def __init__(self, http: Http, address: str = ADDRESS, *, clock: Clock, contact: str = "", page_size: int = 100):
        super().__init__(http, address, contact=contact, page_size=page_size)
        self._clock = clock

    def expressions(self, words: tuple[str, ...]) -> Sequence[str]:
        """Crossref knows no operators: it ranks by all words."""
        return (" ".join(words),) if words else ()

    async def pages(self, expression: str, limit: int) -> AsyncIterator[list[Work]]:
        size = self._sizes(limit)
        offset = 0
        read = partial(_page, now=self._clock.now())
        for _ in range(MOST_PAGES):
            params = {
                "query.bibliographic": expression,
                "filter": "has-abstract:true",
                "select": _FIELDS,
                "sort": "score",
                "order": "desc",
                "rows": str(size),
                "offset": str(offset),
            }
            if self._contact:
                params["mailto"] = self._contact
            works, total = await self._http.get(f"{self.address}/works", params, JSON, read)
            yield works
            offset += len(works)
            if not works or offset >= total:
                return


def _page(body: bytes, now: Instant) -> tuple[list[Work], int]:
    """A page's works, and how many results there are in all. Raises Unusable."""
    message = mapping(json_object(body).get("message"))
    total = whole(message.get("total-results"))
    works = [_work(mapping(each), now) for each in items(message.get("items"))]
    return works, sys.maxsize if total is None else total


def _work(data: Mapping[str, Any], now: Instant) -> Work:
    doi = clean_doi(string(data.get("DOI")))
    title, subtitle = _first(data.get("title")), _first(data.get("subtitle"))
    if subtitle and subtitle.lower() not in title.lower():
        title = f"{title}: {subtitle}"
    people = [mapping(each) for each in items(data.get("author"))]
    authors = (
        line_of(each.get("name")) or display_name(line_of(each.get("given")), line_of(each.get("family")))
        for each in people
    )
    parts = items(mapping(data.get("issued")).get("date-parts"))
    issued = items(parts[0]) if parts else []
    url = f"https://doi.org/{doi}" if doi else string(data.get("URL"))
    csl = {
        "type": _TYPES.get(string(data.get("type")), "document"),
        "title": title,
        "author": [{"literal": line_of(each.get("name"))} if each.get("name") else each for each in people],
        # A date that is not known is deposited as a list of null.
        "issued": {"date-parts": [issued]} if issued and issued[0] is not None else {},
        "container-title": _first(data.get("container-title")),
        "publisher": line_of(data.get("publisher")),
        "volume": string(data.get("volume")),
        "issue": string(data.get("issue")),
        "page": string(data.get("page")),
        "ISSN": _first(data.get("ISSN")),
        "DOI": doi,
        "URL": url,
    }
    return Work(
        title=title,
        abstract=text_of(data.get("abstract")),
        authors=tuple(name for name in authors if name),
        year=year(issued[0]) if issued else None,
        doi=doi,
        url=url,
        csl=checked_item(csl),
        full_texts=_full_texts(data, now),
    )


def _first(value: object) -> str:
    """The first of a list of titles or names."""
    return next((line for each in items(value) if (line := line_of(each))), "")


def _full_texts(data: Mapping[str, Any], now: Instant) -> tuple[FullText, ...]:
    """Links to the version of record for text mining or for any use, under a Creative Commons licence in force."""
    licences = [mapping(each) for each in items(data.get("license"))]
    in_force = (string(each.get("URL")) for each in licences if _since(each.get("start")) <= now)
    licence = next((url for url in in_force if licence_of(url)), "")
    if not licence:
        return ()
    links = [mapping(each) for each in items(data.get("link"))]
    texts = [
        FullText(string(each.get("URL")), licence, _FORMS[kind])
        for each in links
        if (kind := string(each.get("content-type")).lower()) in _FORMS and string(each.get("content-version")) != "am"
    ]
    return tuple(sorted((text for text in texts if text.url), key=lambda text: text.form != "xml"))


def _since(start: object) -> int:
    """The moment from which a licence holds; one without a date holds from the beginning."""
    parts = items(mapping(start).get("date-parts"))
    numbers = [number for part in (items(parts[0]) if parts else []) if (number := whole(part)) is not None]
    if not numbers:
        return 0
    year_, month, day = (*numbers, 1, 1)[:3]
    try:
        return from_datetime(datetime(year_, month, day, tzinfo=UTC))
    except (ValueError, OverflowError):
        return 0
