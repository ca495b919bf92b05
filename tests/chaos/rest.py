"""When has everything come to rest? Nothing is under way any more in any database, nor in the broker."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Self

import nats
from nats.aio.client import Client
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError
from sqlalchemy import ColumnElement, Connection, Table, func, select

from cli.stack.environment import SERVICES
from kit.bus.names import EVENTS_STREAM
from kit.db.database import Database, open_database
from services.billing import tables as billing
from services.billing.consumers import DURABLE as BILLING
from services.collab import tables as collab
from services.library import tables as library
from services.library.consumers import DURABLE as LIBRARY
from services.results import tables as results
from services.session import tables as session
from tests.chaos.stack import ChaosStack

_PAUSE = 0.2
_BATCH = 500
_DURABLES = (BILLING, LIBRARY, "session-collab")
_OUTBOXES = {
    "session": session.KIT.outbox,
    "billing": billing.KIT.outbox,
    "collab": collab.KIT.outbox,
    "results": results.KIT.outbox,
    "library": library.KIT.outbox,
}
_ENDED = ("completed", "failed", "cancelled", "timeout")


class Rest:
    """Looks at the databases of a running stack, and at its broker's consumers."""

    def __init__(self, stack: ChaosStack) -> None:
        self._stack = stack
        self._databases: dict[str, Database] = {}
        self._nats = Client()

    async def __aenter__(self) -> Self:
        self._databases = {name: open_database(self._stack.database(name), schema=name) for name in SERVICES}
        url, token = self._stack.nats
        self._nats = await nats.connect(url, token=token)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._nats.close()
        for database in self._databases.values():
            await database.close()

    async def sessions(self) -> int:
        """How many sessions there are."""
        return await self._databases["session"].read(_count(session.sessions))

    async def reached(self, timeout: float) -> list[str]:
        """Wait until nothing is under way; what still is after `timeout` seconds."""
        until = time.monotonic() + timeout
        while busy := await self.busy():
            if time.monotonic() > until:
                return busy
            await asyncio.sleep(_PAUSE)
        return []

    async def busy(self) -> list[str]:
        """What is under way right now, in words."""
        found: list[str] = []
        s, c = session.sessions.c, session.creations.c
        counts: dict[str, tuple[str, Callable[[Connection], int]]] = {
            "sessions that have not ended": (
                "session",
                _count(session.sessions, s.status.not_in((*_ENDED, "paused"))),
            ),
            "ends that are not settled": ("session", _count(session.sessions, s.settle_after.is_not(None))),
            "creations that are pending": ("session", _count(session.creations, c.state != "done")),
        }
        for service, outbox in _OUTBOXES.items():
            counts[f"events that {service} has not published"] = (
                service,
                _count(outbox, outbox.c.published_at.is_(None)),
            )
        for what, (service, count) in counts.items():
            if number := await self._databases[service].read(count):
                found.append(f"{number} {what}")
        # What the stream has lost is not under way yet: a relay has to notice first, and consumers come after it.
        return found or await self._missing() or await self._untaken()

    async def _missing(self) -> list[str]:
        published: set[str] = set()
        for service, outbox in _OUTBOXES.items():
            published |= await self._databases[service].read(_ids(outbox))
        missing = published - await self._kept()
        return [f"{len(missing)} events that the stream does not have"] if missing else []

    async def _kept(self) -> set[str]:
        """The ids of all events in the stream."""
        config = ConsumerConfig(
            deliver_policy=DeliverPolicy.ALL, ack_policy=AckPolicy.NONE, headers_only=True, inactive_threshold=30
        )
        ids: set[str] = set()
        try:
            info = await self._nats.jetstream().add_consumer(EVENTS_STREAM, config)
            reader = await self._nats.jetstream().pull_subscribe_bind(info.name, EVENTS_STREAM)
            left = info.num_pending or 0
            while left:
                messages = await reader.fetch(min(left, _BATCH), timeout=5)
                left -= len(messages)
                ids.update((message.headers or {}).get("ce-id", "") for message in messages)
            await self._nats.jetstream().delete_consumer(EVENTS_STREAM, str(info.name))
        except (nats.errors.Error, TimeoutError):
            pass  # What was not read counts as missing, and is looked for again.
        return ids

    async def _untaken(self) -> list[str]:
        found = []
        for durable in _DURABLES:
            try:
                info = await self._nats.jetstream().consumer_info(EVENTS_STREAM, durable)
            except NotFoundError:
                found.append(f"{durable} is not there")
                continue
            if waiting := (info.num_pending or 0) + (info.num_ack_pending or 0):
                found.append(f"{waiting} events that {durable} has not taken")
        return found


def _count(table: Table, *conditions: ColumnElement[bool]) -> Callable[[Connection], int]:
    statement = select(func.count()).select_from(table).where(*conditions)

    def count(connection: Connection) -> int:
        return int(connection.execute(statement).scalar_one())

    return count


def _ids(outbox: Table) -> Callable[[Connection], set[str]]:
    statement = select(outbox.c.event_id)

    def read(connection: Connection) -> set[str]:
        return set(connection.execute(statement).scalars())

    return read
