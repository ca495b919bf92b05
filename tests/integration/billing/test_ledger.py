"""Holds and settlements over gRPC, on both databases."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from kit.db.database import Database
from kit.errors import PrsmError
from kit.money import parse
from prsm.billing.v1 import billing_pb2, ledger_pb2
from services.billing.settings import DEFAULT_PRICES
from services.billing.tables import accounts, holds
from services.billing.usecases.apply_settlement import SessionSettled
from tests.integration.billing.stand import Stand

MOST = parse("0.524")
BIG = ledger_pb2.Workload(session_type="research", depth="deep", documents=200)
"""At most 21.16 by the default prices: 1 + 1.2 * (200 * 0.02 + 16 * 400 * 0.002)."""


async def refused(call: object) -> PrsmError:
    with pytest.raises(PrsmError) as caught:
        await call  # type: ignore[misc]
    return caught.value


async def test_hold_sets_aside_the_upper_end(stand: Stand) -> None:
    placed = await stand.place("s1")
    assert placed.held_micros == placed.estimate.max_micros == MOST
    assert await stand.balance("ada") == ("19.476", "0.524")
    assert await stand.discrepancies() == []


async def test_budget_caps_the_hold(stand: Stand) -> None:
    placed = await stand.place("s1", limit=parse("0.51"))
    assert (placed.held_micros, placed.estimate.max_micros) == (parse("0.51"), MOST)


async def test_budget_below_the_least_names_the_least(stand: Stand) -> None:
    error = await refused(stand.place("s1", limit=parse("0.50")))
    assert error.name == "VALIDATION_ERROR"
    assert error.details is not None
    (fault,) = error.details["fields"]
    assert fault["field"] == "budget.limit"
    assert '"0.500002"' in fault["issue"]
    # Nothing of it stays: the id can be used.
    assert (await stand.place("s1")).held_micros == MOST


async def test_repeated_hold_gets_the_first_answer(stand: Stand) -> None:
    first = await stand.place("s1")
    await stand.credit("ada", "1000.00")
    again = await stand.place("s1", workload=BIG, limit=parse("10.00"))
    assert again == first
    await stand.settle("s1", MOST, 0)
    assert await stand.place("s1") == first
    assert await stand.discrepancies() == []


async def test_hold_of_another_owner_is_refused(stand: Stand) -> None:
    await stand.place("s1", "ada")
    assert (await refused(stand.place("s1", "bob"))).name == "VALIDATION_ERROR"
    assert (await refused(stand.void("s1", "bob"))).name == "VALIDATION_ERROR"
    assert await stand.balance("bob") == ("20.00", "0.00")


async def test_insufficient_balance_says_how_much(stand: Stand) -> None:
    error = await refused(stand.place("s1", workload=BIG))
    assert error.name == "INSUFFICIENT_BALANCE"
    assert error.details == {"required": "21.16", "available": "20.00", "currency": "FTNS"}
    await stand.credit("ada", "1.16")
    assert (await stand.place("s1", workload=BIG)).held_micros == parse("21.16")
    assert await stand.balance("ada") == ("0.00", "21.16")


async def test_quota_counts_open_holds(stand: Stand) -> None:
    for number in range(3):
        await stand.place(f"s{number}")
    error = await refused(stand.place("s3"))
    assert error.name == "SESSION_QUOTA_EXCEEDED"
    assert error.details == {"quota": "open_sessions", "limit": 3, "used": 3}
    await stand.place("other", "bob")
    await stand.void("s0")
    await stand.place("s3")
    await stand.settle("s1", 0, MOST)
    await stand.place("s4")
    assert await stand.discrepancies() == []


async def test_settlement_captures_and_releases(stand: Stand) -> None:
    await stand.place("s1")
    settled = await stand.settle("s1", 124_000, 400_000)
    assert (settled.captured_micros, settled.released_micros) == (124_000, 400_000)
    assert await stand.balance("ada") == ("19.876", "0.00")
    assert await stand.settle("s1", 124_000, 400_000) == settled
    assert await stand.balance("ada") == ("19.876", "0.00")
    assert await stand.discrepancies() == []


@pytest.mark.parametrize(("captured", "released"), [(0, MOST), (MOST, 0), (124_001, 399_999), (124_000, 400_001)])
async def test_other_figures_are_a_mismatch(stand: Stand, captured: int, released: int) -> None:
    await stand.place("s1")
    await stand.settle("s1", 124_000, 400_000)
    assert (await refused(stand.settle("s1", captured, released))).name == "SETTLEMENT_MISMATCH"
    assert await stand.balance("ada") == ("19.876", "0.00")


@pytest.mark.parametrize(("captured", "released"), [(0, 0), (0, MOST - 1), (MOST, 1)])
async def test_settlement_must_make_up_the_hold(stand: Stand, captured: int, released: int) -> None:
    await stand.place("s1")
    assert (await refused(stand.settle("s1", captured, released))).name == "SETTLEMENT_MISMATCH"
    assert await stand.balance("ada") == ("19.476", "0.524")


async def test_settlement_of_nothing_is_refused(stand: Stand) -> None:
    assert (await refused(stand.settle("s1", 0, 0))).name == "SETTLEMENT_MISMATCH"


async def test_void_releases_whole_and_for_ever(stand: Stand) -> None:
    await stand.place("s1")
    assert await stand.void("s1") == MOST
    assert await stand.void("s1") == MOST
    assert await stand.balance("ada") == ("20.00", "0.00")
    assert (await refused(stand.place("s1"))).name == "HOLD_VOIDED"
    assert (await refused(stand.settle("s1", 0, MOST))).name == "HOLD_VOIDED"
    assert await stand.discrepancies() == []


async def test_tombstone_refuses_a_late_hold(stand: Stand) -> None:
    assert await stand.void("s1") == 0
    assert await stand.void("s1") == 0
    assert (await refused(stand.place("s1"))).name == "HOLD_VOIDED"
    assert await stand.balance("ada") == ("20.00", "0.00")


async def test_settled_hold_cannot_be_voided(stand: Stand) -> None:
    await stand.place("s1")
    await stand.settle("s1", MOST, 0)
    assert (await refused(stand.void("s1"))).name == "SETTLEMENT_MISMATCH"
    assert await stand.balance("ada") == ("19.476", "0.00")


async def test_holds_at_once_cannot_overdraw(stand: Stand) -> None:
    await stand.credit("ada", "10.00")  # 30.00: one such hold and no more
    calls = [stand.place(f"s{n}", workload=BIG) for n in range(6)]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    refusals = [o for o in outcomes if isinstance(o, PrsmError)]
    assert [error.name for error in refusals] == ["INSUFFICIENT_BALANCE"] * 5
    assert await stand.balance("ada") == ("8.84", "21.16")
    assert await stand.discrepancies() == []


async def test_holds_at_once_keep_the_quota(stand: Stand) -> None:
    outcomes = await asyncio.gather(*(stand.place(f"s{n}") for n in range(8)), return_exceptions=True)
    assert sum(not isinstance(o, BaseException) for o in outcomes) == 3
    assert {o.name for o in outcomes if isinstance(o, PrsmError)} == {"SESSION_QUOTA_EXCEEDED"}
    assert await stand.discrepancies() == []


async def test_the_same_hold_at_once_is_one(stand: Stand) -> None:
    first, *others = await asyncio.gather(*(stand.place("s1") for _ in range(6)))
    assert all(other == first for other in others)
    assert await stand.balance("ada") == ("19.476", "0.524")


async def test_settlements_at_once_have_one_winner(stand: Stand) -> None:
    hold = stand.ids.new()
    await stand.place(hold)
    figures = [(captured, MOST - captured) for captured in (0, 100_000, 200_000, 100_000)]
    outcomes = await asyncio.gather(*(stand.settle(hold, *pair) for pair in figures), return_exceptions=True)
    won = {o.captured_micros for o in outcomes if isinstance(o, ledger_pb2.SettleResponse)}
    assert len(won) == 1
    assert {o.name for o in outcomes if isinstance(o, PrsmError)} == {"SETTLEMENT_MISMATCH"}
    page = await stand.transactions("ada", session_id=hold)
    assert sum(parse(t.amount) for t in page.transactions if t.kind == t.capture) == won.pop()
    assert await stand.discrepancies() == []


async def test_void_and_place_at_once(stand: Stand) -> None:
    """Whoever comes first, no money stays held."""
    for number in range(5):
        hold = f"s{number}"
        outcomes = await asyncio.gather(stand.place(hold), stand.void(hold), return_exceptions=True)
        refusals = [o.name for o in outcomes if isinstance(o, PrsmError)]
        assert refusals in ([], ["HOLD_VOIDED"])
        assert (await refused(stand.place(hold))).name == "HOLD_VOIDED"
    assert await stand.balance("ada") == ("20.00", "0.00")
    assert await stand.discrepancies() == []


async def test_settle_and_void_at_once(stand: Stand) -> None:
    await stand.place("s1")
    outcomes = await asyncio.gather(stand.settle("s1", MOST, 0), stand.void("s1"), return_exceptions=True)
    names = [o.name for o in outcomes if isinstance(o, PrsmError)]
    assert len(names) == 1
    expected = ("19.476", "0.00") if names == ["SETTLEMENT_MISMATCH"] else ("20.00", "0.00")
    assert await stand.balance("ada") == expected
    assert await stand.discrepancies() == []


async def test_event_settles_once_and_repeats_the_inline_one(stand: Stand) -> None:
    await stand.place("s1")
    event = SessionSettled("s1", 7, "s1", 24_000, 500_000)
    await stand.app.apply_settlement(event)
    await stand.app.apply_settlement(event)
    assert await stand.balance("ada") == ("19.976", "0.00")
    assert (await stand.settle("s1", 24_000, 500_000)).captured_micros == 24_000
    await stand.place("s2")
    await stand.settle("s2", MOST, 0)
    await stand.app.apply_settlement(SessionSettled("s2", 9, "s2", MOST, 0))
    assert await stand.balance("ada") == ("19.452", "0.00")
    assert await stand.discrepancies() == []


async def test_event_with_other_figures_changes_nothing(stand: Stand) -> None:
    await stand.place("s1")
    await stand.settle("s1", MOST, 0)
    await stand.app.apply_settlement(SessionSettled("s1", 7, "s1", 0, MOST))
    await stand.app.apply_settlement(SessionSettled("s9", 7, "s9", 0, MOST))
    assert await stand.balance("ada") == ("19.476", "0.00")


async def test_every_movement_is_an_event_with_the_account_after_it(stand: Stand) -> None:
    await stand.place("s1")
    await stand.settle("s1", 124_000, 400_000)
    events = await stand.events()
    assert [(e.version, e.type, e.amount_micros, e.available_micros, e.held_micros) for e in events] == [
        (1, "credit", 20_000_000, 20_000_000, 0),
        (2, "hold", 524_000, 19_476_000, 524_000),
        (3, "capture", 124_000, 19_476_000, 400_000),
        (4, "release", 400_000, 19_876_000, 0),
    ]
    assert {e.user_id for e in events} == {"ada"}
    assert [e.session_id for e in events] == ["", "s1", "s1", "s1"]
    moments = [e.at_us for e in events]
    assert moments == sorted(set(moments))


async def test_refused_hold_leaves_no_trace(stand: Stand) -> None:
    await refused(stand.place("s1", workload=BIG))
    assert await stand.events() == []


async def test_settlement_of_nothing_charged_is_a_release_alone(stand: Stand) -> None:
    hold = stand.ids.new()
    await stand.place(hold)
    await stand.settle(hold, 0, MOST)
    kinds = [t.kind for t in (await stand.transactions("ada", session_id=hold)).transactions]
    assert kinds == [billing_pb2.Transaction.release, billing_pb2.Transaction.hold]


async def test_free_sessions_count_towards_the_quota(db: Database, tmp_path: Path) -> None:
    free = dict.fromkeys(DEFAULT_PRICES, "0")
    stand = Stand(db, tmp_path, initial_grant="0", session_quota=1, prices=free)
    await stand.start()
    try:
        assert (await stand.place("s1")).held_micros == 0
        assert (await refused(stand.place("s2"))).name == "SESSION_QUOTA_EXCEEDED"
        await stand.settle("s1", 0, 0)
        await stand.place("s2")
        assert await stand.void("s2") == 0
        assert await stand.balance("ada") == ("0.00", "0.00")
        assert await stand.discrepancies() == []
    finally:
        await stand.stop()


async def test_audit_finds_what_does_not_add_up(stand: Stand) -> None:
    await stand.place("s1")
    await stand.place("s2", "bob")
    spoil = [
        accounts.update().where(accounts.c.user_id == "ada").values(available=accounts.c.available + 1),
        holds.update().where(holds.c.hold_id == "s2").values(amount=holds.c.amount - 1),
    ]
    await stand.db.write(lambda conn: [conn.execute(statement) for statement in spoil])
    assert await stand.discrepancies() == [
        "credits are 40000000, accounts and captures 40000001",
        "account ada is not the sum of its transactions",
        "account bob does not hold what its open holds come to",
    ]


async def test_an_operator_asks_with_the_databases_address_alone(migrated_file: Path) -> None:
    async def said(**environment: str) -> tuple[int | None, str]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "services.billing.audit"),
            env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path), **environment},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        out, _ = await process.communicate()
        return process.returncode, out.decode().strip()

    url = f"sqlite:///{migrated_file}"
    assert await said(PRSM_BILLING_DATABASE_URL=url) == (0, "the ledger adds up")
    assert await said() == (2, "PRSM_BILLING_DATABASE_URL is not set")
