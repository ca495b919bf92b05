"""Europe PMC: the life sciences, with full texts as JATS XML for what is open access.

https://europepmc.org/RestfulWebService.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from services.library.connectors.http import JSON, XML
from services.library.connectors.paged import MOST_PAGES, Paged, display_name, json_object
from services.library.connectors.values import items, line_of, mapping, string, text_of, year
from services.library.connectors.wording import expressions
from services.library.connectors.work import FullText, Work
from services.library.parsing.csl import checked_item
from services.library.parsing.facts import clean_doi

ADDRESS = "https://www.ebi.ac.uk/europepmc/webservices/rest"
INTERVAL = 0.2
"""Seconds between two requests."""
_PMCID = re.compile(r"PMC\d{1,12}")
_ID = re.compile(r"[A-Za-z0-9]{1,32}")


class EuropePmc(Paged):
    """See the module."""

    name = "europepmc"

    def expressions(self, words: tuple[str, ...]) -> Sequence[str]:
        return [f"({each}) AND HAS_ABSTRACT:Y" for each in expressions(words)] if words else ()

    async def pages(self, expression: str, limit: int) -> AsyncIterator[list[Work]]:
        cursor = "*"
        for _ in range(MOST_PAGES):
            params = {
                "query": expression,
                "format": "json",
                "resultType": "core",
                "pageSize": str(self._sizes(limit)),
                "cursorMark": cursor,
            }
            if self._contact:
                params["email"] = self._contact
            works, found, following = await self._http.get(f"{self.address}/search", params, JSON, self._page)
            yield works
            # At the end it gives back the mark that it was sent.
            if not found or not following or following == cursor:
                return
            cursor = following

    async def full_text(self, url: str) -> tuple[str, str, bytes]:
        data = await self._http.get(url, {}, XML, bytes)
        name = next(iter(_PMCID.findall(url)), "article")
        return f"{name}.xml", "application/xml", data

    def _page(self, body: bytes) -> tuple[list[Work], int, str]:
        """A page's works, of how many results, and the mark of the next page. Raises Unusable."""
        answer = json_object(body)
        found = items(mapping(answer.get("resultList")).get("result"))
        works = [work for each in found if (work := self._work(mapping(each))) is not None]
        return works, len(found), string(answer.get("nextCursorMark"))

    def _work(self, data: Mapping[str, Any]) -> Work | None:
        kinds = items(mapping(data.get("pubTypeList")).get("pubType"))
        if any("retracted publication" in string(kind).lower() for kind in kinds):
            return None
        doi, pmcid = clean_doi(string(data.get("doi"))), string(data.get("pmcid"))
        title = line_of(data.get("title")).removesuffix(".")
        people = [mapping(each) for each in items(mapping(data.get("authorList")).get("author"))]
        names = [_name(each) for each in people]
        journal = mapping(data.get("journalInfo"))
        url = f"https://doi.org/{doi}" if doi else _page(data)
        csl = {
            "type": "article" if string(data.get("source")) == "PPR" else "article-journal",
            "title": title,
            "author": [name for name in names if name],
            "issued": {"raw": string(data.get("firstPublicationDate")) or string(data.get("pubYear"))},
            "container-title": line_of(mapping(journal.get("journal")).get("title")),
            "volume": string(journal.get("volume")),
            "issue": string(journal.get("issue")),
            "page": string(data.get("pageInfo")),
            "PMID": string(data.get("pmid")),
            "PMCID": pmcid,
            "DOI": doi,
            "URL": url,
        }
        return Work(
            title=title,
            abstract=text_of(data.get("abstractText")),
            authors=tuple(
                name.get("literal") or display_name(name.get("given", ""), name.get("family", ""))
                for name in names
                if name
            ),
            year=year(data.get("pubYear")),
            doi=doi,
            url=url,
            csl=checked_item(csl),
            full_texts=self._full_texts(data, pmcid),
        )

    def _full_texts(self, data: Mapping[str, Any], pmcid: str) -> tuple[FullText, ...]:
        licence = string(data.get("license"))
        if string(data.get("isOpenAccess")) != "Y" or not licence or not _PMCID.fullmatch(pmcid):
            return ()
        return (FullText(f"{self.address}/{pmcid}/fullTextXML", licence, "xml", own=True),)


def _name(author: Mapping[str, Any]) -> dict[str, str]:
    """A CSL name; an empty one where there is none."""
    group, family = line_of(author.get("collectiveName")), line_of(author.get("lastName"))
    given = line_of(author.get("firstName")) or line_of(author.get("initials"))
    if family:
        return {"family": family, "given": given} if given else {"family": family}
    literal = group or line_of(author.get("fullName"))
    return {"literal": literal} if literal else {}


def _page(data: Mapping[str, Any]) -> str:
    source, number = string(data.get("source")), string(data.get("id"))
    known = _ID.fullmatch(source) and _ID.fullmatch(number)
    return f"https://europepmc.org/article/{source}/{number}" if known else ""
