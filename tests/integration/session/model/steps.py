"""What people, workers and time do next, as random steps of one or more commands."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, TypeVar

from tests.integration.session.model import commands as do
from tests.integration.session.model import labour
from tests.integration.session.model.believed import Believed, Lease, Plan
from tests.integration.session.model.draws import HASHES, WHOLE
from tests.integration.session.model.figures import BEAT, HELD, S
from tests.integration.session.model.world import World
from tests.support.modelling import Command

T = TypeVar("T")
MOST_SET = 5
"""The clock is set so often: nothing may become a day old, for then keys may be forgotten."""


class Steps:
    """See the module. Claims are never forgotten, so that many of them are stale."""

    world: World
    _set = 0

    @abstractmethod
    def act(self, *commands: Command[World]) -> None:
        """Send commands at once, and hold what comes of it against the model."""

    # Clients.

    def create(self, **request: Any) -> None:
        self.act(do.Create(**request))

    def create_more(self, owner: str, count: int, engine: str) -> None:
        for _ in range(count):
            self.act(do.Create(owner, limit=2 * S, engine=engine))

    def control(self, which: int, verb: str, key: str, stranger: int) -> None:
        session = self._session(which)
        if session is None:
            self._begin()
        else:
            self.act(do.Control("mallory" if not stranger else session.owner, verb, session.session_id, key))

    def pause(self, which: int, key: str, state: str = "running") -> None:
        session = self._session(which, state)
        if session is None:
            self._begin()
        else:
            self.act(do.Control(session.owner, "Pause", session.session_id, key))

    def resume(self, which: int, key: str) -> None:
        session = self._session(which, "paused")
        if session is None:
            self.pause(which, key)
        else:
            self.act(do.Control(session.owner, "Resume", session.session_id, key))

    def notes(self, which: int, told: list[tuple[str, int]]) -> None:
        session = self._session(which)
        id_ = session.session_id if session is not None else "01890000-0000-7000-8000-000000000000"
        for subject, version in told:
            self.act(do.Note(id_, f"{subject} of {id_}", version))

    # Workers.

    def claim(self, worker: str, engines: tuple[str, ...], in_hand: int) -> None:
        self.act(labour.Claim(worker, engines, in_hand=in_hand))

    def take_turns(self, first: str, second: str, engine: str) -> None:
        """An owner with much to do and one with little; whatever is claimed is handed back at once."""
        for owner in (first, first, second):
            self.act(do.Create(owner, limit=2 * S, engine=engine))
        for _ in range(4):
            self.act(labour.Claim("w8", (engine,)))
            self.act(labour.Release(self._lease(0, any_=True)))

    def proceed(self, which: int, paces: list[int], usage: dict[str, int], *, twice: bool = False) -> None:
        """A worker does what it should, for a while; with `twice` it tells everything again."""
        lease = self._live(which)
        if lease is None:
            self._begin()
            return
        for pace in paces:
            session = self.world.sessions[lease[0]]
            if not session.held_by(lease):
                break
            if pace:
                self.act(do.Advance(pace))
            command = self._next(session, lease, usage)
            self.act(command)
            if twice:
                self.act(command)

    def finish(self, which: int, pace: int, usage: dict[str, int], twice: bool) -> None:
        """A worker does all that is left to do."""
        self.proceed(which, [pace] * 12, usage, twice=twice)

    def _next(self, session: Believed, lease: Lease, usage: dict[str, int]) -> Command[World]:
        if session.status == "initializing":
            return labour.Start(lease, WHOLE)
        to_come = [name for name, _ in session.plan if name not in session.done]
        if not to_come:
            return labour.Complete(lease, HASHES[0])
        if not session.open_here(to_come[0]):
            return labour.Begin(lease, to_come[0])
        assert session.stage is not None
        if usage and not session.stage.usage:
            return labour.Beat(lease, to_come[0], Fraction(1, 2), usage)
        return labour.Checkpoint(lease, to_come[0], HASHES[0], usage)

    def start(self, which: int, plan: Plan, any_: bool) -> None:
        self.act(labour.Start(self._lease(which, any_=any_), plan))

    def write(
        self, which: int, stage: str | None, share: Fraction, usage: dict[str, int], hash_: str, what: str, odd: int
    ) -> None:
        """A worker writes anything, by its right or not; without a `stage` about the one under way."""
        lease = self._lease(which, any_=odd < 3)
        stage = stage or self._under_way(lease)
        if not odd:
            lease = (lease[0], lease[1], "thief")
        match what:
            case "begin":
                self.act(labour.Begin(lease, stage))
            case "beat":
                self.act(labour.Beat(lease, stage, share, usage))
            case "checkpoint":
                self.act(labour.Checkpoint(lease, stage, hash_, usage, decides=hash_ == HASHES[1]))
            case _:
                self.act(labour.Complete(lease, hash_))

    def late(self, which: int, what: str, thief: bool) -> None:
        """A worker that lost its claim wakes up, while the session is another's or has ended; or one writes that never
        had the claim which stands."""
        sessions = self.world.sessions
        live = self._live(which)
        if thief and live is not None:
            self._write_late((live[0], live[1], "thief"), what)
            return
        stale = [lease for lease in self.world.leases if not sessions[lease[0]].held_by(lease)]
        lease = _pick([each for each in stale if sessions[each[0]].status != "queued"], which) or _pick(stale, which)
        if lease is None:
            self.race(which, [1, 2])
        else:
            self._write_late(lease, what)

    def overtaken(self, which: int, how: str, what: str, hasty: bool) -> None:
        """A session goes to another worker, and the first one goes on as if it had not. If the second is `hasty`, it
        finishes what it never began."""
        session = self._running(which)
        if session is None:
            return
        lease = (session.session_id, session.epoch, session.worker)
        if how == "pause" and session.pausable:
            self.act(do.Control(session.owner, "Pause", session.session_id))
            self.act(do.Control(session.owner, "Resume", session.session_id))
        elif how == "fail":
            self.act(labour.Fail(lease, retryable=True, ours=False))
        else:
            self.act(labour.Release(lease))
        for number in range(3):
            if self.world.sessions[lease[0]].status == "queued":
                self.act(labour.Claim(f"v{number}", (session.engine,)))
        second = self.world.sessions[lease[0]]
        if second.status == "initializing":
            theirs = (second.session_id, second.epoch, second.worker)
            self.act(labour.Start(theirs, WHOLE))
            if hasty:
                self._write_late(theirs, "checkpoint")
        self._write_late(lease, what)

    def ended_under(self, which: int, verb: str, what: str, then: str) -> None:
        """A session is cancelled or paused, and its worker has not heard of it yet."""
        session = self._running(which)
        if session is None:
            return
        lease = (session.session_id, session.epoch, session.worker)
        self.act(do.Control(session.owner, verb, session.session_id))
        self._write_late(lease, what)
        self._write_late(lease, then)

    def _running(self, which: int) -> Believed | None:
        """A session in the hands of a worker, with a stage under way if that can be had soon."""
        for _ in range(3):
            session = self._session(which, "running")
            if session is not None and session.stage is not None:
                return session
            self._begin()
        return self._session(which, "running")

    def _write_late(self, lease: Lease, what: str) -> None:
        stage = self._under_way(lease)
        usage = {"document_read": 5 * S}
        commands: dict[str, Command[World]] = {
            "start": labour.Start(lease, WHOLE),
            "begin": labour.Begin(lease, stage),
            "beat": labour.Beat(lease, stage, Fraction(1), usage),
            "checkpoint": labour.Checkpoint(lease, stage, HASHES[0], usage),
            "complete": labour.Complete(lease, HASHES[1]),
            "fail": labour.Fail(lease, retryable=True, ours=True),
            "release": labour.Release(lease),
        }
        self.act(commands[what])

    def fail(self, which: int, retryable: bool, ours: bool, any_: bool) -> None:
        self.act(labour.Fail(self._lease(which, any_=any_), retryable, ours))

    def break_down(self, which: int, ours: bool) -> None:
        """A session fails for good that was charged something before."""
        lease = self._live(which)
        for _ in range(4):
            session = self.world.sessions[lease[0]] if lease is not None else None
            if lease is None or session is None or session.charged or not session.held_by(lease):
                break
            self.act(self._next(session, lease, {"document_read": 3 * S}))
        self.act(labour.Fail(lease or ("nonsense", 1, "w1"), retryable=False, ours=ours))

    def release(self, which: int, any_: bool) -> None:
        self.act(labour.Release(self._lease(which, any_=any_)))

    # Time, the sweeper, and what goes away.

    def wait(self, micros: int) -> None:
        self.act(do.Advance(micros))

    def sweep(self, replica: int, rounds: int) -> None:
        for _ in range(rounds):
            self.act(do.Advance(S))
            self.act(do.Sweep(replica))

    def lose(self, replica: int) -> None:
        """Every worker that there is falls silent until the sweeper has had enough."""
        for _ in range(5):
            self.act(do.Advance(2 * S))
            self.act(do.Sweep(replica))

    def overrun(self, which: int, beats: int) -> None:
        """A worker goes on and on; its session nears its time limit or reaches it, and the sweeper looks."""
        session = self._running(which)
        if session is None:
            return
        lease = (session.session_id, session.epoch, session.worker)
        for number in range(beats):
            if not self.world.sessions[lease[0]].held_by(lease):
                break
            self.act(do.Advance(BEAT))
            usage = {"document_read": (5 - number % 3) * S}
            self.act(labour.Beat(lease, self._under_way(lease), Fraction(0), usage))
        self.act(do.Advance(BEAT))
        self.sweep(self.world.leader or 0, 1)

    def set_clock(self, micros: int, rounds: int) -> None:
        """Somebody sets the clock while a worker works, and the sweeper is the first to see it."""
        self._running(0)
        if self._set < MOST_SET:
            self._set += 1
            self.act(do.Jump(micros))
        self.sweep(self.world.leader or 0, rounds)

    def last_attempt(self, which: int, replica: int) -> None:
        """A session fails once and is lost once; then workers with and without other work ask for it."""
        session = self._running(which)
        if session is None:
            return
        self.act(labour.Fail((session.session_id, session.epoch, session.worker), retryable=True, ours=True))
        self.act(labour.Claim("v1", (session.engine,)))
        self.lose(replica)
        for in_hand in (1, 2, 0):
            self.act(labour.Claim(f"u{in_hand}", (session.engine,), in_hand=in_hand))

    def upset(self, what: str, how: do.Outage) -> None:
        if what == "billing":
            self.act(how)
        else:
            self.act(do.Restart())

    # At once.

    def race(self, which: int, racers: list[int]) -> None:
        """Several want the same session at the same moment."""
        lease = self._live(which)
        if lease is None:
            self._begin()
            return
        running = [self._racer(lease, number) for number in racers]
        if sum(isinstance(racer, do.Sweep) for racer in running) < 2:
            self.act(do.Advance(S))
            self.act(*running)

    def _racer(self, lease: Lease, number: int) -> Command[World]:
        session = self.world.sessions[lease[0]]
        stage = self._under_way(lease)
        return (
            do.Control(session.owner, "Cancel", lease[0]),
            do.Control(session.owner, "Pause", lease[0]),
            labour.Complete(lease, HASHES[0]),
            labour.Checkpoint(lease, stage, HASHES[0], {"document_read": 3 * S}),
            labour.Beat(lease, stage, Fraction(1), {"document_read": 400 * S}),
            labour.Fail(lease, retryable=True, ours=True),
            labour.Release(lease),
            do.Sweep(self.world.leader or 0),
            do.Note(lease[0], f"race {lease}", 1),
        )[number]

    def claim_at_once(self, engines: tuple[str, ...], count: int) -> None:
        self.act(*(labour.Claim(f"w{number}", engines, among=True) for number in range(count)))

    def create_at_once(self, owner: str, key: str, other: bool) -> None:
        """Two requests with one key, equal or not, have one effect."""
        second = "b" if other else "a"
        first = do.Create(owner, key, "a", limit=2 * S, beside=second)
        self.act(first, do.Create(owner, key, second, limit=2 * S, beside="a"))

    def cancel_or_claim(self, which: int, engines: tuple[str, ...]) -> None:
        session = self._session(which, "queued")
        if session is None:
            self._begin()
        else:
            cancel = do.Control(session.owner, "Cancel", session.session_id)
            self.act(cancel, labour.Claim("w9", engines, among=True))

    # Choosing.

    def _session(self, which: int, *states: str) -> Believed | None:
        return _pick([s for s in self.world.sessions.values() if s.status in states or not states], which)

    def _lease(self, which: int, *, any_: bool) -> Lease:
        """A claim that stands, or any that there ever was; if there is none, one that never was."""
        live = None if any_ else self._live(which)
        return live or _pick(self.world.leases, which) or ("nonsense", 1, "w1")

    def _live(self, which: int) -> Lease | None:
        """One of the claims that stand; first those whose sessions have come furthest."""
        sessions = self.world.sessions
        live = [lease for lease in self.world.leases if sessions[lease[0]].held_by(lease)]
        return _pick(sorted(live, key=lambda lease: sessions[lease[0]].charged), which)

    def _under_way(self, lease: Lease) -> str:
        session = self.world.sessions.get(lease[0])
        return session.stage.name if session is not None and session.stage is not None else "read"

    def _begin(self) -> None:
        """Do what comes first: there is nothing to work on."""
        if self._session(0, *HELD) is not None:
            self.proceed(0, [0, S], {"document_read": S})
        elif self._session(0, "queued") is None:
            self.act(do.Create("ada", limit=2 * S))
        else:
            self.act(labour.Claim("w1", ("research", "fixed")))


def _pick(things: Sequence[T], which: int) -> T | None:
    return things[-1 - which % len(things)] if things else None
