"""The sections of a synthesis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from worker.engines.synthesis import prose
from worker.engines.synthesis.model import Bridge, Finding, Json, Merged, Session
from worker.engines.synthesis.statements import Statements
from worker.engines.synthesis.themes import Theme
from worker.engines.text.identifiers import content_id
from worker.engines.text.wording import listed

_PER_SECTION = {"quick": 5, "standard": 10, "deep": 25}
_HOW_OPPOSED = {
    "direction": "They point opposite ways.",
    "negation": "One denies what the other states.",
    "quantity": "They give different amounts.",
}


class Sections:
    """Writes sections; what they cite is numbered as they are written."""

    def __init__(
        self,
        statements: Statements,
        sessions: Sequence[Session],
        merged: Sequence[Merged],
        titles: Mapping[str, str],
        depth: str,
    ) -> None:
        self._statements = statements
        self._sessions = sessions
        self._merged = merged
        self._titles = titles
        self._limit = _PER_SECTION[depth]

    def shared(self) -> list[Json]:
        """What several sessions state, and whether they have it from different sources."""
        items = [item for item in self._merged if item.shared][: self._limit]
        if not items:
            return []
        lines = [
            self._statements.line(item) + ("" if item.agreed else " (These sessions have it from the same source.)")
            for item in items
        ]
        return [self._with_claims("What several sessions state", lines, items)]

    def disagreements(self) -> list[Json]:
        """Both sides of each contradiction, with the passages that they rest on."""
        lines = []
        for left, right, kind in conflicts_of(self._merged):
            sides = [
                f"In {self._named(item)}: {self._statements.line(item)}{self._quoted(item.head)}"
                for item in (left, right)
            ]
            lines.append(f"{sides[0]} Against it, in {sides[1][3:]} {_HOW_OPPOSED[kind]}")
        return [plain("Where they contradict each other", "\n\n".join(lines))] if lines else []

    def themes(self, themes: Sequence[Theme]) -> list[Json]:
        """A section for each theme: the statements in short, with the sessions that make them."""
        made = []
        for theme in themes:
            lines = [f"{self._statements.line(item)} ({self._named(item)})" for item in theme.merged[: self._limit]]
            made.append(plain(f"Theme: {theme.label}", "\n\n".join(lines)))
        return made

    def by_session(self) -> list[Json]:
        """What each session alone states."""
        made = []
        for session in self._sessions:
            own = [i for i in self._merged if not i.shared and session.session_id in i.sessions]
            own = [i for i in own if i.head.session_id == session.session_id][: self._limit]
            heading = f"From {self._titles[session.session_id]}"
            about = prose.about(session)
            if own:
                lines = [about, *(self._statements.line(item) for item in own)]
                made.append(self._with_claims(heading, lines, own))
            elif not session.findings:
                made.append(plain(heading, f"{about}\n\nThis session found no answer in its sources."))
            else:
                made.append(plain(heading, f"{about}\n\nAll that it states is stated by other sessions as well."))
        return made

    def connections(self, bridges: Sequence[Bridge]) -> list[Json]:
        """The bridges with their paths."""
        if not bridges:
            return []
        return [plain("What connects them", "\n\n".join(self._connection(bridge) for bridge in bridges))]

    def _connection(self, bridge: Bridge) -> str:
        steps = []
        for step in bridge.path:
            item = self._statements.by_id[step.merged_id]
            member = next(
                one for one in item.members if one.id == step.finding_id and one.session_id == step.session_id
            )
            steps.append(f"{self._titles[step.session_id]}: {self._statements.line_of(member)}")
        path = " ".join(steps)
        if bridge.kind == "implicit":
            start, end = bridge.path[0].term, bridge.path[-1].term
            lead = (
                f"“{start}” – “{bridge.term}” – “{end}”: the first and the last are named together by neither session."
            )
            return f"{lead} {path} This is a lead to follow and no finding."
        who = "Both" if len(steps) == 2 else "All of these"
        return f"{who} {'cite' if bridge.kind == 'source' else 'touch on'} “{bridge.term}”. {path}"

    def _named(self, item: Merged) -> str:
        return listed([self._titles[session_id] for session_id in item.sessions])

    def _quoted(self, member: Finding) -> str:
        """The passage, where the statement is not its very words."""
        quote = " ".join(str(member.quote or "").split())
        return f" Its source says: “{quote}”" if quote and quote != member.text else ""

    def _with_claims(self, heading: str, lines: Sequence[str], items: Sequence[Merged]) -> Json:
        section = plain(heading, "\n\n".join(lines))
        section["claims"] = [self._statements.claim(item) for item in items]
        return section


def conflicts_of(merged: Sequence[Merged]) -> list[tuple[Merged, Merged, str]]:
    """Each pair of findings that contradict each other once, and how they do."""
    place = {item.id: number for number, item in enumerate(merged)}
    return [
        (item, merged[place[conflict.id]], conflict.kind)
        for number, item in enumerate(merged)
        for conflict in sorted(item.conflicts, key=lambda one: place[one.id])
        if number < place[conflict.id]
    ]


def plain(heading: str, body: str) -> Json:
    """A section without claims of its own."""
    return {"id": content_id("section", heading, body), "heading": heading, "body": body, "claims": []}
