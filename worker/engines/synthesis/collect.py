"""Stage *collect*: the findings of the sessions to be merged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from worker.engines.base import EngineError, StageContext
from worker.engines.synthesis.model import COMPUTED, CONTRADICTED, UNANSWERED, Finding, Json, Origin, Session, to_json
from worker.engines.text.identifiers import content_id
from worker.engines.text.wording import capitalised, count

MAX_FINDINGS = 120
"""Findings taken from one session, key findings first."""
BLOCKS = ("tables", "figures", "analysis", "hypotheses", "datasets")
_EXHIBITS = ("numbers", "kind", "table", "figure")
_UNSOUND = "unverified"


async def run(ctx: StageContext) -> Json:
    """The sessions with their findings, by id, and the tables, figures and analyses they bring along. Ids are ordered
    by time, so the order is that of the sessions' creation, whatever order they were asked for in.

    Raises:
        EngineError: `no_usable_source` when fewer than two different sessions are given.
    """
    wanted = sorted(set(ctx.job.sessions))
    if len(wanted) < 2:
        raise EngineError("no_usable_source", "A synthesis needs at least two completed sessions.")
    sessions: list[Session] = []
    blocks: Json = {name: [] for name in BLOCKS}
    left_out: list[Json] = []
    for index, session_id in enumerate(wanted):
        if ctx.write_up and len(sessions) > 1:
            break
        document = await ctx.sources.session_results(session_id)
        session, unverified = session_of(session_id, document)
        sessions.append(session)
        left_out += [{"session_id": session_id, "finding": text, "reason": _UNSOUND} for text in unverified]
        for name, found in blocks.items():
            found.extend(item for item in _objects(document, name) if item not in found)
        await ctx.step(index + 1, len(wanted))
    unread = wanted[len(sessions) :]
    left_out += [{"session_id": session_id, "reason": "time or budget was nearly spent"} for session_id in unread]
    ctx.decide("findings collected", _told(sessions, unread), excluded=left_out[:50])
    return {"sessions": [to_json(session) for session in sessions], "blocks": blocks, "unread": unread}


def session_of(session_id: str, document: Mapping[str, Any]) -> tuple[Session, list[str]]:
    """A session with its findings from its result document, and the texts of claims that it could not verify.

    A session that says it did not find an answer has no findings: what it quotes is merely near.
    """
    answered = bool(document.get("answered", True))
    confidence = float(document.get("confidence_score") or 0.0)
    digests = {
        str(item.get("name")): str(item["sha256"]) for item in _objects(document, "datasets") if "sha256" in item
    }
    # What an analysis says beside its findings describes the data and its limits; a synthesis brings it as findings.
    claims = [
        claim
        for section in _objects(document, "sections")
        for claim in _objects(section, "claims")
        if claim.get("support") != COMPUTED or claim.get("provenance")
    ]
    # That data cannot answer is the first key finding of their analysis, and says nothing about the subject.
    key_findings = [item for item in _objects(document, "key_findings") if item.get("kind") != UNANSWERED]
    stated = [(item, True) for item in key_findings] + [(item, False) for item in claims]
    # What was contradicted or not verified anywhere in the session is so wherever it is said.
    unsound = {_text(item) for item, _ in stated if item.get("support") == _UNSOUND}
    denied = {_text(item) for item, _ in stated if item.get("support") == CONTRADICTED}
    findings: dict[str, Finding] = {}
    unverified: dict[str, None] = {}
    beyond = 0
    for item, key in stated:
        text = _text(item)
        if text in unsound:
            unverified[text] = None
        elif text and answered and text not in findings:
            if len(findings) < MAX_FINDINGS:
                finding = _Finder(session_id, confidence, digests).finding(item, text, key=key, rank=len(findings))
                findings[text] = _contradicted(finding) if text in denied else finding
            else:
                beyond += 1
    used = {citation for finding in findings.values() for citation in finding.citations}
    session = Session(
        session_id=session_id,
        title=str(document.get("title") or document.get("prompt") or session_id),
        prompt=str(document.get("prompt") or ""),
        kind=_kind(document),
        confidence=confidence,
        answered=answered,
        partial=bool(document.get("partial", False)),
        left_out=len(unverified),
        beyond=beyond,
        findings=tuple(findings.values()),
        citations=tuple(item for item in _citations(document) if item["id"] in used),
    )
    return session, list(unverified)


class _Finder:
    """Makes the findings of one session."""

    def __init__(self, session_id: str, confidence: float, digests: Mapping[str, str]) -> None:
        self._session_id = session_id
        self._confidence = confidence
        self._digests = digests

    def finding(self, item: Mapping[str, Any], text: str, *, key: bool, rank: int) -> Finding:
        own = item.get("confidence")
        listed = item.get("citations")
        citations = tuple(str(citation) for citation in listed) if isinstance(listed, list) else ()
        steps = _objects(item, "provenance")
        # Of a synthesis each dataset is named with the statement that brought it.
        named = [str(step["dataset"]) for step in steps if step.get("dataset")]
        named = named or [str(item.get("dataset") or "its data")]
        identifier = str(item.get("id") or content_id("finding", self._session_id, text))
        dataset = None if citations else named[0]
        origins = _origins(steps) or (Origin(self._session_id, identifier, key, dataset),)
        return Finding(
            session_id=self._session_id,
            id=identifier,
            text=text,
            quote=item.get("quote"),
            citations=citations,
            dataset=dataset,
            # A claim without a number of its own is taken as half as sure as its session.
            confidence=round(float(own), 4) if isinstance(own, int | float) else round(self._confidence / 2, 4),
            contradicted=item.get("support") == CONTRADICTED,
            key=key,
            rank=rank,
            exhibits={name: item[name] for name in _EXHIBITS if item.get(name) is not None},
            origins=origins,
            data_keys=tuple(sorted({self._data_key(origin) for origin in origins if origin.dataset})),
        )

    def _data_key(self, origin: Origin) -> str:
        return self._digests.get(str(origin.dataset)) or f"{origin.session_id}:{origin.dataset}"


def _origins(provenance: list[Json]) -> tuple[Origin, ...]:
    """Of a statement that a synthesis brings: the statements that it goes back to in the end."""
    found: dict[tuple[str, str], Origin] = {}
    for step in provenance:
        leaves = _objects(step, "origins") or [step]
        for leaf in leaves:
            key = "finding_id" in leaf
            identifier = str(leaf.get("finding_id") or leaf.get("claim_id") or "")
            dataset = leaf.get("dataset")
            origin = Origin(str(leaf["session_id"]), identifier, key, str(dataset) if dataset else None)
            found.setdefault((origin.session_id, origin.id), origin)
    return tuple(found[place] for place in sorted(found))


def _citations(document: Mapping[str, Any]) -> list[Json]:
    """Those that name a document, with the passages that can be found again in it; another engine may write others."""
    found = []
    for item in _objects(document, "citations"):
        if item.get("id") and item.get("document_id"):
            passages = [one for one in _objects(item, "passages") if {"quote", "start", "end"} <= one.keys()]
            found.append({**item, "id": str(item["id"]), "passages": passages})
    return found


def _contradicted(finding: Finding) -> Finding:
    return replace(finding, contradicted=True)


def _kind(document: Mapping[str, Any]) -> str:
    methods = document.get("methods")
    named = methods.get("engine") if isinstance(methods, dict) else None
    return str(named or ("analysis" if document.get("analysis") else ""))


def _text(item: Mapping[str, Any]) -> str:
    return " ".join(str(item.get("text") or "").split())


def _objects(item: Mapping[str, Any], name: str) -> list[Json]:
    """The objects of a list that an engine may have left out or filled with something else."""
    value = item.get(name)
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _told(sessions: list[Session], unread: list[str]) -> str:
    text = "; ".join(
        f"“{session.title}”: {count(len(session.findings), 'finding')}" + (" (partial)" if session.partial else "")
        for session in sessions
    )
    left = sum(session.left_out for session in sessions)
    if left:
        text += f". {capitalised(count(left, 'unverified statement was', 'unverified statements were'))} left out"
    if unread:
        were = capitalised(count(len(unread), "session was", "sessions were"))
        text += f". {were} not read: time or budget was nearly spent"
    return text + "."
