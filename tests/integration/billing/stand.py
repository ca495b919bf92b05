"""Billing as the tests call it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from kit.db.database import Database
from kit.db.inbox import Inbox
from kit.db.outbox import Outbox
from kit.ids import RandomIds
from kit.times import ManualClock
from prsm.billing.v1 import billing_pb2, billing_pb2_grpc, ledger_pb2, ledger_pb2_grpc
from prsm.events.v1 import events_pb2
from services.billing.app import assemble
from services.billing.audit import discrepancies
from services.billing.settings import BillingSettings
from services.billing.tables import KIT
from tests.support.serving import Identities, Served, answer, idempotency_store

QUICK = ledger_pb2.Workload(session_type="analysis", datasets=1, dataset_bytes=1000)
"""Least 0.500002, most 0.524."""


def billing_settings(**changes: Any) -> BillingSettings:
    required = {
        name: "unused"
        for name, field in BillingSettings.model_fields.items()
        if field.is_required() and field.annotation is str
    }
    return BillingSettings.model_validate({**required, "internal_key": "unused", **changes})


class Stand:
    """A served billing, its database and its clock."""

    def __init__(self, db: Database, folder: Path, **settings: Any) -> None:
        self.db = db
        self.clock = ManualClock()
        self.ids = RandomIds(self.clock)
        self.outbox = Outbox(KIT)
        self.app = assemble(
            billing_settings(**settings),
            db=db,
            outbox=self.outbox,
            inbox=Inbox(KIT),
            clock=self.clock,
            ids=self.ids,
        )
        self.identities = Identities(folder, self.clock, ["session", "worker"])
        self.session = self.identities.peer("session", "billing")

    async def start(self) -> None:
        store = idempotency_store(self.db, KIT, self.clock, self.ids)
        pipeline = self.identities.pipeline("billing", store=store, ids=self.ids)
        self._served = await Served.start(pipeline, self.app.services)
        channel = self._served.channel
        self.billing = billing_pb2_grpc.BillingServiceStub(channel)
        self.ledger = ledger_pb2_grpc.LedgerServiceStub(channel)
        self.admin = ledger_pb2_grpc.BillingAdminServiceStub(channel)

    async def stop(self) -> None:
        await self._served.stop()

    async def balance(self, user: str) -> tuple[str, str]:
        """What is available and what is held."""
        metadata = self.identities.user_metadata(user)
        found = await answer(self.billing.GetBalance(billing_pb2.GetBalanceRequest(), metadata=metadata, timeout=60))
        assert found.currency == "FTNS"
        return found.available, found.held

    async def transactions(self, user: str, **request: Any) -> billing_pb2.ListTransactionsResponse:
        message = billing_pb2.ListTransactionsRequest(**request)
        metadata = self.identities.user_metadata(user)
        found: billing_pb2.ListTransactionsResponse = await answer(
            self.billing.ListTransactions(message, metadata=metadata, timeout=60)
        )
        return found

    async def credit(
        self,
        user: str,
        amount: str,
        *,
        by: str = "operator",
        scope: str = "admin",
        key: str = "",
        description: str = "",
    ) -> ledger_pb2.CreditAccountResponse:
        metadata = self.identities.user_metadata(by, scope=scope)
        if key:
            metadata += (("idempotency-key", key),)
        request = ledger_pb2.CreditAccountRequest(user_id=user, amount=amount, description=description)
        found: ledger_pb2.CreditAccountResponse = await answer(
            self.admin.CreditAccount(request, metadata=metadata, timeout=60)
        )
        return found

    async def place(
        self, hold_id: str, owner: str = "ada", *, workload: ledger_pb2.Workload = QUICK, limit: int | None = None
    ) -> ledger_pb2.PlaceHoldResponse:
        request = ledger_pb2.PlaceHoldRequest(hold_id=hold_id, owner=owner, workload=workload, limit_micros=limit)
        found: ledger_pb2.PlaceHoldResponse = await self.session.call(self.ledger.PlaceHold, request, timeout=60)
        return found

    async def settle(self, hold_id: str, captured: int, released: int) -> ledger_pb2.SettleResponse:
        request = ledger_pb2.SettleRequest(hold_id=hold_id, captured_micros=captured, released_micros=released)
        found: ledger_pb2.SettleResponse = await self.session.call(self.ledger.Settle, request, timeout=60)
        return found

    async def void(self, hold_id: str, owner: str = "ada") -> int:
        request = ledger_pb2.VoidHoldRequest(hold_id=hold_id, owner=owner)
        found = await self.session.call(self.ledger.VoidHold, request, timeout=60)
        return int(found.released_micros)

    async def events(self) -> list[events_pb2.AccountChanged]:
        """All events so far, in order."""

        def stored(conn: Connection) -> list[bytes]:
            return list(conn.execute(select(KIT.outbox.c.payload).order_by(KIT.outbox.c.id)).scalars())

        return [events_pb2.AccountChanged.FromString(payload) for payload in await self.db.read(stored)]

    async def discrepancies(self) -> list[str]:
        return await self.db.read(discrepancies)
