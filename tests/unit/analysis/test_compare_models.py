"""Comparing models: the right one wins, ties are told as ties, and nothing is claimed where there is nothing."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from tests.unit.analysis.tables import result_of
from worker.engines.analysis.errors import AnalysisError, NotPossible
from worker.engines.analysis.findings.multivariate import from_compare_models
from worker.engines.analysis.numerics import crossval


def curved(n: int = 60) -> dict[str, Any]:
    rng = np.random.Generator(np.random.PCG64(2))
    x = rng.uniform(-2, 2, n)
    y = 1 + x**2 + 0.3 * rng.normal(size=n)
    return {"x": x.round(3).tolist(), "z": rng.normal(size=n).round(3).tolist(), "y": y.round(3).tolist()}


def by_name(result: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {model["name"]: model for model in result["models"]}


def test_the_curve_is_clearly_best() -> None:
    result = result_of("compare_models", curved(), response="y")
    models = by_name(result)
    assert (result["family"], result["best"]) == ("gaussian", "quadratic")
    assert models["linear"]["clearly_worse_than_best"]
    assert models["quadratic"]["r_squared_out"] > 0.85
    assert models["mean only"]["gain_over_mean"] is None
    assert [m["error"] for m in result["models"]] == sorted(m["error"] for m in result["models"])
    assert "It is clearly better than each of the others." in result["verdict"]
    [finding] = from_compare_models(result, 60)
    assert finding.numbers["best"] == "quadratic"
    assert result_of("compare_models", curved(), response="y") == result


def test_errors_and_criteria_against_statsmodels() -> None:
    import pandas as pd
    import statsmodels.formula.api as smf

    data = curved()
    result = result_of("compare_models", data, response="y", formulas=["y ~ x + z", "log(y) ~ x"])
    ordinary = smf.ols("y ~ x + z", pd.DataFrame(data)).fit()
    logs = smf.ols("np.log(y) ~ x", pd.DataFrame(data)).fit()
    models = by_name(result)
    # The scatter is a parameter too; the likelihood of log(y) is taken back to y by the sum of the logarithms.
    assert models["y ~ x + z"]["aic"] == pytest.approx(ordinary.aic + 2)
    assert models["y ~ x + z"]["bic"] == pytest.approx(ordinary.bic + math.log(60))
    assert models["log(y) ~ x"]["log_likelihood"] == pytest.approx(logs.llf - float(np.log(data["y"]).sum()))


def test_every_row_is_held_out_once_in_each_repetition() -> None:
    held = crossval.folds_of(23, 5, 2, np.random.Generator(np.random.PCG64(1)))
    assert [len(part) for part in held] == [5, 5, 5, 4, 4] * 2
    for repeat in (held[:5], held[5:]):
        assert sorted(np.concatenate(repeat).tolist()) == list(range(23))


def test_the_corrected_interval_by_hand() -> None:
    # Mean 2, variance 1, three rounds of three folds: 1 * (1/3 + 1/2), and t(2) has 4.302653 at 97.5 %.
    found = crossval.corrected_mean(np.array([1.0, 2.0, 3.0]), 3)
    assert found.value == 2.0
    assert found.std_error == pytest.approx(math.sqrt(5 / 6))
    assert found.high == pytest.approx(2 + 4.302652729911275 * math.sqrt(5 / 6))


def test_nothing_is_claimed_of_noise() -> None:
    rng = np.random.Generator(np.random.PCG64(6))
    result = result_of("compare_models", {name: rng.normal(size=40).round(3).tolist() for name in "yab"}, response="y")
    assert not any(model["clearly_better_than_mean"] for model in result["models"])
    assert result["verdict"].startswith("No model predicts") or "not clearly better" in result["verdict"]


def test_a_robust_fit_does_not_follow_far_values() -> None:
    rng = np.random.Generator(np.random.PCG64(3))
    x = np.arange(40.0)
    y = 2 * x + rng.normal(size=40)
    y[35:] += 100
    matrix = np.column_stack([np.ones(40), x])
    at = np.array([[1.0, 0.0], [1.0, 10.0]])
    robust, ordinary = crossval.fit_huber(matrix, y).predict(at), crossval.fit_gaussian(matrix, y).predict(at)
    assert (robust[1] - robust[0]) / 10 == pytest.approx(2, abs=0.3)
    assert (ordinary[1] - ordinary[0]) / 10 > 2.8


@pytest.mark.parametrize("kind", ["levels", "zeros and ones"])
def test_two_outcomes_are_compared_by_log_loss(kind: str) -> None:
    rng = np.random.Generator(np.random.PCG64(4))
    x = rng.normal(size=150)
    hit = rng.random(150) < 1 / (1 + np.exp(-2 * x))
    y = ["won" if h else "lost" for h in hit] if kind == "levels" else [int(h) for h in hit]
    result = result_of("compare_models", {"x": x.round(3).tolist(), "y": y}, response="y")
    assert (result["family"], result["loss"]) == ("binomial", "mean log loss")
    assert result["event"] == ("won" if kind == "levels" else None)
    share = hit.mean()
    entropy = -share * math.log(share) - (1 - share) * math.log(1 - share)
    assert by_name(result)["mean only"]["error"] == pytest.approx(entropy, rel=0.05)
    assert by_name(result)["linear"]["clearly_better_than_mean"]


def test_counts_are_compared_by_deviance() -> None:
    rng = np.random.Generator(np.random.PCG64(4))
    x = rng.normal(size=80)
    data = {"x": x.round(3).tolist(), "y": rng.poisson(np.exp(0.5 + x)).tolist()}
    result = result_of("compare_models", data, response="y", folds=5)
    assert (result["family"], result["best"] != "mean only") == ("poisson", True)
    assert by_name(result)["linear"]["clearly_better_than_mean"]


def test_a_line_without_scatter_is_not_beaten_by_rounding() -> None:
    x = [i / 8 for i in range(40)]
    result = result_of("compare_models", {"x": x, "y": [3 * v - 1 for v in x]}, response="y", features=["x"])
    assert result["best"] == "linear"


def test_faults_are_named() -> None:
    data = curved(24)
    with pytest.raises(AnalysisError, match=r"task\.formulas\[1\]: no column 'q'"):
        result_of("compare_models", data, response="y", formulas=["y ~ x", "y ~ q"])
    with pytest.raises(AnalysisError, match=r"task\.formulas\[0\]: the response of every formula must be y"):
        result_of("compare_models", data, response="y", formulas=["x ~ z"])
    with pytest.raises(AnalysisError, match=r"task\.features: 'y' is the response"):
        result_of("compare_models", data, response="y", features=["y"])
    with pytest.raises(AnalysisError, match=r"task\.family: binomial needs 0 and 1"):
        result_of("compare_models", data, response="y", family="binomial")
    with pytest.raises(NotPossible, match="needs at least 40 complete rows; there are 24"):
        result_of("compare_models", data, response="y", folds=20)
