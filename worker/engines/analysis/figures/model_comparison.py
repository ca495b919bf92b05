"""Compared models beneath each other, with their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from worker.engines.analysis.figures.intervals import Estimate, forest
from worker.engines.analysis.figures.spec import Figure
from worker.engines.analysis.table import Table

Result = dict[str, Any]


def compared(_: Table, result: Result) -> Sequence[Figure]:
    """The error on rows held out, then how much more each model errs than the best."""
    models = result["models"]
    errors = [Estimate(m["name"], m["error"], m["ci_low"], m["ci_high"], m["within_one_se"]) for m in models]
    said = f"Filled are the models within one standard error of {result['best']}."
    title = f"Error in predicting {result['response']} of new rows (filled: within one standard error of the best)"
    drawn = [forest(title, result["loss"], errors, none_at=None, filled=said)]
    differences = [
        Estimate(
            m["name"],
            m["difference_to_best"]["value"],
            m["difference_to_best"]["ci_low"],
            m["difference_to_best"]["ci_high"],
            m["clearly_worse_than_best"],
        )
        for m in models
        # The mean alone is so far off where it is clearly worse that nothing else could be told apart.
        if m["difference_to_best"] is not None and not (m["baseline"] and m["clearly_worse_than_best"])
    ]
    if differences:
        said = "Filled are the models that are clearly worse."
        title = f"How much more than {result['best']} each model errs (filled: clearly worse)"
        drawn.append(forest(title, f"{result['loss']}, difference", differences, none_at=0.0, filled=said))
    return drawn
