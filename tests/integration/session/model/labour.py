"""What workers do, as commands: under a claim that stands, or one that was lost long ago, or never was theirs."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from tests.integration.session.model.believed import Believed, Lease, Plan, Stage
from tests.integration.session.model.figures import ATTEMPTS, HELD
from tests.integration.session.model.world import World
from tests.support.modelling import Command, Refused, Seen, agreed

STALE = "STALE_EPOCH"
INVALID = "VALIDATION_ERROR"


@dataclass(frozen=True)
class Claim(Command[World]):
    """`among` others: other commands are under way, so a session that they have in their hands may be passed over.
    `in_hand` is how many sessions the worker says to have."""

    worker: str
    engines: tuple[str, ...]
    among: bool = False
    in_hand: int = 0

    def expect(self, world: World, seen: Seen) -> dict[str, Any]:
        session = world.sessions.get(seen.fields.get("session_id", ""))
        if self.among:
            agreed(session is None or session.owner in world.owners_in_turn(self.engines), "more than the owner's cap")
            world.waiting.clear()
        elif self.in_hand:
            self._in_company(world, seen, session)
        else:
            world.take_turn(self.engines, session)
        if session is None:
            return {"empty_first": True} if seen.fields else {}
        agreed(session.status == "queued" and session.engine in self.engines, f"{self} got a session that is not there")
        session.fence()
        session.status, session.worker = "initializing", self.worker
        session.attempts += 1
        session.beat_at, session.since = world.wall, world.wall
        session.renewed = session.claimed = world.steady
        session.history += ["worker.assigned", "lease.granted", "session.initializing"]
        world.leases.append((session.session_id, session.epoch, self.worker))
        return {
            "session_id": session.session_id,
            "epoch": session.epoch,
            "owner": session.owner,
            "attempt": session.attempts,
            "stages": [(name, epoch, hash_) for name, (epoch, hash_) in session.done.items()],
            "write_up": session.write_up,
            "alone": session.alone,
        }

    def _in_company(self, world: World, seen: Seen, session: Believed | None) -> None:
        """A worker that has something in hand gets no session that must be alone."""
        world.waiting.clear()
        heads = world.heads(self.engines)
        if session is None:
            agreed(all(any(s.alone for s in lane) for lane in heads), "work was withheld")
            agreed(heads or not seen.fields, "a worker was told to empty itself for nothing")
        else:
            agreed(not session.alone and any(session in lane for lane in heads), "not next, or not in company")


@dataclass(frozen=True)
class Work(Command[World]):
    """A worker's write."""

    lease: Lease

    def expect(self, world: World, seen: Seen) -> dict[str, Any]:
        session = world.sessions.get(self.lease[0])
        if session is None:
            raise Refused(STALE)
        return self.does(world, session)

    @abstractmethod
    def does(self, world: World, session: Believed) -> dict[str, Any]:
        """Do it, for a session that there is."""

    def held(self, session: Believed, *states: str) -> None:
        """Refuse who does not hold it, or not in one of these states."""
        if not session.held_by(self.lease) or session.status not in (states or HELD):
            raise Refused(STALE)

    def heard(self, world: World, session: Believed) -> None:
        session.heard(world.wall)
        session.renewed = world.steady


@dataclass(frozen=True)
class Start(Work):
    plan: Plan

    def does(self, world: World, session: Believed) -> dict[str, Any]:
        self.held(session)
        if session.status == "initializing":
            session.status, session.since = "running", world.wall
            session.plan = self.plan
            session.beat_at = world.wall
            session.started = True
            session.renewed = world.steady
            session.history.append("session.running")
        return {}


@dataclass(frozen=True)
class Begin(Work):
    stage: str

    def does(self, world: World, session: Believed) -> dict[str, Any]:
        self.held(session)
        to_come = self.stage in dict(session.plan) and self.stage not in session.done
        if session.status != "running":
            raise Refused(*([STALE] if to_come else [STALE, INVALID]))
        if not to_come:
            raise Refused(INVALID)
        self.heard(world, session)
        if not session.open_here(self.stage):
            session.stage = Stage(self.stage, session.epoch, session.reserve(self.stage))
            session.current = self.stage
            session.history += ["stage.started", "resource.reserved"]
        assert session.stage is not None
        return {"reserved": session.stage.reserved, "directive": session.directive}


@dataclass(frozen=True)
class Beat(Work):
    stage: str
    share: Fraction
    usage: dict[str, int] = field(default_factory=dict)

    def does(self, world: World, session: Believed) -> dict[str, Any]:
        if session.status in HELD:
            self.held(session)
            self._heard(world, session)
        elif session.status == "queued":
            raise Refused(STALE)
        return {"directive": session.directive}

    def _heard(self, world: World, session: Believed) -> None:
        self.heard(world, session)
        overspent = False
        if session.open_here(self.stage):
            assert session.stage is not None
            session.use(self.usage)
            session.advance(self.share)
            overspent = sum(amount for _, amount in session.bill(session.stage.usage)) > session.stage.reserved
        session.keep_limits(world.wall, overspent=overspent)
        if session.terminal:
            world.settle(session)


@dataclass(frozen=True)
class Checkpoint(Work):
    stage: str
    hash: str
    usage: dict[str, int] = field(default_factory=dict)
    decides: bool = False

    def does(self, world: World, session: Believed) -> dict[str, Any]:
        self.held(session)
        if session.done.get(self.stage) != (session.epoch, self.hash):
            self._finish(world, session)
        return {"directive": session.directive}

    def _finish(self, world: World, session: Believed) -> None:
        self.held(session, "running")
        if not session.open_here(self.stage):
            raise Refused(INVALID)
        self.heard(world, session)
        session.use(self.usage)
        assert session.stage is not None
        enough = session.pay(session.stage)
        session.stage = None
        session.done[self.stage] = (session.epoch, self.hash)
        session.advance(Fraction(0))
        session.history += ["decision.made"] * self.decides + ["stage.completed"]
        session.keep_limits(world.wall, overspent=not enough)
        if session.terminal:
            world.settle(session)


@dataclass(frozen=True)
class Complete(Work):
    hash: str

    def does(self, world: World, session: Believed) -> dict[str, Any]:
        if session.completed_with == (self.lease[1], self.hash):
            return {}
        self.held(session, "running")
        session.progress = 100
        session.completed_with = (session.epoch, self.hash)
        session.end("completed", world.wall)
        world.settle(session)
        return {}


@dataclass(frozen=True)
class Fail(Work):
    retryable: bool
    ours: bool

    def does(self, world: World, session: Believed) -> dict[str, Any]:
        self.held(session)
        again = self.retryable and session.failures + 1 < ATTEMPTS
        session.failures += 1
        if again:
            session.requeue(world.wall)
            world.joined(session.owner, session.engine)
        else:
            session.end("failed", world.wall, waive=self.ours)
            world.settle(session)
        return {"requeued": again}


@dataclass(frozen=True)
class Release(Work):
    def does(self, world: World, session: Believed) -> dict[str, Any]:
        self.held(session)
        session.requeue(world.wall)
        world.joined(session.owner, session.engine)
        return {}
