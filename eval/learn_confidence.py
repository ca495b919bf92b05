"""Learns how likely the first finding of a research session answers its prompt.

    python -m eval.learn_confidence --data FOLDER [--most 200] [--seed 1] [--keep FILE]

Every question is put four times: to a whole collection and to the documents of it that are nearest to the question,
each with and without the documents that answer it. A trial is right when the first finding (or, where nothing counts as
an answer, the nearest statement) is a quote of the place that answers. From the signals of these trials a logistic
regression is fitted with a ridge of 1, every set of questions weighing the same, and judged on five folds by question,
and on each set when learnt from the others. Collections with judged queries, whose judgments are of whole documents and
not complete, are only reported, and only with --judged. What it prints stands in
worker/engines/research/calibration.py and docs/research.md.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eval.inprocess import Indexed, outputs_of
from eval.questions import Question, QuestionSet, question_sets
from worker.engines.research.calibration import ANSWER_PROBABILITY
from worker.engines.research.model import Outline
from worker.engines.research.signals import Signals

NAMES = [field.name for field in fields(Signals)]
RIDGE = 1.0
FOLDS = 5
NEAR = 9
MOST_ANSWERING = 3
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Trial:
    """One prompt put to one library."""

    set_name: str
    question: int
    small: bool
    held: bool
    right: bool
    signals: dict[str, float] | None
    """None when no statement was found at all."""


async def trials_of(found: QuestionSet) -> list[Trial]:
    """The four trials of each question."""
    whole = Indexed(found.documents)
    trials = []
    for number, question in enumerate(found.questions):
        answers = set(question.answers)
        near = [key for key in whole.near(question.prompt, NEAR + len(answers)) if key not in answers]
        few = whole.part([*sorted(answers)[:MOST_ANSWERING], *near[:NEAR]])
        for small, sources in ((False, whole), (True, few)):
            for held in (True, False):
                sources.left_out = () if held else answers
                trials.append(await _trial(found.name, number, question, sources, small=small, held=held))
    return trials


async def _trial(name: str, number: int, question: Question, sources: Indexed, *, small: bool, held: bool) -> Trial:
    outputs = await outputs_of(question.prompt, sources, {})
    outline = Outline.of(outputs["synthesise"]["outline"])
    first = next(iter(outline.key or outline.nearest), None)
    claim = next((item for item in outline.claims if item.id == first), None)
    if claim is None:
        return Trial(name, number, small, held, right=False, signals=None)
    quote = claim.statement
    right = held and question.answered_by(quote.document_id, quote.start, quote.end)
    return Trial(name, number, small, held, right, dict(outline.signals))


def fit(rows: Floats, right: Floats, weight: Floats) -> Floats:
    """Intercept and weights of a logistic regression with a ridge, by Newton's method; a weight that comes out negative
    is held at 0 and the rest fitted again, for every signal speaks for an answer."""
    used = list(range(rows.shape[1]))
    while True:
        found = _newton(np.column_stack([np.ones(len(rows)), rows[:, used]]), right, weight)
        if not used or found[1:].min() >= 0:
            break
        used.pop(int(found[1:].argmin()))
    whole = np.zeros(rows.shape[1] + 1)
    whole[[0, *(place + 1 for place in used)]] = found
    return whole


def _newton(design: Floats, right: Floats, weight: Floats) -> Floats:
    found = np.zeros(design.shape[1])
    ridge = np.eye(len(found)) * RIDGE
    ridge[0, 0] = 0.0
    for _ in range(100):
        told = _sigmoid(design @ found)
        slope = design.T @ (weight * (right - told)) - ridge @ found
        bend = (design * (weight * told * (1 - told))[:, None]).T @ design + ridge
        step = np.linalg.solve(bend, slope)
        found = found + step
        if np.abs(step).max() < 1e-10:
            break
    return found


def predicted(found: Floats, rows: Floats) -> Floats:
    return _sigmoid(found[0] + rows @ found[1:])


def _sigmoid(value: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-value)), dtype=np.float64)


def calibration(told: Floats, right: Floats, bins: int = 10) -> tuple[list[tuple[float, float, int]], float]:
    """(mean predicted, share right, number) of each bin that is not empty, and the expected calibration error: the
    mean over all trials of how far their bin's mean is from its share (Naeini, Cooper and Hauskrecht, AAAI 2015)."""
    place = np.minimum((told * bins).astype(int), bins - 1)
    table = []
    for index in range(bins):
        inside = place == index
        if inside.any():
            table.append((float(told[inside].mean()), float(right[inside].mean()), int(inside.sum())))
    return table, sum(number * abs(mean - share) for mean, share, number in table) / max(1, len(told))


