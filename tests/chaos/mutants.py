"""Faults that are put into the product to see that the checker finds them.

Each takes away one thing that keeps sessions right. `install` puts one into a process before its part runs; a test
hands in its own way of patching, which undoes it afterwards.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from kit.bus.connection import Bus
from kit.bus.relay import Relay
from kit.db.inbox import Inbox
from kit.db.outbox import Event, Outbox, StoredEvent

Patch = Callable[[Any, str, Any], None]
"""Sets an attribute of something, as `setattr` does."""


def epoch_ignored(patch: Patch) -> None:
    """The epoch of a worker's write is not looked at: whoever held a session once may write to it."""
    from services.session import work
    from services.session.domain import TERMINAL, Session
    from services.session.usecases import heartbeat

    def holds(session: Session, _lease: work.Lease) -> bool:
        return session.status not in TERMINAL

    patch(work, "holds", holds)
    patch(heartbeat, "holds", holds)


def published_early(patch: Patch) -> None:
    """Events are published when they are written down, not once that is committed."""
    relays: dict[Outbox, tuple[Bus, str, asyncio.AbstractEventLoop]] = {}
    prepare, append = Relay.__init__, Outbox.append

    def known(self: Relay, **named: Any) -> None:
        prepare(self, **named)
        relays[named["outbox"]] = (named["bus"], named["source"], asyncio.get_running_loop())

    async def publish(bus: Bus, source: str, events: Sequence[Event]) -> None:
        for event in events:
            headers = {
                "Nats-Msg-Id": event.id,
                "ce-id": event.id,
                "ce-type": event.type,
                "ce-source": source,
                "ce-subject": event.key,
            }
            await bus.jetstream().publish(event.subject, event.payload, headers=headers)

    def append_and_publish(self: Outbox, connection: Connection, events: Sequence[Event]) -> None:
        append(self, connection, events)
        bus, source, loop = relays[self]
        # Units of work run on the loop or beside it, by the database.
        asyncio.run_coroutine_threadsafe(publish(bus, source, list(events)), loop)

    patch(Relay, "__init__", known)
    patch(Outbox, "append", append_and_publish)


def inbox_skipped(patch: Patch) -> None:
    """Every delivery of an event counts as the first."""

    def news(_self: Inbox, _connection: Connection, _source: str, _key: str, _version: int) -> bool:
        return True

    patch(Inbox, "advance", news)


def polled_by_id(patch: Patch) -> None:
    """The relay asks for rows after the last one that it has seen."""
    seen: dict[Outbox, int] = {}
    unpublished = Outbox.unpublished

    def after(self: Outbox, connection: Connection, limit: int) -> list[StoredEvent]:
        rows = [row for row in unpublished(self, connection, limit) if row.row > seen.get(self, 0)]
        seen[self] = max(itertools.chain([seen.get(self, 0)], (row.row for row in rows)))
        return rows

    patch(Outbox, "unpublished", after)


def settled_twice(patch: Patch) -> None:
    """Whoever tells of a settlement has it made, also when it was made already."""
    from services.billing.domain import closing
    from services.billing.usecases.settle import Settle

    within = Settle.within

    def every_time(self: Settle, conn: Connection, hold_id: str, captured: int, released: int) -> None:
        hold = self._ledger.hold(conn, hold_id)
        again = hold is not None and hold.state.value == "settled"
        within(self, conn, hold_id, captured, released)
        if again and hold is not None:
            self._ledger.post(conn, hold.owner, closing(hold_id, captured, released), open_holds=0)

    patch(Settle, "within", every_time)


MUTANTS: Mapping[str, Callable[[Patch], None]] = {
    "epoch-ignored": epoch_ignored,
    "published-early": published_early,
    "inbox-skipped": inbox_skipped,
    "polled-by-id": polled_by_id,
    "settled-twice": settled_twice,
}


def install(name: str) -> None:
    """Put a fault into this process. Raises KeyError for a name that no fault has."""
    MUTANTS[name](setattr)
