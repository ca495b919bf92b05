"""The services that tell of something and those that listen, each on a database of its own, and a busy history."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, MetaData, Table, insert, select
from sqlalchemy.types import Boolean, Integer

from kit.bus.connection import Bus
from kit.bus.consumer import Consumer, Received
from kit.db.database import Database
from kit.db.inbox import Inbox
from kit.db.outbox import Outbox
from prsm.collab.v1 import collab_pb2
from services.billing import consumers as billing_consumers
from services.billing import convert as billing_convert
from services.billing import tables as billing
from services.billing.domain import Hold, HoldState, Kind, Movement
from services.billing.repository import SqlLedger
from services.billing.usecases.apply_settlement import ApplySettlement
from services.billing.usecases.settle import Settle
from services.billing.usecases.void_hold import VoidHold
from services.collab import tables as collab
from services.library import consumers as library_consumers
from services.library import tables as library
from services.library.repository.uses import SqlUses
from services.library.usecases.record_citations import RecordCitations
from services.session import consumers as session_consumers
from services.session import tables as session
from tests.integration.collab.neighbours import Known
from tests.integration.collab.stand import Stand as CollabStand
from tests.integration.session.stand import Stand as SessionStand
from tests.integration.session.stand import pb, wpb

_AT_ONCE = 16
METADATA: Mapping[str, MetaData] = {
    "billing": billing.METADATA,
    "collab": collab.METADATA,
    "library": library.METADATA,
    "session": session.METADATA,
}
Dump = dict[str, dict[str, list[str]]]


@dataclass(frozen=True)
class Listener:
    """A consumer of the product, as its own service makes it."""

    durable: str
    consumer: Consumer

    def hears(self, subject: str) -> bool:
        return any(fnmatchcase(subject, pattern.replace(">", "*")) for pattern in self.consumer._subjects)

    async def hear(self, events: list[Received]) -> None:
        """As many at a time as the product would handle."""
        for start in range(0, len(events), _AT_ONCE):
            await asyncio.gather(*(self.consumer._handler(event) for event in events[start : start + _AT_ONCE]))


class Town:
    def __init__(self, databases: Mapping[str, Database], folder: Path) -> None:
        self.databases = databases
        self.session = SessionStand(databases["session"], folder / "session")
        self.collab = CollabStand(databases["collab"], folder / "collab")
        clock, ids = self.session.clock, self.session.ids
        self.ledger = SqlLedger(
            outbox=Outbox(billing.KIT), ids=ids, clock=clock, grant=0, encode=billing_convert.account_changed
        )
        self.settle = Settle(databases["billing"], self.ledger)
        bus = Bus("nats://127.0.0.1:1", name="replay")
        self.inboxes = {"billing": Inbox(billing.KIT, clock), "library": Inbox(library.KIT, clock)}
        self._made = {
            "billing": billing_consumers.session_consumer(
                bus, ApplySettlement(databases["billing"], self.inboxes["billing"], self.settle)
            ),
            "library": library_consumers.session_consumer(
                bus, RecordCitations(databases["library"], self.inboxes["library"], SqlUses(clock))
            ),
            "session": session_consumers.collab_consumer(bus, self.session.app.record_collab),
        }
        self.listeners = {service: Listener(consumer._durable, consumer) for service, consumer in self._made.items()}

    async def start(self) -> None:
        await self.session.start()
        await self.collab.start()

    async def stop(self) -> None:
        await self.collab.stop()
        await self.session.stop()

    async def live(self, rng: random.Random) -> None:
        """A busy history: sessions that end in every way, or not yet, with shares and comments around them."""
        await self.databases["library"].write(_keep_document)
        session_ids: list[str] = []
        for _ in range(3):
            session_ids.append(await self.session.completed("ada"))
        for end in ("cancel", "pause", "cancel at once", "fail", "hand back", "queue"):
            session_ids.append(await self._one(end))
        books = self.session.books
        for number, (session_id, (owner, amount)) in enumerate(books.holds.items()):
            await self._hold(session_id, owner, amount)
            # Some were settled by call before their event comes; one was voided, and its event must change nothing.
            if number % 3 == 0 and session_id in books.settled:
                await self.settle(session_id, *books.settled[session_id])
            if number == 4:
                await VoidHold(self.databases["billing"], self.ledger)(session_id, owner)
        for session_id in rng.sample(session_ids, 6):
            await self._talk(session_id, rng)

    async def _one(self, end: str) -> str:
        session = self.session
        session_id = await session.create("bob")
        if end == "cancel at once":
            await session.call("bob", "CancelSession", pb.CancelSessionRequest(session_id=session_id))
        if end in ("cancel", "pause", "fail", "hand back"):
            claim = await session.started()
        if end in ("cancel", "pause"):
            await session.stage(claim.lease, "read", document_read=3)
        if end == "cancel":
            await session.call("bob", "CancelSession", pb.CancelSessionRequest(session_id=session_id))
        if end == "pause":
            await session.call("bob", "PauseSession", pb.PauseSessionRequest(session_id=session_id))
        if end == "fail":
            await session.work("Fail", wpb.FailRequest(lease=claim.lease, code="engine_crashed", message="It broke"))
        if end == "hand back":
            await session.work("Release", wpb.ReleaseRequest(lease=claim.lease))
        return session_id

    async def _hold(self, session_id: str, owner: str, amount: int) -> None:
        def place(conn: Connection) -> None:
            self.ledger.open_account(conn, owner)
            self.ledger.post(conn, owner, [Movement(Kind.CREDIT, amount, "For the test")])
            self.ledger.insert_hold(conn, Hold(session_id, owner, amount, HoldState.OPEN))
            self.ledger.post(conn, owner, [Movement(Kind.HOLD, amount, "Hold", session_id)], open_holds=1)

        await self.databases["billing"].write(place)

    async def _talk(self, session_id: str, rng: random.Random) -> None:
        collab = self.collab
        collab.neighbours.sessions[session_id] = Known(owner="olga")
        share = await collab.share(["bob", "team:lab"], "collaborate", session_id=session_id)
        for number in range(rng.randrange(1, 4)):
            comment = await collab.comment(f"Remark {number}", session_id=session_id)
            if rng.random() < 0.5:
                better = collab_pb2.UpdateCommentRequest(
                    session_id=session_id, comment_id=comment.comment_id, content="Better"
                )
                await collab.call("olga", "UpdateComment", better)
            if rng.random() < 0.5:
                doomed = collab_pb2.DeleteCommentRequest(session_id=session_id, comment_id=comment.comment_id)
                await collab.call("olga", "DeleteComment", doomed)
        if rng.random() < 0.5:
            await collab.revoke(share.share_id, session_id=session_id)

    async def told(self) -> list[tuple[str, Received]]:
        """Everything that all of them published, oldest first, with its subject."""
        events: list[tuple[int, str, Received]] = []
        for service, metadata in METADATA.items():
            rows = await self.databases[service].read(lambda c, t=metadata.tables["outbox"]: _outbox(c, t))  # type: ignore[misc]
            for row in rows:
                received = Received(row.event_id, row.event_type, f"prsm/{service}", row.event_key, row.payload)
                events.append((row.created_at, row.subject, received))
        events.sort(key=lambda event: event[0])
        return [(subject, received) for _, subject, received in events]

    async def dump(self) -> Dump:
        """Every row of every table, as it is."""
        found: Dump = {}
        for service, metadata in METADATA.items():
            found[service] = await self.databases[service].read(lambda c, m=metadata: _rows(c, m))  # type: ignore[misc]
        return found


def _outbox(conn: Connection, table: Table) -> Any:
    return conn.execute(select(table).order_by(table.c.id)).all()


def _rows(conn: Connection, metadata: MetaData) -> dict[str, list[str]]:
    return {
        table.name: sorted(repr(tuple(row)) for row in conn.execute(select(table))) for table in metadata.sorted_tables
    }


def _keep_document(conn: Connection) -> None:
    """The document that completed sessions cite."""
    table = library.documents
    values: dict[str, object] = {}
    for column in table.columns:
        if not column.nullable:
            plain = False if isinstance(column.type, Boolean) else 0 if isinstance(column.type, Integer) else ""
            values[column.name] = plain
    conn.execute(insert(table).values({**values, "document_id": "d1", "owner": "ada", "status": "ready"}))
