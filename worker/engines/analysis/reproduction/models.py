"""Models in plain numpy and scipy: least squares, generalised linear models, curves, principal components."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from worker.engines.analysis.expressions.formula import parse_formula
from worker.engines.analysis.expressions.syntax import ExpressionError, names_in, parse_expression
from worker.engines.analysis.reproduction.code import check, check_p, design_source, expression, literal

Result = dict[str, Any]
Types = Mapping[str, str]

_FAMILIES = ("binomial", "poisson")
_EPSILON = 1e-14


def regression(result: Result, types: Types) -> list[str] | None:
    """None where the model has no plain equivalent."""
    try:
        formula = parse_formula(result["formula"], list(types))
    except ExpressionError:
        return None
    kept = [term for term in result["terms"] if term["estimate"] is not None]
    source = design_source(formula, types, [term["name"] for term in kept])
    family = result.get("family", "gaussian")
    if source is None or (family != "gaussian" and family not in _FAMILIES) or result.get("offset"):
        return None
    if family != "gaussian" and result.get("method") not in (None, "maximum_likelihood"):
        return None
    condition = result.get("condition_number") or 1.0
    # What doubles can hold of an estimate falls with the condition number.
    tolerance = max(1e-6, float(f"{_EPSILON * condition**1.5:.0e}"))
    lines = [
        f"d = data[{literal(formula.columns)}].dropna()",
        "columns = [",
        *(f"    {source[term['name']]},  # {_comment(term['name'])}" for term in kept),
        "]",
        f"y = np.asarray({_response(formula, result, types)}, dtype=np.float64)",
        "fine = np.isfinite(y) & np.isfinite(np.column_stack(columns)).all(axis=1)",
        "columns, y = [np.asarray(c)[fine] for c in columns], y[fine]",
        check("n", "len(y)", result["n"]),
    ]
    stated = tolerance if tolerance > 1e-6 else None
    if family == "gaussian":
        lines.append("estimates, errors, rss = least_squares(columns, y)")
    else:
        lines.append(f"estimates, errors, likelihood = glm(columns, y, {literal(family)})")
    perfect = family == "gaussian" and not result.get("residual_sd")
    for i, term in enumerate(kept):
        # An estimate that is zero but for rounding is as good as its standard error allows.
        near = f"1e-6 * errors[{i}]"
        lines.append(
            check(f"{term['name']}: estimate", f"estimates[{i}]", term["estimate"], scale=near, tolerance=stated)
        )
        if term["std_error"] is not None and not perfect and result.get("dispersion") is None:
            lines.append(check(f"{term['name']}: standard error", f"errors[{i}]", term["std_error"], tolerance=stated))
    if family != "gaussian":
        if result.get("log_likelihood") is not None:
            lines.append(check("log-likelihood", "likelihood", result["log_likelihood"]))
        return lines
    if perfect:
        return [*lines, "left_out('the scatter', 'the fit is perfect; what is left is rounding')"]
    df = result["df_residual"]
    if df > 0:
        lines.append(
            check("residual standard deviation", f"math.sqrt(rss / {df})", result["residual_sd"], tolerance=stated)
        )
    if result.get("r_squared") is not None and any(term["name"] == "Intercept" for term in kept):
        lines += [
            "total = math.fsum(((y - math.fsum(y) / len(y)) ** 2).tolist())",
            check("R squared", "1 - rss / total", result["r_squared"], scale="1e-6", tolerance=stated),
        ]
        if result.get("f") is not None:
            lines += [
                f"f = (total - rss) / {result['df_model']} / (rss / {df})",
                check("F", "f", result["f"], scale="1e-6", tolerance=stated),
                check_p("p", f"stats.f.sf(f, {result['df_model']}, {df})", result["p"], tolerance=stated),
            ]
    return lines


def _response(formula: Any, result: Result, types: Types) -> str:
    named = {name: f"d[{literal(name)}]" for name in types}
    event = result.get("event")
    if event is not None:
        event = float(event) if types.get(result["response"]) in ("number", "integer") else event
        return f"{expression(formula.response.node, named)} == {literal(event)}"
    return expression(formula.response.node, named)


def _comment(text: str) -> str:
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def curve_fit(result: Result, types: Types) -> list[str] | None:
    """By scipy's least_squares from the platform's starting values, and from its estimates if that ends elsewhere."""
    model, response = parse_expression(result["formula"]), parse_expression(result["response"])
    parameters = [parameter["name"] for parameter in result["parameters"]]
    columns = [name for name in names_in(model) if name not in parameters and name in types]
    used = list(dict.fromkeys([*names_in(response), *columns]))
    named = {"pi": "np.pi", **{name: f"d[{literal(name)}].to_numpy()" for name in used}}
    named |= {name: f"b[{i}]" for i, name in enumerate(parameters)}
    if not result["converged"] or not set(names_in(model)) <= set(named):
        return None
    df = result["df_residual"]
    lines = [
        f"d = data[{literal(used)}].dropna()",
        f"d = d[np.isfinite({expression(response, named)})]",
        f"y = {expression(response, named)}",
        f"model = lambda b: np.broadcast_to({expression(model, named)}, y.shape)",
        f"start = {literal(list(result['start']['values'].values()))}",
        f"there = {literal([parameter['estimate'] for parameter in result['parameters']])}",
        "best = fit_curve(model, y, (start, there))",
        "rss = math.fsum(((model(best.x) - y) ** 2).tolist())",
        check("n", "len(y)", result["n"]),
    ]
    condition = result.get("condition_number") or 1.0
    tolerance = max(1e-5, float(f"{1e-10 * condition:.0e}"))
    size = "1e-9 * math.fsum((y ** 2).tolist())"
    lines.append(check("residual sum of squares", "rss", result["residual_ss"], tolerance=1e-5, scale=size))
    lines += [
        check(f"{parameter['name']}: estimate", f"best.x[{i}]", parameter["estimate"], tolerance=tolerance)
        for i, parameter in enumerate(result["parameters"])
    ]
    if df > 0 and result["residual_sd"] and all(p["std_error"] is not None for p in result["parameters"]):
        lines += [
            "lengths = np.linalg.norm(best.jac, axis=0)",
            "inverse = np.linalg.pinv(best.jac / lengths, rcond=1e-15)",
            f"errors = np.sqrt(np.sum(inverse ** 2, axis=1) * rss / {df}) / lengths",
            *(
                check(f"{p['name']}: standard error", f"errors[{i}]", p["std_error"], tolerance=max(1e-3, tolerance))
                for i, p in enumerate(result["parameters"])
            ),
        ]
    return lines


def pca(result: Result, _: Types) -> list[str] | None:
    """Variances and shares of the components, by singular values of the standardised columns."""
    names = [column["name"] for column in result["columns"]]
    if not result.get("standardised", True):
        return None
    lines = [
        f"d = data[{literal(names)}].dropna().to_numpy()",
        "z = (d - d.mean(axis=0)) / d.std(axis=0, ddof=1)",
        "_, singular, axes = np.linalg.svd(z, full_matrices=False)",
        "variances = singular**2 / (len(d) - 1)",
        check("n", "len(d)", result["n"]),
    ]
    for i, component in enumerate(result["components"]):
        label = f"component {component['component']}"
        lines.append(check(f"{label}: variance", f"variances[{i}]", component["variance"], scale="1e-6"))
        share = f"variances[{i}] / variances.sum()"
        lines.append(check(f"{label}: share", share, component["share"], scale="1e-6"))
        weights = list((component.get("weights") or {}).values())
        if len(weights) == len(names):
            # A component's sign is free.
            alike = f"abs(float(axes[{i}] @ np.array({literal(weights)})))"
            lines.append(check(f"{label}: agreement of the weights", alike, 1.0, tolerance=1e-4))
    return lines
