"""Stage *write*: the result document of a synthesis."""

from __future__ import annotations

from collections.abc import Sequence

from worker.engines.base import StageContext
from worker.engines.synthesis.citations import WorkIndex
from worker.engines.synthesis.collect import COMPUTED
from worker.engines.synthesis.model import Bridge, Finding, Json, Merged, Session
from worker.engines.synthesis.prose import how_made, labelled, summary_of
from worker.engines.text.identifiers import content_id
from worker.engines.text.wording import count, listed, title_of

_KEY_FINDINGS = {"quick": 5, "standard": 8, "deep": 10}
_PER_SECTION = {"quick": 5, "standard": 10, "deep": 25}
FORMULA = (
    "mean confidence of the sessions, weighted by the findings each brought, plus 0.1 * A * (0.95 - mean), times "
    "(1 - 0.25 * K); A: share of merged findings that two sessions or more state, K: share that another contradicts"
)


async def run(ctx: StageContext) -> Json:
    """The result document."""
    collected = ctx.outputs["collect"]
    sessions = [Session.of(data) for data in collected["sessions"]]
    merged = [Merged.of(data) for data in ctx.outputs["merge"]["merged"]]
    found = [Bridge.of(data) for data in ctx.outputs["bridge"]["bridges"]]
    depth = str(ctx.job.preferences.get("depth") or "standard")
    report = _Report(ctx.job.prompt, sessions, merged, found, depth if depth in _KEY_FINDINGS else "standard")
    document = report.document()
    for name, items in collected["blocks"].items():
        if name != "analysis" or items:
            document[name] = _distinct(items)
    ctx.decide("written", f"{count(len(merged), 'merged finding')}, confidence {document['confidence_score']}.")
    await ctx.step(1, 1)
    return document


