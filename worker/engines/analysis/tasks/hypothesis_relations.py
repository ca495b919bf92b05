"""Hypotheses on what goes together: correlation, association, trend, an effect with others held fixed."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from worker.engines.analysis.choosing import is_zero_one
from worker.engines.analysis.errors import NotPossible
from worker.engines.analysis.expressions.formula import parse_formula
from worker.engines.analysis.numerics import detectable
from worker.engines.analysis.numerics.distributions import t_quantile, t_two_sided
from worker.engines.analysis.table import Table
from worker.engines.analysis.tasks import contingency, correlation, regression, trend
from worker.engines.analysis.tasks.task import Result, Task
from worker.engines.analysis.tasks.tested import Tested, directed, effect_of

Vector = npt.NDArray[np.float64]

_UNEVEN = 0.05
_MOST_COVARIATES = 20


def correlation_test(table: Table, task: Task) -> Tested:
    """By Spearman's ρ, which needs neither normality nor a straight line."""
    x, y = task.column("x", table, numeric=True), task.column("y", table, numeric=True)
    if x.name == y.name:
        raise task.fault("y", "must be another column than x")
    pair = correlation.spearman(x, y)
    found, n = pair["spearman"], pair["n"]
    if found["r"] is None:
        raise NotPossible(f"{x.name} and {y.name}: {'; '.join(pair['warnings'])}.")
    direction = task.arguments.get("direction")
    return Tested(
        "spearman",
        n,
        effect_of("Spearman ρ", found, "r"),
        directed(found["p"], found["r"], direction),
        abs(found["r"]),
        warnings=pair["warnings"],
        smallest=lambda level: detectable.correlation(n, level, one_sided=direction is not None),
    )


def association_test(table: Table, task: Task) -> Tested:
    result = contingency.run(table, task)
    chosen = result["preferred"]
    exact = result.get(f"{chosen}_p")
    smaller = min(len(result["row_levels"]), len(result["column_levels"])) - 1
    return Tested(
        chosen,
        result["n"],
        effect_of("Cramér's V", result, "cramers_v", "cramers_v_ci_low", "cramers_v_ci_high"),
        result["p"] if exact is None else exact,
        result["cramers_v"],
        {"least_expected": result["least_expected"]},
        result["warnings"],
        lambda level: detectable.cramers_v(result["df"], result["n"], smaller, level),
    )


def trend_test(table: Table, task: Task) -> Tested:
    """By Mann–Kendall, with the variance of Hamed and Rao where neighbours are alike, or season by season, whichever
    `trend` prefers."""
    arguments = {key: task.arguments[key] for key in ("response", "time")}
    result = trend.run(table, Task("trend", arguments, task.path, task.seed))
    direction = task.arguments.get("direction")
    test = result["preferred"]
    chosen = result
    if test == "hamed_rao":
        chosen = {**result, **{key: result["corrected"][key] for key in ("p", "ci_low", "ci_high")}}
    elif test == "seasonal_mann_kendall":
        chosen = {**result, **result["seasonality"]["found"][test]}
    low, high = chosen["ci_low"], chosen["ci_high"]
    return Tested(
        test,
        result["n"],
        effect_of(f"slope per {result['time_unit']}", chosen, "slope"),
        directed(chosen["p"], chosen["slope"] or chosen["s"], direction),
        abs(result["tau"] or 0.0),
        {"residual_autocorrelation_lag1": result["residual_autocorrelation_lag1"]},
        result["warnings"],
        lambda level: detectable.from_interval(low, high, level, one_sided=direction is not None),
    )


def regression_test(table: Table, task: Task) -> Tested:
    """The predictor's coefficient in the linear model with the covariates, by Student's t; of a response of 0 and 1 its
    log odds ratio in the logistic model, by profile likelihood or Wald's test (`run_generalised`).

    Where the scatter is uneven (Breusch–Pagan p < 0.05) standard errors are HC3 (MacKinnon and White 1985), which hold
    nevertheless. A category as predictor needs two levels, so that there is one coefficient.
    """
    response = task.column("response", table, numeric=True)
    predictor = task.column("predictor", table)
    covariates = [column for column in task.columns("covariates", table) or [] if column.name != predictor.name]
    if predictor.name == response.name or any(column.name == response.name for column in covariates):
        raise task.fault("response", "must be another column than the predictor and the covariates")
    if len(covariates) > _MOST_COVARIATES:
        raise task.fault("covariates", f"at most {_MOST_COVARIATES} columns")
    if not predictor.numeric and predictor.distinct != 2:
        raise NotPossible(
            f"{predictor.name} has {predictor.distinct} levels, so it has no single effect; ask for a difference of "
            "its levels instead."
        )
    text = f"{_quoted(response.name)} ~ {' + '.join(_quoted(c.name) for c in [predictor, *covariates])}"
    logistic = is_zero_one(response)
    family = "binomial" if logistic else "gaussian"
    fitted = regression.run(table, Task("regression", {"formula": text, "family": family}, task.path, task.seed))
    names = [term["name"] for term in fitted["terms"]]
    place = next(i for i, name in enumerate(names) if name != "Intercept")
    term = fitted["terms"][place]
    if term["p"] is None:
        raise NotPossible(f"{predictor.name}: {'; '.join(fitted['warnings']) or 'its effect cannot be told'}.")
    uneven = None if logistic else (fitted.get("diagnostics") or {}).get("breusch_pagan_p")
    checks: Result = {"breusch_pagan_p": uneven, "condition_number": fitted["condition_number"]}
    measure = "log odds ratio" if logistic else "coefficient"
    effect = effect_of(f"{measure} of {names[place]}", term, "estimate")
    p, test = float(term["p"]), "logistic_regression" if logistic else "t_test"
    if uneven is not None and uneven < _UNEVEN:
        design = regression.design_for(parse_formula(text, table.names()), table)
        error = _hc3(np.asarray(design.matrix), np.asarray(design.response), place)
        if error is not None and error > 0:
            half = t_quantile(0.975, fitted["df_residual"]) * error
            effect |= {"ci_low": effect["value"] - half, "ci_high": effect["value"] + half}
            p, test = t_two_sided(effect["value"] / error, fitted["df_residual"]), "t_test_hc3"
    direction = task.arguments.get("direction")
    t = abs(effect["value"]) / max((effect["ci_high"] - effect["value"]), 1e-300) * 2
    low, high = effect["ci_low"], effect["ci_high"]
    return Tested(
        test,
        fitted["n"],
        effect,
        directed(p, effect["value"], direction),
        t / math.sqrt(t * t + fitted["df_residual"]),
        checks,
        [warning for warning in fitted["warnings"] if test != "t_test_hc3" or "uneven" not in warning],
        lambda level: detectable.from_interval(low, high, level, one_sided=direction is not None),
    )


def _quoted(name: str) -> str:
    return f"`{name}`"


def _hc3(matrix: Vector, response: Vector, place: int) -> float | None:
    """The HC3 standard error of one coefficient; None without full rank, or where a row has all the weight."""
    q, r = np.linalg.qr(matrix)
    diagonal = np.abs(np.diag(r))
    if diagonal.min() <= 1e-12 * diagonal.max():
        return None
    leverage = (q * q).sum(axis=1)
    if leverage.max() > 1 - 1e-10:
        return None
    weighted = (response - q @ (q.T @ response)) / (1 - leverage)
    # The row of (X'X)⁻¹X' that makes the coefficient.
    maker = np.linalg.solve(r, q.T)[place]
    return math.sqrt(math.fsum(((maker * weighted) ** 2).tolist()))
