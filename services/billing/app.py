"""Billing put together; nowhere else are its parts joined."""

from __future__ import annotations

from dataclasses import dataclass

from google.protobuf.descriptor import ServiceDescriptor

from kit.db.database import Database
from kit.db.inbox import Inbox
from kit.db.outbox import Outbox
from kit.ids import Ids
from kit.runtime import build
from kit.times import Clock
from prsm.billing.v1 import billing_pb2, ledger_pb2
from services.billing import convert, tables
from services.billing.consumers import session_consumer
from services.billing.readings import readings
from services.billing.repository import SqlLedger
from services.billing.servicer import BillingAdminServicer, BillingServicer, LedgerServicer
from services.billing.settings import BillingSettings
from services.billing.usecases.apply_settlement import ApplySettlement
from services.billing.usecases.credit_account import CreditAccount
from services.billing.usecases.estimate import EstimateWorkload
from services.billing.usecases.get_balance import GetBalance
from services.billing.usecases.list_transactions import ListTransactions
from services.billing.usecases.place_hold import PlaceHold
from services.billing.usecases.settle import Settle
from services.billing.usecases.void_hold import VoidHold

NAME = "billing"


@dataclass(frozen=True, slots=True)
class App:
    """What a process serves, and what it does with events."""

    services: tuple[tuple[ServiceDescriptor, object], ...]
    apply_settlement: ApplySettlement


def assemble(settings: BillingSettings, *, db: Database, outbox: Outbox, inbox: Inbox, clock: Clock, ids: Ids) -> App:
    """The service without its process."""
    ledger = SqlLedger(outbox=outbox, ids=ids, clock=clock, grant=settings.grant, encode=convert.account_changed)
    prices = settings.price_list()
    balance = GetBalance(db, ledger)
    settle = Settle(db, ledger)
    place_hold = PlaceHold(db, ledger, prices, quota=settings.session_quota, currency=settings.currency)
    services = (
        (
            billing_pb2.DESCRIPTOR.services_by_name["BillingService"],
            BillingServicer(balance, ListTransactions(db, ledger, balance), settings.currency),
        ),
        (
            ledger_pb2.DESCRIPTOR.services_by_name["LedgerService"],
            LedgerServicer(EstimateWorkload(prices), place_hold, settle, VoidHold(db, ledger)),
        ),
        (
            ledger_pb2.DESCRIPTOR.services_by_name["BillingAdminService"],
            BillingAdminServicer(CreditAccount(db, ledger), settings.currency),
        ),
    )
    return App(services, ApplySettlement(db, inbox, settle))


async def serve(settings: BillingSettings) -> None:
    """Serve until a signal."""
    runtime = build(NAME, settings, tables.KIT)
    app = assemble(
        settings,
        db=runtime.db,
        outbox=runtime.outbox,
        inbox=runtime.inbox,
        clock=runtime.clock,
        ids=runtime.ids,
    )
    await runtime.serve(
        app.services,
        # A hold that is settled stays as it is: applied once more, the same settlement makes no difference.
        parts=[session_consumer(runtime.bus, app.apply_settlement), runtime.inbox_pruner()],
        readings=readings(runtime.db, runtime.clock, audit=settings.audit_seconds),
    )
