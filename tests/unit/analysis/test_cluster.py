"""Clusters: known structure is found, none is invented, and the numbers agree with others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.unit.analysis.tables import result_of
from worker.engines.analysis.errors import AnalysisError, NotPossible
from worker.engines.analysis.findings.multivariate import from_cluster
from worker.engines.analysis.numerics import cluster
from worker.engines.analysis.tasks import cluster as task


def blobs(sizes: tuple[int, ...], columns: int = 2, apart: float = 7.0) -> dict[str, Any]:
    rng = np.random.Generator(np.random.PCG64(4))
    points = rng.normal(size=(sum(sizes), columns))
    labels = np.repeat(np.arange(len(sizes)), sizes)
    points[np.arange(len(labels)), labels % columns] += apart * (1 + labels // columns)
    names = {f"x{j}": points[:, j].round(3).tolist() for j in range(columns)}
    return {**names, "kind": [f"kind {label}" for label in labels]}


@pytest.fixture(scope="module")
def three() -> dict[str, Any]:
    return result_of("cluster", blobs((30, 20, 10), 3))


def test_clusters_that_are_there_are_found(three: dict[str, Any]) -> None:
    assert three["k"] == 3
    assert [entry["size"] for entry in three["clusters"]] == [30, 20, 10]
    assert three["labels"] == [1] * 30 + [2] * 20 + [3] * 10
    assert three["categories"] == [{"column": "kind", "levels": 3, "n": 60, "adjusted_rand": 1.0}]
    assert all(entry["stability"] > 0.95 for entry in three["clusters"])
    assert three["clusters"][0]["apart"][0]["column"] == "x0"
    assert three["clusters"][0]["apart"][0]["difference_in_sd"] > 1
    assert [point["k"] for point in three["curve"]] == list(range(1, 11))
    first = next(from_cluster(three, 60))
    assert "3 clusters of 30, 20 and 10 rows" in first.text
    assert "largely follow kind" in first.text


def test_the_same_seed_gives_the_same_result(three: dict[str, Any]) -> None:
    assert result_of("cluster", blobs((30, 20, 10), 3)) == three


@pytest.mark.parametrize("method", ["kmeans", "hierarchical"])
def test_data_without_structure_have_no_clusters(method: str) -> None:
    rng = np.random.Generator(np.random.PCG64(8))
    data = {name: rng.normal(size=60).round(3).tolist() for name in "abc"}
    result = result_of("cluster", data, method=method)
    assert result["k"] == 1
    assert result["labels"] == [1] * 60
    [finding] = from_cluster(result, 60)
    assert finding.text.startswith("The rows do not show clusters in a, b and c")


def test_silhouettes_by_hand() -> None:
    # Two pairs on a line: the mean distance within is 1, to the other pair 9 and 10 (or 10 and 11).
    points = np.array([[0.0], [1.0], [10.0], [11.0]])
    labels = np.array([0, 0, 1, 1])
    scores = cluster.silhouettes(cluster.distance_matrix(points), labels)
    assert scores.tolist() == pytest.approx([1 - 1 / 10.5, 1 - 1 / 9.5, 1 - 1 / 9.5, 1 - 1 / 10.5])
    assert cluster.within(points, labels) == 1.0


def test_adjusted_rand_by_hand() -> None:
    # Of 15 pairs 3 and 6 are together, 2 in both: (2 - 18/15) / (4.5 - 18/15).
    a, b = np.array([0, 0, 1, 1, 2, 2]), np.array([0, 0, 0, 1, 1, 1])
    assert cluster.adjusted_rand(a, b) == pytest.approx((2 - 1.2) / (4.5 - 1.2))
    assert cluster.adjusted_rand(a, np.array([2, 2, 0, 0, 1, 1])) == 1.0


def test_kmeans_is_as_good_as_any_partition_of_a_small_set() -> None:
    rng = np.random.Generator(np.random.PCG64(1))
    points = rng.normal(size=(9, 2))
    found = cluster.within(points, cluster.kmeans(points, 2, rng, 20))
    every = [np.array([code >> i & 1 for i in range(9)]) for code in range(1, 256)]
    assert found == pytest.approx(min(cluster.within(points, labels) for labels in every))


def test_an_asked_number_that_chance_would_give_too_is_doubted() -> None:
    rng = np.random.Generator(np.random.PCG64(8))
    data = {name: rng.normal(size=50).round(3).tolist() for name in "ab"}
    result = result_of("cluster", data, k=4)
    assert (result["k"], result["k_chosen_by"], len(result["clusters"])) == (4, "asked", 4)
    assert any("do not stand out" in warning for warning in result["warnings"])


def test_large_data_are_sampled_and_every_row_gets_a_label(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.Generator(np.random.PCG64(2))
    monkeypatch.setattr(task, "MAX_ROWS", 60)
    x = np.concatenate([rng.normal(size=80), 20 + rng.normal(size=40)]).round(3)
    result = result_of("cluster", {"x": x.tolist()}, k=2)
    assert [entry["size"] for entry in result["clusters"]] == [80, 40]
    assert result["rows_partitioned"] == 60
    assert any("drawn at random" in warning for warning in result["warnings"])


def test_faults_are_named() -> None:
    data = blobs((6, 6))
    with pytest.raises(AnalysisError, match=r"task\.k: must be a whole number from 1 to 20"):
        result_of("cluster", data, k=2.5)
    with pytest.raises(AnalysisError, match=r"task\.columns\[0\]: .*'kind' is category"):
        result_of("cluster", data, columns=["kind"])
    with pytest.raises(NotPossible, match="at least 10 complete rows; there are 3"):
        result_of("cluster", {"x": [1.5, 2.5, 4.5], "y": [1.5, 2.25, 3.5]}, columns=["x", "y"])


def test_the_labels_shown_leave_no_cluster_out_of_a_table_that_repeats_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task, "MOST_LABELS", 60)
    rng = np.random.Generator(np.random.PCG64(2))
    x = (20 * (np.arange(90) % 3) + rng.normal(size=90)).round(3)
    result = result_of("cluster", {"x": x.tolist()}, k=3)
    assert len(result["labels"]) == 60
    assert set(result["labels"]) == {1, 2, 3}
