"""Stage *collect*: the findings of the sessions to be merged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from worker.engines.base import EngineError, StageContext
from worker.engines.synthesis.model import Finding, Json, Session, to_json
from worker.engines.text.identifiers import content_id
from worker.engines.text.wording import capitalised, count

MAX_FINDINGS = 120
"""Findings taken from one session, key findings first."""

COMPUTED = "computed"
"""Support of a statement that rests on data and not on a quote."""


async def run(ctx: StageContext) -> Json:
    """The sessions with their findings, and the tables, figures and analyses they bring along.

    Raises:
        EngineError: `no_usable_source` when fewer than two different sessions are given.
    """
    wanted = list(dict.fromkeys(ctx.job.sessions))
    if len(wanted) < 2:
        raise EngineError("no_usable_source", "A synthesis needs at least two completed sessions.")
    sessions: list[Session] = []
    blocks: Json = {"tables": [], "figures": [], "analysis": []}
    left_out: list[Json] = []
    for index, session_id in enumerate(wanted):
        document = await ctx.sources.session_results(session_id)
        session, unverified = session_of(session_id, document)
        sessions.append(session)
        left_out += [{"session_id": session_id, "finding": text, "reason": "unverified"} for text in unverified]
        for name, found in blocks.items():
            found.extend(document.get(name) or [])
        await ctx.step(index + 1, len(wanted))
    ctx.decide(
        "findings collected",
        "; ".join(f"“{session.title}”: {count(len(session.findings), 'finding')}" for session in sessions)
        + (
            f". {capitalised(count(len(left_out), 'unverified statement was', 'unverified statements were'))} left out."
            if left_out
            else "."
        ),
        excluded=left_out[:50],
    )
    return {"sessions": [to_json(session) for session in sessions], "blocks": blocks}


def session_of(session_id: str, document: Mapping[str, Any]) -> tuple[Session, list[str]]:
    """A session with its findings from its result document, and the texts of claims that it could not verify.

    A session that says it did not find an answer has no findings: what it quotes is merely near.
    """
    answered = bool(document.get("answered", True))
    findings: dict[str, Finding] = {}
    unverified: list[str] = []
    confidence = float(document.get("confidence_score") or 0.0)
    # What an analysis says beside its findings describes the data and its limits.
    claims = [
        claim
        for section in document.get("sections") or []
        for claim in section.get("claims") or []
        if claim.get("support") != COMPUTED
    ]
    stated = [(item, True) for item in document.get("key_findings") or []] + [(item, False) for item in claims]
    for item, key in stated:
        text = " ".join(str(item.get("text") or "").split())
        if item.get("support") == "unverified":
            unverified.append(text)
        elif text and answered and text not in findings and len(findings) < MAX_FINDINGS:
            findings[text] = _finding(session_id, item, text, confidence, key=key, rank=len(findings))
    used = {citation for finding in findings.values() for citation in finding.citations}
    title = str(document.get("title") or document.get("prompt") or session_id)
    citations = tuple(item for item in document.get("citations") or [] if item["id"] in used)
    prompt = str(document.get("prompt") or "")
    return Session(session_id, title, prompt, confidence, answered, tuple(findings.values()), citations), unverified


def _finding(
    session_id: str, item: Mapping[str, Any], text: str, confidence: float, *, key: bool, rank: int
) -> Finding:
    own = item.get("confidence")
    citations = tuple(str(citation) for citation in item.get("citations") or [])
    dataset = item.get("dataset")
    return Finding(
        session_id=session_id,
        id=str(item.get("id") or content_id("finding", session_id, text)),
        text=text,
        quote=item.get("quote"),
        citations=citations,
        dataset=None if citations else str(dataset or "its data"),
        # A claim without a number of its own is taken as half as sure as its session.
        confidence=round(float(own), 4) if isinstance(own, int | float) else round(confidence / 2, 4),
        contradicted=item.get("support") == "contradicted",
        key=key,
        rank=rank,
    )
