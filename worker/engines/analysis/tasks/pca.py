"""`pca`: the few directions along which the rows differ most, and how many of them are more than chance."""

from __future__ import annotations

import math

import numpy as np

from worker.engines.analysis.errors import NotPossible
from worker.engines.analysis.numerics import pca as numerics
from worker.engines.analysis.table import Table
from worker.engines.analysis.tasks.numeric_rows import (
    centre_and_spread,
    different_units,
    numeric_rows,
    yes_or_no,
)
from worker.engines.analysis.tasks.task import Result, Task
from worker.engines.analysis.wording import listed, number

MAX_COLUMNS = 50
CHANCE = 0.95
_SETS = 500
_LEAST_ROWS = 5
_ROWS_PER_COLUMN = 5
_ADEQUATE = 0.5
_SALIENT = 0.5
_MOST_NAMED = 4
_SHOWN = 10
_UNCORRELATED = 0.05
_DIGITS = 12
_OUTSTANDING = 0.5


def run(table: Table, task: Task) -> Result:
    """Principal components of the complete rows, by singular value decomposition.

    Columns are standardised unless `standardise` is false; without it they are left in their unit only where all have
    the same one. `above_chance` counts the leading components whose variance exceeds the 95 % point of uncorrelated
    columns (Horn's parallel analysis, 500 simulated sets from `seed`). A loading is the correlation of column and
    component; the largest of a component is positive. Scores follow from `columns` (mean and scale) and `weights`.
    """
    asked = yes_or_no(task, "standardise")
    data = numeric_rows(table, task, least_columns=2, most_columns=MAX_COLUMNS)
    n, p = data.values.shape
    if n < _LEAST_ROWS:
        raise NotPossible(f"Principal components need at least {_LEAST_ROWS} complete rows; there are {n}.")
    standardise = different_units(data.columns) if asked is None else asked
    mean, spread = centre_and_spread(data.values)
    standard = (data.values - mean) / spread
    # Large and small numbers share one scale here, so that squares neither overflow nor vanish.
    size = 1.0 if standardise else float(spread.max())
    scale = spread if standardise else np.full(p, size)
    found = numerics.components((data.values - mean) / scale)
    variances = found.variances
    total = float(variances.sum())
    rng = np.random.Generator(np.random.PCG64(task.seed))
    chance = numerics.chance_variances(n, spread / scale, rng, _SETS, CHANCE)
    above = numerics.above_chance(variances, chance)
    loadings = found.directions * np.sqrt(variances)[:, None] * scale / spread
    adequate = numerics.adequacy(standard)
    shares = (variances / total).tolist()
    components = []
    for c in range(min(len(variances), _SHOWN)):
        own = [round(value, _DIGITS) for value in loadings[c].tolist()]
        components.append(
            {
                "component": c + 1,
                "variance": float(variances[c]) * size * size,
                "share": shares[c],
                "cumulative": math.fsum(shares[: c + 1]),
                "share_by_chance": float(chance[c]) / total,
                "above_chance": c < above,
                "loadings": dict(zip(data.names, own, strict=True)),
                "weights": dict(
                    zip(data.names, [round(value, _DIGITS) for value in found.directions[c].tolist()], strict=True)
                ),
                "meaning": _meaning(data.names, own),
            }
        )
    warnings = [*data.warnings, *_warnings(n, p, adequate, above, standardise, spread.tolist(), data.names)]
    return {
        "columns": [
            {"name": name, "mean": float(m), "scale": float(s)}
            for name, m, s in zip(data.names, mean, scale, strict=True)
        ],
        "n": n,
        "standardised": standardise,
        "component_count": len(variances),
        "components": components,
        "above_chance": above,
        "chance_level": CHANCE,
        "adequacy": {"kmo": adequate.kmo, "chi2": adequate.chi2, "df": adequate.df, "p": adequate.p},
        "seed": task.seed,
        "arithmetic": "double",
        "warnings": warnings,
    }


def _meaning(names: list[str], loadings: list[float]) -> str:
    """What a component stands for: the columns that go with it, at least half as much as the one most tied to it."""
    largest = max(map(abs, loadings))
    order = sorted(range(len(names)), key=lambda j: (-abs(loadings[j]), j))
    named = [j for j in order if abs(loadings[j]) >= _SALIENT * largest]
    up = [names[j] for j in named if loadings[j] > 0]
    down = [names[j] for j in named if loadings[j] < 0]
    if largest < _OUTSTANDING:
        return "no column stands out"
    if not down and len(up) == len(names) > 1:
        return "all columns rise together"
    if not down:
        return f"{listed(up, _MOST_NAMED)} {'rise together' if len(up) > 1 else 'on its own'}"
    return f"{listed(up, _MOST_NAMED)} against {listed(down, _MOST_NAMED)}"


def _warnings(
    n: int, p: int, adequate: numerics.Adequacy, above: int, standardise: bool, spread: list[float], names: list[str]
) -> list[str]:
    warnings = []
    if n < _ROWS_PER_COLUMN * p:
        warnings.append(f"{n} rows for {p} columns is few; the loadings may follow chance")
    if adequate.kmo is not None and adequate.kmo < _ADEQUATE:
        warnings.append(f"the columns share little (sampling adequacy {number(adequate.kmo, 2)}, below {_ADEQUATE})")
    if adequate.kmo is None:
        warnings.append("some columns follow from others, so the sampling adequacy is not defined")
    if adequate.p is not None and adequate.p >= _UNCORRELATED:
        warnings.append("the columns may be uncorrelated (Bartlett's test), so components may have no meaning")
    if not above:
        warnings.append("no component exceeds chance")
    if not standardise and max(spread) > 3 * min(spread):
        widest = names[spread.index(max(spread))]
        warnings.append(f"columns are not standardised, so {widest}, which varies most, has the most weight")
    return warnings
