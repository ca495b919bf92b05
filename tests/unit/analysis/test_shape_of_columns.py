"""Distributions and outliers: beside scipy, by hand, and what they find in samples of a known kind."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from tests.unit.analysis.tables import result_of
from worker.engines.analysis.errors import NotPossible
from worker.engines.analysis.findings.shape import from_distribution, from_outliers
from worker.engines.analysis.numerics.candidates import CANDIDATES, aic, distance, goodness
from worker.engines.analysis.tasks.outliers import esd

SCIPY = {
    "normal": lambda p: stats.norm(p[0], p[1]),
    "lognormal": lambda p: stats.lognorm(p[1], scale=np.exp(p[0])),
    "exponential": lambda p: stats.expon(scale=p[0]),
    "gamma": lambda p: stats.gamma(p[0], scale=p[1]),
    "weibull": lambda p: stats.weibull_min(p[0], scale=p[1]),
    "poisson": lambda p: stats.poisson(p[0]),
    "negative_binomial": lambda p: stats.nbinom(p[1], p[1] / (p[0] + p[1])),
}


def sample(name: str) -> Any:
    rng = np.random.default_rng(7)
    counts = CANDIDATES[name].counts
    return rng.negative_binomial(3, 0.4, 80).astype(float) if counts else rng.gamma(2.5, 1.5, 80)


@pytest.mark.parametrize("name", list(SCIPY))
def test_densities_and_tails_are_scipys_and_no_neighbour_is_likelier(name: str) -> None:
    candidate, values = CANDIDATES[name], sample(name)
    fitted = candidate.fit(values[None, :])
    theirs = SCIPY[name](fitted[0])
    density = theirs.logpmf if candidate.counts else theirs.logpdf
    likelihood = float(density(values).sum())
    assert aic(candidate, values, fitted) == pytest.approx(2 * len(fitted[0]) - 2 * likelihood, rel=1e-9)
    assert candidate.cdf(values[None, :], fitted)[0] == pytest.approx(theirs.cdf(values), rel=1e-9)
    for place in range(len(fitted[0])):
        for factor in (0.999, 1.001):
            near = fitted.copy()
            near[0, place] *= factor
            worse = aic(candidate, values, near)
            # Without overdispersion every large size is as good as any other.
            assert worse >= aic(candidate, values, fitted) - 1e-9


def test_the_distance_is_anderson_and_darlings() -> None:
    values = sample("normal")
    candidate = CANDIDATES["normal"]
    fitted = np.array([[values.mean(), values.std(ddof=1)]])
    # scipy's statistic has the standard deviation with n - 1.
    assert distance(candidate, values[None, :], fitted)[0] == pytest.approx(
        stats.anderson(values, method="interpolate").statistic
    )


def test_a_wrong_distribution_is_told_from_the_data_and_a_right_one_is_not() -> None:
    rng = np.random.default_rng(8)
    assert goodness(CANDIDATES["exponential"], rng.normal(10, 1, 60), replicates=99, seed=1)[1] == 0.01
    assert goodness(CANDIDATES["exponential"], rng.exponential(3, 60), replicates=99, seed=1)[1] > 0.05


def test_columns_get_the_distribution_they_were_drawn_from() -> None:
    # Quantiles, so that no sample is an odd one.
    shares = (np.random.default_rng(9).permutation(150) + 0.5) / 150
    columns = {
        "level": stats.norm(1e6, 2e5).ppf(shares).round(1),
        "wealth": stats.lognorm(0.9, scale=np.exp(10)).ppf(shares).round(2),
        "visits": stats.poisson(4).ppf(shares).astype(int),
    }
    result = result_of("distribution", columns)
    assert [entry["best"] for entry in result["columns"]] == ["normal", "lognormal", "poisson"]
    wealth = result["columns"][1]
    assert wealth["candidates"][0]["parameters"]["log_mean"] == pytest.approx(
        np.log(columns["wealth"]).mean(), rel=1e-9
    )
    theirs = stats.shapiro(columns["wealth"])
    assert wealth["normality"]["statistic"] == pytest.approx(theirs.statistic, rel=1e-6)
    # The curve lies over the bars: it encloses about as many rows.
    area = np.trapezoid(wealth["density"]["y"], wealth["density"]["x"])
    width = wealth["histogram"]["edges"][1] - wealth["histogram"]["edges"][0]
    assert area / width == pytest.approx(150, rel=0.15)
    texts = [draft.text for draft in from_distribution(result, 150)]
    assert texts[0].startswith("level shows no departure from a normal distribution")
    assert texts[1].startswith("wealth is not normally distributed")
    assert "Poisson" in texts[2]


def test_the_same_seed_gives_the_same_result() -> None:
    columns = {"x": sample("gamma").round(3)}
    assert result_of("distribution", columns) == result_of("distribution", columns)


def test_a_few_values_have_no_shape() -> None:
    result = result_of("distribution", {"x": [1, 2, 3]})
    assert result["columns"][0]["normality"] is None
    with pytest.raises(NotPossible):
        result_of("distribution", {"g": ["a", "b"]})


def test_far_values_are_found_with_their_rows() -> None:
    values = np.random.default_rng(10).normal(100, 5, 60).round(2)
    values[[7, 40]] = 190, 12
    result = result_of("outliers", {"name": [f"s{i}" for i in range(60)], "x": values})
    entry = result["columns"][0]
    assert [row["row"] for row in entry["rows"][:2]] == [8, 41] or [row["row"] for row in entry["rows"][:2]] == [41, 8]
    assert all(row["esd"] and row["tukey"] == "far_out" for row in entry["rows"][:2])
    assert "no errors by themselves" in result["warnings"][0]
    assert "unusual, not wrong" in next(draft.text for draft in from_outliers(result, 60))


def test_skewed_values_are_looked_at_on_their_logarithms() -> None:
    values = np.random.default_rng(12).lognormal(0, 1, 80).round(4)
    entry = result_of("outliers", {"x": values})["columns"][0]
    assert entry["outside"] > 2
    assert (entry["esd"]["scale"], entry["esd"]["found"]) == ("logarithms", 0)


def test_rosners_own_example() -> None:
    # Rosner (1983), 54 values: three outliers, the largest deviate 3.118.
    values = [
        -0.25, 0.68, 0.94, 1.15, 1.20, 1.26, 1.26, 1.34, 1.38, 1.43, 1.49, 1.49, 1.55, 1.56, 1.58, 1.65, 1.69, 1.70,
        1.76, 1.77, 1.81, 1.91, 1.94, 1.96, 1.99, 2.06, 2.09, 2.10, 2.14, 2.15, 2.23, 2.24, 2.26, 2.35, 2.37, 2.40,
        2.47, 2.54, 2.62, 2.64, 2.90, 2.92, 2.92, 2.93, 3.21, 3.26, 3.30, 3.59, 3.68, 4.30, 4.64, 5.34, 5.42, 6.01,
    ]  # fmt: skip
    found = esd(np.array(values), 0.05, "values", most=10)
    assert sorted(found.places) == [51, 52, 53]
    assert found.largest == pytest.approx(3.118, abs=1e-3)
