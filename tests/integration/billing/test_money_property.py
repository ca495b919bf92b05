"""Whatever is asked in whatever order, alone or at once, billing does what a pure model of it does, and no money
appears or is lost. On SQLite and on PostgreSQL; for longer, on other paths each time:

    MODEL_EXAMPLES=2000 MODEL_STEPS=60 python -m pytest -o timeout=0 tests/integration/billing/test_money_property.py
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from typing import Any, ClassVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from sqlalchemy import Connection, select

from kit.errors import PrsmError
from kit.money import parse, show
from prsm.billing.v1 import ledger_pb2
from prsm.events.v1 import events_pb2
from services.billing.audit import discrepancies
from services.billing.tables import KIT, accounts, holds, transactions
from services.billing.usecases.apply_settlement import SessionSettled
from tests.integration.billing import ledger_model as do
from tests.integration.billing.ledger_model import GRANT, LEAST, MOSTS, QUOTA, Till
from tests.integration.billing.stand import Stand
from tests.support.migrated import Migrations
from tests.support.modelling import Command, Loop, Seen, agreed, explained

LONG = "MODEL_EXAMPLES" in os.environ
PROFILE = settings(
    max_examples=int(os.environ.get("MODEL_EXAMPLES", "7")),
    stateful_step_count=int(os.environ.get("MODEL_STEPS", "25")),
    derandomize=not LONG,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate, Phase.shrink) if LONG else (Phase.generate,),
)
USERS = st.sampled_from(("ada", "bob"))
HOLDS = st.sampled_from([f"s{number}" for number in range(6)])
_sizes = st.sampled_from(tuple(MOSTS))
_limits = st.sampled_from((None, None, LEAST, LEAST - 1, 600_000, 9_000_001))
_keys = st.sampled_from(("", "k1", "k2"))
_places = st.builds(do.Place, HOLDS, USERS, _sizes, _limits)
_credits = st.builds(do.Credit, USERS, st.sampled_from((1, 250_000, 7_000_003)), _keys)
_voids = st.builds(do.Void, HOLDS, USERS)
_versions = st.integers(1, 4)
_shares = st.sampled_from((0, 1, 2, 4, 5))
"""Quarters of a hold that are captured; with five, more than there is."""


_which = st.integers(0, 10)
_commands = st.one_of(_credits, _places, _places, _places, _voids, st.builds(do.Balance, USERS))


def _step(name: str, **arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.tuples(st.just(name), st.fixed_dictionaries(arguments))


_ask = _step("ask", command=_commands)
STEPS = st.one_of(
    _ask,
    _ask,
    _ask,
    _step("end", which=_which, share=_shares, version=st.just(0) | _versions, times=st.integers(1, 2)),
    _step("undo", which=_which, size=_sizes),
    _step("crowd", user=USERS, size=_sizes, together=st.booleans()),
    _step("race", which=_which, user=USERS, first=_shares, second=_shares, version=_versions, how=st.integers(0, 4)),
)
"""The name of a method of the machine with its arguments."""


class Ground(Loop):
    """Billing, served, and what the machine reads beside its answers."""

    def __init__(self, stand: Stand, migrations: Migrations) -> None:
        super().__init__()
        self._stand = stand
        self._migrations = migrations

    async def renew(self) -> None:
        await self._migrations.empty("services.billing", self._stand.db)

    async def send(self, commands: tuple[Command[Till], ...]) -> tuple[list[Seen], dict[str, list[Mapping[str, Any]]]]:
        seen = await asyncio.gather(*(self._one(command) for command in commands))
        return list(seen), await self._stand.db.read(_everything)

    async def _one(self, command: Command[Till]) -> Seen:
        try:
            return Seen(fields=await self._asked(command))
        except PrsmError as error:
            return Seen(error.name)

    async def _asked(self, command: Command[Till]) -> dict[str, Any]:
        stand = self._stand
        match command:
            case do.Credit(user, amount, key):
                credited = await stand.credit(user, show(amount), key=key)
                return {"available": parse(credited.available), "held": parse(credited.held)}
            case do.Balance(user):
                available, held = await stand.balance(user)
                return {"available": parse(available), "held": parse(held)}
            case do.Place(hold_id, owner, size, limit):
                workload = ledger_pb2.Workload(session_type="analysis", datasets=1, dataset_bytes=size)
                placed = await stand.place(hold_id, owner, workload=workload, limit=limit)
                return {"held": placed.held_micros, "most": placed.estimate.max_micros}
            case do.Settle(hold_id, captured, released):
                await stand.settle(hold_id, captured, released)
            case do.Hear(hold_id, version, captured, released):
                await stand.app.apply_settlement(SessionSettled(hold_id, version, hold_id, captured, released))
            case do.Void(hold_id, owner):
                return {"released": await stand.void(hold_id, owner)}
        return {}


def _everything(conn: Connection) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = {
        table.name: [dict(row._mapping) for row in conn.execute(select(table))]
        for table in (accounts, holds, transactions, KIT.outbox)
    }
    found["problems"] = [{"problem": problem} for problem in discrepancies(conn)]
    return found


def agree(till: Till, found: dict[str, list[Mapping[str, Any]]]) -> None:
    """The database says what the model says, and what it says adds up."""
    agreed(not found["problems"], str(found["problems"]))
    rows = {row["user_id"]: row for row in found["accounts"]}
    agreed(rows.keys() == till.accounts.keys(), f"accounts of {rows.keys()}, not {till.accounts.keys()}")
    made = sorted(found["transactions"], key=lambda row: (row["user_id"], row["version"]))
    for user, account in till.accounts.items():
        row = rows[user]
        expected = (account.available, account.held, till.open_holds(user), len(account.ledger))
        agreed((row["available"], row["held"], row["open_holds"], row["version"]) == expected, f"{user}: {row}")
        mine = [row for row in made if row["user_id"] == user]
        agreed([row["version"] for row in mine] == list(range(1, len(mine) + 1)), f"the ledger of {user} has gaps")
        moved = [(row["kind"], row["amount"], row["session_id"] or "") for row in mine]
        agreed(moved == account.ledger, f"the ledger of {user} is {moved}, not {account.ledger}")
        moments = [row["created_at"] for row in mine]
        agreed(moments == sorted(set(moments)), "transactions share a moment")
    kept = {row["hold_id"]: tuple(row[name] for name in ("owner", "amount", "state", "captured", "released"))
            for row in found["holds"]}  # fmt: skip
    expected_holds = {id_: (h.owner, h.amount, h.state, h.captured, h.released) for id_, h in till.holds.items()}
    agreed(kept == expected_holds, f"holds are {kept}, not {expected_holds}")
    told = [events_pb2.AccountChanged.FromString(row["payload"]) for row in found["outbox"]]
    agreed(
        sorted((event.user_id, event.version) for event in told) == [(row["user_id"], row["version"]) for row in made],
        "not one event for each transaction",
    )


class Machine(RuleBasedStateMachine):
    """One rule, always open: what is drawn must not depend on who was first."""

    ground: ClassVar[Ground]

    def __init__(self) -> None:
        super().__init__()
        self.ground.run(self.ground.renew())
        self.till = Till()

    def act(self, *commands: Command[Till]) -> None:
        seen, found = self.ground.run(self.ground.send(commands))
        self.till = explained(self.till, commands, seen, lambda till: agree(till, found))

    @rule(step=STEPS)
    def step(self, step: tuple[str, dict[str, Any]]) -> None:
        name, arguments = step
        getattr(self, name)(**arguments)

    def ask(self, command: Command[Till]) -> None:
        self.act(command)

    def _pick(self, which: int) -> str:
        """An open hold, if there is one; else any, also one that never was."""
        still = [hold_id for hold_id, hold in self.till.holds.items() if hold.state == "open"]
        return still[which % len(still)] if still and which < 9 else f"s{which % 6}"

    def _end(self, hold_id: str, share: int, version: int) -> Command[Till]:
        hold = self.till.holds.get(hold_id)
        amount = hold.amount if hold is not None else 524_000
        captured = amount * share // 4
        released = max(0, amount - captured)
        return do.Hear(hold_id, version, captured, released) if version else do.Settle(hold_id, captured, released)

    def end(self, which: int, share: int, version: int, times: int) -> None:
        hold_id = self._pick(which)
        for _ in range(times):
            self.act(self._end(hold_id, share, version))

    def undo(self, which: int, size: int) -> None:
        """A hold is given back, comes late once more, and is given back again."""
        hold_id = self._pick(which)
        known = self.till.holds.get(hold_id)
        owner = known.owner if known is not None else "ada"
        for command in (do.Void(hold_id, owner), do.Place(hold_id, owner, size), do.Void(hold_id, owner)):
            self.act(command)

    def crowd(self, user: str, size: int, together: bool) -> None:
        """An owner wants more sessions than the quota or the balance allows."""
        places = [do.Place(f"s{number}", user, size) for number in range(QUOTA + 1)]
        if together:
            self.act(*places)
        else:
            for place in places:
                self.act(place)

    def race(self, which: int, user: str, first: int, second: int, version: int, how: int) -> None:
        """Two want the same hold, or an owner's last money or last place, at the same moment."""
        hold_id = self._pick(which)
        large = max(MOSTS)
        pairs: tuple[tuple[Command[Till], ...], ...] = (
            (do.Void(hold_id, user), do.Place(hold_id, user, large)),
            (self._end(hold_id, first, 0), self._end(hold_id, second, version)),
            (self._end(hold_id, first, 0), do.Void(hold_id, user)),
            (do.Place(hold_id, user, large), do.Place("s9", user, large), do.Place(hold_id, user, large)),
            (do.Credit(user, 5, "k3"), do.Credit(user, 5 + first % 2, "k3")),
        )
        self.act(*pairs[how])


async def test_billing_does_what_the_model_does(stand: Stand, migrations: Migrations) -> None:
    assert (parse("20.00"), 3) == (GRANT, QUOTA)

    class Billing(Machine):
        ground = Ground(stand, migrations)

    await asyncio.to_thread(run_state_machine_as_test, Billing, settings=PROFILE)
