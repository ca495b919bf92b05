"""Clusters and cross-validation as far as plain numpy comes to the same: what was found is checked, not searched."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from worker.engines.analysis.expressions.formula import ModelFormula, parse_formula
from worker.engines.analysis.expressions.syntax import ExpressionError
from worker.engines.analysis.reproduction.code import check, expression, literal

Result = dict[str, Any]
Types = Mapping[str, str]

_NUMERIC = ("number", "integer")
_DRAWN = "drawn at random"
_OTHER_FITS = ("robust", "log response")


def cluster(result: Result, _: Types) -> list[str] | None:
    """k-means from the platform's centres stays where it is; Ward's clusters are those of scipy. None where rows were
    drawn."""
    names = result["columns"]
    if result["rows_partitioned"] < result["n"] or _drawn(result):
        return None
    k, clusters = result["k"], result["clusters"]
    centres = [[item["centre"][name] for name in names] for item in clusters]
    spread = "d.std(axis=0, ddof=1)" if result["standardised"] else "np.ones(d.shape[1])"
    lines = [
        f"d = data[{literal(names)}].dropna().to_numpy()",
        f"mean, spread = d.mean(axis=0), {spread}",
        "z = (d - mean) / spread",
        check("n", "len(d)", result["n"]),
    ]
    if result["method"] == "kmeans":
        lines += [
            f"centres = (np.array({literal(centres)}) - mean) / spread",
            "for _ in range(100):",
            "    labels = np.argmin(((z[:, None, :] - centres) ** 2).sum(axis=2), axis=1)",
            "    moved = np.array([z[labels == c].mean(axis=0) for c in range(len(centres))])",
            "    if np.allclose(moved, centres, rtol=0, atol=1e-12):",
            "        break",
            "    centres = moved",
        ]
    else:
        lines += [
            "from scipy.cluster.hierarchy import fcluster, linkage",
            f"labels = fcluster(linkage(z, method='ward'), {k}, criterion='maxclust')",
            f"centres = (np.array({literal(centres)}) - mean) / spread",
            "# Numbers of clusters are free: each takes the number of the centre that it lies nearest to.",
            "groups = [np.flatnonzero(labels == c) for c in np.unique(labels)]",
            "for group in groups:",
            "    labels[group] = np.argmin(((z[group].mean(axis=0) - centres) ** 2).sum(axis=1))",
        ]
    for c, item in enumerate(clusters):
        lines.append(check(f"cluster {c + 1}: rows", f"(labels == {c}).sum()", item["size"]))
        for j, name in enumerate(names):
            here = f"d[labels == {c}, {j}].mean()"
            label = f"cluster {c + 1}: centre, {name}"
            lines.append(check(label, here, item["centre"][name], scale=f"1e-3 * spread[{j}]"))
    lines += [
        f"within = sum(((z[labels == c] - z[labels == c].mean(axis=0)) ** 2).sum() for c in range({k}))",
        "total = ((z - z.mean(axis=0)) ** 2).sum()",
    ]
    within = next((point["within_ss"] for point in result["curve"] if point["k"] == k), None)
    if within is not None:
        lines.append(check("sum of squares within clusters", "within", within, scale="1e-6 * total"))
    if result["share_between"] is not None:
        lines.append(check("share between clusters", "1 - within / total", result["share_between"], scale="1e-6"))
    return [*lines, "left_out('the number of clusters and how stable they are', 'they rest on random data sets')"]


def compare_models(result: Result, types: Types) -> list[str] | None:
    """Cross-validation of the models that are plain least squares, on the very folds, which the seed gives. None where
    rows were drawn, or none is."""
    if result["family"] != "gaussian" or _drawn(result):
        return None
    try:
        formulas = [parse_formula(model["formula"], list(types)) for model in result["models"]]
    except ExpressionError:
        return None
    used = dict.fromkeys([result["response"], *result["features"], *(c for f in formulas for c in f.columns)])
    found = [
        (model, _columns(model["name"], formula, result["response"], types))
        for model, formula in zip(result["models"], formulas, strict=True)
    ]
    plain = [(model, columns) for model, columns in found if columns is not None]
    if not plain:
        return None
    lines = [
        f"d = data[{literal(list(used))}].dropna()",
        f"y = d[{literal(result['response'])}].to_numpy()",
        check("n", "len(y)", result["n"]),
        f"rng = np.random.Generator(np.random.PCG64({result['seed']}))",
        f"held = [part for _ in range({result['repeats']}) "
        f"for part in np.array_split(rng.permutation(len(y)), {result['folds']})]",
    ]
    for model, columns in plain:
        lines += [
            f"matrix = np.column_stack([{', '.join(columns)}])",
            "size = np.linalg.norm(matrix, axis=0)",
            "losses = []",
            "for out in held:",
            "    fitted = np.delete(np.arange(len(y)), out)",
            "    estimates = np.linalg.lstsq(matrix[fitted] / size, y[fitted], rcond=None)[0]",
            "    losses.append(((y[out] - matrix[out] / size @ estimates) ** 2).mean())",
            check(f"{model['name']}: mean squared error", "np.mean(losses)", model["error"], scale="1e-9 * y.var()"),
            f"error = np.std(losses, ddof=1) * math.sqrt(1 / len(losses) + 1 / {result['folds'] - 1})",
            check(f"{model['name']}: standard error", "error", model["std_error"], scale="1e-9 * y.var()"),
        ]
    left = [model["name"] for model, columns in found if columns is None]
    why = "they are no least squares of numeric columns"
    return [*lines, f"left_out({literal(', '.join(left))}, {literal(why)})"] if left else lines


def _columns(name: str, formula: ModelFormula, response: str, types: Types) -> list[str] | None:
    """Source of each column of the model's matrix; None where it is no least squares of numeric columns."""
    named = {column: f"d[{literal(column)}].to_numpy()" for column in types if types[column] in _NUMERIC}
    factors = [factor for term in formula.terms for factor in term]
    numeric = all(not factor.categorical and set(factor.columns) <= set(named) for factor in factors)
    if name in _OTHER_FITS or formula.response.label.strip("`") != response or not numeric:
        return None
    terms = [" * ".join(expression(factor.node, named) for factor in term) for term in formula.terms if term]
    return ["np.ones(len(d))", *terms] if formula.intercept else terms


def _drawn(result: Result) -> bool:
    return any(_DRAWN in warning for warning in result["warnings"])
