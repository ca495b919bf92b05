"""Everything around the sessions as the model believes it to be: money, keys, turns, time, what was told twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

from tests.integration.session.model.believed import Believed, Lease
from tests.integration.session.model.figures import (
    ABORT_AFTER,
    ATTEMPTS,
    BALANCE,
    CREATION_LEASE,
    HELD,
    INITIALIZING,
    LEASE,
    LEAST,
    MOST,
    OWNER_CAP,
    QUOTA,
    SETTLE_PAUSE,
    S,
)
from tests.support.modelling import agreed

SWEEPER_LEASE = 15 * S
BETWEEN_SWEEPS = 2 * S
"""What passes between two sweeps is looked on at most for so long."""
PATIENCE = LEASE + BETWEEN_SWEEPS
"""A lost worker is found at the latest when sweeps have looked on for so long."""
OVERTAKEN = 2
"""How often one owner may be served while another one waits."""


@dataclass
class Creation:
    """A creation that was begun: who asked for what, and how far it came."""

    owner: str
    request: object
    state: str = "pending"
    lease_until: int = 0
    taken_over: bool = False
    hold: int | None = None
    session_id: str = ""


@dataclass
class Sweeper:
    """What one replica's sweeper has seen: for how long each claim was silent, by its own looking."""

    looked: int | None = None
    silent: dict[str, tuple[int, int]] = field(default_factory=dict)
    """By session: the renewal that it was silent since, and how long."""


@dataclass(frozen=True)
class Swept:
    """What a round of the sweeper did, as far as the model leaves it open."""

    failures: dict[str, int]
    """By session, how many attempts were lost or failed until then."""
    told: set[str]
    """Sessions whose settlement billing has."""
    creations: set[str]
    """Ids of the creations that are not done."""


