"""What the synthesis stages hand to each other, with its JSON form."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Self

Json = dict[str, Any]

SUPPORTED = "supported"
CONTRADICTED = "contradicted"
COMPUTED = "computed"
UNANSWERED = "answer"
"""The kind of the key finding by which an analysis says that its data cannot answer."""
"""Support of a statement that rests on data and not on a quote."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The statement of a session that did the work itself, which a statement of a synthesis goes back to."""

    session_id: str
    id: str
    key: bool
    dataset: str | None = None

    @classmethod
    def of(cls, data: Json) -> Self:
        return cls(**data)


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
    exhibits: Json
    """`numbers`, `kind`, `table`, `figure` of a finding that was computed, as far as it has them."""
    origins: tuple[Origin, ...]
    """Where it comes from: itself, but for a session that is a synthesis."""
    data_keys: tuple[str, ...]
    """What tells its datasets from others: the digest of their bytes where it is known."""

    @property
    def order(self) -> tuple[Any, ...]:
        """Surest first, then as its session ranks it, then by content: the order of the sessions does not count."""
        return (-self.confidence, not self.key, self.rank, self.text, self.session_id, self.id)

    @classmethod
    def of(cls, data: Json) -> Self:
        return cls(
            **{
                **data,
                "citations": tuple(data["citations"]),
                "rank": int(data["rank"]),
                "origins": tuple(map(Origin.of, data["origins"])),
                "data_keys": tuple(data["data_keys"]),
            }
        )


@dataclass(frozen=True, slots=True)
class Session:
    """A session that is merged: what it asked, and how sure it was. `citations` are those its findings use."""

    session_id: str
    title: str
    prompt: str
    kind: str
    """The engine that made its results, where it says so."""
    confidence: float
    answered: bool
    partial: bool
    left_out: int
    """Statements that it could not verify."""
    beyond: int
    """Findings that were more than are taken from one session."""
    findings: tuple[Finding, ...]
    citations: tuple[Json, ...]

    @classmethod
    def of(cls, data: Json) -> Self:
        return cls(
            **{
                **data,
                "left_out": int(data["left_out"]),
                "beyond": int(data["beyond"]),
                "findings": tuple(map(Finding.of, data["findings"])),
                "citations": tuple(data["citations"]),
            }
        )


@dataclass(frozen=True, slots=True)
class Conflict:
    """Another merged finding that contradicts one, and how: `direction`, `negation` or `quantity`."""

    id: str
    kind: str

    @classmethod
    def of(cls, data: Json) -> Self:
        return cls(data["id"], data["kind"])


@dataclass(frozen=True, slots=True)
class Merged:
    """Findings that say the same; the first member speaks for them. `sources` counts the works and datasets behind
    them, each once however many sessions cite it."""

    id: str
    members: tuple[Finding, ...]
    confidence: float
    sources: int
    conflicts: tuple[Conflict, ...] = ()

    @property
    def head(self) -> Finding:
        return self.members[0]

    @property
    def sessions(self) -> tuple[str, ...]:
        """The sessions that were merged, by id."""
        return tuple(sorted({member.session_id for member in self.members}))

    @property
    def roots(self) -> frozenset[str]:
        """The sessions that found it themselves; a synthesis of them is none."""
        return frozenset(origin.session_id for member in self.members for origin in member.origins)

    @property
    def shared(self) -> bool:
        """Whether two sessions state it that did not have it from each other."""
        return len(self.sessions) > 1 and len(self.roots) > 1

    @property
    def agreed(self) -> bool:
        """Whether they state it from different sources."""
        return self.shared and self.sources > 1

    @property
    def support(self) -> str:
        if self.conflicts or any(member.contradicted for member in self.members):
            return CONTRADICTED
        return SUPPORTED if any(member.citations for member in self.members) else COMPUTED

    def against(self, conflicts: tuple[Conflict, ...]) -> Merged:
        """The same, contradicted by these findings: half as sure."""
        if not conflicts:
            return self
        return replace(self, conflicts=conflicts, confidence=round(self.confidence / 2, 4))

    @classmethod
    def of(cls, data: Json) -> Self:
        return cls(
            data["id"],
            tuple(map(Finding.of, data["members"])),
            float(data["confidence"]),
            int(data["sources"]),
            tuple(map(Conflict.of, data["conflicts"])),
        )


@dataclass(frozen=True, slots=True)
class Step:
    """A place on a bridge's path: a member (session and finding) of a merged finding, and the term that it brings to
    the bridge ("" for none)."""

    session_id: str
    merged_id: str
    finding_id: str
    term: str

    @classmethod
    def of(cls, data: Json) -> Self:
        return cls(**data)


@dataclass(frozen=True, slots=True)
class Bridge:
    """What findings of different sessions share: a term (`kind` "term"), a source ("source"), or a term that connects
    two others which no session names together ("implicit"). `path` leads from session to session."""

    id: str
    kind: str
    term: str
    sessions: tuple[str, ...]
    path: tuple[Step, ...]
    strength: float

    @classmethod
    def of(cls, data: Json) -> Self:
        path = tuple(map(Step.of, data["path"]))
        strength = float(data["strength"])
        return cls(data["id"], data["kind"], data["term"], tuple(data["sessions"]), path, strength)


def to_json(value: Any) -> Any:
    """The JSON form of any of these types."""
    return asdict(value)
