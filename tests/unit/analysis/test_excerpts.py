"""Tables that hold the foremost of more say so."""

from __future__ import annotations

from itertools import combinations

import pytest

from worker.engines.analysis.tables import table_of


@pytest.mark.parametrize(
    ("columns", "rows", "title"),
    [(9, 36, "Correlations"), (12, 40, "Correlations: the 40 strongest of 66 pairs")],
)
def test_a_table_of_correlations_says_of_how_many_pairs_it_is(columns: int, rows: int, title: str) -> None:
    found = {"r": 0.5, "ci_low": 0.1, "ci_high": 0.8, "p": 0.01, "p_adjusted": 0.02}
    pairs = [
        {"x": f"v{a}", "y": f"v{b}", "n": 30, "pearson": found, "spearman": found, "kendall": found}
        for a, b in combinations(range(columns), 2)
    ]
    table = table_of("correlation", {"pairs": pairs})
    assert table is not None
    assert (table["title"], len(table["rows"])) == (title, rows)


def test_a_table_of_outliers_says_of_how_many_values_it_is() -> None:
    far = [{"row": row, "value": 9.0, "tukey": None, "robust_z": 5.0, "esd": True} for row in range(50)]
    table = table_of("outliers", {"columns": [{"name": "v", "rows": far}]})
    assert table is not None
    assert (table["title"], len(table["rows"])) == ("Values far from the others: the first 40 of 50", 40)


def test_a_table_of_counts_says_of_how_many_levels_it_is() -> None:
    many = [str(level) for level in range(25)]
    result = {"row": "site", "column": "kind", "row_levels": many, "column_levels": ["a"], "counts": [[1]] * 25}
    table = table_of("contingency", result)
    assert table is not None
    assert (table["title"], len(table["rows"])) == ("Counts of kind within site: 20 of 25 levels of site", 20)
    whole = table_of("contingency", {**result, "row_levels": many[:3]})
    assert whole is not None
    assert whole["title"] == "Counts of kind within site"


@pytest.mark.parametrize(("count", "title"), [(2, "the principal components"), (9, "the first 6 of 9 components")])
def test_a_table_of_loadings_says_of_how_many_components_it_is(count: int, title: str) -> None:
    one = {"loadings": {"v": 0.5}, "share": 0.1, "share_by_chance": 0.1}
    table = table_of("pca", {"components": [{"component": i, **one} for i in range(count)], "columns": [{"name": "v"}]})
    assert table is not None
    assert table["title"] == f"Loadings of {title}"
