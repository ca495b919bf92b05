"""All cases, done by several processes."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from eval.simulation import blocks, counts, detections, location, relations
from eval.simulation.trials import Case, Row, Tally, judged, rows_of, run_part

_PART = 100
"""Runs of one part of a case: parts are what processes share, so a result does not depend on how many there are."""


def all_cases() -> list[Case]:
    return [*location.cases(), *relations.cases(), *counts.cases(), *detections.cases(), *blocks.cases()]


def chosen_cases(only: Sequence[str]) -> list[Case]:
    """Those whose label holds one of the words, all without any."""
    return [case for case in all_cases() if not only or any(word in case.label for word in only)]


def measure(cases: Sequence[Case], runs: int, seed: int, processes: int) -> list[Row]:
    """Every case's rows, judged."""
    parts = [(case, part, size) for case in cases for part, size in enumerate(_parts(case, runs))]
    tallies = {case.label: Tally() for case in cases}
    labels = [case.label for case, _, _ in parts]
    sizes = [size for _, _, size in parts]
    numbers = [part for _, part, _ in parts]
    # Spawned, not forked: threads of numeric libraries do not survive a fork.
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        work = pool.map(_run, labels, [seed] * len(parts), numbers, sizes, chunksize=4)
        for label, tally in zip(labels, work, strict=True):
            tallies[label].merge(tally)
    return judged([row for case in cases for row in rows_of(case, tallies[case.label])])


def _parts(case: Case, runs: int) -> list[int]:
    wanted = max(1, round(runs * case.share))
    return [min(_PART, wanted - start) for start in range(0, wanted, _PART)]


_known: dict[str, Case] = {}


def _run(label: str, seed: int, part: int, runs: int) -> Tally:
    if not _known:
        _known.update({case.label: case for case in all_cases()})
    return run_part(_known[label], seed, part, runs)
