"""Message → command → message."""

from __future__ import annotations

from kit.errors import Fault, ValidationError
from kit.money import parse
from kit.paging import page_of
from kit.rpc.call import Call
from prsm.billing.v1 import billing_pb2, ledger_pb2
from services.billing import convert
from services.billing.domain import Account
from services.billing.errors import InsufficientBalance, SessionQuotaExceeded
from services.billing.usecases.credit_account import CreditAccount
from services.billing.usecases.estimate import EstimateWorkload
from services.billing.usecases.get_balance import GetBalance
from services.billing.usecases.list_transactions import ListTransactions
from services.billing.usecases.place_hold import PlaceHold
from services.billing.usecases.settle import Settle
from services.billing.usecases.void_hold import VoidHold

_REPEATED = "grpc-previous-rpc-attempts"
"""gRPC says so when it sends a call again by itself."""


class BillingServicer:
    """`prsm.billing.v1.BillingService`."""

    def __init__(self, balance: GetBalance, transactions: ListTransactions, currency: str) -> None:
        self._balance = balance
        self._transactions = transactions
        self._currency = currency

    async def GetBalance(self, request: billing_pb2.GetBalanceRequest, call: Call) -> billing_pb2.GetBalanceResponse:
        account = await self._balance(call.principal.user_id)
        return convert.balance_message(account, self._currency)

    async def ListTransactions(
        self, request: billing_pb2.ListTransactionsRequest, call: Call
    ) -> billing_pb2.ListTransactionsResponse:
        page = page_of(
            request.page if request.HasField("page") else None,
            request.limit if request.HasField("limit") else None,
            request.cursor,
        )
        listed, total = await self._transactions(call.principal.user_id, page, request.session_id)
        return convert.transactions_message(listed, total, page, self._currency)


class LedgerServicer:
    """`prsm.billing.v1.LedgerService`."""

    def __init__(self, estimate: EstimateWorkload, place_hold: PlaceHold, settle: Settle, void_hold: VoidHold) -> None:
        self._estimate = estimate
        self._place_hold = place_hold
        self._settle = settle
        self._void_hold = void_hold

    async def Estimate(self, request: ledger_pb2.EstimateRequest, call: Call) -> ledger_pb2.EstimateResponse:
        estimate = self._estimate(convert.workload_of(request.workload))
        return ledger_pb2.EstimateResponse(estimate=convert.estimate_message(estimate))

    async def PlaceHold(self, request: ledger_pb2.PlaceHoldRequest, call: Call) -> ledger_pb2.PlaceHoldResponse:
        limit = request.limit_micros if request.HasField("limit_micros") else None
        workload = convert.workload_of(request.workload)
        try:
            estimate, held = await self._place_hold(request.hold_id, request.owner, workload, limit)
        except (InsufficientBalance, SessionQuotaExceeded, ValidationError):
            if _REPEATED in call.metadata:
                # An earlier attempt may still be on its way here, and nobody would come back for its hold.
                await self._void_hold(request.hold_id, request.owner)
            raise
        return ledger_pb2.PlaceHoldResponse(estimate=convert.estimate_message(estimate), held_micros=held)

    async def Settle(self, request: ledger_pb2.SettleRequest, call: Call) -> ledger_pb2.SettleResponse:
        await self._settle(request.hold_id, request.captured_micros, request.released_micros)
        return ledger_pb2.SettleResponse(
            captured_micros=request.captured_micros, released_micros=request.released_micros
        )

    async def VoidHold(self, request: ledger_pb2.VoidHoldRequest, call: Call) -> ledger_pb2.VoidHoldResponse:
        released = await self._void_hold(request.hold_id, request.owner)
        return ledger_pb2.VoidHoldResponse(released_micros=released)


class BillingAdminServicer:
    """`prsm.billing.v1.BillingAdminService`."""

    def __init__(self, credit: CreditAccount, currency: str) -> None:
        self._credit = credit
        self._currency = currency

    async def CreditAccount(
        self, request: ledger_pb2.CreditAccountRequest, call: Call
    ) -> ledger_pb2.CreditAccountResponse:
        def answer(account: Account) -> ledger_pb2.CreditAccountResponse:
            return convert.credited_message(account, self._currency)

        amount = parse(request.amount)
        return answer(await self._credit(request.user_id, amount, request.description, call.recorder(answer)))

    def faults_CreditAccount(self, request: ledger_pb2.CreditAccountRequest) -> list[Fault]:
        return convert.credit_faults(request)
