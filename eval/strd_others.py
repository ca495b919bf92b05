"""The same problems by this project's arithmetic on doubles and by the defaults of numpy, scipy and statsmodels."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import numpy as np

from eval.strd_problems import Problem, answers, quantities, worst
from worker.engines.analysis.expressions.coding import build_design
from worker.engines.analysis.expressions.evaluate import evaluate
from worker.engines.analysis.expressions.formula import parse_formula
from worker.engines.analysis.expressions.syntax import parse_expression
from worker.engines.analysis.numerics.linear import fit_linear
from worker.engines.analysis.packed import PackedNumbers
from worker.engines.analysis.table import Column, ColumnType, Table
from worker.engines.analysis.tasks.registry import check_task, run_task

Found = Mapping[str, Any] | None
TRUSTED = "trusted"
"""Under this name the path on doubles says how many digits hold."""
_COVERED: Mapping[str, tuple[str, ...]] = {
    "univariate": ("mean", "sd"),
    "anova": ("between_ss", "within_ss"),
}


def doubles(problem: Problem, run: int) -> Found:
    """This project's arithmetic for large data: columns of doubles."""
    if problem.family == "linear":
        fit = fit_linear(
            build_design(parse_formula(problem.formula, list(problem.columns)), _table(problem), exact=False)
        )
        terms = [{"estimate": b, "std_error": se} for b, se in zip(fit.estimates, fit.std_errors, strict=True)]
        result: dict[str, Any] = {"terms": terms, "r_squared": fit.r_squared, "f": fit.f}
        result |= {"ss_model": fit.ss_model, "ss_residual": fit.ss_residual, "residual_sd": fit.residual_sd}
        return answers(problem, result) | {TRUSTED: fit.digits}
    task = check_task(problem.runs()[run][1], "task", seed=1)
    result = run_task(_table(problem), task)
    trusted = result["columns"][0]["digits"] if problem.family == "univariate" else result["digits"]
    return answers(problem, result) | {TRUSTED: trusted}


def _table(problem: Problem) -> Table:
    """Every number a double; the column that groups keeps its texts."""
    columns = []
    for name, cells in problem.columns.items():
        if problem.family == "anova" and name != problem.response:
            columns.append(Column(name, ColumnType.CATEGORY, tuple(cells)))
        else:
            columns.append(Column(name, ColumnType.NUMBER, PackedNumbers(np.array([float(cell) for cell in cells]))))
    return Table(problem.name, tuple(columns), len(columns[0].cells), "")


def _floats(problem: Problem) -> dict[str, Any]:
    return {name: np.array([float(cell) for cell in cells]) for name, cells in problem.columns.items()}


def _design(problem: Problem) -> Any:
    data = _floats(problem)
    columns = [data[name] for name in problem.predictors]
    if len(columns) == 1:
        columns = [columns[0] ** k for k in range(1, (problem.certified["poly_degree"] or 1) + 1)]
    if problem.certified["intercept"]:
        columns.insert(0, np.ones(len(columns[0])))
    return np.column_stack(columns)


def by_numpy(problem: Problem, run: int) -> Found:
    """`mean`, `std` and a quotient of dot products; `linalg.lstsq` (estimates and residuals alone)."""
    y = _floats(problem)[problem.response]
    if problem.family == "univariate":
        d = y - y.mean()
        return {"mean": y.mean(), "sd": y.std(ddof=1), "r1": (d[1:] @ d[:-1]) / (d @ d)}
    if problem.family == "linear":
        estimates, *_ = np.linalg.lstsq(_design(problem), y, rcond=None)
        return _named(problem, estimates.tolist())
    return None


def by_polyfit(problem: Problem, run: int) -> Found:
    """`numpy.polyfit`, for polynomials with an intercept."""
    certified = problem.certified
    if problem.family != "linear" or not certified["intercept"] or len(problem.predictors) > 1:
        return None
    data = _floats(problem)
    fitted = np.polyfit(data[problem.predictors[0]], data[problem.response], certified["poly_degree"] or 1)
    return _named(problem, fitted[::-1].tolist())


def _named(problem: Problem, values: list[float]) -> dict[str, float]:
    names = [parameter["name"] for parameter in problem.certified["params"]]
    return dict(zip(names, values, strict=True))


