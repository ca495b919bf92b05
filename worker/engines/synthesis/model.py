"""What the synthesis stages hand to each other, with its JSON form."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Self

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding of one of the sessions.

    `citations` are ids of citations in that session's own result document. A finding that rests on data has none and
    names its `dataset` instead. `key` tells key findings from other claims, `rank` is its place in its session.
    """

    session_id: str
    id: str
    text: str
    quote: str | None
    citations: tuple[str, ...]
    dataset: str | None
    confidence: float
    contradicted: bool
    key: bool
    rank: int

    @classmethod
    def of(cls, data: Json) -> Self:
        return cls(**{**data, "citations": tuple(data["citations"]), "rank": int(data["rank"])})


@dataclass(frozen=True, slots=True)
class Session:
    """A session that is merged: what it asked, and how sure it was. `citations` are those its findings use."""

    session_id: str
    title: str
    prompt: str
    confidence: float
    answered: bool
    findings: tuple[Finding, ...]
    citations: tuple[Json, ...]

    @classmethod
    def of(cls, data: Json) -> Self:
        return cls(
            **{**data, "findings": tuple(map(Finding.of, data["findings"])), "citations": tuple(data["citations"])}
        )


@dataclass(frozen=True, slots=True)
class Merged:
    """Findings that say the same; the first member speaks for them. `conflicts` are ids of merged findings that state
    the opposite."""

    id: str
    members: tuple[Finding, ...]
    confidence: float
    conflicts: tuple[str, ...] = ()

    @property
    def head(self) -> Finding:
        return self.members[0]

    @property
    def sessions(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(member.session_id for member in self.members))

    def against(self, conflicts: tuple[str, ...]) -> Merged:
        """The same, contradicted by the findings of these ids: half as sure."""
        if not conflicts:
            return self
        return replace(self, conflicts=conflicts, confidence=round(self.confidence / 2, 4))

    @classmethod
    def of(cls, data: Json) -> Self:
        return cls(
            data["id"], tuple(map(Finding.of, data["members"])), float(data["confidence"]), tuple(data["conflicts"])
        )


@dataclass(frozen=True, slots=True)
class Bridge:
    """A term that findings of different sessions share; `path` holds one merged finding's id for each session, in the
    sessions' order."""

    id: str
    term: str
    sessions: tuple[str, ...]
    path: tuple[tuple[str, str], ...]
    strength: float

    @classmethod
    def of(cls, data: Json) -> Self:
        path = tuple((step[0], step[1]) for step in data["path"])
        return cls(data["id"], data["term"], tuple(data["sessions"]), path, float(data["strength"]))


def to_json(value: Any) -> Any:
    """The JSON form of any of these types."""
    return asdict(value)
