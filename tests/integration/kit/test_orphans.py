"""What no row tells of is removed, and nothing else: not what is in use, and not what is being written just now."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection

from kit.blobs import Access, Blobs, open_blobs
from kit.db.database import Database
from kit.db.leases import Leases
from kit.ids import RandomIds
from kit.orphans import OrphanSweeper
from kit.times import DAY, HOUR, SECOND, ManualClock
from tests.integration.kit.bus_rig import TABLES
from tests.support.s3 import Fault, S3Server

OLD, HOUR_S, DAY_S = 31 * DAY, HOUR // SECOND, DAY // SECOND


@dataclass
class Rig:
    """Blobs on two kinds of store, and rows as a set of keys."""

    db: Database
    blobs: Blobs
    store: S3Server | Path
    clock: ManualClock = field(default_factory=ManualClock)
    rows: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)

    def sweeper(self) -> OrphanSweeper:
        return OrphanSweeper(
            db=self.db,
            leases=Leases(TABLES),
            blobs=self.blobs,
            clock=self.clock,
            ids=RandomIds(self.clock),
            kept=self._kept,
            prefixes=["a", "b"],
            days=30,
        )

    def _kept(self, conn: Connection, keys: Sequence[str]) -> set[str]:
        return (self.rows | self.used) & set(keys)

    def hold(self, key: str, body: bytes = b"1", *, age: int = OLD) -> None:
        at = self.clock.now() - age
        if isinstance(self.store, S3Server):
            self.store.hold(key, body, datetime.fromtimestamp(at / SECOND, UTC))
        else:
            path = self.store / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body)
            os.utime(path, ns=(at * 1000, at * 1000))

    def use(self, count: int) -> None:
        """So many more that rows tell of."""
        self.used = {f"b/more/{number}" for number in range(count)}
        for key in self.used:
            self.hold(key)

    async def there(self) -> set[str]:
        """All but those."""
        found = {
            item.key
            for prefix in ("a", "b", "c", "orphans")
            async for part in self.blobs.stored(prefix)
            for item in part
        }
        assert found >= self.used
        return found - self.used

    async def rounds(self, sweeper: OrphanSweeper, count: int = 3) -> int:
        removed = 0
        for _ in range(count):
            self.clock.advance(seconds=HOUR_S)
            removed += await sweeper.round()
        return removed


@pytest.fixture(params=["directory", "s3"])
async def rig(request: pytest.FixtureRequest, bus_db: Database, tmp_path: Path) -> AsyncIterator[Rig]:
    if request.param == "directory":
        yield Rig(bus_db, open_blobs(str(tmp_path / "blobs")), tmp_path / "blobs")
        return
    async with S3Server() as server:
        access = Access(server.endpoint, server.region, server.key_id, server.secret)
        yield Rig(bus_db, open_blobs(f"s3://{server.bucket}", access), server)


async def test_only_what_is_old_and_told_of_by_no_row_goes(rig: Rig) -> None:
    rig.rows = {"a/used", "b/used"}
    for key in ("a/used", "b/used", "a/orphan", "b/1/orphan", "c/another's"):
        rig.hold(key)
    rig.hold("a/young", age=29 * DAY)
    rig.use(1)
    assert await rig.rounds(rig.sweeper()) == 2
    assert await rig.there() == {"a/used", "b/used", "a/young", "c/another's"}


async def test_what_is_stored_or_told_of_meanwhile_stays(rig: Rig) -> None:
    for key in ("a/again", "a/told", "a/both"):
        rig.hold(key)
    rig.use(3)
    sweeper = rig.sweeper()
    await rig.rounds(sweeper, 1)
    # The same bytes once more, whose row is not committed yet.
    rig.hold("a/again", age=0)
    rig.rows = {"a/told"}
    await rig.rounds(sweeper, 1)
    assert await rig.there() == {"a/again", "a/told", "orphans/a/both"}
    # Its bytes were stored a moment before they were put aside, its row committed a moment later.
    rig.rows = {"a/told", "a/both"}
    assert await rig.rounds(sweeper, 1) == 0
    assert await rig.there() == {"a/again", "a/told", "a/both"}


async def test_a_clock_that_jumps_removes_nothing_that_is_being_written(rig: Rig) -> None:
    rig.hold("a/written", age=0)
    rig.clock.jump(seconds=400 * DAY_S)
    sweeper = rig.sweeper()
    await rig.rounds(sweeper, 1)
    rig.rows = {"a/written"}
    await rig.rounds(sweeper)
    assert await rig.there() == {"a/written"}


@pytest.mark.parametrize(("known", "orphans"), [(0, 1), (3, 4), (30, 40)])
async def test_of_a_database_that_knows_less_than_half_nothing_is_believed(
    rig: Rig, known: int, orphans: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kit.orphans._AT_ONCE", 20)
    # Put aside by a sweep of before.
    keys = {f"a/{number}" for number in range(orphans)} | {"orphans/a/aside"}
    for key in keys:
        rig.hold(key)
    rig.use(known)
    assert await rig.rounds(rig.sweeper()) == 0
    assert await rig.there() == keys


async def test_what_another_service_put_aside_is_its_own(rig: Rig) -> None:
    for key in ("orphans/a/1", "orphans/c/1"):
        rig.hold(key)
    assert await rig.rounds(rig.sweeper()) == 1
    assert await rig.there() == {"orphans/c/1"}


async def test_one_that_cannot_be_moved_does_not_keep_the_others(rig: Rig) -> None:
    for key in ("a/0", "a/1", "b/9"):
        rig.hold(key)
    rig.use(3)
    # A key is a folder there, or what may not be copied.
    if isinstance(rig.store, Path):
        (rig.store / "orphans" / "a" / "1").mkdir(parents=True)
    else:
        rig.store.faults = [Fault("denied", "PUT", "orphans/a/1", times=1000)]
    assert await rig.rounds(rig.sweeper()) == 2
    assert await rig.there() == {"a/1"}


async def test_one_replica_sweeps_and_another_ends_what_it_began(rig: Rig) -> None:
    rig.hold("a/orphan")
    rig.use(1)
    first, second = rig.sweeper(), rig.sweeper()
    await rig.rounds(first, 2)
    assert await rig.rounds(second, 1) == 0
    assert await rig.there() == {"orphans/a/orphan"}
    # The first one died: its lease runs out.
    rig.clock.advance(seconds=3 * HOUR_S)
    assert await rig.rounds(second, 3) == 1
    assert await rig.there() == set()


async def test_it_looks_once_a_day(rig: Rig) -> None:
    sweeper = rig.sweeper()
    await rig.rounds(sweeper, 2)
    rig.hold("a/orphan")
    rig.use(1)
    assert await rig.rounds(sweeper, 20) == 0
    assert await rig.rounds(sweeper, 6) == 1


async def test_parts_of_killed_uploads_go_from_a_directory(rig: Rig) -> None:
    rig.hold("a/1/incoming#7")
    rig.hold("a/1/writing#1", age=0)
    await rig.rounds(rig.sweeper(), 1)
    if isinstance(rig.store, Path):
        assert [path.name for path in (rig.store / "a" / "1").iterdir()] == ["writing#1"]
