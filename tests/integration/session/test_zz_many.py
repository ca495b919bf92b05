"""Whatever clients, workers and time do in whatever order: the books balance, and nothing is lost or counted twice."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest
from sqlalchemy import func, select

from kit.errors import PrsmError
from kit.money import SCALE
from services.session.domain import HELD, OPEN, TERMINAL, Status
from services.session.tables import KIT, charges, counters, history, lanes, loads, sessions
from tests.integration.session.stand import STAGES, Stand, pb, wpb

OWNERS = ("ada", "bob", "eve")
EXPECTED = frozenset(
    {"STALE_EPOCH", "SESSION_CANNOT_BE_CANCELLED", "SESSION_CANNOT_BE_PAUSED", "SESSION_CANNOT_BE_RESUMED"}
    | {"VALIDATION_ERROR"}
)


class Walk:
    """Random steps from one seed; claims are never forgotten, so most of them are stale."""

    def __init__(self, stand: Stand, seed: int) -> None:
        self._stand = stand
        self._random = random.Random(seed)
        self._owned: list[tuple[str, str]] = []
        self._claims: list[wpb.Lease] = []
        self.ended: dict[str, str] = {}

    async def step(self) -> None:
        steps = [self._create] * 3 + [self._claim] * 4 + [self._control] * 4 + [self._work] * 24 + [self._wait] * 3
        try:
            await self._random.choice(steps)()
        except PrsmError as error:
            if error.name not in EXPECTED:
                raise

    async def _create(self) -> None:
        owner = self._random.choice(OWNERS)
        budget = pb.Budget(limit="2.00", on_limit=self._random.choice(["finish", "fail"]))
        preferences = pb.Preferences(time_limit_minutes=1)
        self._owned.append((owner, await self._stand.create(owner, budget=budget, preferences=preferences)))

    async def _claim(self) -> None:
        claim = await self._stand.claim(f"w{self._random.randrange(3)}")
        if claim is not None:
            self._claims.append(claim.lease)
            if self._random.random() < 0.9:
                stages = [wpb.StagePlan(stage=stage, weight=1) for stage in STAGES]
                await self._stand.work("Start", wpb.StartRequest(lease=claim.lease, stages=stages))

    async def _control(self) -> None:
        if not self._owned:
            return
        owner, session_id = self._random.choice(self._owned[-6:])
        name = self._random.choice(["Pause", "Pause", "Resume", "Resume", "Resume", "Cancel"])
        request = getattr(pb, f"{name}SessionRequest")(session_id=session_id)
        await self._stand.call(owner, f"{name}Session", request)

    async def _work(self) -> None:
        if not self._claims:
            return
        lease = self._random.choice(self._claims[-5:])
        stage = self._random.choice(STAGES)
        usage = {"document_read": self._random.randrange(30)}
        stand = self._stand
        match self._random.randrange(12):
            case 0 | 1 | 2:
                await stand.begin(lease, stage)
            case 3 | 4 | 5 | 6:
                await stand.beat(lease, stage, self._random.random(), **usage)
            case 7 | 8 | 9:
                await stand.checkpoint(lease, stage, **usage)
            case 10:
                await stand.complete(lease)
            case _:
                await self._end_attempt(lease)

    async def _end_attempt(self, lease: wpb.Lease) -> None:
        if self._random.random() < 0.5:
            await self._stand.work("Release", wpb.ReleaseRequest(lease=lease))
            return
        flags: dict[str, Any] = {name: self._random.random() < 0.5 for name in ("retryable", "ours")}
        await self._stand.work("Fail", wpb.FailRequest(lease=lease, code="boom", **flags))

    async def _wait(self) -> None:
        self._stand.clock.advance(seconds=self._random.choice([0.5, 1, 2, 5, 20]))
        await self._stand.app.sweeper.round()

    async def check_ends(self) -> None:
        """What has ended stays as it ended."""
        rows = await self._stand.db.read(lambda db: db.execute(select(sessions)).all())
        for row in rows:
            if row.status in TERMINAL:
                seen = f"{row.status} {row.charged} {row.released} {row.finished_at} {row.epoch}"
                assert self.ended.setdefault(row.session_id, seen) == seen


async def check_books(stand: Stand) -> None:
    def read(db: Any) -> dict[str, Any]:
        return {
            table.name: [row._mapping for row in db.execute(select(table))]
            for table in (sessions, history, charges, counters, lanes, loads, KIT.outbox)
        }

    found = await stand.db.read(read)
    rows = found["sessions"]
    by_id = {row["session_id"]: row for row in rows}
    charged: Counter[str] = Counter()
    for charge in found["charges"]:
        charged[charge["session_id"]] += charge["amount"]
    for row in rows:
        seqs = sorted(h["seq"] for h in found["history"] if h["session_id"] == row["session_id"])
        assert seqs == list(range(1, row["version"] + 1))
        assert charged[row["session_id"]] == row["charged"] <= row["held"]
        assert (row["lease_until"] is not None) == (Status(row["status"]) in HELD)
        ended = row["status"] in TERMINAL
        assert (row["finished_at"] is not None) == ended
        if ended:
            assert row["charged"] + row["released"] == row["held"]
    for row in found["history"]:
        assert row["session_id"] in by_id
    captures = Counter(h["session_id"] for h in found["history"] if h["type"] == "resource.captured")
    assert captures == Counter(row["session_id"] for row in rows if row["status"] in TERMINAL)
    for hold_id, settled in stand.books.settled.items():
        assert settled == (by_id[hold_id]["charged"], by_id[hold_id]["released"])

    kept = {(c["owner"], c["status"]): (c["count"], c["held"], c["charged"]) for c in found["counters"] if c["count"]}
    counted: dict[tuple[str, str], tuple[int, int, int]] = {}
    for row in rows:
        n, held, spent = counted.get((row["owner"], row["status"]), (0, 0, 0))
        held_now = row["held"] if row["status"] in OPEN else 0
        counted[row["owner"], row["status"]] = (n + 1, held + held_now, spent + row["charged"])
    assert kept == counted
    waiting = Counter((row["engine"], row["owner"]) for row in rows if row["status"] == "queued")
    assert {(lane["engine"], lane["owner"]): lane["queued"] for lane in found["lanes"] if lane["queued"]} == waiting
    working = Counter(row["owner"] for row in rows if row["status"] in HELD)
    assert {load["owner"]: load["active"] for load in found["loads"] if load["active"]} == working


@pytest.mark.parametrize("seed", range(100, 140))
async def test_a_random_walk(stand: Stand, seed: int) -> None:
    stand.books.balance = 10**12
    walk = Walk(stand, seed)
    for number in range(250):
        await walk.step()
        if number % 25 == 24:
            await walk.check_ends()
            await check_books(stand)
    for _ in range(2):  # what the first round ends, the second settles
        stand.clock.advance(seconds=60)
        await stand.app.sweeper.round()
    await check_books(stand)
    unsettled = await stand.db.read(
        lambda db: db.execute(
            select(func.count()).where(sessions.c.finished_at.is_not(None), sessions.c.settled_at.is_(None))
        ).scalar_one()
    )
    assert unsettled == 0
    assert walk.ended
    assert all(held == 2 * SCALE for _, held in stand.books.holds.values())