@dataclass
class World:
    """See the module."""

    wall: int
    steady: int
    sessions: dict[str, Believed] = field(default_factory=dict)
    creations: list[Creation] = field(default_factory=list)
    keyed: dict[tuple[str, str], Creation] = field(default_factory=dict)
    """By owner and key, those that are under way or done."""
    answers: dict[tuple[str, str, str], tuple[object, dict[str, object]]] = field(default_factory=dict)
    """By owner, method and key: the request, and the first answer."""
    noted: set[tuple[str, int]] = field(default_factory=set)
    away: bool = False
    """Nobody reaches billing."""
    mute: bool = False
    """Billing does what it is asked, but its answers are lost."""
    told: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Settlements that billing has."""
    waiting: dict[str, Counter[str]] = field(default_factory=dict)
    """By owner who waits: how often each other owner was served meanwhile."""
    leases: list[Lease] = field(default_factory=list)
    """Every claim there ever was."""
    sweepers: list[Sweeper] = field(default_factory=lambda: [Sweeper(), Sweeper()])
    leader: int | None = None
    leads_until: int = 0

    # Money.

    def holds(self, owner: str) -> list[int]:
        """Amounts that are held for an owner's sessions, also for such as never came to be."""
        made = [s.held for s in self.sessions.values() if s.owner == owner and s.session_id not in self.told]
        return made + [c.hold for c in self.creations if c.owner == owner and c.hold is not None]

    def available(self, owner: str) -> int:
        spent = sum(captured for id_, (captured, _) in self.told.items() if self.sessions[id_].owner == owner)
        return BALANCE - spent - sum(self.holds(owner))

    def refusals(self, owner: str, limit: int | None) -> set[str]:
        """The reasons for which billing would refuse a hold; any of them may be told."""
        found = set()
        if limit is not None and limit < LEAST:
            found.add("VALIDATION_ERROR")
        if min(limit or MOST, MOST) > self.available(owner):
            found.add("INSUFFICIENT_BALANCE")
        if len(self.holds(owner)) >= QUOTA:
            found.add("SESSION_QUOTA_EXCEEDED")
        return found

    def settle(self, session: Believed) -> None:
        """Tell billing how a session ended, as often as it takes."""
        if not self.away:
            figures = (session.charged, session.released)
            assert self.told.setdefault(session.session_id, figures) == figures, "settled in two ways"
        if self.away or self.mute:
            session.settle_after = self.wall + SETTLE_PAUSE
        else:
            session.settled = True

    # Turns.

    def queued(self, owner: str, engines: Collection[str]) -> list[Believed]:
        return [s for s in self.sessions.values() if (s.owner, s.status) == (owner, "queued") and s.engine in engines]

    def owners_in_turn(self, engines: Collection[str]) -> set[str]:
        """Those with something to do for these engines who are below their cap."""
        busy = Counter(s.owner for s in self.sessions.values() if s.status in HELD)
        owners = {s.owner for s in self.sessions.values() if s.status == "queued" and s.engine in engines}
        return {owner for owner in owners if busy[owner] < OWNER_CAP}

    def heads(self, engines: Collection[str]) -> list[list[Believed]]:
        """Of each lane that may be served, those that have waited longest."""
        lanes = [self.queued(owner, [engine]) for owner in self.owners_in_turn(engines) for engine in engines]
        return [[s for s in lane if s.since == min(each.since for each in lane)] for lane in lanes if lane]

    def take_turn(self, engines: Collection[str], session: Believed | None) -> None:
        """Check that a claim was fair: somebody's oldest, and nobody overtaken again and again."""
        owners = self.owners_in_turn(engines)
        if session is None:
            agreed(not owners, f"no work, but {sorted(owners)} are waiting")
            return
        agreed(session.owner in owners, "an owner had more than their cap, or the session was not waiting")
        lane = self.queued(session.owner, [session.engine])
        agreed(session.since == min(s.since for s in lane), "not the oldest of its owner")
        for owner in list(self.waiting):
            if owner not in owners:
                del self.waiting[owner]
        self.waiting.pop(session.owner, None)
        for owner in owners - {session.owner}:
            overtaken = self.waiting.setdefault(owner, Counter())
            overtaken[session.owner] += 1
            agreed(overtaken[session.owner] <= OVERTAKEN, f"{owner} was overtaken by {overtaken}")

    def joined(self, owner: str, engine: str) -> None:
        """A session came into the queue: whose lane was empty joins at the present turn."""
        if len(self.queued(owner, [engine])) == 1:
            self.waiting.pop(owner, None)

    # The sweeper.

    def restarted(self) -> None:
        """All replicas died, and with them what they saw; the lease of who led outlives them."""
        self.sweepers = [Sweeper(), Sweeper()]
        self.leader = None

    def sweep(self, replica: int, saw: Swept) -> None:
        """A round of one replica. Who is lost it may find out a little earlier or later; `saw` tells what it did."""
        if self.leader != replica and self.wall < self.leads_until <= self.wall + 2 * SWEEPER_LEASE:
            return
        self.leader, self.leads_until = replica, self.wall + SWEEPER_LEASE
        sweeper = self.sweepers[replica]
        passed = 0 if sweeper.looked is None else min(self.steady - sweeper.looked, BETWEEN_SWEEPS)
        sweeper.looked = self.steady
        silent: dict[str, tuple[int, int]] = {}
        unsettled = [s for s in self.sessions.values() if s.terminal and not s.settled]
        for session in [s for s in self.sessions.values() if s.status in HELD]:
            since, before = sweeper.silent.get(session.session_id, (-1, 0))
            silence = before + passed if since == session.renewed else 0
            silent[session.session_id] = (session.renewed, silence)
            self._mend(session, silence, lost=saw.failures[session.session_id] > session.failures)
        sweeper.silent = silent
        news = saw.told - self.told.keys()
        for session in unsettled:
            if session.settle_after <= self.wall or session.session_id in news:
                self.settle(session)
        self._reconcile(saw.creations)

    def _mend(self, session: Believed, silence: int, *, lost: bool) -> None:
        if session.status == "running" and session.running + session.due(self.wall) >= session.time_limit:
            session.end("timeout", self.wall)
            return
        starting = self.steady - session.claimed if session.status == "initializing" else 0
        if not lost:
            agreed(silence < PATIENCE, "a lost worker was not found")
            return
        agreed(self.steady - session.renewed >= LEASE or starting >= INITIALIZING, "taken from a live worker")
        session.failures += 1
        session.lost = True
        if session.failures < ATTEMPTS:
            session.requeue(self.wall)
            self.joined(session.owner, session.engine)
        else:
            session.end("failed", self.wall, waive=True)

    def _reconcile(self, left: set[str]) -> None:
        for creation in [c for c in self.creations if c.state != "done"]:
            until = creation.lease_until
            if self.wall - ABORT_AFTER < until <= self.wall + 2 * CREATION_LEASE:
                agreed(creation.session_id in left, "a creation was given up too early")
            elif self.away or self.mute:
                agreed(creation.session_id in left, "a creation was forgotten before its hold was void")
                creation.state, creation.lease_until = "aborting", 0
                creation.hold = creation.hold if self.away else None
            else:
                agreed(creation.session_id not in left, "a creation that nobody goes on with was left")
                self.forget(creation)

    def forget(self, creation: Creation) -> None:
        self.creations.remove(creation)
        self.keyed = {at: c for at, c in self.keyed.items() if c is not creation}
