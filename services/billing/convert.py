"""Where billing's messages meet its domain."""

from __future__ import annotations

from collections.abc import Sequence

from google.protobuf.timestamp_pb2 import Timestamp

from kit.errors import Fault
from kit.money import InvalidAmount, parse, show
from kit.paging import Page, Position, next_cursor
from prsm.billing.v1 import billing_pb2, ledger_pb2
from prsm.events.v1 import events_pb2
from services.billing.domain import Account, Estimate, Kind, Transaction, Workload
from services.billing.usecases.apply_settlement import SessionSettled

_KIND = {
    Kind.CREDIT: billing_pb2.Transaction.credit,
    Kind.HOLD: billing_pb2.Transaction.hold,
    Kind.CAPTURE: billing_pb2.Transaction.capture,
    Kind.RELEASE: billing_pb2.Transaction.release,
}


def timestamp(instant: int) -> Timestamp:
    """Milliseconds are the finest that leaves the platform."""
    message = Timestamp()
    message.FromMicroseconds(instant // 1000 * 1000)
    return message


def credit_faults(message: ledger_pb2.CreditAccountRequest) -> list[Fault]:
    """What is wrong with the form of a request, beyond the rules in the proto."""
    try:
        amount = parse(message.amount)
    except InvalidAmount as error:
        return [Fault("amount", str(error))] if message.amount else []
    return [] if amount else [Fault("amount", "must be greater than 0")]


def workload_of(message: ledger_pb2.Workload) -> Workload:
    return Workload(
        session_type=message.session_type,
        depth=message.depth or "standard",
        documents=message.documents,
        characters=message.characters,
        datasets=message.datasets,
        dataset_bytes=message.dataset_bytes,
        sessions=message.sessions,
        max_documents=message.max_documents,
        model=message.model,
    )


def estimate_message(estimate: Estimate) -> ledger_pb2.Estimate:
    return ledger_pb2.Estimate(
        amount_micros=estimate.amount,
        min_micros=estimate.least,
        max_micros=estimate.most,
        currency=estimate.currency,
        items=[
            ledger_pb2.EstimateItem(
                item=item.item,
                unit=item.unit,
                quantity_micros=item.quantity,
                unit_price_micros=item.unit_price,
                amount_micros=item.amount,
            )
            for item in estimate.items
        ],
        prices=[
            ledger_pb2.Price(item=price.item, unit=price.unit, unit_price_micros=price.unit_price)
            for price in estimate.prices
        ],
    )


def balance_message(account: Account, currency: str) -> billing_pb2.GetBalanceResponse:
    return billing_pb2.GetBalanceResponse(available=show(account.available), held=show(account.held), currency=currency)


def credited_message(account: Account, currency: str) -> ledger_pb2.CreditAccountResponse:
    return ledger_pb2.CreditAccountResponse(
        user_id=account.user_id, available=show(account.available), held=show(account.held), currency=currency
    )


def transaction_message(transaction: Transaction, currency: str) -> billing_pb2.Transaction:
    return billing_pb2.Transaction(
        transaction_id=transaction.transaction_id,
        kind=_KIND[transaction.kind],
        amount=show(transaction.amount),
        currency=currency,
        session_id=transaction.session_id,
        description=transaction.description,
        available_after=show(transaction.available_after),
        created_at=timestamp(transaction.created_at),
    )


def transactions_message(
    listed: Sequence[Transaction], total: int, page: Page, currency: str
) -> billing_pb2.ListTransactionsResponse:
    last = Position(listed[-1].created_at, listed[-1].transaction_id) if listed else None
    return billing_pb2.ListTransactionsResponse(
        transactions=[transaction_message(transaction, currency) for transaction in listed],
        total_count=total,
        page=page.number,
        limit=page.limit,
        next_cursor=next_cursor(page, len(listed), last, total),
    )


def account_changed(transaction: Transaction) -> bytes:
    """The payload of a transaction's event."""
    return events_pb2.AccountChanged(
        user_id=transaction.user_id,
        version=transaction.version,
        type=transaction.kind.value,
        transaction_id=transaction.transaction_id,
        session_id=transaction.session_id or "",
        amount_micros=transaction.amount,
        available_micros=transaction.available_after,
        held_micros=transaction.held_after,
        at_us=transaction.created_at,
    ).SerializeToString()


def settlement_of(payload: bytes) -> SessionSettled | None:
    """The settlement that a session's event carries, if it is the terminal one."""
    message = events_pb2.SessionChanged.FromString(payload)
    if not message.HasField("settlement"):
        return None
    settlement = message.settlement
    return SessionSettled(
        session_id=message.session_id,
        version=message.version,
        hold_id=settlement.hold_id,
        captured=settlement.captured_micros,
        released=settlement.released_micros,
    )
