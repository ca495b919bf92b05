"""Stage *write*: the result document of a synthesis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from worker.engines.base import StageContext
from worker.engines.synthesis import prose
from worker.engines.synthesis.model import Bridge, Json, Merged, Session, Step
from worker.engines.synthesis.sections import Sections, conflicts_of, plain
from worker.engines.synthesis.statements import Statements
from worker.engines.synthesis.themes import Theme, themes_of
from worker.engines.text.identifiers import content_id
from worker.engines.text.wording import count, listed, title_of

_KEY_FINDINGS = {"quick": 5, "standard": 8, "deep": 10}
_THEMES = {"quick": 3, "standard": 5, "deep": 8}
_SUMMARY = 4
_MOST_IN_SUMMARY = 7
FORMULA = (
    "mean confidence of the sessions, weighted by the findings each brought, plus 0.1 * A * (0.95 - mean), times "
    "(1 - 0.25 * K); A: share of merged findings that two sessions or more state from different sources, K: share that "
    "another contradicts"
)


async def run(ctx: StageContext) -> Json:
    """The result document."""
    found = [Bridge.of(data) for data in ctx.outputs["bridge"]["bridges"]]
    merged = [Merged.of(data) for data in ctx.outputs["merge"]["merged"]]
    document = await _written(ctx, merged, found)
    ctx.decide("written", f"{count(len(merged), 'merged finding')}, confidence {document['confidence_score']}.")
    await ctx.step(1, 1)
    return document


async def so_far(ctx: StageContext) -> Json:
    """The result document as it stands after *merge*."""
    merged = [Merged.of(data) for data in ctx.outputs["merge"]["merged"]]
    return {**await _written(ctx, merged, []), "partial": True}


async def _written(ctx: StageContext, merged: Sequence[Merged], found: Sequence[Bridge]) -> Json:
    collected = ctx.outputs["collect"]
    sessions = [Session.of(data) for data in collected["sessions"]]
    depth = str(ctx.job.preferences.get("depth") or "standard")
    language = str(ctx.job.preferences.get("language") or "en")
    depth = depth if depth in _KEY_FINDINGS else "standard"
    themes: list[Theme] = await ctx.run(themes_of, merged, ctx.job.prompt, language, _THEMES[depth])
    document = document_of(ctx.job.prompt, sessions, merged, found, themes, collected["unread"], depth)
    for name, items in collected["blocks"].items():
        if items or name in ("tables", "figures"):
            document[name] = _distinct(items)
    return document


def document_of(
    prompt: str,
    sessions: Sequence[Session],
    merged: Sequence[Merged],
    bridges: Sequence[Bridge],
    themes: Sequence[Theme],
    unread: Sequence[str],
    depth: str,
) -> Json:
    """The result document but for what the sessions bring along as it is."""
    statements = Statements(sessions, merged)
    titles = prose.labelled(sessions)
    sections = Sections(statements, sessions, merged, titles, depth)
    key = _key(sessions, merged, _KEY_FINDINGS[depth])
    score, parts = _confidence(sessions, merged)
    conflicts = conflicts_of(merged)
    lead = " ".join(statements.line(item) for item in key[: min(max(_SUMMARY, len(sessions)), _MOST_IN_SUMMARY)])
    works = statements.works(merged)
    # What is numbered first is cited first: summary, findings, sections.
    document: Json = {
        "title": title_of(prompt),
        "question": " ".join(prompt.split()),
        "partial": bool(unread),
        "summary": prose.summary_of(lead, sessions, titles, merged, len(conflicts), works, score),
        "confidence_score": score,
        "answered": bool(key),
        "key_findings": [statements.finding(item) for item in key],
        "sections": [
            *sections.shared(),
            *sections.disagreements(),
            *sections.themes(themes),
            *sections.by_session(),
            *sections.connections(bridges),
            plain("How this was made", prose.how_made(sessions, merged)),
            plain("Limits", prose.limits(sessions, titles, merged, len(unread))),
        ],
        "bridges": [_bridge(bridge, statements, titles) for bridge in bridges],
        "conflicts": [_conflict(*pair, statements) for pair in conflicts],
        "themes": [
            {"id": theme.id, "label": theme.label, "claims": [item.id for item in theme.merged]} for theme in themes
        ],
    }
    document["citations"] = statements.citations()
    document["methods"] = {
        "engine": "synthesis",
        "kind": "merged: every statement is a finding of a session, in that session's words",
        "settings": {"depth": depth},
        "sessions": [_session(session) for session in sessions],
        "not_read": list(unread),
        "markers": "[n] is the n-th citation, counted from 1",
        "confidence": {"formula": FORMULA, "parts": parts},
    }
    return document


def _key(sessions: Sequence[Session], merged: Sequence[Merged], limit: int) -> list[Merged]:
    """What several sessions state, then the best of each session in turn. Half of the places at most are kept for the
    sessions that have something of their own, so that no session goes unheard for what others agree upon."""
    shared = [item for item in merged if item.shared]
    queues = [
        [item for item in merged if not item.shared and item.head.session_id == one.session_id] for one in sessions
    ]
    kept = min(sum(map(bool, queues)), limit // 2)
    chosen = {item.id: item for item in shared[: limit - kept]}
    for place in range(max(map(len, queues), default=0)):
        for queue in queues:
            if place < len(queue):
                chosen.setdefault(queue[place].id, queue[place])
    for item in shared:
        chosen.setdefault(item.id, item)
    return list(chosen.values())[:limit]


def _confidence(sessions: Sequence[Session], merged: Sequence[Merged]) -> tuple[float, Json]:
    weight = sum(len(session.findings) for session in sessions)
    total = sum(session.confidence * len(session.findings) for session in sessions)
    mean = total / weight if weight else 0.0
    number = len(merged)
    agreement = sum(item.agreed for item in merged) / number if number else 0.0
    conflict = sum(bool(item.conflicts) for item in merged) / number if number else 0.0
    score = (mean + 0.1 * agreement * max(0.0, 0.95 - mean)) * (1 - 0.25 * conflict)
    parts = {"mean": round(mean, 4), "agreement": round(agreement, 4), "conflict": round(conflict, 4)}
    return round(score, 4), parts


def _session(session: Session) -> Json:
    return {
        "session_id": session.session_id,
        "title": session.title,
        "question": session.prompt,
        "kind": session.kind,
        "answered": session.answered,
        "partial": session.partial,
        "findings": len(session.findings),
        "findings_not_taken": session.beyond,
        "unverified_left_out": session.left_out,
        "confidence": session.confidence,
    }


def _bridge(bridge: Bridge, statements: Statements, titles: dict[str, str]) -> Json:
    named = listed([titles[session_id] for session_id in bridge.sessions])
    ends = {"a": bridge.path[0].term, "b": bridge.term, "c": bridge.path[-1].term} if bridge.kind == "implicit" else {}
    return {
        "id": bridge.id,
        "title": f"“{bridge.term}” links {named}",
        "kind": bridge.kind,
        "term": bridge.term,
        **ends,
        "sessions": list(bridge.sessions),
        "strength": bridge.strength,
        "path": [_step(step, statements, titles) for step in bridge.path],
    }


def _step(step: Step, statements: Statements, titles: dict[str, str]) -> Json:
    members = statements.by_id[step.merged_id].members
    member = next(one for one in members if (one.session_id, one.id) == (step.session_id, step.finding_id))
    (first, *_) = statements.provenance(member)
    return {
        "title": titles[step.session_id],
        "session_id": step.session_id,
        "finding_id": member.id,
        "text": member.text,
        **({"term": step.term} if step.term else {}),
        "citations": first["citations"],
        "citation": first["citation"],
        "passage": first["passage"],
    }


def _conflict(left: Merged, right: Merged, kind: str, statements: Statements) -> Json:
    def side(item: Merged) -> Json:
        claim = statements.claim(item)
        return {name: claim[name] for name in ("id", "text", "citations", "sessions", "confidence", "provenance")}

    return {
        "id": content_id("conflict", left.id, right.id),
        "title": f"{left.head.text} – against: {right.head.text}",
        "kind": kind,
        "sides": [side(left), side(right)],
    }


def _distinct(items: Sequence[Any]) -> list[Any]:
    """Items in order, without repeats of an id; items without an id are all kept."""
    kept: dict[str, Any] = {}
    for index, item in enumerate(items):
        identifier = item.get("id") if isinstance(item, dict) else None
        kept.setdefault(str(identifier or f"#{index}"), item)
    return list(kept.values())
