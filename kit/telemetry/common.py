"""Readings that every service has: its outbox, its database, its broker, its disks."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import Connection, case, func, select

from kit.bus.connection import Bus
from kit.db.database import Database
from kit.db.tables import KitTables
from kit.telemetry.metrics import Gauge
from kit.telemetry.process import FREE, SIZE, measure_disk
from kit.telemetry.readings import Reading
from kit.times import SECOND, Clock

UNPUBLISHED = Gauge("prsm_outbox_unpublished_events", "Events committed and not published yet.")
OLDEST = Gauge("prsm_outbox_oldest_unpublished_age_seconds", "Age of the oldest of them; 0 without any.")
SET_ASIDE = Gauge("prsm_outbox_set_aside_events", "Events that the broker refuses as they are.")
DB_UP = Gauge("prsm_db_up", "1 while the database answers.")
CONNECTED = Gauge("prsm_bus_connected", "1 while there is a connection to NATS.")
_MOST = 10_000


def common(*, db: Database, tables: KitTables, bus: Bus, clock: Clock, volumes: Mapping[str, Path]) -> list[Reading]:
    """`volumes` are places on this machine that the service writes to, by what they are for."""
    outbox = tables.outbox

    def look(conn: Connection) -> tuple[int, int | None, int]:
        # Counted to a bound: a relay that was away for long must not make its own measuring dear.
        unpublished = select(outbox.c.created_at, outbox.c.set_aside_at).where(outbox.c.published_at.is_(None))
        some = unpublished.order_by(outbox.c.id).limit(_MOST).subquery()
        waiting = case((some.c.set_aside_at.is_(None), some.c.created_at))
        count, oldest, aside = conn.execute(
            select(func.count(waiting), func.min(waiting), func.count(some.c.set_aside_at))
        ).one()
        return int(count), oldest, int(aside)

    async def take_outbox() -> None:
        count, oldest, aside = await db.scan(look)
        UNPUBLISHED.set(count)
        SET_ASIDE.set(aside)
        OLDEST.set(max(clock.now() - oldest, 0) / SECOND if oldest is not None else 0.0)

    async def ping() -> None:
        CONNECTED.set(float(bus.connected))
        try:
            await db.ping()
        except Exception:
            DB_UP.set(0.0)
            raise
        DB_UP.set(1.0)

    async def measure() -> None:
        for volume, path in volumes.items():
            await asyncio.to_thread(measure_disk, volume, path)

    return [
        Reading("outbox", 5.0, take_outbox, (UNPUBLISHED, OLDEST, SET_ASIDE)),
        Reading("connections", 5.0, ping, ()),
        *([Reading("disk", 30.0, measure, (FREE, SIZE))] if volumes else []),
    ]
