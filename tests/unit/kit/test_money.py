from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit import money


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("0.00", 0),
        ("50.00", 50_000_000),
        ("0.000001", 1),
        ("12.50", 12_500_000),
        ("1.234567", 1_234_567),
    ],
)
def test_reads_decimal_strings(text: str, micros: int) -> None:
    assert money.parse(text) == micros


@pytest.mark.parametrize(("text", "micros"), [("50", 50_000_000), ("12.5", 12_500_000), ("12.50", 12_500_000)])
def test_what_a_person_types_may_leave_places_out(text: str, micros: int) -> None:
    assert money.typed(text) == micros


@pytest.mark.parametrize(
    "text", ["", "-1", "+1", "1e3", "1.", ".5", "01", "50", "12.5", "1.2345678", "1,5", " 1", "NaN", "١", "1" * 12]
)
def test_refuses_what_is_no_amount_and_shows_the_cure(text: str) -> None:
    with pytest.raises(money.InvalidAmount, match=r'write "50\.00"'):
        money.parse(text)


@pytest.mark.parametrize(
    ("micros", "text"),
    [(0, "0.00"), (1, "0.000001"), (12_500_000, "12.50"), (1_234_000, "1.234"), (-2_000_000, "-2.00")],
)
def test_shows_two_to_six_places(micros: int, text: str) -> None:
    assert money.show(micros) == text


@given(st.integers(min_value=0, max_value=10**17 - 1))
def test_what_is_shown_is_read_again(micros: int) -> None:
    assert money.parse(money.show(micros)) == micros
    assert Decimal(money.show(micros)) * money.SCALE == micros


@given(st.integers(min_value=0, max_value=10**10), st.integers(min_value=0, max_value=10**10))
def test_prices_are_rounded_half_up_once(price: int, quantity: int) -> None:
    exact = Decimal(price) * Decimal(quantity) / money.SCALE
    assert abs(Decimal(money.times(price, quantity)) - exact) <= Decimal("0.5")
