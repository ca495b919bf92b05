"""A research session: its state, the table of its transitions, and what is told of it.

Moments are microseconds since the epoch, durations microseconds, money 10^-6 of the currency, quantities 10^-6 units.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from services.session.errors import (
    SessionCannotBeCancelled,
    SessionCannotBePaused,
    SessionCannotBeRequeued,
    SessionCannotBeResumed,
    StaleEpoch,
    WrongState,
)

JsonObject = dict[str, Any]
SYSTEM = "system"
BASE_ITEM = "base"
TOKENS_IN, TOKENS_OUT = "tokens_in", "tokens_out"
TOKENS_PER_UNIT = 1000
"""Of a language model: priced by the thousand, since one costs less than the smallest amount."""


class Status(StrEnum):
    QUEUED = "queued"
    INITIALIZING = "initializing"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    TIMEOUT = "timeout"


class SessionType(StrEnum):
    RESEARCH = "research"
    ANALYSIS = "analysis"
    SYNTHESIS = "synthesis"


class OnLimit(StrEnum):
    """What happens when the budget is nearly spent."""

    FINISH = "finish"
    FAIL = "fail"


TERMINAL = frozenset({Status.COMPLETED, Status.FAILED, Status.CANCELLED, Status.TIMEOUT})
WITH_RESULTS = frozenset({Status.COMPLETED, Status.TIMEOUT})
"""States whose results can be read: all of them, and what was found before the time was up."""
OPEN = frozenset(Status) - TERMINAL
HELD = frozenset({Status.INITIALIZING, Status.RUNNING})
"""The states in which a worker holds the session."""


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of state: from where it is allowed, where it leads (None: nowhere), and how a refusal is named."""

    name: str
    sources: frozenset[Status]
    target: Status | None
    error: type[WrongState]

    def check(self, current: Status) -> None:
        """Raises the transition's error."""
        if current not in self.sources:
            raise self.error(current.value, _refusal(self, current))


CLAIM = Transition("claim", frozenset({Status.QUEUED}), Status.INITIALIZING, StaleEpoch)
START = Transition("start", frozenset({Status.INITIALIZING}), Status.RUNNING, StaleEpoch)
WORK = Transition("work", HELD, None, StaleEpoch)
STAGE = Transition("stage", frozenset({Status.RUNNING}), None, StaleEpoch)
PAUSE = Transition("pause", frozenset({Status.RUNNING}), Status.PAUSED, SessionCannotBePaused)
RESUME = Transition("resume", frozenset({Status.PAUSED}), Status.QUEUED, SessionCannotBeResumed)
REQUEUE = Transition("requeue", HELD, Status.QUEUED, StaleEpoch)
COMPLETE = Transition("complete", frozenset({Status.RUNNING}), Status.COMPLETED, StaleEpoch)
CANCEL = Transition("cancel", OPEN, Status.CANCELLED, SessionCannotBeCancelled)
FAIL = Transition("fail", OPEN, Status.FAILED, StaleEpoch)
TIME_OUT = Transition("time_out", OPEN, Status.TIMEOUT, StaleEpoch)
SUCCEED = Transition("succeed", frozenset({Status.FAILED, Status.TIMEOUT}), None, SessionCannotBeRequeued)
"""An operator starts another session in its place; its own state stays."""
NOTE = Transition("note", frozenset(Status), None, WrongState)
"""A history row that changes no state."""

TRANSITIONS = (CLAIM, START, WORK, STAGE, PAUSE, RESUME, REQUEUE, COMPLETE, CANCEL, FAIL, TIME_OUT, SUCCEED, NOTE)

_CURES: Mapping[tuple[str, Status], str] = {
    ("pause", Status.QUEUED): "wait until it is running, or cancel it",
    ("pause", Status.INITIALIZING): "wait until it is running, or cancel it",
    ("pause", Status.PAUSED): "it is paused already; resume it to go on",
    ("resume", Status.QUEUED): "it is waiting for a worker; nothing needs to be done",
    ("resume", Status.INITIALIZING): "it is being started; nothing needs to be done",
    ("resume", Status.RUNNING): "it is running already; pause it first",
}


def _refusal(transition: Transition, current: Status) -> str | None:
    if transition.error is StaleEpoch:
        return None
    if transition.error is SessionCannotBeRequeued:
        return f"The session is {current.value}: only failed and timed-out sessions can be requeued"
    cure = _CURES.get((transition.name, current), "it has ended; create a new session")
    return f"The session is {current.value}: {cure}"


class Kind(StrEnum):
    """Which derived view of the history a row belongs to; every row is in the timeline."""

    EVENT = "event"
    STAGE = "stage"
    ALLOCATION = "allocation"
    DECISION = "decision"


