"""Citations: numbered in order of first use, with their passages and a CSL-JSON item."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from worker.engines.base import DocumentRecord, WorkSpan
from worker.engines.research.model import Json, Statement
from worker.engines.text.identifiers import content_id

_Cited = tuple[str, int | None]
"""A document's id, and where in it the work begins that is cited instead of it."""
_PARTICLES = frozenset(
    {"van", "von", "de", "der", "den", "du", "da", "di", "del", "della", "la", "le", "ten", "ter", "zu"}
)
_ORGANISATION = re.compile(
    r"\b(?:university|institute|institution|association|society|committee|council|commission|agency|organi[sz]ation|group"
    r"|team|office|department|ministry|foundation|consortium|center|centre|bureau|library|inc|ltd)\b",
    re.IGNORECASE,
)


class Bibliography:
    """Collects the citations of a result document.

    A marker such as ``[2]`` is the citation's place in the list, counted from 1. A passage that describes one work of a
    bibliography is cited as that work, any other as its document.
    """

    def __init__(self, records: Mapping[str, DocumentRecord], digests: Mapping[str, str]) -> None:
        self._records = records
        self._digests = digests
        self._passages: dict[_Cited, dict[tuple[int, int], Json]] = {}

    def cite(self, statements: Iterable[Statement]) -> list[str]:
        """Ids of the citations of these statements, whose quotes join the citations' passages."""
        ids: dict[str, None] = {}
        for statement in statements:
            cited = self._cited(statement)
            passages = self._passages.setdefault(cited, {})
            passages.setdefault(
                (statement.start, statement.end),
                {
                    "quote": statement.quote,
                    "page": statement.page,
                    "start": statement.start,
                    "end": statement.end,
                    "sha256": self._digests[statement.document_id],
                },
            )
            ids[self._id(cited)] = None
        return list(ids)

    def work(self, statement: Statement) -> tuple[str, str]:
        """The id of the citation of a statement, and the title of the work that is cited."""
        cited = self._cited(statement)
        return self._id(cited), self._record(cited).title

    def citation_at(self, document_id: str, start: int, end: int) -> str:
        """The id of the citation that a passage of a document has, or would have if it were cited."""
        return self._id(self._work_at(document_id, start, end))

    def marker(self, statements: Iterable[Statement]) -> str:
        """``[1]`` or ``[1][3]`` for statements, citing them if they were not cited before."""
        found = list(statements)
        self.cite(found)
        order = list(self._passages)
        numbers = dict.fromkeys(order.index(self._cited(item)) + 1 for item in found)
        return "".join(f"[{number}]" for number in numbers)

    def evidence(self, statements: Iterable[Statement]) -> list[Json]:
        """The passages of these statements by citation and place in its list. Places are settled only when everything
        is cited, so this comes last."""
        found: dict[tuple[str, int], None] = {}
        for statement in statements:
            cited = self._cited(statement)
            places = sorted(self._passages[cited])
            found[self._id(cited), places.index((statement.start, statement.end))] = None
        return [{"citation": citation, "passage": place} for citation, place in found]

    def as_json(self) -> list[Json]:
        """The citations in order of first use."""
        return [
            _citation(self._id(cited), self._record(cited), [found for _, found in sorted(passages.items())])
            for cited, passages in self._passages.items()
        ]

    def _cited(self, statement: Statement) -> _Cited:
        return self._work_at(statement.document_id, statement.start, statement.end)

    def _work_at(self, document_id: str, start: int, end: int) -> _Cited:
        inside = [work for work in self._records[document_id].works if work.start <= start and end <= work.end]
        return document_id, inside[0].start if inside else None

    def _record(self, cited: _Cited) -> DocumentRecord:
        document_id, start = cited
        record = self._records[document_id]
        return record if start is None else of_work(record, next(work for work in record.works if work.start == start))

    def _id(self, cited: _Cited) -> str:
        document_id, start = cited
        return content_id("citation", document_id, self._digests[document_id], *(() if start is None else (start,)))


def of_work(record: DocumentRecord, work: WorkSpan) -> DocumentRecord:
    """The card of a work that a bibliography lists."""
    csl = work.csl
    return replace(
        record,
        title=str(csl.get("title") or record.title),
        authors=tuple(map(_written, csl.get("author") or ())),
        year=_year(csl),
        doi=str(csl["DOI"]) if csl.get("DOI") else None,
        url=str(csl["URL"]) if csl.get("URL") else None,
        csl=csl,
        works=(),
    )


def _written(name: Mapping[str, Any]) -> str:
    if name.get("literal"):
        return str(name["literal"])
    particle = name.get("non-dropping-particle") or name.get("dropping-particle")
    family = " ".join(str(part) for part in (particle, name.get("family")) if part)
    return ", ".join(part for part in (family, str(name.get("given") or "")) if part)


def _year(csl: Mapping[str, Any]) -> int | None:
    parts = (csl.get("issued") or {}).get("date-parts") or [[]]
    try:
        return int(parts[0][0])
    except (IndexError, TypeError, ValueError):
        return None


def _citation(citation_id: str, record: DocumentRecord, passages: list[Json]) -> Json:
    return {
        "id": citation_id,
        "document_id": record.document_id,
        "title": record.title,
        "authors": list(record.authors),
        "year": record.year,
        "doi": record.doi,
        "url": record.url,
        "passages": passages,
        "csl": csl_item(citation_id, record),
    }


def csl_item(citation_id: str, record: DocumentRecord) -> Json:
    """The CSL-JSON item (CSL 1.0.2 data schema) of a document: what its file says of itself, or what its card does."""
    if record.csl.get("title"):
        return {"type": "document", **record.csl, "id": citation_id}
    item: dict[str, Any] = {
        "id": citation_id,
        "type": "article-journal" if record.doi else "webpage" if record.url else "document",
        "title": record.title,
    }
    if record.authors:
        item["author"] = [csl_name(author) for author in record.authors]
    if record.year is not None:
        item["issued"] = {"date-parts": [[record.year]]}
    if record.doi:
        item["DOI"] = record.doi
    if record.url:
        item["URL"] = record.url
    return item


def csl_name(author: str) -> dict[str, str]:
    """A CSL name from ``Family, Given`` or ``Given Family``; organisations and single words stay literal."""
    name = " ".join(author.split())
    if _ORGANISATION.search(name):
        return {"literal": name}
    if "," in name:
        family, _, given = name.partition(",")
        return {"family": family.strip(), "given": given.strip()} if given.strip() else {"literal": family.strip()}
    parts = name.split(" ")
    if len(parts) == 1:
        return {"literal": name}
    cut = len(parts) - 1
    while cut > 1 and parts[cut - 1].lower() in _PARTICLES:
        cut -= 1
    return {"family": " ".join(parts[cut:]), "given": " ".join(parts[:cut])}
