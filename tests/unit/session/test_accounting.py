"""Reservations, charges and what they add up to."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kit.money import SCALE
from services.session import accounting, lifecycle, work
from services.session.domain import OnLimit, OpenStage, Price
from tests.unit.session.build import FTNS, PLAN, POLICY, T0, beat, in_stage, queued, running


def test_a_stage_may_cost_what_is_left_but_for_the_write_up_share() -> None:
    session = running()
    assert accounting.write_up_share(session, POLICY) == 1_350_000  # 15 % of 9.00: the base price is no work
    assert accounting.reservation(session, "read", POLICY) == 8_650_000


def test_the_write_up_share_is_exact_where_a_float_is_not() -> None:
    session = running()
    session.held = 80_000_000_000_000_007 + SCALE
    assert accounting.write_up_share(session, POLICY) == 12_000_000_000_000_001  # 15 % of it is ...001.05


def test_writing_up_may_cost_all_that_is_left() -> None:
    session = running()
    assert accounting.reservation(session, "write", POLICY) == 10 * SCALE
    session.write_up = True
    assert accounting.reservation(session, "think", POLICY) == 10 * SCALE


def test_who_would_rather_fail_sets_nothing_aside() -> None:
    session = running(on_limit=OnLimit.FAIL)
    assert accounting.reservation(session, "read", POLICY) == 10 * SCALE


def test_the_base_price_is_charged_once() -> None:
    session = in_stage()
    assert accounting.billed(session, {"document_read": SCALE}) == {"base": SCALE, "document_read": SCALE}
    session.usage = {"base": SCALE}
    assert accounting.billed(session, {"document_read": SCALE}) == {"document_read": SCALE}


def test_what_a_stages_usage_may_cost_is_without_a_base_price_to_come() -> None:
    session = in_stage()
    assert session.open_stage is not None
    assert accounting.available(session) == session.open_stage.reserved - SCALE
    session.usage = {"base": SCALE}
    assert accounting.available(session) == session.open_stage.reserved
    assert accounting.available(running()) == 0


def test_charges_stop_at_the_cap() -> None:
    charges = accounting.charge(in_stage(), "read", {"base": SCALE, "document_read": 100 * SCALE}, 1_500_000)
    assert [(c.item, c.amount) for c in charges] == [("base", SCALE), ("document_read", 500_000)]


def test_an_item_without_a_price_costs_nothing() -> None:
    (charge,) = accounting.charge(in_stage(), "read", {"row_read": 5 * SCALE}, SCALE)
    assert (charge.unit_price, charge.amount) == (0, 0)


def test_running_totals_never_fall() -> None:
    stage = OpenStage("read", 1, SCALE, {"document_read": 3 * SCALE})
    assert accounting.accept(stage, {"document_read": SCALE, "passage_read": 2 * SCALE, "row_read": -5}) == {
        "document_read": 3 * SCALE,
        "passage_read": 2 * SCALE,
        "row_read": 0,
    }


def test_efficiency_is_useful_time_over_time_worked() -> None:
    session = running()
    assert accounting.efficiency(session, 0) == 0.0
    session.running, session.initializing, session.queued, session.paused = 60, 20, 500, 500
    assert accounting.efficiency(session, 40) == 0.5
    assert accounting.efficiency(session, 90) == 1.0


quantities = st.integers(0, 10**9)


@given(
    held=st.integers(0, 10**8),
    price=st.integers(0, 10**6),
    usages=st.lists(st.tuples(quantities, quantities), min_size=3, max_size=3),
    ending=st.sampled_from(["complete", "cancel", "time_out", "theirs", "ours"]),
    interrupted=st.booleans(),
)
def test_items_add_up_and_never_exceed_the_hold(
    held: int, price: int, usages: list[tuple[int, int]], ending: str, interrupted: bool
) -> None:
    prices = {"base": Price("session", SCALE), "document_read": Price("document", price), "x": Price("x", 7)}
    session = running(held=held, prices=prices)
    charges = []
    for number, (planned, (documents, others)) in enumerate(zip(PLAN, usages, strict=True)):
        session = work.begin_stage(session, planned.stage, FTNS, T0, POLICY).after
        usage = {"document_read": documents, "x": others}
        if interrupted and number == 2:
            session = work.heartbeat(
                session, work.Beat(planned.stage, 0.5, usage, work.Resources()), FTNS, T0, POLICY
            ).after
            break
        change = work.checkpoint(session, planned.stage, "h", usage, (), work.Resources(), FTNS, T0, POLICY)
        charges += change.charges
        session = change.after
    error = {"code": "x", "message": "x", "stage": "", "retryable": False}
    change = {
        "complete": lambda: work.complete(session, "h", {}, (), work.Resources(), FTNS, T0, POLICY),
        "cancel": lambda: lifecycle.cancel(session, "ada", "", FTNS, T0, POLICY),
        "time_out": lambda: lifecycle.time_out(session, FTNS, T0, POLICY),
        "theirs": lambda: lifecycle.fail(session, "w", error, FTNS, T0, POLICY, ours=False),
        "ours": lambda: lifecycle.fail(session, "w", error, FTNS, T0, POLICY, ours=True),
    }[ending]()
    amounts = [0 if change.waived else charge.amount for charge in charges]
    total = sum(amounts) + sum(charge.amount for charge in change.charges)
    assert change.after.charged == total
    assert change.after.charged + change.after.released == held
    assert min(change.after.charged, change.after.released) >= 0
    assert change.waived == (ending == "ours")
    if ending == "ours":
        assert change.after.charged == 0


def test_nothing_was_done_nothing_is_charged() -> None:
    session = lifecycle.cancel(in_stage(), "ada", "", FTNS, T0, POLICY).after
    assert (session.charged, session.released) == (0, 10 * SCALE)
    assert lifecycle.cancel(queued(), "ada", "", FTNS, T0, POLICY).after.released == 10 * SCALE


def test_an_interrupted_stage_is_charged_its_last_accepted_usage() -> None:
    session = work.heartbeat(in_stage(), beat(document_read=3), FTNS, T0, POLICY).after
    change = lifecycle.cancel(session, "ada", "", FTNS, T0, POLICY)
    assert [(c.stage, c.item, c.amount) for c in change.charges] == [
        ("read", "base", SCALE),
        ("read", "document_read", 60_000),
    ]
