"""Diagnostics of a least-squares model: each check's numbers, and in words what they mean."""

from __future__ import annotations

import math
import re

import numpy as np
import numpy.typing as npt

from worker.engines.analysis.expressions.coding import INTERCEPT, Design
from worker.engines.analysis.numerics import diagnostics as checks
from worker.engines.analysis.numerics.distributions import holm
from worker.engines.analysis.numerics.linear import LinearFit
from worker.engines.analysis.numerics.normality import ljung_box, normality
from worker.engines.analysis.table import Table
from worker.engines.analysis.tasks.modelling import columns_by_term, row_name, said, time_order
from worker.engines.analysis.tasks.task import Result
from worker.engines.analysis.wording import listed, number, p_value

Vector = npt.NDArray[np.float64]

SURE = 0.01
_INFLATED = 10.0
_MOST_ROWS = 5
_MANY = 30
_FEW_SQUARES = 4
_MOST_BENDS = 12


def examine(fit: LinearFit, design: Design, table: Table) -> Result:
    """The checks' numbers, `remarks` (what they mean) and `influential` (rows by Cook's distance above 4/n).

    `durbin_watson` takes the rows as they stand; `autocorrelation` (Ljung–Box) takes them in order of time, where a
    column gives one. `reset` is Ramsey's test with the square and the cube of the fitted values; `bends` has for each
    numeric column p of its square as a further term, by Holm over the columns. Nothing is checked where the fit is
    perfect or nothing is left over.
    """
    found: Result = dict.fromkeys(
        (
            "durbin_watson", "breusch_pagan_p", "largest_standardised_residual", "normality", "autocorrelation",
            "reset", "bends", "vif",
        )
    )  # fmt: skip
    found |= {"influential": [], "remarks": []}
    if fit.perfect or fit.df_residual <= 0 or fit.residual_sd is None or fit.n < _FEW_SQUARES:
        return found
    e = fit.residuals / fit.residual_sd
    found["durbin_watson"] = checks.durbin_watson(e)
    found["largest_standardised_residual"] = float(np.max(np.abs(e)))
    if (test := normality(e)) is not None:
        found["normality"] = {"test": test.test, "statistic": test.statistic, "p": test.p}
    if fit.df_model > 0 and INTERCEPT in fit.names:
        spread = checks.breusch_pagan(design.matrix, e)
        found["breusch_pagan_p"] = None if spread is None else spread[1]
        bent = checks.reset(design.matrix, design.response, design.response - fit.residuals)
        found["reset"] = None if bent is None else {"f": bent[0], "p": bent[1]}
        found["bends"] = _bends(design, e)
    found["autocorrelation"] = _in_time(e, design, table)
    kept = [j for j, estimate in enumerate(fit.estimates) if estimate is not None]
    found["vif"] = checks.variance_inflation(design.matrix, columns_by_term(fit.names, kept)) or None
    found["influential"] = _influential(fit, design, table, len(kept))
    found["remarks"] = _remarks(found, fit)
    return found


def _bends(design: Design, residuals: Vector) -> dict[str, float]:
    """Of the first columns that stand for themselves alone: no contrast, no power, no interaction."""
    plain = [
        j for j, name in enumerate(design.names) if name != INTERCEPT and not re.search(r"[\[:]|I\(", name)
    ]  # fmt: skip
    squared = " ".join(name for name in design.names if "I(" in name)
    chosen = [j for j in plain if design.names[j] not in squared][:_MOST_BENDS]
    found = checks.bends(design.matrix, residuals, chosen)
    return {design.names[j]: p for j, p in zip(found, holm(list(found.values())), strict=True)}


def _in_time(e: Vector, design: Design, table: Table) -> Result | None:
    ordered = time_order(table, np.asarray(design.rows)) if len(e) >= 2 * _FEW_SQUARES else None
    if ordered is None:
        return None
    lags = min(10, len(e) // 5)
    statistic, p = ljung_box(e[ordered[1]], lags)
    return {"test": "ljung_box", "time": ordered[0], "lags": lags, "statistic": statistic, "p": p}


def _influential(fit: LinearFit, design: Design, table: Table, p: int) -> list[Result]:
    influence = checks.influence(design.matrix, fit.residuals)
    if influence is None:
        return []
    foremost = np.argsort(-influence.cooks_distance, kind="stable")[:_MOST_ROWS]
    return [
        row_name(table, int(design.rows[i]))
        | {
            "cooks_distance": float(influence.cooks_distance[i]),
            "leverage": float(influence.leverage[i]),
            "studentised_residual": float(influence.studentised[i]),
        }
        for i in foremost.tolist()
        if influence.cooks_distance[i] > 4 / fit.n
    ]


def _remarks(found: Result, fit: LinearFit) -> list[str]:
    remarks = []
    normal = found["normality"]
    if normal is not None and normal["p"] < SURE:
        held = (
            "with this many rows the intervals hold roughly all the same" if fit.n >= _MANY else "intervals are rough"
        )
        name = "Shapiro–Wilk" if normal["test"] == "shapiro_wilk" else "Anderson–Darling"
        remarks.append(
            f"the residuals are not normal ({name} {p_value(normal['p'])}): {held}, "
            "but single values are not predicted by ± 2 standard deviations"
        )
    if (found["breusch_pagan_p"] or 1.0) < SURE:
        remarks.append(
            "the scatter is uneven (Breusch–Pagan p < 0.01), so standard errors may be too small or too large; "
            "those that allow for it (HC3) are given beside"
        )
    in_time = found["autocorrelation"]
    if in_time is not None and in_time["p"] < SURE:
        remarks.append(
            f"residuals near each other in {in_time['time']} are alike (Ljung–Box {p_value(in_time['p'])}), so "
            "intervals are too narrow and p too small"
        )
    bent, by_column = found["reset"], [name for name, p in (found["bends"] or {}).items() if p < SURE]
    if by_column:
        remarks.append(
            f"the relation to {listed(by_column)} seems bent (a square adds to the model, p < 0.01): a curve such as "
            f"poly({by_column[0]}, 2) or a logarithm may describe it better"
        )
    elif bent is not None and bent["p"] < SURE:
        remarks.append(
            f"the relation seems bent (RESET {p_value(bent['p'])}): a curve such as poly(x, 2), a logarithm or an "
            "interaction may describe it better"
        )
    inflated = [
        f"{name} ({number(value, 3)})"
        for name, value in (found["vif"] or {}).items()
        if value > _INFLATED and "I(" not in name and "×" not in name and f"I({name}" not in " ".join(found["vif"])
    ]
    if inflated:
        remarks.append(
            f"predictors overlap (variance inflation {listed(inflated)}): their separate contributions are poorly told "
            "apart"
        )
    strong = [
        row for row in found["influential"] if row["cooks_distance"] > 1 or not math.isfinite(row["cooks_distance"])
    ]
    if strong:
        remarks.append(
            f"{listed([said(row) for row in strong])} alone would move the estimates much (Cook's distance above 1)"
        )
    return remarks
