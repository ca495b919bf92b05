"""Learns the weights of `worker.engines.research.evidence` and of `worker.engines.research.gist`, and prints them.

    python -m eval.learn_evidence --data FOLDER

Both are checked over ten folds by document first; what is printed for the source is then learnt on everything. How
often the rules of `worker.engines.text.relation` are right is printed as well: on rationale sentences and their labels,
and on questions with their authors' conclusion and decision.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from eval.evidence import COUNTED, Claim, by_bm25, claims_in, scored
from eval.gist import Summarised, summarised_in
from eval.judged import lines_of
from worker.engines.research import evidence, gist
from worker.engines.research.plan import plan_of
from worker.engines.research.scan import Scanner
from worker.engines.research.settings import DEPTHS, Settings
from worker.engines.text.matching import soft_coverage
from worker.engines.text.relation import relation
from worker.engines.text.sentences import split_sentences
from worker.engines.text.statements import display, is_statement, label_length
from worker.engines.text.terms import Analyzer

FOLDS = 10
EVIDENCE_PENALTY = 10.0
GIST_PENALTY = 1.0
_SETTINGS = Settings(DEPTHS["quick"], 10, 40, "en", 0)
Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Case:
    """One document: a row of signs for each sentence, what each is worth, and which fold it is in by its key."""

    key: str
    signs: Array
    worth: Array
    numbers: tuple[tuple[int, ...], ...] = ()


def evidence_case(claim: Claim) -> Case:
    """The sentences of the claim's abstract that may be quoted; worth 1 when in the rationale, else 0."""
    plan = plan_of(claim.text, _SETTINGS)
    scan = Scanner(plan.terms, "en").scan("", claim.abstract.title, claim.abstract.text, (), whole=True)
    rarity = evidence.term_weights(plan.terms, scan.frequency, scan.sentences)
    held = [soft_coverage(unit.held, rarity) for unit in scan.units]
    best = max(held, default=0.0) or 1.0
    rows = [[value, value / best, *unit.signs] for value, unit in zip(held, scan.units, strict=True)]
    numbers = tuple(tuple(claim.abstract.numbers(unit.quote)) for unit in scan.units)
    worth = [float(bool(claim.rationale.intersection(found))) for found in numbers]
    return Case(
        claim.abstract.key, np.array(rows).reshape(len(rows), 2 + len(evidence.FIXED)), np.array(worth), numbers
    )


def gist_case(item: Summarised) -> Case:
    """The sentences of an abstract that may be quoted; worth their best ROUGE-1 F1 with a summary."""
    from rouge_score.rouge_scorer import RougeScorer

    analyzer = Analyzer()
    scorer = RougeScorer(["rouge1"], use_stemmer=True)
    found = [item.text[part.start : part.end] for part in split_sentences(item.text)]
    lines = [line for sentence in found if is_statement(line := display(sentence[label_length(sentence) :]))]
    rows = gist.signs_of(lines, [analyzer.terms(line) for line in lines], frozenset(analyzer.terms(item.title)))
    worth = [max(scorer.score(target, line)["rouge1"].fmeasure for target in item.targets) for line in lines]
    return Case(item.title, np.array(rows).reshape(len(rows), len(gist.SIGNS)), np.array(worth))


def logistic(cases: Sequence[Case]) -> tuple[Array, float]:
    """Weights and bias of the most likely logistic model under an L2 penalty on the standardised weights."""
    rows, worth = np.vstack([case.signs for case in cases]), np.concatenate([case.worth for case in cases])
    mean, spread = rows.mean(0), rows.std(0) + 1e-9
    scaled = (rows - mean) / spread

    def loss(weights: Array) -> tuple[float, Array]:
        z = scaled @ weights[:-1] + weights[-1]
        error = 1 / (1 + np.exp(-z)) - worth
        value = (np.logaddexp(0, z) - worth * z).sum() + EVIDENCE_PENALTY / 2 * (weights[:-1] ** 2).sum()
        return float(value), np.append(scaled.T @ error + EVIDENCE_PENALTY * weights[:-1], error.sum())

    found = _least(loss, rows.shape[1] + 1)
    weights = found[:-1] / spread
    return weights, float(found[-1] - weights @ mean)


