"""Estimates from workloads."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.errors import ValidationError
from kit.money import SCALE
from services.billing.domain import Workload, amount_to_hold, check_limit
from services.billing.pricing import DEPTHS, PriceList
from worker.engines.research.compose import LIMITS

PRICES = PriceList(
    currency="FTNS",
    base={"research": 1_000_000, "analysis": 500_000, "synthesis": 400_000},
    items={
        "document_read": 20_000,
        "passage_read": 2_000,
        "row_read": 2,
        "finding_merged": 10_000,
        "tokens_in": 1_000,
        "tokens_out": 4_000,
    },
)
# What the research engine allows itself, by depth: documents, searches, passages a search.
ENGINE = {"quick": (10, 3, 40), "standard": (25, 6, 120), "deep": (60, 12, 300)}
WRITE_UP = 0.15
"""The share of a hold, less the base price, that is kept for writing up."""


def test_research_is_base_documents_and_passages() -> None:
    estimate = PRICES.estimate(Workload("research", "standard", documents=15, characters=60_000))
    assert [(i.item, i.quantity // SCALE, i.amount) for i in estimate.items] == [
        ("base", 1, 1_000_000),
        ("document_read", 15, 300_000),
        ("passage_read", 90, 180_000),
    ]
    assert estimate.amount == 1_480_000
    assert estimate.least == 1_022_000
    assert estimate.most == 1_000_000 + (15 * 20_000 + 8 * 150 * 2_000) * 6 // 5


def test_analysis_counts_rows_only() -> None:
    estimate = PRICES.estimate(Workload("analysis", documents=9, datasets=1, dataset_bytes=6_400_000))
    assert [(i.item, i.quantity // SCALE) for i in estimate.items] == [("base", 1), ("row_read", 100_000)]
    assert (estimate.least, estimate.most) == (500_002, 500_000 + 2 * 3_200_000 * 6 // 5)


def test_synthesis_counts_findings() -> None:
    estimate = PRICES.estimate(Workload("synthesis", sessions=3))
    assert [(i.item, i.quantity // SCALE) for i in estimate.items] == [("base", 1), ("finding_merged", 60)]
    assert estimate.most == 400_000 + 600 * 10_000 * 6 // 5


def test_research_with_a_dataset_and_nothing_to_read() -> None:
    estimate = PRICES.estimate(Workload("research", datasets=1, dataset_bytes=640))
    assert [i.item for i in estimate.items] == ["base", "row_read"]
    assert estimate.least == 1_000_002


def test_unknown_type_has_no_price() -> None:
    with pytest.raises(ValidationError):
        PRICES.estimate(Workload("poetry"))


def test_unknown_depth_is_standard() -> None:
    assert PRICES.estimate(Workload("research", "", documents=99)) == PRICES.estimate(
        Workload("research", "standard", documents=99)
    )


def test_a_session_is_priced_by_its_own_base() -> None:
    prices = PRICES.estimate(Workload("synthesis", sessions=2)).prices
    assert [(p.item, p.unit, p.unit_price) for p in prices] == [
        ("base", "session", 400_000),
        ("document_read", "document", 20_000),
        ("passage_read", "passage", 2_000),
        ("row_read", "row", 2),
        ("finding_merged", "finding", 10_000),
    ]


def test_tokens_are_priced_by_the_thousand_where_a_model_may_be_used() -> None:
    plain = PRICES.estimate(Workload("research", "standard", documents=15))
    written = PRICES.estimate(Workload("research", "standard", documents=15, model=True))
    assert [(i.item, i.quantity, i.amount) for i in written.items[len(plain.items) :]] == [
        ("tokens_in", 5 * SCALE, 5_000),
        ("tokens_out", 1 * SCALE, 4_000),
    ]
    assert written.least == plain.least
    assert written.most == plain.most + (40 * 1_000 + 4 * 4_000) * 6 // 5
    assert [(p.item, p.unit, p.unit_price) for p in written.prices[len(plain.prices) :]] == [
        ("tokens_in", "1000 tokens", 1_000),
        ("tokens_out", "1000 tokens", 4_000),
    ]


def test_the_upper_end_bounds_what_a_model_may_be_asked() -> None:
    for name, (most_in, most_out) in LIMITS.items():
        assert (DEPTHS[name].tokens_in, DEPTHS[name].tokens_out) == (most_in, most_out)


@given(
    depth=st.sampled_from(sorted(DEPTHS)),
    documents=st.integers(1, 20_000),
    max_documents=st.integers(0, 20_000),
)
def test_the_upper_end_bounds_what_the_research_engine_may_read(depth: str, documents: int, max_documents: int) -> None:
    usual, searches, passages = ENGINE[depth]
    wanted = max_documents or usual
    read = min(documents, wanted)
    most_passages = searches * min(1000, max(passages, 3 * wanted))
    work = read * 20_000 + most_passages * 2_000
    estimate = PRICES.estimate(Workload("research", depth, documents=documents, max_documents=max_documents))
    assert work <= (estimate.most - 1_000_000) * (1 - WRITE_UP)


@given(
    kind=st.sampled_from(["research", "analysis", "synthesis"]),
    depth=st.sampled_from(sorted(DEPTHS)),
    documents=st.integers(0, 20_000),
    datasets=st.integers(0, 20),
    dataset_bytes=st.integers(0, 10**9),
    sessions=st.integers(0, 50),
    max_documents=st.integers(0, 20_000),
    model=st.booleans(),
)
def test_the_range_holds_the_estimate(kind: str, depth: str, model: bool, **counts: int) -> None:
    estimate = PRICES.estimate(Workload(kind, depth, model=model, **counts))
    assert 0 < estimate.least <= estimate.amount <= estimate.most
    assert sum(item.amount for item in estimate.items) == estimate.amount
    assert all(item.amount == item.unit_price * item.quantity // SCALE for item in estimate.items)


def test_budget_caps_what_is_held() -> None:
    estimate = PRICES.estimate(Workload("synthesis", sessions=2))
    assert amount_to_hold(estimate, None) == estimate.most
    assert amount_to_hold(estimate, estimate.most + 1) == estimate.most
    assert amount_to_hold(estimate, estimate.least) == estimate.least
    check_limit(estimate, estimate.least)
    with pytest.raises(ValidationError, match=r"budget.limit.*\"0.41\""):
        check_limit(estimate, estimate.least - 1)
