"""Whether two findings say the same, contradict each other, or speak of different things.

A finding is read as: what it is about (stems without words of direction, of denial and of reporting), which way it
points, the amounts it states, and what stands before and after its verb. Two findings are alike when they have their
weighted stems in common and do not *both* have something of their own: a longer wording adds on one side only, another
subject adds on both. Deliberately careful: what is not surely the same is left apart.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from worker.engines.synthesis.quantities import Quantity, agree, quantities, same_conditions
from worker.engines.text import directions
from worker.engines.text.bm25 import CollectionStatistics
from worker.engines.text.effects import Effect, effect_of, opposite
from worker.engines.text.particulars import Particulars, particulars, same_particulars
from worker.engines.text.terms import Analyzer, fold, words

SAME_MEANING = 0.6
"""Likeness from which two findings are about the same. Fixed, as the three below, on the labelled pairs `LEARN` of
`tests/unit/engines/meaning_pairs.py`; `test_synthesis_meaning.py` there measures them on others."""
MOST_OF_ITS_OWN = 0.2
"""Share of its weight that the finding with fewer words of its own may have for itself."""
LEAST_IN_COMMON = 0.5
"""Cosine below which the longer of two findings says too much besides."""
SAME_BUT_FOR_AMOUNTS = 0.85
"""Likeness from which different amounts of one unit contradict each other; below, they are of different things."""
_LEAST_SHARED = 3


class Relation(Enum):
    """What one finding is to another."""

    SAME = "same"
    DIRECTION = "direction"
    """They point opposite ways."""
    NEGATION = "negation"
    """One denies what the other states."""
    QUANTITY = "quantity"
    """They state different amounts of the same thing under the same conditions."""
    DIFFERENT = "different"


CONFLICTS = frozenset({Relation.DIRECTION, Relation.NEGATION, Relation.QUANTITY})


@dataclass(frozen=True, slots=True)
class Reading:
    """A finding as it is compared. `weights` are those of its stems and of unit length; `direction` is 1 for up, −1 for
    down, 0 for neither. What weighs two sides is not `plain`. `before` and `after` are the stems at either side of its
    verb, in active voice; empty without one."""

    text: str
    weights: Mapping[str, float]
    total: float
    direction: int
    denied: bool
    plain: bool
    amounts: frozenset[Quantity]
    before: frozenset[str]
    after: frozenset[str]
    sides: tuple[frozenset[str], frozenset[str]]
    """Of what weighs two sides: what each has for itself, directions included; else empty."""
    known: bool
    """Whether denials of its language are known; if not, only the same words say the same."""
    effect: Effect | None
    """What it says does what to what, where it says just that."""
    own: Particulars


def readings(texts: Sequence[str], analyzer: Analyzer) -> list[Reading]:
    """Each text as it is compared with the others; stems that are rare among these texts weigh more."""
    topics = [_topic(text, analyzer) for text in texts]
    statistics = CollectionStatistics.of(topics)
    return [_reading(text, topic, statistics, analyzer) for text, topic in zip(texts, topics, strict=True)]


def likeness(left: Reading, right: Reading) -> float:
    """How much two findings are about the same, 0..1, the same both ways round."""
    shared = left.weights.keys() & right.weights.keys()
    if len(shared) < min(_LEAST_SHARED, len(left.weights), len(right.weights)) or not shared:
        return 0.0
    cosine = math.fsum(left.weights[stem] * right.weights[stem] for stem in shared)
    held = [math.fsum(item.weights[stem] for stem in shared) / item.total for item in (left, right)]
    if 1 - max(held) > MOST_OF_ITS_OWN or cosine < LEAST_IN_COMMON:
        return 0.0
    return round((cosine + max(held)) / 2, 6)


def relation(left: Reading, right: Reading) -> Relation:
    """What two findings are to each other; the same both ways round."""
    if left.text == right.text and same_particulars(left.own, right.own):
        return Relation.SAME
    if not (left.known and right.known):
        return Relation.DIFFERENT
    if opposite(left.effect, right.effect):
        return Relation.DIRECTION
    alike = likeness(left, right)
    if alike < SAME_MEANING or _swapped(left, right):
        return Relation.DIFFERENT
    if left.direction and right.direction and left.direction != right.direction:
        if left.denied != right.denied or not (left.plain and right.plain):
            # "does not rise" beside "falls": neither the same nor opposed.
            return Relation.DIFFERENT
        return Relation.DIRECTION
    if left.denied != right.denied:
        return Relation.NEGATION if left.plain and right.plain else Relation.DIFFERENT
    if agree(left.amounts, right.amounts) is False:
        comparable = alike >= SAME_BUT_FOR_AMOUNTS and same_conditions(left.amounts, right.amounts)
        return Relation.QUANTITY if comparable else Relation.DIFFERENT
    # What one states of a place or an amount, the source of the other does not say.
    return Relation.SAME if same_particulars(left.own, right.own, rounded=True) else Relation.DIFFERENT


def signature(reading: Reading) -> list[str]:
    """The weightiest stems of a finding, of which any that is alike and has less of its own must hold one."""
    if not reading.weights:
        return [reading.text]
    chosen: list[str] = []
    weight = 0.0
    for stem in sorted(reading.weights, key=lambda stem: (-reading.weights[stem], stem)):
        chosen.append(stem)
        weight += reading.weights[stem]
        if weight > MOST_OF_ITS_OWN * reading.total:
            break
    return chosen


def _topic(text: str, analyzer: Analyzer) -> list[str]:
    folded = [fold(word.text) for word in words(text)]
    return analyzer.stem([word for word in folded if _says_what(word, analyzer)])


def _says_what(word: str, analyzer: Analyzer) -> bool:
    if word in analyzer.stop_words or word in directions.SIGNS or word in directions.FRAMING:
        return False
    # Amounts are compared as such; a year belongs to what is spoken of.
    return not word[0].isdigit() or (len(word) == 4 and word.isdigit())


def _reading(text: str, topic: Sequence[str], statistics: CollectionStatistics, analyzer: Analyzer) -> Reading:
    counts = Counter(topic)
    raw = {stem: (1 + math.log(count)) * statistics.idf(stem) for stem, count in sorted(counts.items())}
    norm = math.sqrt(math.fsum(weight * weight for weight in raw.values())) or 1.0
    weights = {stem: weight / norm for stem, weight in raw.items()}
    folded = [fold(word.text) for word in words(text)]
    verb = directions.acting_verb(text)
    before, after = _sides(text, verb, analyzer)
    denials = directions.denials_of(analyzer.language)
    return Reading(
        text=" ".join(folded),
        weights=weights,
        total=math.fsum(weights.values()) or 1.0,
        direction=directions.direction_of(folded, verb),
        denied=sum(word in denials for word in folded) % 2 == 1,
        plain=directions.plain(text, folded, verb),
        amounts=quantities(text),
        before=before,
        after=after,
        sides=_weighed(text, folded, analyzer),
        known=bool(denials),
        effect=effect_of(text, analyzer),
        own=particulars(text, analyzer),
    )


def _sides(text: str, verb: directions.Verb | None, analyzer: Analyzer) -> tuple[frozenset[str], frozenset[str]]:
    if verb is None:
        return frozenset(), frozenset()
    left = frozenset(_topic(text[: verb.start], analyzer))
    right = frozenset(_topic(text[verb.end :], analyzer))
    return (right, left) if verb.passive else (left, right)


def _weighed(text: str, folded: Sequence[str], analyzer: Analyzer) -> tuple[frozenset[str], frozenset[str]]:
    parts = directions.parts(text, folded)
    if parts is None:
        return frozenset(), frozenset()
    first, second = (_signed(part, analyzer) for part in parts)
    return first - second, second - first


def _signed(part: str, analyzer: Analyzer) -> frozenset[str]:
    folded = [fold(word.text) for word in words(part)]
    signs = {sign for sign, known in (("+", directions.UP), ("-", directions.DOWN)) if known.intersection(folded)}
    return frozenset(_topic(part, analyzer)) | signs


def _swapped(left: Reading, right: Reading) -> bool:
    """Whether what acts in one is acted upon in the other, or what stands on one side of a comparison on the other."""
    if left.sides[0] & right.sides[1] and left.sides[1] & right.sides[0]:
        return True
    if left.before & right.before:
        return False
    return bool(left.before & right.after) and bool(right.before & left.after)