def expected_worth(cases: Sequence[Case]) -> tuple[Array, float]:
    """Weights with the highest expected worth of a sentence drawn with probability ∝ exp(weights · signs), under an L2
    penalty on the standardised weights; no bias."""
    rows = np.vstack([case.signs for case in cases])
    mean, spread = rows.mean(0), rows.std(0) + 1e-9
    scaled = [((case.signs - mean) / spread, case.worth) for case in cases]

    def loss(weights: Array) -> tuple[float, Array]:
        value, slope = 0.0, np.zeros_like(weights)
        for signs, worth in scaled:
            z = signs @ weights
            drawn = np.exp(z - z.max())
            drawn /= drawn.sum()
            expected = float(drawn @ worth)
            value -= expected
            slope -= signs.T @ (drawn * (worth - expected))
        return value + GIST_PENALTY / 2 * float(weights @ weights), slope + GIST_PENALTY * weights

    return _least(loss, rows.shape[1]) / spread, 0.0


def _least(loss: Callable[[Array], tuple[float, Array]], size: int) -> Array:
    found: Array = minimize(loss, np.zeros(size), jac=True, method="L-BFGS-B").x
    return found


def ranked(cases: Sequence[Case], learn: Callable[[Sequence[Case]], tuple[Array, float]], seed: int) -> list[list[int]]:
    """Rows of each case, best first, by weights learnt on the folds that hold nothing of its document."""
    keys = sorted({case.key for case in cases})
    random.Random(seed).shuffle(keys)
    fold = {key: place % FOLDS for place, key in enumerate(keys)}
    orders: list[list[int]] = [[] for _ in cases]
    for number in range(FOLDS):
        weights, _ = learn([case for case in cases if fold[case.key] != number])
        for place, case in enumerate(cases):
            if fold[case.key] == number:
                values = np.round(case.signs @ weights, 9)
                orders[place] = [int(row) for row in np.argsort(-values, kind="stable")]
    return orders


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m eval.learn_evidence", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    claims = claims_in(given.data)
    if claims:
        _evidence(claims, given.seed)
        judged = [
            (item.text, item.abstract.sentences[number], item.label) for item in claims for number in item.rationale
        ]
        _relations("rationale sentences", judged)
    _relations("authors' conclusions", decided_in(given.data))
    items = summarised_in(given.data)
    if items:
        cases = [case for case in map(gist_case, items) if len(case.worth)]
        orders = ranked(cases, expected_worth, given.seed)
        reached = np.mean([case.worth[order[0]] for case, order in zip(cases, orders, strict=True)])
        first, best = np.mean([case.worth[0] for case in cases]), np.mean([case.worth.max() for case in cases])
        print(f"gist, {FOLDS} folds of {len(cases)}: {reached:.4f}; first sentence {first:.4f}, best {best:.4f}")
        _show(zip(gist.SIGNS, expected_worth(cases)[0], strict=True))


def _evidence(claims: Sequence[Claim], seed: int) -> None:
    cases = [evidence_case(claim) for claim in claims]
    orders = ranked(cases, logistic, seed)
    quoted = [
        [number for row in order for number in case.numbers[row]] for case, order in zip(cases, orders, strict=True)
    ]
    bm25 = [by_bm25(claim) for claim in claims]
    for name, found in ((f"evidence, {FOLDS} folds of {len(cases)}", quoted), ("BM25", bm25)):
        for most in COUNTED:
            scores: dict[str, Any] = scored([claim.rationale for claim in claims], [item[:most] for item in found])
            print(f"{name}, {most}: " + ", ".join(f"{key} {value:.3f}" for key, value in scores.items()))
    weights, bias = logistic(cases)
    _show([*zip(["holds", "holds, of the best", *evidence.FIXED], weights, strict=True), ("BIAS", bias)])


def decided_in(data: Path) -> list[tuple[str, str, str]]:
    """Question, conclusion and decision of every line below `data` with `question`, `long_answer` and `decision`."""
    found: list[tuple[str, str, str]] = []
    for path in sorted(data.glob("**/*.jsonl")):
        for line in lines_of(path):
            if not {"question", "long_answer", "decision"} <= line.keys():
                break
            found.append((line["question"], line["long_answer"], line["decision"]))
    return found


def _relations(name: str, judged: Iterable[tuple[str, str, str]]) -> None:
    """How often each rule speaks, by the label that people gave."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for statement, sentence, label in judged:
        found = relation(statement, sentence)
        counts[found.kind, found.reason, label] += 1
    for (kind, reason, label), number in sorted(counts.items()):
        print(f"relation, {name}: {kind} ({reason}), {label}: {number}")


def _show(weights: Iterable[tuple[str, float]]) -> None:
    for name, value in weights:
        print(f'    "{name}": {value:.2f},')


if __name__ == "__main__":
    main()
