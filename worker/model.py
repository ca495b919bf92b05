"""What a worker knows of the session it holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from worker.engines.base import JSON, Job


@dataclass(frozen=True, slots=True)
class Lease:
    """The claim that every write names; the service refuses an older epoch."""

    session_id: str
    epoch: int
    worker_id: str


@dataclass(frozen=True, slots=True)
class StoredStage:
    """Where the checkpoint of a finished stage lies: the epoch that wrote it, and its SHA-256 in hex."""

    stage: str
    epoch: int
    hash: str


@dataclass(frozen=True, slots=True)
class Claim:
    """A session that was given to this worker. Times are in seconds."""

    lease: Lease
    lease_seconds: float
    heartbeat_seconds: float
    engine: str
    job: Job
    stages: tuple[StoredStage, ...]
    """Finished stages, in order."""
    grant: str
    """What opens the session's inputs at library and results."""
    write_up: bool = False
    traceparent: str = ""
    """The trace of the request that created the session."""
    alone: bool = False
    """Whether no other session may be in hand meanwhile: an attempt of this one was lost before."""


@dataclass(frozen=True, slots=True)
class EmptyFirst:
    """Instead of a claim: a session waits for a worker with nothing in hand, and this one is to become it."""


class Directive(Enum):
    """What the session service tells its worker."""

    GO_ON = "go_on"
    PAUSE = "pause"
    CANCEL = "cancel"
    WRITE_UP = "write_up"


ENDING = frozenset({Directive.PAUSE, Directive.CANCEL})
"""After these the session is no longer this worker's."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A stage's beginning: what its usage may cost, in 10^-6 of the currency, and the session's unit prices by item."""

    directive: Directive
    available: int = 0
    prices: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Resources:
    """Totals since the claim."""

    cpu_seconds: float = 0.0
    peak_memory_mb: float = 0.0
    bytes_stored: int = 0


@dataclass(frozen=True, slots=True)
class Beat:
    """A heartbeat: how far the current stage is (0 to 1), and its usage as running totals of whole units."""

    lease: Lease
    stage: str
    done: float
    usage: Mapping[str, int]
    resources: Resources


@dataclass(frozen=True, slots=True)
class BeatAnswer:
    directive: Directive
    lease_seconds: float
    grant: str
    """A fresh grant, or "" while the old one lasts."""


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision point for the session's history."""

    decision: str
    reason: str
    alternatives: Sequence[str] = ()
    excluded: Sequence[Mapping[str, JSON]] = ()


@dataclass(frozen=True, slots=True)
class Finished:
    """A stage's end: its checkpoint, what it used and what it decided; `result` is the artifact of a result document of
    the stages so far, "" for none, and `cited` what that cites."""

    lease: Lease
    stage: str
    hash: str
    usage: Mapping[str, int]
    decisions: Sequence[Decision]
    resources: Resources
    result: str = ""
    cited: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an attempt ended without a result. `ours`: the fault is the platform's, and nothing is charged."""

    code: str
    message: str
    stage: str
    retryable: bool
    ours: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """A result as the session service keeps it: the hash of the document, and its compact form."""

    hash: str
    compact: Mapping[str, Any]
    cited: Sequence[str]
    resources: Resources


class Ending(Enum):
    """How the work on a claim ended."""

    COMPLETED = "completed"
    FAILED = "failed"
    DROPPED = "dropped"
    """The lease is no longer held: paused, cancelled, timed out or taken over."""
    RELEASED = "released"
    """Handed back for a drain."""
