"""Principal components: against the correlation matrix's eigenvectors, and against chance."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.unit.analysis.tables import result_of
from worker.engines.analysis.errors import NotPossible
from worker.engines.analysis.findings.multivariate import from_pca
from worker.engines.analysis.numerics import pca


def two_factors() -> dict[str, Any]:
    rng = np.random.Generator(np.random.PCG64(6))
    factors = rng.normal(size=(150, 2))
    noise = 0.4 * rng.normal(size=(150, 5))
    values = factors[:, [0, 0, 0, 1, 1]] * np.array([1, 1, -1, 1, 1]) + noise
    return {name: values[:, j].round(4).tolist() for j, name in enumerate("abcde")}


def test_components_are_the_correlations_eigenvectors() -> None:
    data = two_factors()
    result = result_of("pca", data)
    matrix = np.corrcoef(np.array([data[name] for name in "abcde"]))
    variances, vectors = np.linalg.eigh(matrix)
    assert [c["variance"] for c in result["components"]] == pytest.approx(variances[::-1].tolist(), rel=1e-10)
    for i, component in enumerate(result["components"]):
        weights = np.array(list(component["weights"].values()))
        assert abs(float(weights @ vectors[:, -1 - i])) == pytest.approx(1, abs=1e-10)
        loadings = list(component["loadings"].values())
        assert loadings == pytest.approx((weights * np.sqrt(variances[-1 - i])).tolist(), abs=1e-9)
        assert max(loadings, key=abs) > 0
    assert result["components"][-1]["cumulative"] == pytest.approx(1)


def test_as_many_components_as_factors_exceed_chance_and_are_put_into_words() -> None:
    result = result_of("pca", two_factors())
    assert result["above_chance"] == 2
    meanings = [component["meaning"] for component in result["components"][:2]]
    assert any(meaning in ("d and e rise together", "e and d rise together") for meaning in meanings)
    assert any(meaning in ("c against a and b", "a and b against c", "b and a against c") for meaning in meanings)
    [finding] = from_pca(result, 150)
    assert finding.text.startswith("2 principal components exceed chance")


def test_uncorrelated_columns_have_no_component_above_chance() -> None:
    rng = np.random.Generator(np.random.PCG64(11))
    result = result_of("pca", {name: rng.normal(size=60).round(3).tolist() for name in "abcd"})
    assert result["above_chance"] == 0
    assert "no component exceeds chance" in result["warnings"]
    [finding] = from_pca(result, 60)
    assert "No principal component" in finding.text


def test_the_chance_level_is_the_one_of_simulated_columns() -> None:
    rng = np.random.Generator(np.random.PCG64(3))
    drawn = pca.chance_variances(30, np.ones(4), rng, 1_000, 0.95)
    largest = [np.linalg.eigvalsh(np.corrcoef(rng.normal(size=(30, 4)).T))[-1] for _ in range(1_000)]
    assert drawn[0] == pytest.approx(float(np.quantile(largest, 0.95)), rel=0.05)


def test_blocks_do_not_change_components(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.Generator(np.random.PCG64(3))
    values = rng.normal(size=(50, 4))
    values -= values.mean(axis=0)
    whole = pca.components(values)
    monkeypatch.setattr(pca, "_BLOCK", 7)
    parts = pca.components(values)
    assert parts.variances == pytest.approx(whole.variances, rel=1e-12)
    assert parts.directions == pytest.approx(whole.directions, abs=1e-12)


def test_a_column_that_follows_from_others_is_said() -> None:
    data = two_factors()
    data["f"] = [2 * value for value in data["a"]]
    result = result_of("pca", data)
    assert result["adequacy"]["kmo"] is None
    assert result["component_count"] == 6
    assert any("follow from others" in warning for warning in result["warnings"])


def test_columns_of_one_unit_are_left_in_it() -> None:
    rng = np.random.Generator(np.random.PCG64(5))
    data = {"a [m]": rng.normal(size=40).round(3).tolist(), "b [m]": (9 * rng.normal(size=40)).round(3).tolist()}
    result = result_of("pca", data, standardise=False)
    assert result["components"][0]["variance"] == pytest.approx(float(np.var(data["b [m]"], ddof=1)), rel=0.1)
    assert any("has the most weight" in warning for warning in result["warnings"])


def test_one_column_is_not_possible() -> None:
    with pytest.raises(NotPossible, match="2 numeric columns"):
        result_of("pca", {"a": [1.5, 2.5, 3.5, 9.5, 5.5], "g": list("uvuvu")})
