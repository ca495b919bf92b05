"""Seasons and slopes of dates are told in the words of the calendar."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from worker.engines.analysis.findings.calendar_words import place_named, slope_unit

_EPOCH = date(1970, 1, 1)


def result(first: date, days: float, n: int, unit: str = "day") -> dict[str, Any]:
    start = float((first - _EPOCH).days)
    return {"time_first": start, "time_last": start + days, "n": n, "time_unit": unit}


@pytest.mark.parametrize(
    ("unit", "period", "first", "place", "name"),
    [
        ("month", 12, date(2014, 1, 1), 4, "April"),
        ("month", 12, date(2014, 11, 30), 3, "January"),
        ("quarter", 4, date(2014, 4, 1), 4, "quarter 1"),
        ("day", 7, date(2024, 1, 1), 7, "Sunday"),
        ("month", 6, date(2014, 1, 1), 4, None),
        ("step", 12, date(2014, 1, 1), 4, None),
    ],
)
def test_the_place_of_a_season_has_its_name(unit: str, period: int, first: date, place: int, name: str | None) -> None:
    season = {"unit": unit, "period": period, "highest": place}
    assert place_named(season, result(first, 3000, 100), "highest") == name


@pytest.mark.parametrize(
    ("days", "n", "unit", "told"),
    [
        (3621, 118, "day", ("year", 365.2425)),
        (365, 12, "day", ("month", 365.2425 / 12)),
        (40, 41, "day", ("day", 1.0)),
        (365, 366, "day", ("day", 1.0)),
        (3621, 118, "row", ("row", 1.0)),
    ],
)
def test_a_slope_is_told_in_a_unit_that_fits_the_series(
    days: float, n: int, unit: str, told: tuple[str, float]
) -> None:
    assert slope_unit(result(date(2014, 1, 1), days, n, unit)) == told