def by_scipy(problem: Problem, run: int) -> Found:
    """`stats.describe`, `linregress` (straight lines), `f_oneway`, `curve_fit`."""
    from scipy import optimize, stats

    data = _floats(problem) if problem.family != "anova" else {}
    if problem.family == "univariate":
        described = stats.describe(data[problem.response])
        return {"mean": described.mean, "sd": math.sqrt(described.variance)}
    if problem.family == "linear":
        if not problem.certified["intercept"] or problem.certified["poly_degree"] != 1 or len(problem.predictors) > 1:
            return None
        line = stats.linregress(data[problem.predictors[0]], data[problem.response])
        found = _named(problem, [float(line.intercept), float(line.slope)])
        first, second = (parameter["name"] for parameter in problem.certified["params"])
        return found | {f"se {first}": line.intercept_stderr, f"se {second}": line.stderr}
    if problem.family == "anova":
        return {"F": stats.f_oneway(*_groups(problem)).statistic}
    model = parse_expression(problem.certified["model"])
    names = [parameter["name"] for parameter in problem.certified["params"]]
    y = np.asarray(evaluate(parse_expression(problem.certified["response"]), data))

    def curve(_: Any, *values: float) -> Any:
        return evaluate(
            model, data | dict(zip(names, map(np.float64, values), strict=True)) | {"pi": np.float64(math.pi)}
        )

    start = [list(problem.start(key).values()) for key in ("start1", "start2")] + [[1.0] * len(names)]
    estimates, covariance = optimize.curve_fit(curve, data[problem.predictors[0]], y, p0=start[run])
    residuals = y - curve(None, *estimates)
    found = _named(problem, estimates.tolist()) | {"rss": float(residuals @ residuals)}
    errors = np.sqrt(np.diag(covariance)).tolist()
    return found | {f"se {name}": error for name, error in zip(names, errors, strict=True)}


def _groups(problem: Problem) -> list[Any]:
    levels: dict[str, list[float]] = {}
    for level, cell in zip(problem.columns[problem.predictors[0]], problem.columns[problem.response], strict=True):
        levels.setdefault(level, []).append(float(cell))
    return [np.array(values) for values in levels.values()]


def by_statsmodels(problem: Problem, run: int) -> Found:
    """`DescrStatsW` and `acf`, `OLS`, `anova_lm`."""
    if problem.family == "univariate":
        from statsmodels.stats.weightstats import DescrStatsW
        from statsmodels.tsa.stattools import acf

        y = _floats(problem)[problem.response]
        described = DescrStatsW(y, ddof=1)
        return {"mean": described.mean, "sd": described.std, "r1": acf(y, nlags=1, fft=False)[1]}
    if problem.family == "linear":
        from statsmodels.api import OLS

        fit = OLS(_floats(problem)[problem.response], _design(problem), hasconst=problem.certified["intercept"]).fit()
        found = _named(problem, fit.params.tolist())
        for parameter, error in zip(problem.certified["params"], fit.bse.tolist(), strict=True):
            found[f"se {parameter['name']}"] = error
        return found | {
            "residual_sd": math.sqrt(fit.mse_resid),
            "r_squared": fit.rsquared,
            "F": fit.fvalue,
            "reg_ss": fit.ess,
            "res_ss": fit.ssr,
        }
    if problem.family == "anova":
        import pandas
        from statsmodels.formula.api import ols
        from statsmodels.stats.anova import anova_lm

        cells = [float(cell) for cell in problem.columns[problem.response]]
        frame = pandas.DataFrame({"y": cells, "g": problem.columns[problem.predictors[0]]})
        table = anova_lm(ols("y ~ C(g)", frame).fit())
        return {
            "between_ss": table["sum_sq"].iloc[0],
            "within_ss": table["sum_sq"].iloc[1],
            "between_ms": table["mean_sq"].iloc[0],
            "within_ms": table["mean_sq"].iloc[1],
            "F": table["F"].iloc[0],
        }
    return None


OTHERS: Mapping[str, Callable[[Problem, int], Found]] = {
    "doubles": doubles,
    "numpy": by_numpy,
    "polyfit": by_polyfit,
    "scipy": by_scipy,
    "statsmodels": by_statsmodels,
}


def overclaimed(problem: Problem, run: int) -> tuple[int, bool]:
    """How many digits the path on doubles says hold, and whether fewer are right (of the figures it says so of)."""
    with np.errstate(all="ignore"):
        found = doubles(problem, run) or {}
    names = _COVERED.get(problem.family) or tuple(each["name"] for each in problem.certified["params"])
    score = worst(problem, found, names)
    trusted = int(found[TRUSTED])
    # The certified figures themselves are rounded: their own last digit is not held against a result.
    certified = min(len(Decimal(text).as_tuple().digits) for name, text in quantities(problem) if name in names)
    return trusted, score is not None and score[0] < min(trusted, max(certified, 10) - 1) - 0.5


def fewest(other: str, problem: Problem, run: int) -> float | None:
    """Digits of the worst quantity that it gives; None where it offers nothing for the problem, 0 where it fails."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            found = OTHERS[other](problem, run)
        except (RuntimeError, ValueError, ArithmeticError, np.linalg.LinAlgError):
            return 0.0
    if found is None:
        return None
    score = worst(problem, found, list(found))
    return None if score is None else score[0]
