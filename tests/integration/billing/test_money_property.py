"""Whatever is done in whatever order, no money appears or is lost."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from kit.db.database import Database, open_database
from kit.db.inbox import Inbox
from kit.db.outbox import Outbox
from kit.errors import PrsmError
from kit.ids import RandomIds
from kit.times import ManualClock
from services.billing import convert
from services.billing.audit import discrepancies
from services.billing.domain import Workload
from services.billing.repository import SqlLedger
from services.billing.tables import KIT, METADATA
from services.billing.usecases.apply_settlement import ApplySettlement, SessionSettled
from services.billing.usecases.credit_account import CreditAccount
from services.billing.usecases.get_balance import GetBalance
from services.billing.usecases.place_hold import PlaceHold
from services.billing.usecases.settle import Settle
from services.billing.usecases.void_hold import VoidHold
from tests.integration.billing.stand import billing_settings

USERS = st.sampled_from(["ada", "bob"])
HOLDS = st.sampled_from([f"s{number}" for number in range(5)])
SHARES = st.integers(0, 4)
AMOUNTS = st.integers(1, 3_000_000)
WORK = st.builds(
    Workload,
    session_type=st.sampled_from(["research", "analysis", "synthesis"]),
    depth=st.sampled_from(["quick", "deep"]),
    documents=st.integers(0, 40),
    datasets=st.integers(0, 1),
    dataset_bytes=st.integers(0, 1000),
    sessions=st.integers(0, 3),
)


class Money(RuleBasedStateMachine):
    """Random operations against a model that knows only what was answered."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self._runner = asyncio.Runner()
        self.db = self._runner.run(self._open())
        ids = RandomIds(ManualClock())
        ledger = SqlLedger(
            outbox=Outbox(KIT), ids=ids, clock=ManualClock(), grant=5_000_000, encode=convert.account_changed
        )
        prices = billing_settings().price_list()
        settle = Settle(self.db, ledger)
        self.balance = GetBalance(self.db, ledger)
        self.credit_account = CreditAccount(self.db, ledger)
        self.place_hold = PlaceHold(self.db, ledger, prices, quota=3, currency="FTNS")
        self.settle_hold = settle
        self.void_hold = VoidHold(self.db, ledger)
        self.apply = ApplySettlement(self.db, Inbox(KIT), settle)
        self.available = {"ada": 5_000_000, "bob": 5_000_000}
        self.open: dict[str, tuple[str, int]] = {}
        self.version = 0

    async def _open(self) -> Database:
        db = open_database(f"sqlite:///{Path(self._folder.name) / 'money.db'}", schema="billing")
        await db.write(METADATA.create_all)
        return db

    def run(self, awaitable: Awaitable[Any]) -> Any:
        async def attempt() -> Any:
            try:
                return await awaitable
            except PrsmError as error:
                return error

        return self._runner.run(attempt())

    @rule(user=USERS, amount=AMOUNTS)
    def credit(self, user: str, amount: int) -> None:
        self.run(self.credit_account(user, amount, "", lambda conn, account: None))
        self.available[user] += amount

    @rule(hold=HOLDS, user=USERS, work=WORK, limit=st.none() | AMOUNTS)
    def place(self, hold: str, user: str, work: Workload, limit: int | None) -> None:
        before = self.run(self.balance(user))
        outcome = self.run(self.place_hold(hold, user, work, limit))
        after = self.run(self.balance(user))
        if not isinstance(outcome, PrsmError) and after.version > before.version:
            self.open[hold] = (user, outcome[1])
            self.available[user] -= outcome[1]

    @rule(hold=HOLDS, share=SHARES, inline=st.booleans())
    def settle(self, hold: str, share: int, inline: bool) -> None:
        _, amount = self.open.get(hold, ("", 1_000_000))
        captured = amount * share // 4
        self.version += 1
        if inline:
            outcome = self.run(self.settle_hold(hold, captured, amount - captured))
            assert isinstance(outcome, PrsmError) or outcome is None
        else:
            self.run(self.apply(SessionSettled(hold, self.version, hold, captured, amount - captured)))
        if hold in self.open:
            owner, _ = self.open.pop(hold)
            self.available[owner] += amount - captured

    @rule(hold=HOLDS, user=USERS)
    def void(self, hold: str, user: str) -> None:
        outcome = self.run(self.void_hold(hold, user))
        if hold in self.open and not isinstance(outcome, PrsmError):
            owner, amount = self.open.pop(hold)
            assert (owner, outcome) == (user, amount)
            self.available[user] += amount

    @invariant()
    def adds_up(self) -> None:
        assert self._runner.run(self.db.read(discrepancies)) == []
        for user, available in self.available.items():
            account = self.run(self.balance(user))
            assert account.available == available
            assert account.held == sum(amount for owner, amount in self.open.values() if owner == user)
            assert account.open_holds == sum(owner == user for owner, _ in self.open.values())

    def teardown(self) -> None:
        self._runner.run(self.db.close())
        self._runner.close()
        self._folder.cleanup()


Money.TestCase.settings = settings(
    max_examples=15,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
TestMoney = Money.TestCase
