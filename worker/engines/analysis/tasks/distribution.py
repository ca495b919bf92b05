"""`distribution`: the shape of columns, whether they could be normal, and which distribution describes them."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from worker.engines.analysis.errors import NotPossible
from worker.engines.analysis.numerics.candidates import CANDIDATES, Candidate, aic, goodness, suits
from worker.engines.analysis.numerics.distributions import holm, normal_quantile
from worker.engines.analysis.numerics.normality import anderson_darling, normality, shape
from worker.engines.analysis.table import Column, ColumnType, Table
from worker.engines.analysis.tasks.numeric_rows import sample_of
from worker.engines.analysis.tasks.task import Result, Task

Vector = npt.NDArray[np.float64]

MAX_COLUMNS = 12
_LEAST = 8
_BOOTSTRAPPED = 1_000
_REPLICATES = 199
_QUANTILES = 99
_CURVE = 80
_MOST_BINS = 60
_LARGE_COUNT = 1_000.0
_SURE = 0.05
_CLOSE = 2.0
_PLAIN = ("normal", "exponential", "poisson")


def run(table: Table, task: Task) -> Result:
    """Each numeric column's moments, normality and candidate distributions, lowest AIC first.

    `best` is the first, or normal, exponential or Poisson where it is plausible and within 2 of it; `plausible` are
    those that the goodness of fit does not speak against, within 10 of it.

    Candidates: normal; lognormal, exponential, gamma and Weibull for positive values; Poisson and negative binomial for
    counts. Each is fitted by maximum likelihood; `goodness` is the p of a parametric bootstrap (199 samples) on at most
    1,000 values drawn by the seed: small where the distribution can be told from the data. `normality.p_adjusted` is
    Holm's over the columns. `histogram`, `density` (of the best) and `quantiles` (against a normal's) are for drawing.
    """
    columns = task.columns("columns", table, numeric=True)
    warnings = []
    if columns is None:
        columns = table.measures()
        if len(columns) > MAX_COLUMNS:
            warnings.append(f"only the first {MAX_COLUMNS} of {len(columns)} numeric columns are looked at")
            columns = columns[:MAX_COLUMNS]
    if len(columns) > MAX_COLUMNS:
        raise task.fault("columns", f"at most {MAX_COLUMNS} columns")
    if not columns:
        raise NotPossible("A distribution needs a numeric column with different values.")
    described = [_column(column, task.seed) for column in columns]
    tested = [entry for entry in described if entry["normality"] is not None]
    for entry, adjusted in zip(tested, holm([entry["normality"]["p"] for entry in tested]), strict=True):
        entry["normality"]["p_adjusted"] = adjusted
    for entry in described:
        warnings += [f"{entry['name']}: {warning}" for warning in entry["warnings"]]
    return {"columns": described, "adjustment": "holm", "warnings": warnings}


def _column(column: Column, seed: int) -> Result:
    values = column.floats()[column.present()]
    n = len(values)
    entry: Result = {"name": column.name, "unit": column.unit, "n": n, "missing": column.missing}
    entry |= dict.fromkeys(("mean", "sd", "median", "skewness", "skewness_p", "excess_kurtosis", "kurtosis_p"))
    entry |= {"normality": None, "anderson_darling": None, "candidates": [], "best": None, "plausible": []}
    entry |= {"histogram": None, "density": None, "quantiles": [], "warnings": []}
    if n < _LEAST or float(np.ptp(values)) <= 0:
        entry["warnings"].append(f"{n} values, {column.distinct} of them different, are too few to tell a shape")
        return entry
    form = shape(values)
    entry |= {
        "mean": float(values.mean()),
        "sd": float(values.std(ddof=1)),
        "median": float(np.median(values)),
        "skewness": form.skewness,
        "skewness_p": form.skewness_p,
        "excess_kurtosis": form.excess_kurtosis,
        "kurtosis_p": form.kurtosis_p,
    }
    test, second = normality(values), anderson_darling(values)
    if test is not None:
        entry["normality"] = {"test": test.test, "statistic": test.statistic, "p": test.p}
    if second is not None:
        entry["anderson_darling"] = {"statistic": second.statistic, "p": second.p}
    if column.distinct < n / 5 and not _counts(column, values):
        entry["warnings"].append("many values are equal, as rounded ones are: tests of shape then reject too often")
    entry["candidates"] = _candidates(column, values, seed)
    if entry["candidates"]:
        # A family with less to it is preferred to one that is hardly likelier.
        close = [c for c in entry["candidates"] if c["delta_aic"] <= _CLOSE and c["goodness"]["p"] >= _SURE]
        best = next((c for c in close if c["name"] in _PLAIN), entry["candidates"][0])
        entry["best"] = best["name"]
        entry["plausible"] = [
            c["name"] for c in entry["candidates"] if c["goodness"]["p"] >= _SURE and c["delta_aic"] <= 10
        ]
    entry["histogram"], entry["density"] = _drawing(values, entry)
    entry["quantiles"] = _quantiles(values)
    return entry


def _counts(column: Column, values: Vector) -> bool:
    """Whole numbers from 0 on, few and small enough to be counts of something."""
    whole = column.type is ColumnType.INTEGER or bool(np.all(values == np.floor(values)))
    return whole and float(values.min()) >= 0 and float(values.max()) <= _LARGE_COUNT


def _candidates(column: Column, values: Vector, seed: int) -> list[Result]:
    size = float(np.median(np.abs(values))) or float(np.max(np.abs(values)))
    counts = _counts(column, values)
    # Likelihoods are of values in units of their own size, so that no power of them overflows.
    unit = 1.0 if counts else size
    scaled = values / unit
    some = scaled[sample_of(len(scaled), _BOOTSTRAPPED, seed)]
    found: list[Result] = []
    for candidate in CANDIDATES.values():
        usable = suits(candidate, scaled, counts=counts) or (counts and candidate.name == "normal")
        if not usable:
            continue
        fitted = candidate.fit(scaled[None, :])
        if not np.all(np.isfinite(fitted)):
            continue
        statistic, p = goodness(candidate, some, replicates=_REPLICATES, seed=seed)
        criterion = aic(candidate, scaled, fitted) + 2 * len(values) * math.log(unit)
        found.append(
            {
                "name": candidate.name,
                "parameters": _in_units(candidate, fitted[0].tolist(), unit),
                "aic": criterion,
                "goodness": {"statistic": statistic, "p": p, "replicates": _REPLICATES, "n": len(some)},
            }
        )
    if counts:
        found = [entry for entry in found if entry["name"] != "normal"] or found
    found.sort(key=lambda entry: entry["aic"])
    for entry in found:
        entry["delta_aic"] = entry["aic"] - found[0]["aic"]
    return found


def _in_units(candidate: Candidate, parameters: list[float], unit: float) -> dict[str, float]:
    """Parameters of values divided by `unit`, as those of the values."""
    named = dict(zip(candidate.parameters, parameters, strict=True))
    for name in named:
        if name == "log_mean":
            named[name] += math.log(unit)
        elif name in ("mean", "sd", "scale"):
            named[name] *= unit
    return named


def _drawing(values: Vector, entry: Result) -> tuple[Result, Result | None]:
    low, high = float(values.min()), float(values.max())
    q1, q3 = np.quantile(values, [0.25, 0.75]).tolist()
    width = 2 * (q3 - q1) / len(values) ** (1 / 3)
    bins = max(5, min(_MOST_BINS, math.ceil((high - low) / width) if width > 0 else 10))
    candidate = CANDIDATES[entry["best"]] if entry["best"] else None
    if candidate is not None and candidate.counts:
        step = max(1, math.ceil((high - low + 1) / _MOST_BINS))
        edges = np.arange(low, high + step + 1, step) - 0.5
    else:
        edges = np.linspace(low, high, bins + 1)
    counts = np.histogram(values, edges)[0].tolist()
    histogram = {"edges": edges.tolist(), "counts": counts}
    if candidate is None:
        return histogram, None
    width = float(edges[1] - edges[0])
    x = np.arange(max(0.0, low), high + 1) if candidate.counts else np.linspace(low, high, _CURVE + 1)
    if candidate.strict:
        x = x[x > 0]
    x = x[:: max(1, len(x) // _CURVE)]
    unit = 1.0 if candidate.counts else float(np.median(np.abs(values))) or float(np.max(np.abs(values)))
    named = next(c["parameters"] for c in entry["candidates"] if c["name"] == candidate.name)
    parameters = np.array([list(_in_units(candidate, list(named.values()), 1 / unit).values())])
    log_density = candidate.log_density(x[None, :] / unit, parameters)[0] - math.log(unit)
    y = np.exp(np.minimum(log_density, 700.0)) * len(values) * width
    return histogram, {"name": candidate.name, "x": x.tolist(), "y": y.tolist()}


def _quantiles(values: Vector) -> list[Result]:
    n = min(len(values), _QUANTILES)
    shares = [(i - 0.5) / n for i in range(1, n + 1)]
    seen = np.sort(values) if len(values) <= _QUANTILES else np.quantile(values, shares)
    return [
        {"normal": normal_quantile(share), "value": value} for share, value in zip(shares, seen.tolist(), strict=True)
    ]
