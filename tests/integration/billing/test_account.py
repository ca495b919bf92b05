"""Balance, transactions and credits as users and operators see them."""

from __future__ import annotations

import asyncio

import pytest

from kit.errors import PrsmError
from kit.money import parse
from prsm.billing.v1 import billing_pb2, ledger_pb2
from tests.integration.billing.stand import QUICK, Stand
from tests.support.serving import answer

Kind = billing_pb2.Transaction


async def refused(call: object) -> PrsmError:
    with pytest.raises(PrsmError) as caught:
        await call  # type: ignore[misc]
    return caught.value


async def test_first_look_opens_the_account_with_the_grant(stand: Stand) -> None:
    found = await asyncio.gather(*(stand.balance("ada") for _ in range(5)))
    assert set(found) == {("20.00", "0.00")}
    page = await stand.transactions("ada")
    (grant,) = page.transactions
    assert (grant.kind, grant.amount, grant.available_after) == (Kind.credit, "20.00", "20.00")
    assert not grant.HasField("session_id")
    assert page.total_count == 1


async def test_transactions_of_a_new_user_show_the_grant(stand: Stand) -> None:
    assert [t.amount for t in (await stand.transactions("new")).transactions] == ["20.00"]


async def test_transactions_are_newest_first_and_the_callers_own(stand: Stand) -> None:
    await stand.place("s1", "ada")
    await stand.place("s2", "bob")
    stand.clock.advance(seconds=1)
    await stand.settle("s1", parse("0.124"), parse("0.40"))
    page = await stand.transactions("ada")
    assert [(t.kind, t.amount, t.available_after) for t in page.transactions] == [
        (Kind.release, "0.40", "19.876"),
        (Kind.capture, "0.124", "19.476"),
        (Kind.hold, "0.524", "19.476"),
        (Kind.credit, "20.00", "20.00"),
    ]
    assert {t.currency for t in page.transactions} == {"FTNS"}
    assert (page.total_count, page.page, page.limit) == (4, 1, 20)
    assert not page.HasField("next_cursor")


async def test_transactions_of_one_session(stand: Stand) -> None:
    first, second = stand.ids.new(), stand.ids.new()
    await stand.place(first)
    await stand.place(second)
    page = await stand.transactions("ada", session_id=second)
    assert [t.session_id for t in page.transactions] == [second]
    assert page.total_count == 1
    assert (await stand.transactions("bob", session_id=second)).total_count == 0
    assert (await stand.transactions("ada", session_id="s1")).total_count == 0


async def test_cursor_neither_skips_nor_repeats_while_the_list_grows(stand: Stand) -> None:
    for number in range(4):
        await stand.credit("ada", f"{number + 1}.00")
    first = await stand.transactions("ada", limit=2)
    assert [t.amount for t in first.transactions] == ["4.00", "3.00"]
    await stand.credit("ada", "9.00")
    second = await stand.transactions("ada", limit=2, cursor=first.next_cursor)
    assert [t.amount for t in second.transactions] == ["2.00", "1.00"]
    third = await stand.transactions("ada", limit=2, cursor=second.next_cursor)
    assert [t.amount for t in third.transactions] == ["20.00"]
    assert not third.HasField("next_cursor")
    assert third.total_count == 6


async def test_page_numbers(stand: Stand) -> None:
    for number in range(4):
        await stand.credit("ada", f"{number + 1}.00")
    assert [t.amount for t in (await stand.transactions("ada", limit=2, page=2)).transactions] == ["2.00", "1.00"]
    past = await stand.transactions("ada", limit=2, page=9)
    assert (list(past.transactions), past.total_count) == ([], 5)


@pytest.mark.parametrize("request_", [{"page": 0}, {"limit": 0}, {"limit": 101}, {"cursor": "nonsense!"}])
async def test_bad_paging_is_refused(stand: Stand, request_: dict[str, object]) -> None:
    error = await refused(stand.transactions("ada", **request_))
    assert error.name == "VALIDATION_ERROR"
    assert error.details is not None
    assert [f["field"] for f in error.details["fields"]] == list(request_)


async def test_credit_adds_to_the_grant(stand: Stand) -> None:
    credited = await stand.credit("ada", "12.50", description="invoice 7")
    assert (credited.user_id, credited.available, credited.held) == ("ada", "32.50", "0.00")
    newest = (await stand.transactions("ada")).transactions[0]
    assert (newest.amount, newest.description) == ("12.50", "invoice 7")


async def test_credit_with_a_key_has_one_effect(stand: Stand) -> None:
    first = await stand.credit("ada", "5.00", key="k1")
    assert await stand.credit("ada", "5.00", key="k1") == first
    assert (await refused(stand.credit("ada", "6.00", key="k1"))).name == "IDEMPOTENCY_KEY_REUSED"
    assert await stand.balance("ada") == ("25.00", "0.00")
    await asyncio.gather(*(stand.credit("bob", "1.00", key="k2") for _ in range(5)))
    assert await stand.balance("bob") == ("21.00", "0.00")
    assert await stand.discrepancies() == []


@pytest.mark.parametrize("amount", ["0", "0.00", "-1", "1e3", "1.1234567", "ten", "01.00"])
async def test_credit_wants_an_amount(stand: Stand, amount: str) -> None:
    error = await refused(stand.credit("ada", amount))
    assert error.name == "VALIDATION_ERROR"
    assert error.details is not None
    assert [f["field"] for f in error.details["fields"]] == ["amount"]


async def test_credit_stops_at_the_largest_amount(stand: Stand) -> None:
    assert (await refused(stand.credit("ada", "99999999999.99"))).name == "VALIDATION_ERROR"
    assert await stand.balance("ada") == ("20.00", "0.00")


async def test_credit_is_for_operators(stand: Stand) -> None:
    for scope in ("", "read", "service"):
        assert (await refused(stand.credit("ada", "5.00", by="ada", scope=scope))).name == "FORBIDDEN"
    assert await stand.balance("ada") == ("20.00", "0.00")


async def test_no_user_token_opens_the_ledger(stand: Stand) -> None:
    metadata = stand.identities.user_metadata("ada", scope="admin service")
    request = ledger_pb2.PlaceHoldRequest(hold_id="s1", owner="ada", workload=QUICK)
    with pytest.raises(PrsmError) as caught:
        await answer(stand.ledger.PlaceHold(request, metadata=metadata, timeout=60))
    assert caught.value.name == "UNAVAILABLE"  # what a peer makes of `unauthorized`
    worker = stand.identities.peer("worker", "billing")
    with pytest.raises(PrsmError) as caught:
        await worker.call(stand.ledger.PlaceHold, request, timeout=60)
    assert caught.value.name == "FORBIDDEN"


async def test_estimate_touches_no_account(stand: Stand) -> None:
    request = ledger_pb2.EstimateRequest(workload=QUICK)
    estimate = (await stand.session.call(stand.ledger.Estimate, request, timeout=60)).estimate
    assert (estimate.min_micros, estimate.max_micros, estimate.currency) == (500_002, 524_000, "FTNS")
    assert sum(item.amount_micros for item in estimate.items) == estimate.amount_micros
    assert [price.item for price in estimate.prices] == [
        "base",
        "document_read",
        "passage_read",
        "row_read",
        "finding_merged",
    ]
    assert await stand.events() == []
