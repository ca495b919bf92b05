"""`compare_models`: which of several models predicts rows it has not seen best, and whether clearly so."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from worker.engines.analysis.errors import NotPossible
from worker.engines.analysis.numerics import crossval
from worker.engines.analysis.table import Table
from worker.engines.analysis.tasks.candidates import Candidate, Setting, candidates_of, setting_of
from worker.engines.analysis.tasks.numeric_rows import sample_of, whole_number
from worker.engines.analysis.tasks.task import Result, Task
from worker.engines.analysis.wording import listed, number

Vector = npt.NDArray[np.float64]

MAX_ROWS = 20_000
_LEAST_ROWS = 20
_FOLDS = 10
_MOST_FOLDS = 50
_REPEATS = 5
_REPEATED_CELLS = 100_000
"""Rows times columns up to which cross-validation is repeated."""
_LOSSES = {
    "gaussian": ("mean squared error", crossval.squared_error),
    "binomial": ("mean log loss", crossval.log_loss),
    "poisson": ("mean Poisson deviance", crossval.poisson_deviance),
}
_ROWS_PER_PARAMETER = 10
_LARGEST = 1e150
_NOTHING = 1e-18
"""A loss that is this part of the mean model's is rounding."""
_NOTES = [
    "The best of several models was picked on the rows that tell its error too, so that error is somewhat too small."
]


@dataclass(frozen=True, slots=True)
class _Tried:
    candidate: Candidate
    rounds: Vector
    predicted: Vector
    fitted: crossval.Fitted


def run(table: Table, task: Task) -> Result:
    """Repeated cross-validation of candidate models of `response`, all on the same rows and folds.

    Candidates are those of `formulas`, else for `features` (or the table's own): the mean alone, linear, quadratic,
    with interactions and, for a gaussian response, of the logarithm and robust; the mean alone always stands beside.
    `error` is the mean loss of rows held out, `root_error` its root (gaussian). `std_error` and the intervals of
    `difference_to_best` and `gain_over_mean` are Nadeau and Bengio's. `r_squared_out` is the share of the mean model's
    loss that the model saves. `simplest_within_one_se` follows the one-standard-error rule. AIC and BIC come from a
    fit to all rows; None where a model has no likelihood.
    """
    setting = setting_of(table, task)
    folds = whole_number(task, "folds", 2, _MOST_FOLDS, _FOLDS) or _FOLDS
    setting, candidates, warnings = candidates_of(table, task, setting)
    n_all = len(setting.rows)
    if n_all < max(_LEAST_ROWS, 2 * folds):
        raise NotPossible(
            f"Comparing models by {folds}-fold cross-validation needs at least {max(_LEAST_ROWS, 2 * folds)} complete "
            f"rows; there are {n_all}."
        )
    sample = sample_of(n_all, MAX_ROWS, task.seed)
    y = setting.values[sample]
    if float(y.min()) == float(y.max()):
        raise NotPossible(
            f"{setting.response} has the same value in every complete row, so there is nothing to predict."
        )
    if float(np.abs(y).max()) > _LARGEST:
        raise NotPossible(f"The values of {setting.response} are too large to be squared.")
    if len(sample) < n_all:
        warnings.append(f"{len(sample)} of {n_all} rows, drawn at random, are used")
    widest = max(candidate.matrix.shape[1] for candidate in candidates)
    repeats = _REPEATS if len(sample) * widest <= _REPEATED_CELLS else 1
    rng = np.random.Generator(np.random.PCG64(task.seed))
    held = crossval.folds_of(len(sample), folds, repeats, rng)
    loss_name, loss = _LOSSES[setting.family]
    tried = []
    for candidate in candidates:
        own = replace(candidate, matrix=candidate.matrix[sample])
        rounds, predicted = crossval.losses(own.matrix, y, own.fit, loss, held)
        if not np.all(np.isfinite(rounds)):
            warnings.append(f"{candidate.name} left out: its predictions are not finite")
            continue
        tried.append(_Tried(own, rounds, predicted, own.fit(own.matrix, y)))
    result = _result(setting, tried, folds, y)
    return {
        "response": setting.response,
        "family": setting.family,
        "event": setting.event,
        "features": list(setting.features),
        "loss": loss_name,
        "n": len(sample),
        "folds": folds,
        "repeats": repeats,
        **result,
        "seed": task.seed,
        "arithmetic": "double",
        "notes": _NOTES if len(tried) > 2 else [],
        "warnings": [*setting.warnings, *warnings, *_warnings(len(sample), result)],
    }


