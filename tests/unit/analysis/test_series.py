"""Series: autocorrelation, seasons and changes, each found where it is and not where it is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from tests.unit.analysis.tables import result_of
from worker.engines.analysis.findings.time import from_trend
from worker.engines.analysis.numerics.change import level_changes, slope_change
from worker.engines.analysis.numerics.mann_kendall import score_test, variance_factor
from worker.engines.analysis.numerics.series import grid_of, season_test, spectral_peak

Vector = npt.NDArray[np.float64]


def noise(n: int, phi: float, rng: np.random.Generator) -> Vector:
    values = rng.standard_normal(n + 50)
    for i in range(1, n + 50):
        values[i] += phi * values[i - 1]
    return values[50:]


def test_autocorrelation_is_allowed_for() -> None:
    rng = np.random.default_rng(1)
    n, runs = 60, 150
    i, j = np.triu_indices(n, 1)
    plain = corrected = 0
    for _ in range(runs):
        y = noise(n, 0.5, rng)
        s, slope = float(np.sign(y[j] - y[i]).sum()), float(np.median((y[j] - y[i]) / (j - i)))
        variance = n * (n - 1) * (2 * n + 5) / 18
        plain += score_test(s, variance)[1] < 0.05
        corrected += score_test(s, variance * variance_factor(y - slope * np.arange(n)))[1] < 0.05
    # Nominal is 7.5 of 150; beyond 17 lies less than one run of this test in a thousand.
    assert corrected <= 17 < plain


def test_without_autocorrelation_nothing_is_corrected() -> None:
    assert variance_factor(np.array([1.0, -1.0] * 20)) == 1.0
    assert variance_factor(np.arange(5.0)) == 1.0


@pytest.mark.parametrize(
    ("times", "unit", "filled"),
    [
        (np.array([0, 31, 59, 90, 120, 151, 181, 212, 243.0]), "month", 0),
        (np.array([0, 1, 2, 4, 5, 6, 7, 8, 9, 10.0]), "day", 1),
        (np.array([0, 7, 14, 21, 28, 35, 42, 49.0]), "week", 0),
    ],
)
def test_grids_know_the_calendar(times: Vector, unit: str, filled: int) -> None:
    grid = grid_of(times, times, dated=True)
    assert grid is not None
    assert (grid.unit, grid.filled) == (unit, filled)


def test_irregular_times_have_no_grid() -> None:
    assert grid_of(np.array([0, 1, 2.5, 4, 5, 7.2, 8, 9]), np.zeros(8), dated=False) is None
    assert grid_of(np.array([0, 1, 2, 3, 20, 21, 40, 41.0]), np.zeros(8), dated=True) is None


def test_a_season_is_found_under_autocorrelation() -> None:
    y = noise(120, 0.4, np.random.default_rng(2)) + 1.5 * np.sin(np.arange(120) * np.pi / 6)
    found, peak = season_test(y, 12), spectral_peak(y)
    assert found is not None
    assert peak is not None
    assert found.p < 1e-4
    assert round(peak.length) == 12
    other = season_test(y, 7)
    assert other is not None
    assert other.p > 0.01


def test_a_step_is_found_where_it_is() -> None:
    y = noise(90, 0.3, np.random.default_rng(3)) + np.where(np.arange(90) < 50, 0.0, 4.0)
    (change,) = level_changes(y, seed=0)
    assert change.low <= 50 <= change.high
    assert change.after - change.before == pytest.approx(4.0, abs=1.2)
    assert level_changes(y, seed=0) == [change]


def test_a_bend_is_found_where_it_is() -> None:
    t = np.arange(80.0)
    change = slope_change(t, noise(80, 0.2, np.random.default_rng(4)) + 0.4 * np.maximum(0, t - 40), seed=0)
    assert change is not None
    assert change.low <= 40 <= change.high
    assert change.p < 0.01
    assert change.after - change.before == pytest.approx(0.4, abs=0.1)


def test_noise_has_no_change() -> None:
    rng = np.random.default_rng(5)
    assert sum(bool(level_changes(noise(40, 0.4, rng), seed=i)) for i in range(25)) <= 6


def months(n: int) -> list[str]:
    return [f"{2000 + i // 12}-{i % 12 + 1:02d}-01" for i in range(n)]


def monthly(values: Vector) -> dict[str, Any]:
    columns = {"month": months(len(values)), "y": values.round(4)}
    return result_of("trend", columns, response="y", time="month")


def test_a_series_with_a_season_is_read_within_its_seasons() -> None:
    i = np.arange(120)
    result = monthly(0.01 * i + 2 * np.sin(i * np.pi / 6) + 0.5 * np.random.default_rng(6).standard_normal(120))
    season = result["seasonality"]["found"]
    assert (season["period"], season["unit"], season["highest"], season["lowest"]) == (12, "month", 4, 10)
    assert result["preferred"] == "seasonal_mann_kendall"
    within = season["seasonal_mann_kendall"]
    assert within["p"] < result["corrected"]["p"]
    # The interval goes with the test: narrower than the plain one, which takes the season for scatter.
    assert within["ci_low"] < within["slope"] < within["ci_high"]
    assert within["ci_high"] - within["ci_low"] < result["ci_high"] - result["ci_low"]
    told = next(from_trend(result, 120)).numbers
    assert [told[key] for key in ("slope", "ci_low", "ci_high")] == [
        within[key] for key in ("slope", "ci_low", "ci_high")
    ]
    assert result["change_points"] == []
    texts = [draft.text for draft in from_trend(result, 120)]
    assert "seasonal Mann–Kendall p < 0.001" in texts[0]
    assert texts[1].startswith("y repeats every 12 months over month")


def test_a_step_is_told_as_a_step_with_its_date() -> None:
    i = np.arange(100)
    result = monthly(np.where(i < 60, 5.0, 8.0) + np.random.default_rng(7).standard_normal(100))
    (told,) = result["change_points"]
    assert (told["kind"], told["at"]) == ("level", "2005-01-01")
    assert "changes at month 2005-01-01" in [draft.text for draft in from_trend(result, 100)][-1]


def test_a_steady_rise_is_told_as_no_step() -> None:
    result = monthly(0.1 * np.arange(100) + np.random.default_rng(8).standard_normal(100))
    assert (result["changes"]["best"], result["change_points"]) == ("line", [])


def test_a_period_can_be_asked_for() -> None:
    i = np.arange(60)
    y = np.where(i % 5 == 0, 3.0, 0.0) + np.random.default_rng(9).standard_normal(60)
    result = result_of("trend", {"y": y.round(3)}, response="y", period=5)
    assert [item["period"] for item in result["seasonality"]["looked_for"]] == [5]
    assert result["seasonality"]["found"]["highest"] == 1
