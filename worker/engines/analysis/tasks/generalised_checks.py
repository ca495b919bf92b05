"""How well a logistic or Poisson model describes its data: pseudo R², residuals, influence, the fitted curve."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from worker.engines.analysis.expressions.coding import Design
from worker.engines.analysis.expressions.formula import ModelFormula
from worker.engines.analysis.expressions.syntax import Name
from worker.engines.analysis.numerics.distributions import Z95, chi2_upper, normal_two_sided, t_quantile
from worker.engines.analysis.numerics.glm import GlmFit, fit_glm
from worker.engines.analysis.table import Table
from worker.engines.analysis.tasks.modelling import row_name, said
from worker.engines.analysis.tasks.task import Result
from worker.engines.analysis.wording import listed, number, p_value

Vector = npt.NDArray[np.float64]

_SURE = 0.01
_CURVE_POINTS = 60
_BINS = 20
_MOST_ROWS = 5


def quality(fit: GlmFit, y: Vector, null: float) -> Result:
    """Pseudo R² by name: McFadden's, Cox and Snell's, Nagelkerke's; Tjur's for outcomes; the share of deviance
    explained for counts. Not comparable with R² of a linear model, nor with each other."""
    if fit.method == "firth" or null <= 0:
        return {}
    if fit.family == "poisson":
        return {"deviance_explained": 1 - fit.deviance / null}
    cox = 1 - math.exp(-max(0.0, null - fit.deviance) / fit.n)
    return {
        "mcfadden": 1 - fit.deviance / null,
        "cox_snell": cox,
        "nagelkerke": cox / (1 - math.exp(-null / fit.n)),
        "tjur": float(fit.fitted[y == 1].mean() - fit.fitted[y == 0].mean()),
    }


def examine(fit: GlmFit, design: Design, table: Table, offset: Vector, result: Result) -> Result:
    """`link_test`: p of the squared linear predictor as a further column (Pregibon 1980), small where the relation is
    bent. `excess_zeros`: zeros seen and expected of a Poisson model. `influential`: rows by Cook's distance."""
    found: Result = {
        "link_test_p": None,
        "excess_zeros": None,
        "influential": [],
        "largest_deviance_residual": None,
        "remarks": [],
    }
    if fit.method == "firth" or not fit.converged or fit.df_residual < 1:
        return found
    y, mu = design.response, fit.fitted
    found["largest_deviance_residual"] = float(np.max(np.abs(_deviance_residuals(y, mu, fit.family))))
    found["link_test_p"] = _link_test(fit, design, offset)
    variance = np.maximum(mu * (1 - mu) if fit.family == "binomial" else mu, 1e-300)
    scale = (fit.dispersion or 1.0) if result["scatter"] == "quasi" else 1.0
    left = np.maximum(1 - fit.leverage, 1e-12)
    cooks = (y - mu) ** 2 / variance / scale * fit.leverage / left**2 / len(fit.kept)
    found["influential"] = [
        row_name(table, int(design.rows[i])) | {"cooks_distance": float(cooks[i]), "leverage": float(fit.leverage[i])}
        for i in np.argsort(-cooks, kind="stable")[:_MOST_ROWS].tolist()
        if cooks[i] > 4 / fit.n
    ]
    if fit.family == "poisson":
        found["excess_zeros"] = {"seen": int((y == 0).sum()), "expected": float(np.exp(-mu).sum())}
    found["remarks"] = _remarks(found, fit, result)
    return found


def _deviance_residuals(y: Vector, mu: Vector, family: str) -> Vector:
    with np.errstate(divide="ignore", invalid="ignore"):
        if family == "binomial":
            squares = -2 * np.where(y == 1, np.log(mu), np.log1p(-mu))
        else:
            squares = 2 * (np.where(y > 0, y * np.log(y / mu), 0.0) - (y - mu))
    return np.asarray(np.sign(y - mu) * np.sqrt(np.maximum(squares, 0.0)), dtype=np.float64)


