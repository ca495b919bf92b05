"""The law by which simulations are judged, and a small part of them: the whole runs as `make simulate`."""

from __future__ import annotations

import numpy as np
import pytest

from eval.simulation.measuring import all_cases
from eval.simulation.trials import (
    COVERAGE,
    ERROR_RATE,
    REJECTION,
    Case,
    Outcomes,
    Quantity,
    Row,
    judged,
    limit_of,
    rows_of,
    run_part,
)

RUNS = 100
SMALL_PART = (
    "describe, normal, n = 10",
    "two groups, spreads 1 : 3, sizes 2 : 1, n = 10",
    "correlation 0, normal, n = 10",
    "correlation 0.6, tied, n = 30",
    "trend, normal, n = 10",
    "contingency 3 × 3, associated, n = 60",
    "hypothesis: share of 0.3, n = 30",
    "hypothesis: paired, heavy tails (t3), n = 10",
)


def _measured(kind: str, nominal: float, true: float, unclaimed: str = "", runs: int = 2000) -> Row:
    def trial(rng: np.random.Generator) -> Outcomes:
        return {"it": float(rng.random() < true)}

    case = Case("coin", 1, (Quantity("it", kind, nominal, unclaimed),), trial)
    return judged(rows_of(case, run_part(case, 1, 0, runs)))[0]


@pytest.mark.parametrize(
    ("kind", "nominal", "true", "verdict"),
    [
        (COVERAGE, 0.95, 0.95, "within"),
        (COVERAGE, 0.95, 0.90, "OFF"),
        (COVERAGE, 0.95, 0.99, "conservative"),
        (REJECTION, 0.05, 0.05, "within"),
        (REJECTION, 0.05, 0.09, "OFF"),
        (REJECTION, 0.05, 0.01, "conservative"),
        (ERROR_RATE, 0.05, 0.20, "OFF"),
    ],
)
def test_what_is_off_is_called_so(kind: str, nominal: float, true: float, verdict: str) -> None:
    assert _measured(kind, nominal, true).verdict == verdict


def test_what_is_not_claimed_is_measured_and_said() -> None:
    assert _measured(COVERAGE, 0.95, 0.8, "skewed").verdict == "not claimed"
    assert _measured(COVERAGE, 0.95, 0.95, "skewed").verdict == "within"


def test_the_limit_grows_with_the_number_of_rows() -> None:
    assert limit_of(1) == pytest.approx(3.0)
    assert limit_of(400) == pytest.approx(4.5, abs=0.1)


def test_parts_of_a_case_depend_on_seed_and_place_alone() -> None:
    case = next(case for case in all_cases() if case.label == "describe, normal, n = 10")
    first, again, other = (run_part(case, 1, part, 5).values for part in (0, 0, 1))
    assert first == again
    assert len(other["mean"]) == 5


def test_a_small_part_of_what_is_claimed_holds() -> None:
    cases = {case.label: case for case in all_cases()}
    rows = judged([row for label in SMALL_PART for row in rows_of(cases[label], run_part(cases[label], 7, 0, RUNS))])
    assert [row for row in rows if row.verdict == "OFF"] == []
    assert sum(row.verdict in ("within", "conservative") for row in rows) > 15
