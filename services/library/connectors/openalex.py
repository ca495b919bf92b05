"""OpenAlex: works of all fields, abstracts as inverted indexes, data under CC0.

https://developers.openalex.org. An API key is free and needed for more than a few searches a day; only with one may
results be paged by cursor.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from services.library.connectors.http import JSON, Http
from services.library.connectors.paged import MOST_PAGES, Paged, json_object
from services.library.connectors.values import items, line_of, mapping, string, text_of, whole, year
from services.library.connectors.work import FullText, Work
from services.library.parsing.csl import checked_item
from services.library.parsing.facts import clean_doi

ADDRESS = "https://api.openalex.org"
INTERVAL = 0.2
"""Seconds between two requests."""
_FIELDS = (
    "id,doi,display_name,publication_year,publication_date,type,authorships,primary_location,best_oa_location,"
    "open_access,biblio,abstract_inverted_index,is_retracted"
)
_MOST_POSITIONS = 5_000
_TYPES = {
    "article": "article-journal",
    "review": "article-journal",
    "letter": "article-journal",
    "editorial": "article-journal",
    "preprint": "article",
    "book": "book",
    "book-chapter": "chapter",
    "dissertation": "thesis",
    "dataset": "dataset",
    "report": "report",
    "standard": "standard",
}


class OpenAlex(Paged):
    """See the module."""

    name = "openalex"

    def __init__(self, http: Http, address: str = ADDRESS, *, contact: str = "", key: str = "", page_size: int = 100):
        super().__init__(http, address, contact=contact, page_size=page_size)
        self._key = key

    async def pages(self, expression: str, limit: int) -> AsyncIterator[list[Work]]:
        size = self._sizes(limit)
        place: dict[str, str] = {"cursor": "*"} if self._key else {"page": "1"}
        seen = 0
        for number in range(1, MOST_PAGES + 1):
            params = self._params(expression, size, place)
            page = await self._http.get(f"{self.address}/works", params, JSON, _page)
            yield page.works
            seen += page.results
            if not page.results or seen >= page.total or (self._key and not page.following):
                return
            place = {"cursor": page.following} if page.following else {"page": str(number + 1)}

    def _params(self, expression: str, size: int, place: Mapping[str, str]) -> dict[str, str]:
        params = {
            "search": expression,
            "filter": "has_abstract:true,is_retracted:false",
            "select": _FIELDS,
            "per-page": str(size),
            **place,
        }
        if self._contact:
            params["mailto"] = self._contact
        if self._key:
            params["api_key"] = self._key
        return params


@dataclass(frozen=True, slots=True)
class _Page:
    """Works, of how many results here and in all, and the cursor of the next page; "" without one."""

    works: list[Work]
    results: int
    total: int
    following: str


def _page(body: bytes) -> _Page:
    """Raises Unusable."""
    answer = json_object(body)
    results, meta = items(answer.get("results")), mapping(answer.get("meta"))
    works = [work for each in results if (work := _work(mapping(each))) is not None]
    total = whole(meta.get("count"))
    return _Page(works, len(results), sys.maxsize if total is None else total, string(meta.get("next_cursor")))


def _work(data: Mapping[str, Any]) -> Work | None:
    if data.get("is_retracted") is True:
        return None
    doi = clean_doi(string(data.get("doi")))
    title = line_of(data.get("display_name"))
    names = [
        string(mapping(mapping(each).get("author")).get("display_name")) for each in items(data.get("authorships"))
    ]
    authors = tuple(name for name in names if name)
    source = mapping(mapping(data.get("primary_location")).get("source"))
    biblio = mapping(data.get("biblio"))
    first, last = string(biblio.get("first_page")), string(biblio.get("last_page"))
    url = f"https://doi.org/{doi}" if doi else string(data.get("id"))
    csl = {
        "type": _TYPES.get(string(data.get("type")), "document"),
        "title": title,
        "author": [{"literal": name} for name in authors],
        "issued": {"raw": string(data.get("publication_date"))},
        "container-title": line_of(source.get("display_name")),
        "publisher": string(source.get("host_organization_name")),
        "volume": string(biblio.get("volume")),
        "issue": string(biblio.get("issue")),
        "page": f"{first}-{last}" if first and last and first != last else first,
        "DOI": doi,
        "URL": url,
    }
    return Work(
        title=title,
        abstract=text_of(_abstract(mapping(data.get("abstract_inverted_index")))),
        authors=authors,
        year=year(data.get("publication_year")),
        doi=doi,
        url=url,
        csl=checked_item(csl),
        full_texts=_full_texts(data),
    )


def _abstract(index: Mapping[str, Any]) -> str:
    """The words of an inverted index, word → positions, in their order."""
    placed: dict[int, str] = {}
    for word, positions in index.items():
        for position in items(positions):
            number = whole(position)
            if number is not None and 0 <= number < _MOST_POSITIONS:
                placed[number] = word
    return " ".join(placed[number] for number in sorted(placed))


def _full_texts(data: Mapping[str, Any]) -> tuple[FullText, ...]:
    location = mapping(data.get("best_oa_location"))
    url, licence = string(location.get("pdf_url")), string(location.get("license"))
    open_access = mapping(data.get("open_access")).get("is_oa") is True and location.get("is_oa") is True
    return (FullText(url, licence, "pdf"),) if open_access and url and licence else ()
