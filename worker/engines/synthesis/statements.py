"""Statements of a synthesis as the result document shows them: with citations, support, and where each comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from worker.engines.synthesis.citations import WorkIndex
from worker.engines.synthesis.model import COMPUTED, CONTRADICTED, SUPPORTED, Finding, Json, Merged, Session
from worker.engines.text.identifiers import content_id


class Statements:
    """Writes statements and collects the citations that they use, in order of first use."""

    def __init__(self, sessions: Sequence[Session], merged: Sequence[Merged]) -> None:
        self._works = WorkIndex(sessions)
        self._used: dict[int, int] = {}
        """Numbers of the citations, from 1, by work."""
        self.by_id: Mapping[str, Merged] = {item.id: item for item in merged}

    def citations(self) -> list[Json]:
        """The citations used so far."""
        return [self._works.citation(work) for work in self._used]

    def works(self, merged: Sequence[Merged]) -> int:
        """How many works are cited by these."""
        return len({work for item in merged for member in item.members for work in self._works.works(member)})

    def line(self, item: Merged) -> str:
        """The statement with its markers; one that rests on data names the dataset instead."""
        return f"{item.head.text} {self._marker(item.members)}"

    def line_of(self, member: Finding) -> str:
        """One session's wording of it, with its own markers."""
        return f"{member.text} {self._marker([member])}"

    def _marker(self, members: Sequence[Finding]) -> str:
        works = dict.fromkeys(work for member in members for work in self._works.works(member))
        markers = "".join(f"[{self._number(work)}]" for work in works)
        data = ", ".join(dict.fromkeys(member.dataset for member in members if member.dataset))
        return markers or f"(data: {data})"

    def cite(self, member: Finding) -> list[str]:
        """Ids of the citations of a finding, which are numbered with it."""
        works = self._works.works(member)
        for work in works:
            self._number(work)
        return [self._works.citation_id(work) for work in works]

    def _number(self, work: int) -> int:
        return self._used.setdefault(work, len(self._used) + 1)

    def claim(self, item: Merged) -> Json:
        citations = dict.fromkeys(citation for member in item.members for citation in self.cite(member))
        return {
            "id": item.id,
            "text": item.head.text,
            "citations": list(citations),
            "evidence": self._evidence(item),
            "support": item.support,
            "confidence": item.confidence,
            **self._exhibits(item),
            "sessions": list(item.sessions),
            "agreement": {
                "sessions": len(item.roots),
                "sources": item.sources,
                "independent": item.agreed,
            },
            **({"contradicted_by": [conflict.id for conflict in item.conflicts]} if item.conflicts else {}),
            "provenance": [entry for member in item.members for entry in self.provenance(member)],
        }

    def _evidence(self, item: Merged) -> list[Json]:
        """The passages it rests on, by citation and place in its list, the first session's first."""
        found: dict[tuple[str, int], None] = {}
        for member in item.members:
            for own in member.citations:
                passage = self._works.passage(member, own)
                if passage is not None and passage[1]:
                    work, stands = passage
                    found[self._works.citation_id(work), self._works.place(work, stands)] = None
        return [{"citation": citation, "passage": place} for citation, place in found]

    def finding(self, item: Merged) -> Json:
        """The statement as a key finding."""
        return {
            **self.claim(item),
            "id": content_id("finding", item.id),
            **({"quote": item.head.quote} if item.head.quote else {}),
        }

    def provenance(self, member: Finding) -> list[Json]:
        """Where a finding comes from: an entry for each of its citations with the passage it rests on, or one for its
        data. `origins` are the statements of the sessions that found it out, where its own only brought them together.
        """
        base: Json = {
            "session_id": member.session_id,
            ("finding_id" if member.key else "claim_id"): member.id,
            "text": member.text,
            "citations": self.cite(member),
            "support": CONTRADICTED if member.contradicted else SUPPORTED if member.citations else COMPUTED,
            **({"dataset": member.dataset} if member.dataset else {}),
            **member.exhibits,
        }
        if any(origin.session_id != member.session_id for origin in member.origins):
            base["origins"] = [
                {
                    "session_id": origin.session_id,
                    ("finding_id" if origin.key else "claim_id"): origin.id,
                    **({"dataset": origin.dataset} if origin.dataset else {}),
                }
                for origin in member.origins
            ]
        entries = []
        for own in member.citations:
            found = self._works.passage(member, own)
            if found is not None:
                entries.append({**base, "citation": self._works.citation_id(found[0]), "passage": found[1] or None})
        return entries or [{**base, "citation": None, "passage": None}]

    def _exhibits(self, item: Merged) -> Json:
        """Numbers, table and figure of the surest member that has any."""
        found: Json = {}
        for member in item.members:
            for name, value in member.exhibits.items():
                found.setdefault(name, value)
        datasets = list(dict.fromkeys(member.dataset for member in item.members if member.dataset))
        return {**found, **({"dataset": datasets[0]} if datasets else {})}