def _link_test(fit: GlmFit, design: Design, offset: Vector) -> float | None:
    eta = fit.linear_predictor - offset
    spread = float(eta.std())
    if spread <= 1e-9 * (1 + float(np.max(np.abs(eta)))):
        return None
    squared = ((eta - eta.mean()) / spread) ** 2
    bent = fit_glm(np.column_stack([design.matrix, squared]), design.response, fit.family, offset)
    if len(bent.kept) == len(fit.kept) or not bent.converged or bent.method == "firth":
        return None
    drop = max(0.0, fit.deviance - bent.deviance)
    scale = bent.dispersion if fit.family == "poisson" and bent.dispersion and bent.dispersion > 1 else 1.0
    return chi2_upper(drop / scale, 1)


def _remarks(found: Result, fit: GlmFit, result: Result) -> list[str]:
    remarks = []
    if (found["link_test_p"] or 1.0) < _SURE:
        remarks.append(
            f"the relation seems bent on the {result['link']} scale (link test {p_value(found['link_test_p'])}): "
            "a curve such as poly(x, 2) or an interaction may describe it better"
        )
    fitted = result.get("calibration", {}).get("hosmer_lemeshow")
    if fitted is not None and fitted["p"] < _SURE:
        remarks.append(f"fitted and observed shares disagree (Hosmer–Lemeshow {p_value(fitted['p'])})")
    zeros = found["excess_zeros"]
    if zeros is not None and zeros["expected"] > 0:
        share = zeros["expected"] / fit.n
        z = (zeros["seen"] - zeros["expected"]) / math.sqrt(max(zeros["expected"] * (1 - share), 1e-12))
        if z > 0 and normal_two_sided(z) < _SURE:
            remarks.append(
                f"{zeros['seen']} zeros, where a Poisson model expects {number(zeros['expected'], 3)}: a negative "
                "binomial or zero-inflated model may describe them better"
            )
    strong = [said(row) for row in found["influential"] if row["cooks_distance"] > 1]
    if strong:
        remarks.append(f"{listed(strong)} alone would move the estimates much (Cook's distance above 1)")
    return remarks


def curve(
    fit: GlmFit, design: Design, formula: ModelFormula, table: Table, offset: Vector, *, quasi: bool
) -> Result | None:
    """For a single numeric predictor without offset: the fitted curve with its 95 % band (Wald's, on the link's scale),
    and the observed means in up to 20 groups of rows of equal size."""
    predictor = _single(formula, table)
    if predictor is None or fit.aliased or not fit.converged or np.any(offset):
        return None
    x, y = design.matrix[:, 1], design.response
    at = np.linspace(float(x.min()), float(x.max()), _CURVE_POINTS)
    grid = np.column_stack([np.ones(_CURVE_POINTS), at])
    eta = fit.linear(grid)
    half = np.sqrt(np.maximum(((grid @ fit.covariance) * grid).sum(axis=1), 0.0))
    half = half * (t_quantile(0.975, fit.df_residual) * math.sqrt(fit.dispersion or 1.0) if quasi else Z95)
    ends = [fit.predict(grid, shift) for shift in (np.zeros_like(eta), -half, half)]
    edges = np.unique(np.quantile(x, np.linspace(0, 1, min(_BINS, max(2, len(x) // 5)) + 1)[1:-1]))
    place = np.searchsorted(edges, x, side="left")
    groups = [place == k for k in np.unique(place).tolist()]
    return {
        "predictor": predictor,
        "points": [
            {"x": a, "fit": f, "low": low, "high": high}
            for a, f, low, high in zip(at.tolist(), *(end.tolist() for end in ends), strict=True)
        ],
        "observed": [
            {"x": float(x[inside].mean()), "mean": float(y[inside].mean()), "n": int(inside.sum())} for inside in groups
        ],
    }


def _single(formula: ModelFormula, table: Table) -> str | None:
    terms = formula.terms
    if not formula.intercept or len(terms) != 1 or len(terms[0]) != 1:
        return None
    factor = terms[0][0]
    plain = isinstance(factor.node, Name) and not factor.categorical
    return factor.label if plain and table[factor.label].numeric else None