class _Report:
    """Collects citations in order of first use while the parts of the document are written."""

    def __init__(
        self, prompt: str, sessions: Sequence[Session], merged: Sequence[Merged], bridges: Sequence[Bridge], depth: str
    ) -> None:
        self._prompt = prompt
        self._sessions = sessions
        self._merged = merged
        self._bridges = bridges
        self._depth = depth
        self._works = WorkIndex(sessions)
        self._used: dict[int, None] = {}
        self._by_id = {item.id: item for item in merged}
        self._titles = labelled(sessions)

    def document(self) -> Json:
        key = self._key()
        score, parts = self._confidence()
        disagreeing = sum(len(item.conflicts) for item in self._merged) // 2
        lead = " ".join(
            self._line(item) for item in key[: max(4, len(self._sessions)) if len(self._sessions) < 7 else 7]
        )
        used_by_all = len(
            {work for item in self._merged for member in item.members for work in self._works.works(member)}
        )
        return {
            "title": title_of(self._prompt),
            "question": " ".join(self._prompt.split()),
            "partial": False,
            "summary": summary_of(lead, self._sessions, self._titles, self._merged, disagreeing, used_by_all, score),
            "confidence_score": score,
            "answered": bool(key),
            "key_findings": [self._finding(item) for item in key],
            "sections": self._sections(),
            "tables": [],
            "figures": [],
            "bridges": [self._bridge(bridge) for bridge in self._bridges],
            "citations": [self._works.citation(work) for work in self._used],
            "methods": {
                "engine": "synthesis",
                "kind": "merged: every statement is a finding of a session, in that session's words",
                "settings": {"depth": self._depth},
                "sessions": [
                    {
                        "session_id": session.session_id,
                        "title": session.title,
                        "findings": len(session.findings),
                        "confidence": session.confidence,
                    }
                    for session in self._sessions
                ],
                "markers": "[n] is the n-th citation, counted from 1",
                "confidence": {"formula": FORMULA, "parts": parts},
            },
        }

    def _key(self) -> list[Merged]:
        """What several sessions state, then the best of each session in turn."""
        limit = _KEY_FINDINGS[self._depth]
        chosen = {item.id: item for item in self._merged if len(item.sessions) > 1}
        queues = [[item for item in self._merged if item.sessions == (one.session_id,)] for one in self._sessions]
        for place in range(max(map(len, queues), default=0)):
            for queue in queues:
                if place < len(queue):
                    chosen.setdefault(queue[place].id, queue[place])
        return list(chosen.values())[:limit]

    def _confidence(self) -> tuple[float, Json]:
        weight = sum(len(session.findings) for session in self._sessions)
        total = sum(session.confidence * len(session.findings) for session in self._sessions)
        mean = total / weight if weight else 0.0
        count = len(self._merged)
        agreement = sum(len(item.sessions) > 1 for item in self._merged) / count if count else 0.0
        conflict = sum(bool(item.conflicts) for item in self._merged) / count if count else 0.0
        score = (mean + 0.1 * agreement * max(0.0, 0.95 - mean)) * (1 - 0.25 * conflict)
        parts = {"mean": round(mean, 4), "agreement": round(agreement, 4), "conflict": round(conflict, 4)}
        return round(score, 4), parts

    def _cite(self, finding: Finding) -> list[str]:
        works = self._works.works(finding)
        self._used.update(dict.fromkeys(works))
        return [self._works.citation_id(work) for work in works]

    def _citations(self, item: Merged) -> list[str]:
        return list(dict.fromkeys(citation for member in item.members for citation in self._cite(member)))

    def _line(self, item: Merged) -> str:
        """The statement with its markers; one that rests on data names the dataset instead."""
        self._citations(item)
        order = list(self._used)
        works = dict.fromkeys(work for member in item.members for work in self._works.works(member))
        markers = "".join(f"[{order.index(work) + 1}]" for work in works)
        data = ", ".join(dict.fromkeys(member.dataset for member in item.members if member.dataset))
        return f"{item.head.text} {markers or f'(data: {data})'}"

    def _provenance(self, item: Merged) -> list[Json]:
        return [
            {
                "session_id": member.session_id,
                "finding_id": member.id,
                "text": member.text,
                "citations": self._cite(member),
                **({"dataset": member.dataset} if member.dataset else {}),
            }
            for member in item.members
        ]

    def _finding(self, item: Merged) -> Json:
        return {
            **self._claim(item),
            "id": content_id("finding", item.id),
            "confidence": item.confidence,
            **({"quote": item.head.quote} if item.head.quote else {}),
            "sessions": list(item.sessions),
        }

    def _claim(self, item: Merged) -> Json:
        return {
            "id": item.id,
            "text": item.head.text,
            "citations": self._citations(item),
            "support": _support(item),
            **({"contradicted_by": list(item.conflicts)} if item.conflicts else {}),
            "provenance": self._provenance(item),
        }

    def _bridge(self, bridge: Bridge) -> Json:
        path = []
        for session_id, merged_id in bridge.path:
            member = next(one for one in self._by_id[merged_id].members if one.session_id == session_id)
            path.append(
                {
                    "title": self._titles[session_id],
                    "session_id": session_id,
                    "finding_id": member.id,
                    "text": member.text,
                    "citations": self._cite(member),
                }
            )
        return {
            "id": bridge.id,
            "title": f"“{bridge.term}” links {listed([self._titles[session_id] for session_id in bridge.sessions])}",
            "term": bridge.term,
            "sessions": list(bridge.sessions),
            "strength": bridge.strength,
            "path": path,
        }

    def _sections(self) -> list[Json]:
        limit = _PER_SECTION[self._depth]
        sections = []
        shared = [item for item in self._merged if len(item.sessions) > 1]
        if shared:
            sections.append(self._section("What several sessions state", shared[:limit]))
        disagreement = self._disagreement()
        if disagreement:
            sections.append(_plain("Where they contradict each other", disagreement))
        for session in self._sessions:
            own = [item for item in self._merged if item.sessions == (session.session_id,)]
            heading = f"From {self._titles[session.session_id]}"
            if own:
                sections.append(self._section(heading, own[:limit]))
            elif not session.findings:
                sections.append(_plain(heading, "This session found no answer in its sources."))
        if self._bridges:
            sections.append(_plain("What connects them", self._connections()))
        sections.append(_plain("How this was made", how_made(self._sessions, self._merged)))
        return sections

    def _section(self, heading: str, items: Sequence[Merged]) -> Json:
        section = _plain(heading, "\n\n".join(self._line(item) for item in items))
        section["claims"] = [self._claim(item) for item in items]
        return section

    def _disagreement(self) -> str:
        order = list(self._by_id)
        lines = []
        for item in self._merged:
            for other in item.conflicts:
                if order.index(item.id) < order.index(other):
                    against = self._by_id[other]
                    lines.append(
                        f"In {self._titles[item.sessions[0]]}: {self._line(item)} Against it, in "
                        f"{self._titles[against.sessions[0]]}: {self._line(against)}"
                    )
        return "\n\n".join(lines)

    def _connections(self) -> str:
        lines = []
        for bridge in self._bridges:
            steps = []
            for session_id, merged_id in bridge.path:
                steps.append(f"{self._titles[session_id]}: {self._line(self._by_id[merged_id])}")
            who = "Both" if len(steps) == 2 else "All of these"
            lines.append(f"{who} touch on “{bridge.term}”. " + " ".join(steps))
        return "\n\n".join(lines)


def _support(item: Merged) -> str:
    if item.conflicts or any(member.contradicted for member in item.members):
        return "contradicted"
    return "supported" if any(member.citations for member in item.members) else COMPUTED


def _plain(heading: str, body: str) -> Json:
    return {"id": content_id("section", heading, body), "heading": heading, "body": body, "claims": []}


def _distinct(items: Sequence[Json]) -> list[Json]:
    """Items in order, without repeats of an id; items without an id are all kept."""
    kept: dict[str, Json] = {}
    for index, item in enumerate(items):
        kept.setdefault(str(item.get("id") or f"#{index}"), item)
    return list(kept.values())
