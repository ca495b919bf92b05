"""Whether two statements about the same thing point opposite ways.

Deliberately narrow: it looks at negation and at words of direction, and only where two sentences share nearly all
their other words. It misses most contradictions rather than invent one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from worker.engines.text.stopwords import word_set
from worker.engines.text.terms import Analyzer, fold, words

_NEGATION = word_set(
    """
    not no never none neither nor without cannot can't don't doesn't didn't isn't aren't wasn't weren't won't
    wouldn't couldn't shouldn't hasn't haven't hadn't fail fails failed unable lack lacks lacked absence hardly
    unlikely
    """
)
_UP = word_set(
    """
    accelerate accelerated accelerates better enhance enhanced enhances enhancing gain gained gains greater
    higher improve improved improves improving improvement increase increased increases increasing more positive
    positively promote promoted promotes raise raised raises rise rises strengthen strengthened strengthens
    stronger
    """
)
_DOWN = word_set(
    """
    decline declined declines decrease decreased decreases decreasing diminish diminished diminishes fewer harm
    harms impair impaired impairs inhibit inhibited inhibits less lower lowered lowers negative negatively
    reduce reduced reduces reducing reduction slow slowed slows suppress suppressed suppresses weaken weakened
    weakens weaker worse worsen worsened worsens
    """
)
_SIGNS = _NEGATION | _UP | _DOWN
_MIN_SHARED = 3
_MIN_OVERLAP = 0.6
_COMPARISON = re.compile(
    r"\b(?:than|whereas|while|although|though|but|however|unless|except|not only)\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Stance:
    """What a sentence is about and which way it points.

    `direction` is 1 for up, −1 for down, 0 for neither. A sentence that weighs two sides is not `plain` and is never
    judged.
    """

    topic: frozenset[str]
    direction: int
    negated: bool
    plain: bool


def stance(sentence: str, analyzer: Analyzer) -> Stance:
    """The stance of a sentence."""
    found = [fold(word.text) for word in words(sentence)]
    up, down = any(word in _UP for word in found), any(word in _DOWN for word in found)
    kept = [word for word in found if word not in analyzer.stop_words and word not in _SIGNS]
    return Stance(
        topic=frozenset(analyzer.stem(kept)),
        direction=int(up) - int(down),
        negated=sum(word in _NEGATION for word in found) % 2 == 1,
        plain=not (up and down) and not _COMPARISON.search(sentence),
    )


def opposed(left: Stance, right: Stance) -> bool:
    """Whether two sentences share at least three stems and 60 % of all their topic stems, and differ in direction or
    in negation."""
    if not (left.plain and right.plain):
        return False
    shared = len(left.topic & right.topic)
    if shared < _MIN_SHARED or shared < _MIN_OVERLAP * len(left.topic | right.topic):
        return False
    if left.direction and right.direction:
        return (left.direction == right.direction) == (left.negated != right.negated)
    return left.direction == right.direction and left.negated != right.negated
