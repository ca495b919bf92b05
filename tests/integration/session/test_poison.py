"""A session that kills its workers ends, and takes nobody with it."""

from __future__ import annotations

import pytest

from kit.db.database import Database
from kit.money import SCALE
from tests.integration.session.stand import STAGES, Stand, pb, wpb

HANDS = 3


@pytest.fixture
def db(file_db: Database) -> Database:
    """What it needs of the database is tried on both in `test_last_attempt`."""
    return file_db


class Crew:
    """Workers with several hands that do as they are told. Those that hold the poison die with all that they hold."""

    def __init__(self, stand: Stand, poison: set[str], names: list[str]) -> None:
        self._stand = stand
        self._poison = poison
        self.hands: dict[str, list[wpb.Claim]] = {name: [] for name in names}
        self._closed: set[str] = set()
        self.deaths = 0

    async def turn(self) -> None:
        """Each takes what it may; whoever took the poison dies; the others end the oldest of what they have."""
        for name, held in self.hands.items():
            await self._fill(name, held)
        deaths = self.deaths
        for name, held in self.hands.items():
            if any(claim.lease.session_id in self._poison for claim in held):
                self.deaths += 1
                held.clear()
            elif held:
                await self._finish(held.pop(0))
            if not held:
                self._closed.discard(name)
        for _ in range(17 if self.deaths > deaths else 1):
            self._stand.clock.advance(seconds=1)
            for claim in [claim for held in self.hands.values() for claim in held]:
                await self._stand.beat(claim.lease)
            await self._stand.app.sweeper.round()

    async def _fill(self, name: str, held: list[wpb.Claim]) -> None:
        while len(held) < HANDS and name not in self._closed:
            found = await self._stand.ask(name, in_hand=len(held))
            if found.empty_first:
                self._closed.add(name)
            if not found.HasField("claim"):
                return
            assert not (found.claim.alone and held)
            if found.claim.alone:
                self._closed.add(name)
            held.append(found.claim)

    async def _finish(self, claim: wpb.Claim) -> None:
        stages = [wpb.StagePlan(stage=stage, weight=1) for stage in STAGES]
        await self._stand.work("Start", wpb.StartRequest(lease=claim.lease, stages=stages))
        await self._stand.complete(claim.lease)


@pytest.mark.parametrize("workers", [1, 3])
async def test_a_poison_session_fails_and_no_bystander_does(stand: Stand, workers: int) -> None:
    stand.books.balance = 10**12
    poison = {await stand.create("eve"), await stand.create("ada")}
    for owner in ("ada", "bob", "eve"):
        for _ in range(3):
            await stand.create(owner)
    crew = Crew(stand, poison, [f"w{number}" for number in range(workers)])
    for _ in range(60):
        await crew.turn()
        if not any(crew.hands.values()) and not any([await queued(stand, owner) for owner in ("ada", "bob", "eve")]):
            break
    await stand.sweep(4)
    for owner in ("ada", "bob", "eve"):
        listed = await stand.call(owner, "ListSessions", pb.ListSessionsRequest(limit=100))
        for session in listed.sessions:
            expected = "failed" if session.session_id in poison else "completed"
            assert pb.Session.Status.Name(session.status) == expected, session.session_id
    assert crew.deaths <= 6
    for session_id in poison:
        assert stand.books.settled[session_id] == (0, 10 * SCALE)


async def queued(stand: Stand, owner: str) -> int:
    listed = await stand.call(owner, "ListSessions", pb.ListSessionsRequest())
    return sum(listed.summary.by_status[status] for status in ("queued", "initializing", "running"))
