"""Citations of several sessions as one list without repeats."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from worker.engines.synthesis.model import Finding, Json, Session
from worker.engines.text.identifiers import content_id
from worker.engines.text.terms import fold, words

_MIN_TITLE_WORDS = 4
_FIELDS = ("document_id", "title", "authors", "year", "doi", "url")
_DOI_PREFIXES = ("https://doi.org/", "http://doi.org/", "https://dx.doi.org/", "http://dx.doi.org/", "doi:")

Place = tuple[str, str]
"""A citation where it stands: the session's id and its own."""


class WorkIndex:
    """Which citations of different sessions are the same work.

    Those are joined that share a DOI; a title of four words or more with the year or the first author, where neither
    year nor first author differ; or the stored text. A text in which a session cites several works (a bibliography)
    joins none. What is joined with the same is joined with each other. The order of the sessions does not count.
    """

    def __init__(self, sessions: Sequence[Session]) -> None:
        copies = {(s.session_id, str(c["id"])): c for s in sessions for c in s.citations}
        works = _joined(copies)
        # Each work's copies, the fullest first: it speaks for all of them.
        self._citations = [sorted((copies[place] for place in work), key=_fullness) for work in works]
        self._places: dict[int, dict[tuple[str, str, int, int], int]] = {}
        self._work_of = {place: number for number, work in enumerate(works) for place in work}

    def works(self, finding: Finding) -> list[int]:
        """The works a finding cites, in its order, without repeats."""
        found = (self._work_of.get((finding.session_id, citation)) for citation in finding.citations)
        return list(dict.fromkeys(work for work in found if work is not None))

    def sources(self, finding: Finding) -> frozenset[str]:
        """What a finding rests on: the works it cites and the datasets it was computed from."""
        cited = {f"work:{work}" for work in self.works(finding)}
        return frozenset(cited | {f"data:{key}" for key in finding.data_keys})

    def citation_id(self, work: int) -> str:
        """The id of the merged citation."""
        return content_id("citation", *sorted({citation["id"] for citation in self._citations[work]}))

    def title(self, work: int) -> str:
        """The work's title as its fullest copy has it."""
        return str(self._citations[work][0].get("title") or "")

    def citation(self, work: int) -> Json:
        """The merged citation: the fields of the fullest copy that has them, the passages of all."""
        copies = self._citations[work]
        identifier = self.citation_id(work)
        merged: Json = {"id": identifier}
        for name in _FIELDS:
            merged[name] = next((copy[name] for copy in copies if copy.get(name)), copies[0].get(name))
        if merged["year"] is not None:
            merged["year"] = int(merged["year"])
        merged["passages"] = _passages(copies, merged["document_id"])
        fullest = max(copies, key=lambda copy: len(copy.get("csl") or {}))
        merged["csl"] = {**(fullest.get("csl") or {}), "id": identifier}
        return merged

    def place(self, work: int, passage: Json) -> int:
        """Where a passage that :meth:`passage` gave stands in the list of the merged citation, counted from 0."""
        if work not in self._places:
            merged = self.citation(work)
            self._places[work] = {
                _stands(entry, merged["document_id"]): place for place, entry in enumerate(merged["passages"])
            }
        return self._places[work][_stands(passage, None)]

    def passage(self, finding: Finding, citation: str) -> tuple[int, Json] | None:
        """The work that a finding cites so, and the passage of it that the finding rests on, with its document.

        The one that holds the finding's quote, or else the one that has most words in common with it.
        """
        work = self._work_of.get((finding.session_id, citation))
        if work is None:
            return None
        own = next((c for c in self._citations[work] if citation == c["id"] and c.get("passages")), None)
        if own is None:
            return work, {}
        wanted = " ".join(str(finding.quote or finding.text).split())
        passages = _passages([own], None)
        holding = [item for item in passages if wanted in " ".join(str(item["quote"]).split())]
        if holding:
            return work, holding[0]
        stated = _words(wanted)
        return work, max(passages, key=lambda item: len(stated & _words(str(item["quote"]))))