def _result(setting: Setting, tried: list[_Tried], folds: int, y: Vector) -> Result:
    base = next(i for i, item in enumerate(tried) if item.candidate.baseline)
    scale = float(tried[base].rounds.mean())
    tried = [replace(item, rounds=np.where(item.rounds < _NOTHING * scale, 0.0, item.rounds)) for item in tried]
    means = [crossval.corrected_mean(item.rounds, folds) for item in tried]
    # Rounded, so that the last digit does not decide between two equal models.
    settled = [round(mean.value / scale, 9) if scale > 0 else 0.0 for mean in means]
    best = min(range(len(tried)), key=lambda i: (settled[i], tried[i].fitted.parameters, i))
    limit = means[best].value + means[best].std_error
    models = []
    for item, mean in zip(tried, means, strict=True):
        difference = crossval.corrected_mean(item.rounds - tried[best].rounds, folds)
        gain = crossval.corrected_mean(tried[base].rounds - item.rounds, folds)
        likelihood, k = item.fitted.log_likelihood, item.fitted.parameters
        is_best, is_base = item is tried[best], item is tried[base]
        models.append(
            {
                "name": item.candidate.name,
                "formula": item.candidate.formula,
                "parameters": k,
                "error": mean.value,
                "std_error": mean.std_error,
                "ci_low": mean.low,
                "ci_high": mean.high,
                "root_error": math.sqrt(mean.value) if setting.family == "gaussian" else None,
                "r_squared_out": 1 - mean.value / means[base].value if means[base].value > 0 else None,
                "difference_to_best": None if is_best else _as_json(difference),
                "clearly_worse_than_best": not is_best and difference.low > 0,
                "gain_over_mean": None if is_base else _as_json(gain),
                "clearly_better_than_mean": not is_base and gain.low > 0,
                "within_one_se": mean.value <= limit,
                "aic": None if likelihood is None else 2 * k - 2 * likelihood,
                "bic": None if likelihood is None else k * math.log(len(y)) - 2 * likelihood,
                "log_likelihood": likelihood,
                "baseline": is_base,
            }
        )
    near = [i for i, model in enumerate(models) if model["within_one_se"]]
    simplest = min(near, key=lambda i: (tried[i].fitted.parameters, settled[i], i))
    order = sorted(range(len(models)), key=lambda i: (settled[i], i))
    ranked = [models[i] for i in order]
    return {
        "models": ranked,
        "best": models[best]["name"],
        "simplest_within_one_se": models[simplest]["name"],
        "not_clearly_worse": [
            m["name"] for m in ranked if m["name"] != models[best]["name"] and not m["clearly_worse_than_best"]
        ],
        "verdict": _verdict(setting.response, ranked, models[best], models[simplest], models[base]),
    }


def _as_json(mean: crossval.Mean) -> Result:
    return {"value": mean.value, "std_error": mean.std_error, "ci_low": mean.low, "ci_high": mean.high}


def _verdict(response: str, ranked: list[Result], best: Result, simplest: Result, base: Result) -> str:
    if best is base:
        return f"No model predicts {response} of new rows better than its {_plain(base)} does."
    share = f"{number(100 * best['r_squared_out'], 3)} %"
    if not best["clearly_better_than_mean"]:
        return (
            f"The {best['name']} model has the least error, but is not clearly better than the {_plain(base)}: the "
            f"data do not show that any of the models predicts {response} of new rows."
        )
    text = f"The {best['name']} model predicts {response} of new rows best; its error is {share} less than that of the "
    text += f"{_plain(base)}, clearly so."
    rivals = [m["name"] for m in ranked if m is not best and m is not base and not m["clearly_worse_than_best"]]
    others = [m for m in ranked if m is not best and m is not base]
    if rivals:
        text += f" It is not clearly better than {listed(rivals)}."
    elif others:
        text += " It is clearly better than each of the others."
    if simplest is not best:
        text += f" The simplest model within one standard error of it is {simplest['name']}."
    return text


def _plain(base: Result) -> str:
    return "mean alone" if base["name"] == "mean only" else str(base["name"])


def _warnings(n: int, result: Result) -> list[str]:
    warnings = []
    large = [m["name"] for m in result["models"] if n < _ROWS_PER_PARAMETER * m["parameters"]]
    if large:
        warnings.append(f"{n} rows are few for the parameters of {listed(large)}")
    return warnings
