"""Anomalies: what was put there is found and explained, clean data have none, and chance is told honestly."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.unit.analysis.tables import result_of
from worker.engines.analysis.errors import AnalysisError, NotPossible
from worker.engines.analysis.findings.multivariate import from_anomalies
from worker.engines.analysis.numerics import robust
from worker.engines.analysis.tasks import numeric_rows
from worker.engines.analysis.tasks.anomalies import simulated_null


@pytest.fixture(scope="module")
def broken() -> dict[str, Any]:
    """One row is ordinary in each column but not in both together."""
    rng = np.random.Generator(np.random.PCG64(3))
    x = rng.normal(size=40)
    y = 0.97 * x + 0.2 * rng.normal(size=40)
    x[6], y[6] = 1.5, -1.5
    return result_of("anomalies", {"x": x.round(3).tolist(), "y": y.round(3).tolist()})


def test_a_row_against_the_relation_is_found_and_explained(broken: dict[str, Any]) -> None:
    [item] = broken["anomalies"]
    assert (item["row"], item["method"], item["found_by"]) == (7, "distance", ["distance"])
    assert item["values"] == {"x": 1.5, "y": -1.5}
    assert {part["column"] for part in item["pushed_by"]} == {"x", "y"}
    assert sum(part["share"] for part in item["pushed_by"]) == pytest.approx(1)
    [finding] = from_anomalies(broken, 40)
    assert finding.text.startswith("1 of 40 rows stands out in x and y, row 7 (together: ")
    assert "Whether they are errors, the numbers cannot say." in finding.text


def test_clean_data_have_none() -> None:
    rng = np.random.Generator(np.random.PCG64(5))
    result = result_of("anomalies", {"x": rng.normal(size=200).round(4).tolist()})
    assert (result["outstanding"], result["anomalies"]) == (0, [])
    [finding] = from_anomalies(result, 200)
    assert finding.text.startswith("No row stands out in x")


def test_a_share_lists_rows_without_claiming_that_they_stand_out() -> None:
    rng = np.random.Generator(np.random.PCG64(5))
    result = result_of("anomalies", {"x": rng.normal(size=200).round(4).tolist()}, share=0.02)
    assert len(result["anomalies"]) == 4
    assert not any(item["stands_out"] for item in result["anomalies"])


def test_a_value_that_is_far_from_its_neighbours_only() -> None:
    rng = np.random.Generator(np.random.PCG64(7))
    day = np.arange(120)
    level = 30 * np.sin(day / 20) + rng.normal(size=120)
    level[60] = 25.0
    order = rng.permutation(120)
    dates = [str(np.datetime64("2024-01-01") + int(i)) for i in order]
    result = result_of("anomalies", {"date": dates, "level": level[order].round(3).tolist()}, time="date")
    [item] = result["anomalies"]
    assert item["row"] == int(np.flatnonzero(order == 60)[0]) + 1
    assert item["method"] == "local trend"
    assert item["pushed_by"][0]["typical"] == pytest.approx(float(30 * np.sin(3)), abs=3)


def test_a_skewed_bulk_is_looked_at_in_logarithms() -> None:
    rng = np.random.Generator(np.random.PCG64(9))
    result = result_of("anomalies", {"income": np.exp(rng.normal(8, 1, 150)).round(2).tolist()})
    assert result["columns"] == [{"name": "income", "scale": "logarithmic"}]
    assert result["outstanding"] == 0


def test_false_alarms_of_values_and_neighbours_keep_their_level() -> None:
    alarms = {"values": 0, "local trend": 0}
    for seed in range(400):
        values = np.random.Generator(np.random.PCG64(seed)).normal(size=60)
        for name, series in (("values", values), ("local trend", values - robust.local_trend(values, 5))):
            found = robust.deviations(series)
            assert found is not None
            alarms[name] += float(found.p.min()) * 60 <= 0.05
    # Five in a hundred at most: 20 of 400, and 4.4 more are a standard deviation.
    assert max(alarms.values()) <= 33
    assert min(alarms.values()) >= 1


def test_many_columns_are_held_against_simulated_rows() -> None:
    assert simulated_null(500, 2, 1.0)
    assert simulated_null(1_200, 30, 1e-5)
    assert not simulated_null(1_200, 30, 1e-4)
    assert not simulated_null(2_000, 10, 1e-9)


def test_far_rows_cannot_hide_each_other() -> None:
    rng = np.random.Generator(np.random.PCG64(1))
    values = rng.normal(size=(100, 4))
    values[:20] += 6
    found = robust.distances(values, rng)
    assert float(found.squared[:20].min()) > float(found.squared[20:].max())
    assert found.parts(values).sum(axis=1) == pytest.approx(found.squared)


def test_samples_that_are_judged_together_are_judged_as_each_by_itself() -> None:
    for n, p in ((20, 2), (31, 4)):
        rng = np.random.Generator(np.random.PCG64(5))
        alone = [float(robust.distances(rng.standard_normal((n, p)), rng).p.min()) for _ in range(40)]
        together = robust.smallest_by_chance(n, p, np.random.Generator(np.random.PCG64(5)), 40)
        assert together.tolist() == sorted(alone)


@pytest.mark.parametrize("seed", range(3))
def test_starts_in_a_plane_take_more_rows(seed: int) -> None:
    """Of small counts many starts of a few rows have no covariance; rows are added until they have."""
    rng = np.random.Generator(np.random.PCG64(seed))
    values = np.column_stack([rng.normal(size=60), rng.poisson(1.0, 60), rng.poisson(1.5, 60)])
    found = robust.distances(values, np.random.Generator(np.random.PCG64(seed)))
    again = robust.distances(values[:, ::-1], np.random.Generator(np.random.PCG64(seed)))
    assert np.isfinite(found.squared).all()
    assert again.squared == pytest.approx(found.squared)


def test_distances_do_not_depend_on_units() -> None:
    values = np.random.Generator(np.random.PCG64(1)).normal(size=(60, 3))
    turned = values @ np.array([[3.0, 1.0, 0.0], [0.0, 0.01, 0.0], [500.0, 0.0, 70.0]])
    first = robust.distances(values, np.random.Generator(np.random.PCG64(2))).squared
    second = robust.distances(turned, np.random.Generator(np.random.PCG64(2))).squared
    assert np.corrcoef(first, second)[0, 1] > 0.98


def test_rows_in_a_plane_have_no_distance() -> None:
    rng = np.random.Generator(np.random.PCG64(1))
    x = rng.normal(size=40).round(3)
    result = result_of("anomalies", {"x": x.tolist(), "y": (2 * x).round(3).tolist()})
    assert [method["name"] for method in result["methods"]] == ["values"]
    assert any("one plane" in warning for warning in result["warnings"])


def test_faults_are_named() -> None:
    data = {"x": [1.5, 2.5, 3.25, 4.5, 5.5, 7.5], "g": list("uvuvuv")}
    with pytest.raises(AnalysisError, match=r"task\.share: "):
        result_of("anomalies", data, share=0.9)
    with pytest.raises(AnalysisError, match=r"task\.time: column 'g' is category"):
        result_of("anomalies", data, time="g", columns=["x"])
    with pytest.raises(NotPossible, match="at least 10 complete rows; there are 6"):
        result_of("anomalies", data, columns=["x"])


def test_too_many_cells_are_sampled_and_rows_keep_their_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numeric_rows, "MAX_CELLS", 60)
    values = np.random.Generator(np.random.PCG64(5)).normal(size=90).round(4)
    result = result_of("anomalies", {"x": values.tolist()}, share=0.1)
    assert result["n"] == 60
    assert "60 of 90 rows, drawn at random, are used" in result["warnings"]
    assert all(item["values"]["x"] == values[item["row"] - 1] for item in result["anomalies"])
