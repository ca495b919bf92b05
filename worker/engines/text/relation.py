"""Whether a sentence supports a statement, contradicts it, or only speaks of the same things.

Rules over words that a reader can follow, for English; in other languages a sentence only ever mentions. They look at
three things: whether each side says that there is *no* effect, which way the words of direction ("increase",
"inhibit") next to the words in common point, and how much of the statement the sentence holds. "Contradicts" is said
only where the rules were nearly always right; most contradictions are therefore reported as no more than a mention.

Certainties are the rules' precision on development claims with labelled rationale sentences of their abstracts
(support or contradiction, chosen by experts), and on questions with their authors' conclusions, rounded down;
`python -m eval.learn_evidence` prints the counts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from worker.engines.text.effects import acting_stems, speaks_of
from worker.engines.text.stopwords import word_set
from worker.engines.text.terms import Analyzer, fold, words

Kind = Literal["supports", "contradicts", "mentions"]

_UP = word_set(
    """
    activ acceler amplifi augment benefit better boost caus confer contribut critic crucial drive efficaci elev elicit
    elong enabl enhanc enrich essenti exacerb excess expand extend facilit faster gain great greater greatest high
    higher highest highli improv increas increment induc larger lead longer more necessari overexpress potenti
    preferenti prolong promot rais requir rescu restor rise sensit stimul strengthen stronger success superior
    support trigger upregul worsen
    """
)
_DOWN = word_set(
    """
    abolish abrog allevi amelior antagon attenu avoid block counteract curtail dampen deactiv declin decreas delay
    depress diminish dispens disrupt drop elimin fall fewer halt hamper harm hinder impair inactiv ineffect inferior
    inhibit insensit less lessen limit low lower mitig poor poorer prevent protect reduc repress resist restrict revers
    shorten shorter slow smaller suppress unnecessari weaken weaker worse
    """
)
_LOSS = word_set(
    """
    ablat absenc absent antagonist blockad defect defici deficient delet deplet haploinsuffici inhibitor insuffici
    knockdown knockout lack lose loss null remov silenc without
    """
)
"""Stems for a thing taken away: "loss of X lowers Y" speaks for "X raises Y"."""
_SIGNS = _UP | _DOWN | _LOSS
_NEGATION = word_set(
    """
    not no never none neither nor without cannot fail fails failed unable unlikely can't don't doesn't didn't isn't
    aren't wasn't weren't couldn't hasn't haven't won't
    """
)
_NULL = re.compile(
    r"\b(?:no (?:[\w-]+ ){0,4}?(?:differences?|effects?|associations?|relationships?|relations?|correlations?|evidence"
    r"|impacts?|influences?|changes?|benefits?|improvements?|increases?|reductions?|decreases?|role|link|significant"
    r"|advantages?|interactions?)"
    r"|not (?:[\w-]+ ){0,3}?(?:differ\w*|associate\w*|affect\w*|related|correlat\w+|significant\w*|alter\w*|influenc\w+"
    r"|chang\w+|improv\w+|increas\w+|reduc\w+|decreas\w+|caus\w+|lead|requir\w+|necessary|essential|sufficient"
    r"|contribut\w+|play|support\w*|linked|effective|have|induc\w+|predict\w*|prevent\w*|result|depend\w*|involv\w+"
    r"|appear|seem|inhibit\w*|enhanc\w+|benefit\w*)"
    r"|(?:un|non-?)(?:affected|changed|altered|related|associated|significant(?:ly)?)|independent(?:ly)? (?:of|from)"
    r"|indistinguishable|similar(?:ly)?|comparable|equivalent|no better|same|fail(?:s|ed)? to|neither|unable to"
    r"|unlikely to|lack of (?:\w+ )?(?:evidence|effect|association|benefit|difference)|dispensable|cannot"
    r"|little (?:effect|evidence|impact))\b",
    re.IGNORECASE,
)
"""Says that there is no effect, difference or relation."""
_PLAIN_NULL = re.compile(
    r"\b(?:no (?:[\w-]+ ){0,3}?(?:differences?|effects?|associations?|relationships?|relations?|correlations?|impacts?"
    r"|influences?|benefits?|improvements?|increases?|reductions?|decreases?)|(?:not|n't) (?:\w+ ){0,2}?(?:associated"
    r"|affect\w*|related|correlated?|alter|influence|improve|increase|reduce|decrease|cause|prevent|inhibit|enhance)"
    r"|unaffected|unchanged|independent(?:ly)? of)\b",
    re.IGNORECASE,
)
_FOUND = re.compile(
    r"\b(?:significant(?:ly)?|associated with|associations?|correlat\w+|linked|strong\w*|increas\w+|decreas\w+|reduc\w+"
    r"|improv\w+|higher|lower|greater|induc\w+|promot\w+|inhibit\w+|essential|required|crucial|critical|markedly"
    r"|caused?|causes|lead\w*|led|result(?:s|ed) in|effective|affect\w*|regulat\w+|predict\w+|depends? on|contribut\w+"
    r"|risk)\b",
    re.IGNORECASE,
)
"""Says that something was found, or that there is an effect."""

_AIM = re.compile(
    r"\b(?:ask|assess|determin|evaluat|examin|explor|investigat|know|stud|test|unclear|unknown)\w* (?:whether|if)\b"
    r"|^to (?:assess|compare|describe|determine|establish|evaluate|examine|explore|identify|investigate|quantify|study"
    r"|test)\b",
    re.IGNORECASE,
)
"""Says what was to be found out, and not what was found."""
_SETTING = re.compile(
    r"\b(?:was|were|been) (?:\w+ )?(?:assigned|bred|collected|cultivated|cultured|enrolled|exposed|fed|grown|housed"
    r"|incubated|kept|maintained|measured|monitored|planted|randomi[sz]ed|recruited|reared|sampled|sown|surveyed)\b"
    r"|\bwe (?:\w+ )?(?:bred|collected|cultivated|cultured|enrolled|exposed|fed|grew|housed|incubated|kept|measured"
    r"|monitored|planted|randomi[sz]ed|recruited|reared|sampled|sowed|surveyed)\b",
    re.IGNORECASE,
)
"""Says what was done with what was studied. Where it states no effect besides, it is no evidence of one."""

NO_EFFECT_DENIED, NO_EFFECT_SHARED = 0.9, 0.3
OPPOSITE_WAYS, OPPOSITE_SHARED, OPPOSITE_LEAST = 0.85, 0.4, 0.5
EFFECT_DENIED, EFFECT_SHARED = 0.6, 0.75
QUESTION_DENIED, QUESTION_SHARED = 0.75, 0.3
"""A question is answered "no" by a sentence that reports no effect; a statement may be about another effect."""
SUPPORT_SHARED = 0.4
_REACH = 5
_NEGATED_WITHIN = 4


@dataclass(frozen=True, slots=True)
class Relation:
    """How a sentence stands to a statement. `certainty` (0..1) is how often the rule that decided was right on
    development data; for a mention it is 0."""

    kind: Kind
    certainty: float
    reason: str


@dataclass(frozen=True, slots=True)
class _Reading:
    stems: Sequence[str]
    shared_by: frozenset[str]
    directions: Sequence[tuple[int, int]]
    """(index, ±1) of every word of direction, negation before it applied."""
    parity: int
    """Product of all directions and of what is taken away."""
    null: bool
    numbers: frozenset[str]
    """Of two digits or more. Who gives the same number hardly says the opposite."""


def relation(statement: str, sentence: str, analyzer: Analyzer | None = None) -> Relation:
    """The relation of `sentence` to `statement` (a claim, or a question that asks whether it is so)."""
    analyzer = analyzer or Analyzer()
    if analyzer.language != "en":
        return Relation("mentions", 0.0, "only English sentences are compared")
    if _AIM.search(sentence):
        return Relation("mentions", 0.0, "it says what was to be found out")
    said, found = _read(statement, analyzer), _read(sentence, analyzer)
    if _SETTING.search(sentence) and not (found.directions or found.null or _FOUND.search(sentence)):
        return Relation("mentions", 0.0, "it says what was done, and states no effect")
    shared = said.shared_by & found.shared_by
    share = len(shared) / max(1, len(said.shared_by))
    agree, clash = _directions(said, found, shared)
    if said.null and not found.null and share >= NO_EFFECT_SHARED and _FOUND.search(sentence):
        return Relation("contradicts", NO_EFFECT_DENIED, "it reports an effect where the statement says there is none")
    acting = acting_stems(statement, analyzer)
    if not found.null and not speaks_of(acting, found.stems):
        return Relation("mentions", 0.0, "it does not speak of what is said to act")
    opposite = clash > OPPOSITE_LEAST and not agree and said.parity != found.parity and not said.numbers & found.numbers
    if opposite and not (said.null or found.null) and share >= OPPOSITE_SHARED:
        return Relation("contradicts", OPPOSITE_WAYS, "its words of direction point the other way")
    if not said.null and not agree and found.null:
        plain, effect = _PLAIN_NULL.search(sentence), _FOUND.search(statement)
        if statement.rstrip().endswith("?"):
            if share >= QUESTION_SHARED and (plain or effect):
                return Relation("contradicts", QUESTION_DENIED, "it reports no effect where the question asks for one")
        elif plain and effect and share >= EFFECT_SHARED:
            return Relation("contradicts", EFFECT_DENIED, "it reports no effect where the statement says there is one")
    if share < SUPPORT_SHARED or clash > agree or said.null != found.null:
        return Relation("mentions", 0.0, "it speaks of the same things" if shared else "it speaks of other things")
    certainty = 0.75 if agree else 0.65
    return Relation(
        "supports", certainty, "its words of direction point the same way" if agree else "it says much of it"
    )


def _read(text: str, analyzer: Analyzer) -> _Reading:
    folded = [fold(word.text) for word in words(text)]
    stems = analyzer.stem(folded)
    directions: list[tuple[int, int]] = []
    for index, stem in enumerate(stems):
        sign = 1 if stem in _UP else -1 if stem in _DOWN else 0
        if sign:
            negated = not _NEGATION.isdisjoint(folded[max(0, index - _NEGATED_WITHIN) : index])
            directions.append((index, -sign if negated else sign))
    topic = frozenset(
        stem
        for stem, word in zip(stems, folded, strict=True)
        if word not in analyzer.stop_words and word not in _NEGATION and stem not in _SIGNS
    )
    parity = -1 if (sum(sign < 0 for _, sign in directions) + sum(stem in _LOSS for stem in stems)) % 2 else 1
    numbers = frozenset(word for word in folded if len(word) > 1 and word[0].isdigit())
    return _Reading(stems, topic, directions, parity, bool(_NULL.search(text)), numbers)


def _directions(said: _Reading, found: _Reading, shared: frozenset[str]) -> tuple[float, float]:
    """How strongly the words of direction agree and clash, over the words in common that both sides have one near;
    the nearer, the more it counts."""
    agree = clash = 0.0
    for stem in sorted(shared):
        left, right = _nearest(stem, said), _nearest(stem, found)
        if left is None or right is None:
            continue
        weight = 1 / (left[0] + right[0])
        if left[1] == right[1]:
            agree += weight
        else:
            clash += weight
    return agree, clash


def _nearest(stem: str, reading: _Reading) -> tuple[float, int] | None:
    """(distance in words, direction) of the word of direction nearest to a stem; those before it count as nearer."""
    best: tuple[float, int] | None = None
    for index, other in enumerate(reading.stems):
        if other != stem:
            continue
        for place, sign in reading.directions:
            distance = abs(index - place) - (0.5 if place < index else 0.0)
            if distance <= _REACH and (best is None or distance < best[0]):
                best = (distance, sign)
    return best
