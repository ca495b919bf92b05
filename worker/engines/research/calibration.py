"""From signals to a probability: what was learnt about how often a statement that looks like an answer is one.

A logistic regression with few, non-negative weights::

    p = 1 / (1 + exp(−(INTERCEPT + Σ weight · signal)))

It is the probability that the first finding quotes a passage that answers the prompt, when half the prompts have an
answer in the sources. docs/research.md says on what it was learnt and how well it is calibrated.
"""

from __future__ import annotations

import math

from worker.engines.research.signals import Signals

INTERCEPT = -4.97
WEIGHTS = Signals(strength=1.83, lead=2.51, apart=1.07, first=2.26)
"""Found by `python -m eval.learn_confidence` (ridge of 1, judged on five folds by question, each set of questions
weighing the same)."""
ANSWER_PROBABILITY = 0.4
"""At least so likely, or the prompt counts as not answered. It would be a half, with a false answer as costly as a true
one withheld, if half the prompts had no answer; a library is usually asked what it was made for."""


def probability(signals: Signals) -> float:
    """How likely the statement with these signals answers the prompt, 0..1, rounded to four places."""
    told = signals.as_json()
    total = INTERCEPT + sum(weight * told[name] for name, weight in WEIGHTS.as_json().items())
    return round(1 / (1 + math.exp(-total)), 4)
