"""Tables of clusters, components, anomalies and compared models."""

from __future__ import annotations

from typing import Any

Result = dict[str, Any]
Rows = tuple[str, list[str], list[list[Any]]]

_COLUMNS = 12
_COMPONENTS = 6
_ANOMALIES = 30


def cluster(result: Result) -> Rows:
    """A row for each cluster, with its centre in the columns' own units."""
    names = result["columns"][:_COLUMNS]
    rows = [
        [c["cluster"], c["size"], c["stability"], c["silhouette"], *(c["centre"][name] for name in names)]
        for c in result["clusters"]
    ]
    title = "One group: no clusters found" if result["k"] == 1 else f"Centres of {result['k']} clusters"
    return title, ["cluster", "rows", "stability", "silhouette", *names], rows


def pca(result: Result) -> Rows:
    """Loadings of the first components, their shares of the variance beneath."""
    shown = result["components"][:_COMPONENTS]
    rows: list[list[Any]] = [
        [column["name"], *(c["loadings"][column["name"]] for c in shown)] for column in result["columns"]
    ]
    rows.append(["share of variance", *(c["share"] for c in shown)])
    rows.append(["share by chance (95 %)", *(c["share_by_chance"] for c in shown)])
    count = len(result["components"])
    which = "the principal components" if count <= _COMPONENTS else f"the first {_COMPONENTS} of {count} components"
    return f"Loadings of {which}", ["column", *(f"component {c['component']}" for c in shown)], rows


def anomalies(result: Result) -> Rows:
    """The rows farthest out, with what pushes them."""
    rows = []
    for item in result["anomalies"][:_ANOMALIES]:
        first = item["pushed_by"][0] if item["pushed_by"] else {"column": None, "value": None, "typical": None}
        numbers = [item["score"], item["p_adjusted"], item["expected_by_chance"]]
        rows.append([item["row"], first["column"], first["value"], first["typical"], item["method"], *numbers])
    headings = ["row", "column", "value", "typical", "found by", "score", "p (adjusted)", "rows expected by chance"]
    title = "Rows that stand out" if result["outstanding"] else "Rows farthest out"
    count = len(result["anomalies"])
    return title if count <= _ANOMALIES else f"{title}: the first {_ANOMALIES} of {count}", headings, rows


def compare_models(result: Result) -> Rows:
    """The models, best first."""
    rows = []
    for model in result["models"]:
        difference = model["difference_to_best"] or {"value": None, "ci_low": None, "ci_high": None}
        rows.append(
            [
                model["name"],
                model["parameters"],
                model["error"],
                model["std_error"],
                *(difference[key] for key in ("value", "ci_low", "ci_high")),
                model["r_squared_out"],
                model["aic"],
                model["bic"],
            ]
        )
    headings = ["model", "parameters", result["loss"], "std. error", "more than best", "95 % low", "95 % high"]
    saved = "R² of new rows" if result["family"] == "gaussian" else "loss saved"
    return f"Models of {result['response']}", [*headings, saved, "AIC", "BIC"], rows
