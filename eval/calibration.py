"""How well confidences tell what is right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eval.report import Cell, Table

BINS = 10


@dataclass(frozen=True, slots=True)
class Trial:
    """One question. `held`: the library holds the answer; `right`: the first finding quotes it; `problem`: what must
    not be in the result, if anything."""

    held: bool
    answered: bool
    right: bool
    confidence: float
    problem: str = ""


def bins_of(trials: Sequence[Trial], bins: int = BINS) -> list[tuple[float, float, int]]:
    """(mean confidence, share right, number) of each bin of equal width that holds any trial."""
    found = []
    for number in range(bins):
        inside = [trial for trial in trials if min(int(trial.confidence * bins), bins - 1) == number]
        if inside:
            mean = sum(trial.confidence for trial in inside) / len(inside)
            found.append((mean, sum(trial.right for trial in inside) / len(inside), len(inside)))
    return found


def error_of(trials: Sequence[Trial]) -> float:
    """Expected calibration error: the mean over all trials of how far their bin's mean confidence is from its share
    right (Naeini, Cooper and Hauskrecht, "Obtaining well calibrated probabilities using Bayesian binning", 2015)."""
    return sum(number * abs(mean - share) for mean, share, number in bins_of(trials)) / max(1, len(trials))


def figures_of(trials: Sequence[Trial]) -> dict[str, Cell]:
    """The figures of one row, by name."""
    held, bare = [trial for trial in trials if trial.held], [trial for trial in trials if not trial.held]
    answered = [trial for trial in trials if trial.answered]
    return {
        "with answer": len(held),
        "answered": _share([trial.answered for trial in held]),
        "right": _share([trial.right for trial in held]),
        "withheld": _share([not trial.answered for trial in held]),
        "without answer": len(bare),
        "not found": _share([not trial.answered for trial in bare]),
        "right of answered": _share([trial.right for trial in answered]),
        "mean confidence with": _mean([trial.confidence for trial in held]),
        "without": _mean([trial.confidence for trial in bare]),
        "Brier": _mean([(trial.confidence - trial.right) ** 2 for trial in trials]),
        "ECE": error_of(trials) if trials else None,
    }


def table_of(trials: Sequence[Trial]) -> Table:
    """The calibration table."""
    rows = [list(row) for row in bins_of(trials)]
    return Table("Calibration of confidence_score", ["mean confidence", "share right", "questions"], rows)


def _share(values: Sequence[bool]) -> float | None:
    return sum(values) / len(values) if values else None


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
