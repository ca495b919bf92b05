"""Citations of several sessions as one list without repeats."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from worker.engines.synthesis.model import Finding, Json, Session
from worker.engines.text.identifiers import content_id
from worker.engines.text.terms import fold, words

_MIN_TITLE_WORDS = 4


class WorkIndex:
    """Which citations of different sessions are the same work: by DOI, else by title and year, else by stored text and
    document. Works that share any of these keys are one."""

    def __init__(self, sessions: Sequence[Session]) -> None:
        self._work_of: dict[tuple[str, str], int] = {}
        self._citations: dict[int, list[Json]] = {}
        known: dict[str, int] = {}
        for session in sessions:
            for citation in session.citations:
                keys = work_keys(citation)
                work = next((known[key] for key in keys if key in known), len(self._citations))
                for key in keys:
                    known.setdefault(key, work)
                self._citations.setdefault(work, []).append(citation)
                self._work_of[session.session_id, citation["id"]] = work

    def works(self, finding: Finding) -> list[int]:
        """The works a finding cites, in its order, without repeats."""
        found = (self._work_of.get((finding.session_id, citation)) for citation in finding.citations)
        return list(dict.fromkeys(work for work in found if work is not None))

    def sources(self, finding: Finding) -> frozenset[str]:
        """What a finding rests on: its works, or the dataset of its session."""
        cited = frozenset(f"work:{work}" for work in self.works(finding))
        return cited or frozenset({f"data:{finding.session_id}:{finding.dataset}"})

    def citation_id(self, work: int) -> str:
        """The id of the merged citation."""
        return content_id("citation", *sorted({citation["id"] for citation in self._citations[work]}))

    def citation(self, work: int) -> Json:
        """The merged citation: the fields of the first that has them, the passages of all."""
        copies = self._citations[work]
        identifier = self.citation_id(work)
        merged: Json = {"id": identifier}
        for name in ("document_id", "title", "authors", "year", "doi", "url"):
            merged[name] = next((copy[name] for copy in copies if copy.get(name)), copies[0].get(name))
        if merged["year"] is not None:
            merged["year"] = int(merged["year"])
        merged["passages"] = _passages(copies, merged["document_id"])
        fullest = max(copies, key=lambda copy: len(copy.get("csl") or {}))
        merged["csl"] = {**(fullest.get("csl") or {}), "id": identifier}
        return merged


def work_keys(citation: Json) -> list[str]:
    """Keys of a citation's work, the surest first."""
    keys = []
    if citation.get("doi"):
        doi = str(citation["doi"]).strip().lower()
        keys.append("doi:" + doi.removeprefix("https://doi.org/").removeprefix("doi:").strip())
    title = [fold(word.text) for word in words(str(citation.get("title") or ""))]
    if citation.get("year") is not None and len(title) >= _MIN_TITLE_WORDS:
        keys.append(f"title:{' '.join(title)}|{int(citation['year'])}")
    digests = sorted({str(passage.get("sha256")) for passage in citation.get("passages") or []})
    keys += [f"text:{digest}|{citation.get('document_id')}" for digest in digests]
    return keys


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
