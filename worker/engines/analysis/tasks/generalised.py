"""Logistic and Poisson regression: the part of `regression` for responses that are outcomes or counts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from worker.engines.analysis.errors import NotPossible
from worker.engines.analysis.expressions.coding import INTERCEPT, Design, build_design
from worker.engines.analysis.expressions.evaluate import evaluate
from worker.engines.analysis.expressions.formula import ModelFormula
from worker.engines.analysis.expressions.syntax import ExpressionError, Name, names_in, parse_expression
from worker.engines.analysis.numerics import glm_inference as inference
from worker.engines.analysis.numerics.diagnostics import variance_inflation
from worker.engines.analysis.numerics.distributions import (
    Z95,
    chi2_upper,
    f_upper,
    normal_two_sided,
    t_quantile,
    t_two_sided,
)
from worker.engines.analysis.numerics.glm import GlmFit, fit_glm
from worker.engines.analysis.numerics.orthogonal import condition_number
from worker.engines.analysis.packed import PackedNumbers
from worker.engines.analysis.table import Column, ColumnType, Table
from worker.engines.analysis.tasks.generalised_checks import curve, examine, quality
from worker.engines.analysis.tasks.modelling import columns_by_term
from worker.engines.analysis.tasks.task import Result, Task

Vector = npt.NDArray[np.float64]

_PROFILED = 60_000
"""Rows times columns up to which intervals are by profile likelihood."""
_UNEVEN = 0.05
_LARGEST_LIKELIHOOD = 1e12
"""Sums beyond it are rounded to a thousandth or coarser, which hides what a step along the likelihood costs."""
_EVENTS_PER_TERM = 10


@dataclass(frozen=True, slots=True)
class Outcome:
    """A two-sided response in numbers: what counts as 1, and as 0."""

    event: str
    other: str


def run_generalised(table: Table, task: Task, formula: ModelFormula, family: str) -> Result:
    """Fit by maximum likelihood, by Firth's penalised one where the data separate.

    Intervals and p are by (penalised) profile likelihood where rows × columns are at most 60,000, and counts not so
    large that rounding hides its changes, else Wald's;
    `interval` says which. An overdispersed Poisson model has quasi-likelihood errors: `scatter` is `quasi` and its
    intervals are by Student's t. `ratio` is e to the estimate: an odds ratio or a ratio of rates per unit.
    """
    outcome: Outcome | None = None
    if family == "binomial":
        table, outcome = _as_numbers(table, task, formula)
    design = build_design(formula, table, exact=False)
    offset, design = _offset(table, task, design)
    y = design.response
    if len(y) <= 1 or not np.any(design.matrix):
        raise NotPossible(f"Only {len(y)} row(s) have every value that {formula.text} needs.")
    _check_response(task, formula, y, family)
    fit = fit_glm(design.matrix, y, family, offset)
    quasi = family == "poisson" and _overdispersed(fit)
    profiled = not quasi and fit.converged and design.matrix.size <= _PROFILED and _resolved(fit, y)
    intercept = INTERCEPT in design.names
    null = inference.null_deviance(y, family, offset, intercept=intercept)
    df_model = len(fit.kept) - intercept
    result: Result = {
        "formula": formula.text,
        "family": family,
        "link": "logit" if family == "binomial" else "log",
        "response": formula.response.label,
        "event": None if outcome is None else outcome.event,
        "other": None if outcome is None else outcome.other,
        "n": fit.n,
        "events": int(y.sum()) if family == "binomial" else None,
        "offset": task.arguments.get("offset"),
        "method": fit.method,
        "interval": "profile_likelihood" if profiled else "wald",
        "scatter": "quasi" if quasi else "model",
        "ratio": "odds_ratio" if family == "binomial" else "rate_ratio",
        "terms": _terms(fit, design, offset, profiled=profiled, quasi=quasi),
        "deviance": fit.deviance,
        "null_deviance": null,
        "df_model": df_model,
        "df_residual": fit.df_residual,
        "dispersion": fit.dispersion if family == "poisson" else None,
        "log_likelihood": fit.log_likelihood,
        "aic": 2 * len(fit.kept) - 2 * fit.log_likelihood if fit.method == "maximum_likelihood" else None,
        **_whole(fit, null, df_model, quasi=quasi),
        "pseudo_r_squared": quality(fit, y, null),
        "term_tests": _term_tests(fit, design, offset, quasi=quasi),
        "condition_number": condition_number(design.matrix[:, fit.kept]),
        "arithmetic": "double",
        "references": design.references,
    }
    if family == "binomial":
        found = inference.auc(y, fit.fitted)
        result["auc"] = None if found is None else {f: getattr(found, f) for f in ("value", "ci_low", "ci_high")}
        calibrated = inference.calibration(y, fit.fitted)
        result["calibration"] = {
            "groups": [{"n": n, "fitted": mean, "observed": share} for n, mean, share in calibrated.groups],
            "hosmer_lemeshow": None
            if calibrated.p is None
            else {"chi2": calibrated.chi2, "df": calibrated.df, "p": calibrated.p},
            "brier_score": float(np.mean((y - fit.fitted) ** 2)),
        }
    result["curve"] = curve(fit, design, formula, table, offset, quasi=quasi)
    result["diagnostics"] = examine(fit, design, table, offset, result)
    vif = variance_inflation(design.matrix, columns_by_term(design.names, fit.kept))
    result["diagnostics"]["vif"] = vif or None
    result["warnings"] = _warnings(fit, design, table.rows, result) + result["diagnostics"]["remarks"]
    return result


def _as_numbers(table: Table, task: Task, formula: ModelFormula) -> tuple[Table, Outcome]:
    """The table with a response of zeros and ones."""
    node = formula.response.node
    if not isinstance(node, Name):
        raise task.fault("formula", "the response of a binomial model is a column with two values")
    column = table[node.name]
    codes, levels = column.codes()
    if len(levels) != 2:
        raise task.fault("formula", f"a binomial response has two values; {column.name} has {len(levels)}")
    event = task.arguments.get("event")
    chosen = levels[1] if event is None else str(event).lower() if isinstance(event, bool) else str(event)
    if chosen not in levels:
        raise task.fault("event", f"must be one of {', '.join(levels)}")
    values = np.where(codes < 0, np.nan, (codes == levels.index(chosen)).astype(np.float64))
    coded = Column(column.name, ColumnType.INTEGER, PackedNumbers(values), column.unit)
    columns = tuple(coded if c.name == column.name else c for c in table.columns)
    return replace(table, columns=columns), Outcome(chosen, next(level for level in levels if level != chosen))


def _offset(table: Table, task: Task, design: Design) -> tuple[Vector, Design]:
    """What is added to the linear predictor, and the design of the rows in which it is defined."""
    if task.arguments.get("offset") is None:
        return np.zeros(len(design.rows)), design
    try:
        node = parse_expression(task.text("offset"))
        for name in names_in(node):
            if table.find(name) is None or not table[name].numeric:
                raise ExpressionError(f"no numeric column {name!r}")
        values = {name: table[name].floats()[design.rows] for name in names_in(node)}
        with np.errstate(all="ignore"):
            shift = np.broadcast_to(np.asarray(evaluate(node, values), dtype=np.float64), (len(design.rows),))
    except ExpressionError as error:
        raise task.fault("offset", str(error)) from None
    fine = np.isfinite(shift)
    kept = replace(
        design, matrix=design.matrix[fine], response=design.response[fine], rows=np.asarray(design.rows)[fine]
    )
    return np.array(shift[fine]), kept


def _check_response(task: Task, formula: ModelFormula, y: Vector, family: str) -> None:
    name = formula.response.label
    if family == "poisson" and (y.min() < 0 or np.any(y != np.floor(y))):
        raise task.fault("formula", f"a Poisson response holds counts (0, 1, 2, …); {name} does not")
    if float(np.ptp(y)) <= 0:
        raise NotPossible(f"{name} has one value only in the rows that {formula.text} can use.")


def _resolved(fit: GlmFit, y: Vector) -> bool:
    return float(np.abs(y * fit.linear_predictor).sum()) < _LARGEST_LIKELIHOOD


def _overdispersed(fit: GlmFit) -> bool:
    scatter = fit.dispersion
    return scatter is not None and scatter > 1 and chi2_upper(fit.pearson_chi2, fit.df_residual) < _UNEVEN


def _terms(fit: GlmFit, design: Design, offset: Vector, *, profiled: bool, quasi: bool) -> list[Result]:
    terms = []
    scale = math.sqrt(fit.dispersion or 1.0) if quasi else 1.0
    reach = t_quantile(0.975, fit.df_residual) if quasi else Z95
    for j, name in enumerate(design.names):
        term: Result = {"name": name}
        term |= dict.fromkeys(("estimate", "std_error", "z", "p", "ci_low", "ci_high"))
        term |= dict.fromkeys(("ratio", "ratio_ci_low", "ratio_ci_high"))
        terms.append(term)
        if j in fit.aliased or not fit.converged:
            continue
        estimate, error = float(fit.estimates[j]), float(fit.std_errors[j]) * scale
        z = estimate / error if error > 0 else None
        low: float | None = estimate - reach * error
        high: float | None = estimate + reach * error
        p = None if z is None else t_two_sided(z, fit.df_residual) if quasi else normal_two_sided(z)
        if profiled:
            low, high = inference.profile_interval(fit, design.matrix, design.response, j, offset)
            p = inference.single_test(fit, design.matrix, design.response, j, offset)
        term |= {"estimate": estimate, "std_error": error, "z": z, "p": p, "ci_low": low, "ci_high": high}
        if name != INTERCEPT:
            term |= {"ratio": _exp(estimate), "ratio_ci_low": _exp(low), "ratio_ci_high": _exp(high)}
    return terms


def _exp(value: float | None) -> float | None:
    return None if value is None or value > 700 else math.exp(value)


def _whole(fit: GlmFit, null: float, df: int, *, quasi: bool) -> Result:
    """The test of all terms together; none after Firth, whose likelihood is another one."""
    if df < 1 or fit.method == "firth" or not fit.converged:
        return {"chi2": None, "f": None, "p": None}
    drop = max(0.0, null - fit.deviance)
    if quasi and fit.dispersion:
        f = drop / df / fit.dispersion
        return {"chi2": drop, "f": f, "p": f_upper(f, df, fit.df_residual)}
    return {"chi2": drop, "f": None, "p": chi2_upper(drop, df)}


def _term_tests(fit: GlmFit, design: Design, offset: Vector, *, quasi: bool) -> list[Result]:
    """Likelihood-ratio tests of each term (F tests under quasi-likelihood)."""
    if fit.method == "firth" or not fit.converged:
        return []
    tests = []
    terms = columns_by_term(design.names)
    for test in inference.term_tests(fit, design.matrix, design.response, terms, offset):
        entry: Result = {"term": test.term, "chi2": test.deviance, "df": test.df, "f": None}
        if quasi and fit.dispersion:
            entry["f"] = test.deviance / test.df / fit.dispersion
            entry["p"] = f_upper(entry["f"], test.df, fit.df_residual)
        else:
            entry["p"] = chi2_upper(test.deviance, test.df)
        tests.append(entry)
    return tests


def _warnings(fit: GlmFit, design: Design, rows: int, result: Result) -> list[str]:
    warnings = []
    if fit.n < rows:
        warnings.append(
            f"{rows - fit.n} of {rows} rows are left out: a value is missing or the formula is undefined there"
        )
    if fit.aliased:
        warnings.append(f"no estimate for {_names(design, fit.aliased)}: determined by the terms before")
    if fit.separated:
        warnings.append(
            f"the data separate: {_names(design, _predicting(fit, design))} can predict some outcomes without fault, "
            "so maximum likelihood has no finite estimate; these are Firth's penalised ones, which lean to no effect"
        )
    if not fit.converged:
        warnings.append("the fit did not come to rest, so no estimate is given")
    if result["scatter"] == "quasi":
        warnings.append(
            f"overdispersed (Pearson χ² over its degrees of freedom is {fit.dispersion:.3g}): errors, intervals and p "
            "are quasi-likelihood ones, widened by its root"
        )
    fewest = fit.n if result["events"] is None else min(result["events"], fit.n - result["events"])
    what = "rows" if result["events"] is None else "of the rarer outcome"
    if fewest < _EVENTS_PER_TERM * max(1, result["df_model"]):
        warnings.append(f"{fewest} {what} for {result['df_model']} terms is few; the model may follow chance")
    return warnings


def _names(design: Design, columns: Sequence[int]) -> str:
    return ", ".join(design.names[j] for j in columns)


def _predicting(fit: GlmFit, design: Design) -> list[int]:
    """The separated columns, without the intercept unless it is the only one."""
    return [j for j in fit.separated if design.names[j] != INTERCEPT] or fit.separated