def order(told: Floats, right: Floats) -> float:
    """Area under the ROC curve: how often a right trial is told more likely than a wrong one, ties counting half."""
    yes, no = told[right > 0], told[right == 0]
    if not len(yes) or not len(no):
        return float("nan")
    return float((yes[:, None] > no[None]).mean() + (yes[:, None] == no[None]).mean() / 2)


def report(trials: Sequence[Trial], learnt_from: Sequence[str]) -> None:
    """Fit on the trials of some sets, judge on all, and print."""
    names = [*learnt_from, *sorted({trial.set_name for trial in trials} - set(learnt_from))]
    rows = np.array([[float((trial.signals or {}).get(name, 0.0)) for name in NAMES] for trial in trials])
    right = np.array([float(trial.right) for trial in trials])
    group = np.array([names.index(trial.set_name) for trial in trials])
    fold = np.array([trial.question % FOLDS for trial in trials])
    held = np.array([trial.held for trial in trials])
    some_statement = np.array([trial.signals is not None for trial in trials])
    used = some_statement & (group < len(learnt_from))
    numbers = np.bincount(group[used], minlength=len(names))
    weight = (used.sum() / len(learnt_from) / np.maximum(1, numbers))[group]

    def told(learn: NDArray[np.bool_], test: NDArray[np.bool_]) -> Floats:
        chosen = learn & used
        values: Floats = predicted(fit(rows[chosen], right[chosen], weight[chosen]), rows[test])
        return np.where(some_statement[test], values, 0.0)

    folds, others = np.zeros(len(trials)), np.zeros(len(trials))
    for number in range(FOLDS):
        folds[fold == number] = told(fold != number, fold == number)
    for number in range(len(names)):
        others[group == number] = told(group != number, group == number)
    found = fit(rows[used], right[used], weight[used])
    print("INTERCEPT", round(float(found[0]), 2))
    print("WEIGHTS", {name: round(float(value), 2) for name, value in zip(NAMES, found[1:], strict=True)})
    for title, values in (("five folds by question", folds), ("learnt from the other sets", others)):
        print(f"\n{title}\n{'set':24}     n  right   AUC Brier   ECE  not found without, withheld though right")
        learnt = group < len(learnt_from)
        for name, some in [
            *((name, group == number) for number, name in enumerate(names)),
            ("those learnt from", learnt),
        ]:
            if not some.any():
                continue
            _, error = calibration(values[some], right[some])
            brier = float(((values[some] - right[some]) ** 2).mean())
            withheld = values < ANSWER_PROBABILITY
            print(
                f"{name[:24]:24} {some.sum():5} {right[some].mean():6.3f} {order(values[some], right[some]):.3f} "
                f"{brier:.3f} {error:.3f} {withheld[some & ~held].mean():.3f} "
                f"{withheld[some & held & (right > 0)].mean():.3f}"
            )
    print("\npredicted  right  n (five folds, sets learnt from)")
    for mean, share, number in calibration(folds[group < len(learnt_from)], right[group < len(learnt_from)])[0]:
        print(f"{mean:9.3f} {share:6.3f} {number:5}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m eval.learn_confidence", description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--most", type=int, default=200, help="most questions of a set")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--judged", action="store_true", help="report collections with judged queries as well")
    parser.add_argument("--keep", type=Path, help="write the trials there")
    given = parser.parse_args()
    trials: list[Trial] = []
    learnt_from: list[str] = []
    for found in question_sets(given.data, seed=given.seed, most=given.most):
        if not (found.complete or given.judged):
            continue
        trials += asyncio.run(trials_of(found))
        learnt_from += [found.name] if found.complete else []
        print(found.name, len(trials), file=sys.stderr, flush=True)
    if given.keep:
        given.keep.write_text("\n".join(json.dumps(asdict(trial)) for trial in trials))
    report(trials, learnt_from)


if __name__ == "__main__":
    main()
