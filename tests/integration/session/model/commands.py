"""What is done to the service, as data: each command says what the model expects of it, and does it to the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.integration.session.model.believed import Believed
from tests.integration.session.model.figures import CREATION_LEASE, MINUTE, MOST
from tests.integration.session.model.world import Creation, Swept, World
from tests.support.modelling import Command, Refused, Seen, agreed


@dataclass(frozen=True)
class Create(Command[World]):
    """`beside` is the prompt of another one with the same key that comes at the same moment: while one is under way,
    the other is told so, whatever becomes of the first."""

    owner: str
    key: str = ""
    prompt: str = "a"
    limit: int | None = None
    finishes: bool = True
    minutes: int = 1
    engine: str = "research"
    beside: str = ""

    @property
    def _request(self) -> tuple[object, ...]:
        return (self.prompt, self.limit, self.finishes, self.minutes, self.engine)

    def expect(self, world: World, seen: Seen) -> dict[str, Any]:
        under_way = "IDEMPOTENCY_KEY_IN_USE" if self.beside == self.prompt else "IDEMPOTENCY_KEY_REUSED"
        if self.beside and seen.error == under_way:
            raise Refused(under_way)
        creation = world.keyed.get((self.owner, self.key)) if self.key else None
        if creation is not None:
            if creation.request != self._request:
                raise Refused("IDEMPOTENCY_KEY_REUSED")
            if creation.state == "done":
                return {"session_id": creation.session_id}
            live = world.wall < creation.lease_until <= world.wall + 2 * CREATION_LEASE
            if creation.state == "aborting" or live:
                raise Refused("IDEMPOTENCY_KEY_IN_USE")
            creation.taken_over = True
        else:
            creation = Creation(self.owner, self._request)
            world.creations.append(creation)
            if self.key:
                world.keyed[self.owner, self.key] = creation
        return self._carry_out(world, creation, seen)

    def _carry_out(self, world: World, creation: Creation, seen: Seen) -> dict[str, Any]:
        if not world.away and creation.hold is None:
            reasons = world.refusals(self.owner, self.limit)
            if reasons:
                self._refused(world, creation, seen)
                raise Refused(*reasons)
            creation.hold = min(self.limit or MOST, MOST)
        if world.away or world.mute:
            creation.session_id = self._same_id(creation, seen.also)
            creation.lease_until = world.wall
            raise Refused("UNAVAILABLE")
        session_id = self._same_id(creation, seen.fields.get("session_id", ""))
        agreed(session_id and session_id not in world.sessions, f"{self}: no new session, but {seen}")
        self._stored(world, creation, session_id)
        return {"session_id": session_id}

    def _refused(self, world: World, creation: Creation, seen: Seen) -> None:
        if creation.taken_over and world.mute:
            # The tombstone that keeps a late hold off is not known to stand: the sweeper sees to it.
            creation.state, creation.lease_until = "aborting", 0
        else:
            agreed(not seen.also, f"{self}: refused, and left behind {seen.also}")
            world.forget(creation)

    @staticmethod
    def _same_id(creation: Creation, session_id: str) -> str:
        agreed(creation.session_id in ("", session_id), f"the id was {creation.session_id}, now it is {session_id}")
        return session_id

    def _stored(self, world: World, creation: Creation, session_id: str) -> None:
        assert creation.hold is not None
        world.sessions[session_id] = Believed(
            session_id=session_id,
            owner=self.owner,
            engine=self.engine,
            pausable=self.engine != "fixed",
            held=creation.hold,
            finishes=self.finishes,
            time_limit=self.minutes * MINUTE,
            since=world.wall,
        )
        world.joined(self.owner, self.engine)
        creation.state, creation.session_id, creation.hold = "done", session_id, None
        if not self.key:
            world.creations.remove(creation)


@dataclass(frozen=True)
class Control(Command[World]):
    """Pause, Resume or Cancel, by its owner or by somebody to whom the session does not exist."""

    user: str
    verb: str
    session_id: str
    key: str = ""
    reason: str = ""

    def expect(self, world: World, seen: Seen) -> dict[str, Any]:
        at = (self.user, self.verb, self.key)
        request = (self.session_id, self.reason)
        if self.key and at in world.answers:
            first, answer = world.answers[at]
            if first != request:
                raise Refused("IDEMPOTENCY_KEY_REUSED")
            return answer
        session = world.sessions.get(self.session_id)
        if session is None or session.owner != self.user:
            raise Refused("SESSION_NOT_FOUND")
        answer = {"session_id": self.session_id, **getattr(self, f"_{self.verb.lower()}")(world, session)}
        if self.key:
            world.answers[at] = (request, answer)
        return answer

    def _pause(self, world: World, session: Believed) -> dict[str, Any]:
        if session.status != "running" or not session.pausable:
            raise Refused("SESSION_CANNOT_BE_PAUSED", current=session.status)
        session.heard(world.wall)
        session.fence()
        session.status, session.since = "paused", world.wall
        session.history.append("session.paused")
        return {"status": "paused", "progress": session.progress}

    def _resume(self, world: World, session: Believed) -> dict[str, Any]:
        if session.status != "paused":
            raise Refused("SESSION_CANNOT_BE_RESUMED", current=session.status)
        session.status, session.since = "queued", world.wall
        session.history.append("session.resumed")
        world.joined(session.owner, session.engine)
        return {"status": "queued", "progress": session.progress}

    def _cancel(self, world: World, session: Believed) -> dict[str, Any]:
        if session.terminal:
            raise Refused("SESSION_CANNOT_BE_CANCELLED", current=session.status)
        session.end("cancelled", world.wall)
        world.settle(session)
        return {"status": "cancelled", "refund": session.released}


@dataclass(frozen=True)
class Note(Command[World]):
    """A share or a comment at collab, told once or again, in any order."""

    session_id: str
    subject: str
    version: int

    def expect(self, world: World, seen: Seen) -> dict[str, Any]:
        session = world.sessions.get(self.session_id)
        if session is not None and (self.subject, self.version) not in world.noted:
            world.noted.add((self.subject, self.version))
            session.history.append("comment.updated")
        return {}


@dataclass(frozen=True)
class Advance(Command[World]):
    """Time goes by."""

    felt = False

    micros: int

    def expect(self, world: World, seen: Seen) -> dict[str, Any]:
        world.wall += self.micros
        world.steady += self.micros
        return {}


@dataclass(frozen=True)
class Jump(Command[World]):
    """Somebody sets the clock."""

    felt = False

    micros: int

    def expect(self, world: World, seen: Seen) -> dict[str, Any]:
        world.wall += self.micros
        return {}


@dataclass(frozen=True)
class Outage(Command[World]):
    """Billing goes away, comes back, or is heard no more."""

    felt = False

    away: bool = False
    mute: bool = False

    def expect(self, world: World, seen: Seen) -> dict[str, Any]:
        world.away, world.mute = self.away, self.mute
        return {}


@dataclass(frozen=True)
class Sweep(Command[World]):
    """The sweeper of a replica makes a round; it does nothing less than a second after the last one."""

    replica: int

    def expect(self, world: World, seen: Seen) -> dict[str, Any]:
        saw: Swept = seen.also
        world.sweep(self.replica, saw)
        return {}


@dataclass(frozen=True)
class Restart(Command[World]):
    """Both replicas' sweepers die and begin anew."""

    felt = False

    def expect(self, world: World, seen: Seen) -> dict[str, Any]:
        world.restarted()
        return {}
