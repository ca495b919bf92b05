"""The engine: select the documents, read them one by one, write the concordance."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from prsm_concordance.lines import Line, collocates, lines_of, terms_of
from worker.engines.base import JSON, DocumentRecord, EngineError, Job, StageContext, StageSpec

_DOCUMENTS = {"quick": 30, "standard": 80, "deep": 200}
"""Most documents that are read, by depth; the estimate that a session is created with knows no more."""
_LINES = {"quick": 5, "standard": 15, "deep": 50}
"""Lines that are shown of a term; all are counted."""


class ConcordanceEngine:
    """Keywords in context. The same documents and prompt give the same result document, byte for byte."""

    name = "concordance"
    session_types = frozenset({"research"})
    pausable = True
    libraries = ("prsm_concordance.lines",)

    def stages(self, job: Job) -> Sequence[StageSpec]:
        """The stages in order; reading is most of the work."""
        return [StageSpec("select", 5), StageSpec("read", 90), StageSpec("write", 5)]

    async def run_stage(self, stage: str, ctx: StageContext) -> JSON:
        """Run one stage. Raises EngineError `no_terms` for a prompt without a term to look for."""
        if stage == "select":
            return await self._select(ctx)
        if stage == "read":
            return await self._read(ctx)
        return await self._write(ctx)

    async def _select(self, ctx: StageContext) -> JSON:
        terms = terms_of(ctx.job.prompt)
        if not terms:
            raise EngineError("no_terms", 'Name at least one term, in quotation marks: "ocean acidification"')
        limit = int(ctx.job.preferences.get("max_documents") or _DOCUMENTS[_depth(ctx.job)])
        cards = await ctx.sources.documents(ctx.job.documents)
        chosen, left = cards[:limit], cards[limit:]
        ctx.decide(
            "documents selected",
            f"{len(chosen)} of {len(cards)} documents are read for {', '.join(terms)}.",
            excluded=[{"document_id": card.document_id, "reason": "beyond the limit"} for card in left],
        )
        await ctx.step(1, 1)
        return {"terms": terms, "documents": [_card(card) for card in chosen], "left_out": len(left)}

    async def _read(self, ctx: StageContext) -> JSON:
        selected = ctx.outputs["select"]
        found: list[JSON] = []
        for number, card in enumerate(selected["documents"], start=1):
            # Only where the deadline or the budget says so: what is there is written up.
            if ctx.write_up:
                break
            text = await ctx.sources.text(card["document_id"])
            lines: list[Line] = await ctx.run(lines_of, text, selected["terms"])
            ctx.use("document_read", 1)
            digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
            found.append({"card": card, "sha256": digest, "lines": [asdict(line) for line in lines]})
            await ctx.step(number, len(selected["documents"]))
        return {"read": found, "partial": len(found) < len(selected["documents"])}

    async def _write(self, ctx: StageContext) -> JSON:
        terms, read = ctx.outputs["select"]["terms"], ctx.outputs["read"]
        shown = _LINES[_depth(ctx.job)]
        places = {term: _places(term, read["read"]) for term in terms}
        used = {entry["card"]["document_id"]: entry for found in places.values() for entry, _ in found[:shown]}
        citations = [_citation(entry, places, shown) for entry in used.values()]
        findings = [_finding(term, places[term], shown) for term in terms if places[term]]
        missing = [term for term in terms if not places[term]]
        said = [finding["text"] for finding in findings]
        if missing:
            said.append(f"Not found in these documents: {', '.join(missing)}.")
        await ctx.step(1, 1)
        return {
            "title": "Concordance: " + ", ".join(terms),
            "partial": bool(read["partial"]),
            "answered": bool(findings),
            "summary": " ".join(said),
            # Counting has no doubt of its own; what may be missing are terms.
            "confidence_score": round(len(findings) / len(terms), 4),
            "key_findings": findings,
            "sections": [_section(term, places[term], shown) for term in terms if places[term]],
            "tables": [],
            "figures": [],
            "citations": citations,
            "methods": {"engine": "concordance", "documents": len(read["read"]), "lines_shown": shown},
        }


_Places = Sequence[tuple[Mapping[str, Any], Line]]


def _depth(job: Job) -> str:
    depth = str(job.preferences.get("depth") or "standard")
    return depth if depth in _DOCUMENTS else "standard"


def _card(card: DocumentRecord) -> JSON:
    return {
        "document_id": card.document_id,
        "title": card.title,
        "authors": list(card.authors),
        "year": card.year,
        "doi": card.doi,
        "url": card.url,
        "csl": {"type": "document", "title": card.title, **card.csl},
    }


def _places(term: str, read: Sequence[Mapping[str, Any]]) -> _Places:
    # Storage gives numbers back as doubles.
    return [
        (entry, Line(line["term"], int(line["start"]), int(line["end"]), line["quote"]))
        for entry in read
        for line in entry["lines"]
        if line["term"] == term
    ]


def _id(prefix: str, *parts: str) -> str:
    """From content alone: results hold nothing random."""
    return f"{prefix}-{hashlib.sha256(chr(0).join(parts).encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"


def _cited(found: _Places) -> list[str]:
    return list(dict.fromkeys(_id("citation", entry["card"]["document_id"]) for entry, _ in found))


def _finding(term: str, found: _Places, shown: int) -> JSON:
    documents = len({entry["card"]["document_id"] for entry, _ in found})
    near = ", ".join(f"{word} ({count})" for word, count in collocates([line for _, line in found]))
    text = f"“{term}” occurs {len(found)} times in {documents} documents"
    text += f", most often near {near}." if near else "."
    citations = _cited(found[:shown])
    return {
        "id": _id("finding", term),
        "text": text,
        "citations": citations,
        "confidence": 1.0,
        "support": "supported",
        "quote": found[0][1].quote,
    }


def _section(term: str, found: _Places, shown: int) -> JSON:
    claims = [
        {
            "id": _id("claim", term, entry["card"]["document_id"], str(line.start)),
            "text": line.quote,
            "citations": [_id("citation", entry["card"]["document_id"])],
            "support": "supported",
        }
        for entry, line in found[:shown]
    ]
    body = "\n\n".join(f"… {line.quote} … ({entry['card']['title']})" for entry, line in found[:shown])
    return {"id": _id("section", term), "heading": f"“{term}”", "body": body, "claims": claims}


def _citation(entry: Mapping[str, Any], places: Mapping[str, _Places], shown: int) -> JSON:
    card = entry["card"]
    identifier = _id("citation", card["document_id"])
    spans = {
        (line.start, line.end): line.quote
        for found in places.values()
        for other, line in found[:shown]
        if other["card"]["document_id"] == card["document_id"]
    }
    year = None if card["year"] is None else int(card["year"])
    return {
        "id": identifier,
        "document_id": card["document_id"],
        "title": card["title"],
        "authors": card["authors"],
        "year": year,
        "doi": card["doi"],
        "url": card["url"],
        "passages": [
            {"quote": spans[place], "page": None, "start": place[0], "end": place[1], "sha256": entry["sha256"]}
            for place in sorted(spans)
        ],
        "csl": {**card["csl"], "id": identifier},
    }