@dataclass(frozen=True, slots=True)
class Entry:
    """Something to write into the history."""

    type: str
    actor: str
    detail: JsonObject = field(default_factory=dict)
    kind: Kind = Kind.EVENT


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """An entry as it stands: `seq` counts without gaps from 1; the rest is the session's state after it."""

    seq: int
    at: int
    entry: Entry
    status: Status
    progress: int
    stage: str


@dataclass(frozen=True, slots=True)
class Price:
    unit: str
    unit_price: int


@dataclass(frozen=True, slots=True)
class PlannedStage:
    """A stage to come or done, with its share of the whole work; weights need not add up to 1."""

    stage: str
    weight: float
    done: bool = False


@dataclass(frozen=True, slots=True)
class OpenStage:
    """The stage under way, or interrupted: what it may cost, and its last accepted usage by item."""

    stage: str
    epoch: int
    reserved: int
    usage: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FinishedStage:
    """A checkpoint: the artifact of (epoch, hash) is the stage's output. `running` is what it took."""

    stage: str
    epoch: int
    hash: str
    running: int
    finished_at: int


@dataclass(frozen=True, slots=True)
class Charge:
    """One item of one stage, charged once."""

    stage: str
    item: str
    unit: str
    quantity: int
    unit_price: int
    amount: int


@dataclass(frozen=True, slots=True)
class Settlement:
    captured: int
    released: int


@dataclass(slots=True)
class Session:
    """A session's row. What stands before `status` never changes."""

    session_id: str
    owner: str
    session_type: SessionType
    engine: str
    pausable: bool
    prompt: str
    preferences: JsonObject
    metadata: JsonObject
    inputs: JsonObject
    """References: `documents` [{document_id, title}], `datasets` [{document_id, name}], `sessions` [id],
    `results` ["id:epoch:hash"] of the input sessions."""
    budget_limit: int
    on_limit: OnLimit
    prices: Mapping[str, Price]
    held: int
    time_limit: int
    created_at: int

    status: Status
    status_since: int
    updated_at: int
    version: int = 0
    """How many history rows there are."""
    epoch: int = 0
    attempts: int = 0
    """How often a worker took it up."""
    failures: int = 0
    """How many of these were lost or failed and may be tried again."""
    worker_id: str = ""
    lease_until: int | None = None
    grant_until: int = 0
    beat_at: int = 0
    progress: int = 0
    current_stage: str = ""
    stage_running: int = 0
    """Running time in `current_stage`."""
    plan: tuple[PlannedStage, ...] = ()
    open_stage: OpenStage | None = None
    write_up: bool = False
    charged: int = 0
    released: int = 0
    usage: Mapping[str, int] = field(default_factory=dict)
    """Of finished stages, by item."""
    running: int = 0
    queued: int = 0
    initializing: int = 0
    paused: int = 0
    cpu: int = 0
    cpu_claim: int = 0
    bytes_stored: int = 0
    bytes_claim: int = 0
    peak_memory: int = 0
    """In bytes, as megabytes of 10^6."""
    started_at: int | None = None
    finished_at: int | None = None
    result_epoch: int = 0
    result_hash: str = ""
    results: JsonObject | None = None
    cited: tuple[str, ...] = ()
    error: JsonObject | None = None
    settled_at: int | None = None
    settle_after: int | None = None
    """When to tell billing (again); None while open and once it is settled."""
    traceparent: str = ""
    """The trace that it belongs to; never changes."""
    losses: int = 0
    """How many of the failures were lost attempts."""
    ours: bool | None = None
    """Whether a failure was the platform's."""
    successor: str = ""
    """The session that an operator started in its place."""

    @property
    def terminal(self) -> bool:
        return self.status in TERMINAL

    @property
    def readable(self) -> bool:
        """Whether its result document is there for others."""
        return self.status in WITH_RESULTS and bool(self.result_hash)

    @property
    def settlement(self) -> Settlement:
        return Settlement(self.charged, self.released)


@dataclass(slots=True)
class Change:
    """What one unit of work does to a session; the repository makes it so, or nothing of it."""

    before: Session
    after: Session
    transition: Transition
    entries: list[Entry] = field(default_factory=list)
    event: str | None = None
    """The type of the event to publish, if any."""
    charges: list[Charge] = field(default_factory=list)
    waived: bool = False
    """Every charge made so far becomes nothing."""
    finished: FinishedStage | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """The lifecycle's figures. `lease`, `beat`, `settle_pause` and `init_limit` are durations."""

    lease: int
    """How long a worker may stay unheard; see `observation` for how that is told."""
    beat: int
    """The most that running time grows by between two signs of life."""
    write_up_time: float
    """The share of the time limit after which the worker writes up."""
    write_up_money: float
    """The share of the hold that is set aside for writing up."""
    max_failures: int
    settle_pause: int
    init_limit: int