def work_keys(citation: Json) -> list[str]:
    """The keys by which a citation's work is known for certain: DOI, then stored text."""
    keys = []
    if citation.get("doi"):
        keys.append("doi:" + _doi(citation))
    digests = {str(passage["sha256"]) for passage in citation.get("passages") or [] if passage.get("sha256")}
    return keys + [f"text:{digest}" for digest in sorted(digests)]


def _joined(copies: dict[Place, Json]) -> list[list[Place]]:
    """Places of the same work together, in an order that the content alone decides."""
    parent = {place: place for place in copies}

    def root(place: Place) -> Place:
        while parent[place] != place:
            parent[place] = parent[parent[place]]
            place = parent[place]
        return place

    def join(places: Iterable[Place]) -> None:
        first, *others = sorted({root(place) for place in places})
        for other in others:
            parent[other] = first

    several = Counter((place[0], citation.get("document_id")) for place, citation in copies.items())
    known: dict[str, list[Place]] = {}
    titled: dict[str, list[Place]] = {}
    for place, citation in sorted(copies.items()):
        lists_works = several[place[0], citation.get("document_id")] > 1
        for key in work_keys(citation):
            if not (lists_works and key.startswith("text:")):
                known.setdefault(key, []).append(place)
        title = [fold(word.text) for word in words(str(citation.get("title") or ""))]
        if len(title) >= _MIN_TITLE_WORDS:
            titled.setdefault(" ".join(title), []).append(place)
    for places in known.values():
        join(places)
    for places in titled.values():
        for number, place in enumerate(places):
            for other in places[number + 1 :]:
                if _same_edition(copies[place], copies[other]):
                    join((place, other))
    works: dict[Place, list[Place]] = {}
    for place in sorted(copies):
        works.setdefault(root(place), []).append(place)
    return sorted(works.values(), key=lambda work: sorted(copies[place]["id"] for place in work))


def _same_edition(left: Json, right: Json) -> bool:
    """Of two citations with the same title."""
    years = [int(one["year"]) if one.get("year") is not None else None for one in (left, right)]
    authors = [_first_author(one) for one in (left, right)]
    if all(years) and years[0] != years[1]:
        return False
    if all(authors) and authors[0] != authors[1]:
        return False
    return all(years) or all(authors)


def _first_author(citation: Json) -> str:
    authors = citation.get("authors") or [""]
    name = str(authors[0])
    family = name.partition(",")[0] if "," in name else name.rpartition(" ")[2]
    return fold(family.strip())


def _doi(citation: Json) -> str:
    doi = str(citation["doi"]).strip().lower()
    for prefix in _DOI_PREFIXES:
        doi = doi.removeprefix(prefix)
    return doi.strip()


def _fullness(citation: Json) -> tuple[int, int, str, str]:
    filled = sum(bool(citation.get(name)) for name in _FIELDS)
    return -filled, -len(citation.get("csl") or {}), str(citation.get("document_id") or ""), str(citation["id"])


def _words(text: str) -> set[str]:
    return {fold(word.text) for word in words(text)}


def _stands(passage: Json, document_id: Any) -> tuple[str, str, int, int]:
    """Which passage it is; `document_id` is what stands for one that names no document of its own."""
    own = str(passage.get("document_id") or document_id)
    return str(passage.get("sha256")), own, int(passage["start"]), int(passage["end"])


def _passages(copies: Sequence[Json], document_id: Any) -> list[Json]:
    """All passages in the order of the text. One that stands in another copy than `document_id` names that copy."""
    found: dict[tuple[str, str, int, int], Json] = {}
    for copy in copies:
        for passage in copy.get("passages") or []:
            start, end = int(passage["start"]), int(passage["end"])
            page = passage.get("page")
            own = str(passage.get("document_id") or copy["document_id"])
            entry: Json = {
                "quote": passage["quote"],
                "page": None if page is None else int(page),
                "start": start,
                "end": end,
                "sha256": passage.get("sha256"),
            }
            if own != document_id:
                entry["document_id"] = own
            found.setdefault((str(passage.get("sha256")), own, start, end), entry)
    return [found[key] for key in sorted(found, key=lambda key: (key[1] != document_id, *key))]
