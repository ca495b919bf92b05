"""Intervals that simulation showed to be too narrow, held to the binomial law."""

from __future__ import annotations

import numpy as np
from scipy import stats

from eval.simulation.data import kendall_truth, tied_pair
from worker.engines.analysis.numerics.kendall import kendall

RUNS = 600


def test_the_interval_of_kendalls_tau_holds_with_ties() -> None:
    rng = np.random.default_rng(3)
    draw = tied_pair(0.6)
    truth = kendall_truth(draw)
    held = 0
    for _ in range(RUNS):
        found = kendall(*draw(rng, 30))
        assert found is not None
        assert found.ci_low is not None
        assert found.ci_high is not None
        held += found.ci_low <= truth <= found.ci_high
    assert held >= stats.binom.ppf(0.001, RUNS, 0.95)
