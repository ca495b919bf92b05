"""One session as the model believes it to be: plain rules, written from the contract and not from the service."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from math import floor

from tests.integration.session.model.figures import (
    ATTEMPTS,
    BASE,
    BEAT,
    HELD,
    SETTLE_PAUSE,
    TERMINAL,
    WRITE_UP_MONEY,
    WRITE_UP_TIME,
    S,
    cost,
    rounded,
)

Lease = tuple[str, int, str]
"""Session, epoch, worker."""
Plan = tuple[tuple[str, int], ...]
"""Stages with their weights."""


@dataclass
class Stage:
    """The stage under way, or interrupted by a pause."""

    name: str
    epoch: int
    reserved: int
    usage: dict[str, int] = field(default_factory=dict)


@dataclass
class Believed:
    """See the module. Moments are of the wall clock, `renewed` and `claimed` of the steady one."""

    session_id: str
    owner: str
    engine: str
    pausable: bool
    held: int
    finishes: bool
    """Whether it writes up at the limit of its budget, rather than fail."""
    time_limit: int
    since: int

    status: str = "queued"
    epoch: int = 0
    worker: str = ""
    attempts: int = 0
    failures: int = 0
    lost: bool = False
    """Whether one of the failures was a worker that was not heard of any more."""
    plan: Plan = ()
    done: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Checkpoints: the epoch and hash of each finished stage, in order."""
    stage: Stage | None = None
    current: str = ""
    paid: dict[tuple[str, str], int] = field(default_factory=dict)
    running: int = 0
    beat_at: int = 0
    write_up: bool = False
    progress: int = 0
    started: bool = False
    completed_with: tuple[int, str] | None = None
    renewed: int = 0
    claimed: int = 0
    history: list[str] = field(default_factory=lambda: ["session.created", "resource.held", "session.queued"])
    settled: bool = False
    settle_after: int = 0

    @property
    def terminal(self) -> bool:
        return self.status in TERMINAL

    @property
    def charged(self) -> int:
        return sum(self.paid.values())

    @property
    def released(self) -> int:
        return self.held - self.charged if self.terminal else 0

    @property
    def alone(self) -> bool:
        """Whether the next loss is its last, and so must be nobody else's doing."""
        return self.lost and self.failures == ATTEMPTS - 1

    @property
    def directive(self) -> str:
        if self.terminal:
            return "CANCEL"
        if self.status == "paused":
            return "PAUSE"
        return "WRITE_UP" if self.write_up else "GO_ON"

    def facts(self) -> dict[str, object]:
        """What the service's row must say, to the letter."""
        return {
            "status": self.status,
            "epoch": self.epoch,
            "worker_id": self.worker,
            "attempts": self.attempts,
            "failures": self.failures,
            "held": self.held,
            "charged": self.charged,
            "released": self.released,
            "running": self.running,
            "write_up": self.write_up,
            "progress": self.progress,
            "current_stage": self.current,
            "version": len(self.history),
            "leased": self.status in HELD,
            "started": self.started,
            "finished": self.terminal,
            "settled": self.settled,
            "result": self.completed_with or (0, ""),
            "stage": None
            if self.stage is None
            else (self.stage.name, self.stage.epoch, self.stage.reserved, self.stage.usage),
        }

    def held_by(self, lease: Lease) -> bool:
        return self.status in HELD and (self.epoch, self.worker) == lease[1:]

    def open_here(self, name: str) -> bool:
        """Whether the stage is under way in the present claim."""
        return self.stage is not None and (self.stage.name, self.stage.epoch) == (name, self.epoch)

    # Time.

    def due(self, wall: int) -> int:
        """Running time that a sign of life at this moment would add."""
        return min(max(wall - self.beat_at, 0), BEAT) if self.status == "running" else 0

    def heard(self, wall: int) -> None:
        if self.status == "running":
            self.running += self.due(wall)
            self.beat_at = wall

    # Money.

    def bill(self, usage: dict[str, int]) -> list[tuple[str, int]]:
        """What usage would cost, item by item; the base price goes with the first."""
        base = [] if any(item == BASE for _, item in self.paid) else [(BASE, cost(BASE, S))]
        return base + [(item, cost(item, usage[item])) for item in sorted(usage)]

    def set_aside(self) -> int:
        """What is kept for writing up."""
        return rounded((self.held - cost(BASE, S)) * WRITE_UP_MONEY) if self.finishes else 0

    def reserve(self, stage: str) -> int:
        left = self.held - self.charged
        if self.write_up or self.plan[-1][0] == stage:
            return left
        return max(0, left - self.set_aside())

    def pay(self, stage: Stage) -> bool:
        """Charge a stage, at most its reservation. Whether that was enough."""
        cap = left = min(stage.reserved, self.held - self.charged)
        bill = self.bill(stage.usage)
        for item, amount in bill:
            assert (stage.name, item) not in self.paid, "charged twice"
            self.paid[stage.name, item] = min(amount, left)
            left -= min(amount, left)
        return sum(amount for _, amount in bill) <= cap

    # What happens.

    def fence(self) -> None:
        self.epoch += 1
        self.worker = ""

    def use(self, usage: dict[str, int]) -> None:
        """Running totals never fall."""
        assert self.stage is not None
        for item, quantity in usage.items():
            self.stage.usage[item] = max(self.stage.usage.get(item, 0), quantity)

    def advance(self, share: Fraction) -> None:
        """Progress: what the plan says is done, never less than before, and 100 only at the end."""
        whole = sum(weight for _, weight in self.plan)
        done = sum(weight for name, weight in self.plan if name in self.done)
        here = sum(weight for name, weight in self.plan if name == self.current and name not in self.done)
        self.progress = max(self.progress, min(99, floor(100 * (done + here * share) / whole)))

    def requeue(self, wall: int) -> None:
        """Back to the queue; what the unfinished stage used is nobody's to pay."""
        self.heard(wall)
        self.fence()
        self.status, self.since = "queued", wall
        self.stage = None
        self.history.append("session.queued")

    def end(self, status: str, wall: int, *, waive: bool = False) -> None:
        """The one way out: fence, charge what was used, release the rest."""
        assert not self.terminal, "an end is final"
        self.heard(wall)
        self.fence()
        if self.stage is not None and self.stage.usage:
            self.pay(self.stage)
        self.stage = None
        if waive:
            self.paid = dict.fromkeys(self.paid, 0)
        self.status, self.since = status, wall
        self.settle_after = wall + SETTLE_PAUSE
        ended = ["stage.ended"] if self.current else []
        self.history += [*ended, "resource.captured", "resource.released", f"session.{status}"]

    def keep_limits(self, wall: int, *, overspent: bool) -> None:
        """Time first, then money; what only nears a limit is told to write up, once."""
        if self.running >= self.time_limit and not (self.plan and all(name in self.done for name, _ in self.plan)):
            self.end("timeout", wall)
        elif overspent and not self.finishes:
            self.end("failed", wall)
        elif not self.write_up and (self.running >= self.time_limit * WRITE_UP_TIME or self.nearly_spent()):
            self.write_up = True
            self.history.append("session.writing_up")

    def nearly_spent(self) -> bool:
        open_ = 0 if self.stage is None else sum(amount for _, amount in self.bill(self.stage.usage))
        return self.finishes and self.charged + open_ >= self.held - self.set_aside()
