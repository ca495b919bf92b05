"""A relay and a consumer on one database and a real broker, and what their tests look at."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from nats.js import JetStreamContext
from nats.js.errors import NotFoundError
from sqlalchemy import Connection, MetaData, select

from kit.bus.connection import Bus
from kit.bus.consumer import Consumer, Received
from kit.bus.names import EVENTS_STREAM
from kit.bus.patience import Patience
from kit.bus.relay import Relay
from kit.db.database import Database
from kit.db.inbox import Inbox
from kit.db.leases import Leases
from kit.db.outbox import Event, Outbox
from kit.db.tables import add_kit_tables
from kit.ids import RandomIds
from kit.tasks import end
from kit.times import DAY, HOUR, Clock, SystemClock
from tests.support.nats import NatsServer

metadata = MetaData()
TABLES = add_kit_tables(metadata)
CLOCK = SystemClock()
IDS = RandomIds(CLOCK)
SUBJECT = "prsm.events.test.happened"


def happened(key: str, version: int, at: int, *, padding: int = 0, subject: str = SUBJECT) -> Event:
    """An event whose payload is its version, with leading zeros for a larger one."""
    return Event(IDS.new(), "test.happened", subject, key, str(version).zfill(padding).encode(), at)


def keys(connection: Connection) -> set[str]:
    return set(connection.execute(select(TABLES.outbox.c.event_key)).scalars())


class Applied:
    """What a consumer's effects come to: each (key, version) once."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._inbox = Inbox(TABLES, CLOCK)
        self.deliveries = 0
        self.effects: list[tuple[str, int]] = []
        self._changed = asyncio.Condition()

    async def handle(self, received: Received) -> None:
        version = int(received.payload)
        # Each version is a fact of its own here, so that one that was overtaken is missed if it never comes.
        key = f"{received.key}:{version}"
        news = await self._db.write(lambda c: self._inbox.advance(c, received.source, key, version))
        async with self._changed:
            self.deliveries += 1
            if news:
                self.effects.append((received.key, version))
            self._changed.notify_all()

    async def until(self, *, effects: int, deliveries: int = 0) -> None:
        async with asyncio.timeout(60), self._changed:
            await self._changed.wait_for(lambda: len(self.effects) >= effects and self.deliveries >= deliveries)


class Rig:
    """A bus with a relay and a consumer on one database."""

    def __init__(
        self,
        nats: NatsServer,
        db: Database,
        *,
        outbox: Outbox | None = None,
        prune: int = HOUR,
        check: int = 50_000,
        clock: Clock = CLOCK,
        retention: float = 7 * DAY / 1_000_000,
        applied: Applied | None = None,
        patience: Patience | None = None,
        durable: str = "test",
    ) -> None:
        """`retention` in seconds, `check` and `prune` in microseconds."""
        self.bus = Bus(nats.url, name="test", retention=retention)
        self.outbox = outbox or Outbox(TABLES)
        self.applied = applied or Applied(db)
        self.db = db
        self.relay = Relay(
            db=db, outbox=self.outbox, leases=Leases(TABLES), bus=self.bus, clock=clock, ids=IDS, source="prsm/test",
            poll=0.05, check=check, prune=prune, retention=round(retention * 1_000_000),
        )  # fmt: skip
        self.consumer = Consumer(
            self.bus, durable=durable, subjects=["prsm.events.test.>"], handler=self.applied.handle, wait=0.25,
            patience=patience,
        )  # fmt: skip
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Rig:
        self.bus.start()
        await self.bus.ready()
        self._tasks = [asyncio.create_task(self.relay.run()), asyncio.create_task(self.consumer.run())]
        return self

    async def __aexit__(self, *_: object) -> None:
        await end(self._tasks)
        await self.bus.close()

    @property
    def js(self) -> JetStreamContext:
        return self.bus.jetstream()

    async def append(self, key: str, *versions: int, age: int = 0) -> None:
        await self.put(*(happened(key, version, CLOCK.now() - age) for version in versions))

    async def put(self, *events: Event) -> None:
        await self.db.write(lambda c: self.outbox.append(c, events))

    async def column(self, name: str) -> dict[str, int | None]:
        """A column of the outbox by the events' ids."""
        t = TABLES.outbox
        rows = await self.db.read(lambda c: c.execute(select(t.c.event_id, t.c[name])).all())
        return {row[0]: row[1] for row in rows}

    async def held(self) -> dict[int, str]:
        """The ids of the events that the stream holds, by number."""
        found: dict[int, str] = {}
        view = await self.bus.look_at(EVENTS_STREAM)
        for seq in range(max(view.first_seq, 1), view.last_seq + 1):
            try:
                message = await self.js.get_msg(EVENTS_STREAM, seq)
            except NotFoundError:
                continue
            found[seq] = str((message.headers or {})["ce-id"])
        return found

    async def whole(self) -> None:
        """Wait until the stream holds each event of the outbox under the number that the outbox notes."""

        async def is_whole() -> bool:
            noted = await self.column("stream_seq")
            if None in noted.values():
                return False
            held = await self.held()
            return all(held.get(seq or 0) == id_ for id_, seq in noted.items())

        await until(is_whole)

    async def whole_again(self, seq: int) -> None:
        """The same once what lay under the number `seq` is kept under another one."""

        async def has_moved() -> bool:
            return seq not in (await self.column("stream_seq")).values()

        await until(has_moved)
        await self.whole()


async def until(holds: Callable[[], object]) -> None:
    """Wait for what no event tells."""
    async with asyncio.timeout(60):
        while True:
            found = holds()
            if asyncio.iscoroutine(found):
                found = await found
            if found:
                return
            await asyncio.sleep(0.01)
