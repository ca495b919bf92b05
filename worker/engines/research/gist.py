"""The gist of a document: the one sentence that says best what it contributes, quoted as it stands.

A linear model over signs that a reader can check: where the sentence stands, how alike it is to the whole and to the
title, its length, and whether its wording offers, shows or studies something, or only sets the scene, adds a detail or
speaks of a trial.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from worker.engines.text import cues
from worker.engines.text.sentences import Sentence
from worker.engines.text.statements import display, is_back_matter, is_statement, label_length, refers_back
from worker.engines.text.terms import Analyzer

MOST_SENTENCES = 40
"""Statements looked at: the first of a document, its abstract among them, or all under a heading such as Abstract."""
_IDEAL_LOG_WORDS = 3.1
"""ln 22: as long as people make such a sentence."""
_SHORT, _LONG = 9, 38
_GOES_ON = re.compile(
    r"^(?:also|and|but|or|so|besides|moreover|furthermore|additionally|in addition"
    r"|however\b(?!.*\b(?:we|our|this (?:paper|work|article|study))\b))(?![\w-])",
    re.IGNORECASE,
)
_POINTS_ELSEWHERE = re.compile(
    r"^(?:for [^.]+[,;:] see |see also\b|see (?:the )?main articles?\b|main (?:articles?|pages?)\b\s*:"
    r"|further (?:information|reading)\s*:|this (?:article|page|section|list) is about\b|not to be confused with\b"
    r"|.{1,80} redirects? here\b|(?:jump|skip|back) to\b)",
    re.IGNORECASE,
)

WEIGHTS: Mapping[str, float] = {
    "first": 0.24,
    "last": 0.36,
    "place": -0.83,
    "like the whole": 6.48,
    "of the title": 3.74,
    "of it in the title": 9.54,
    "log words": 0.45,
    "off the usual length": -0.78,
    "short": -3.35,
    "long": -0.74,
    "offers": 2.08,
    "shows": -0.08,
    "studies": 1.30,
    "first to offer or show": 2.09,
    "after one that offers or shows": -0.87,
    "we": 2.04,
    "new": 0.63,
    "opens a contrast": -1.77,
    "opens a detail": -1.32,
    "of a trial": -0.43,
    "has a number": -1.02,
    "refers back": -1.28,
}
"""Learnt by `python -m eval.learn_evidence` on abstracts with one-sentence summaries by people: the weights with
the highest expected ROUGE-1 of a sentence drawn with probability ∝ exp(its value), under an L2 penalty of 1 on the
standardised weights. Over ten folds of 617 abstracts the sentence chosen reaches 0.42, where the first one has 0.30 and
the best possible choice 0.48."""


@dataclass(frozen=True, slots=True)
class Gist:
    """A place in a document's text; `quote` stands there verbatim."""

    start: int
    end: int
    quote: str


def gist_of(
    text: str,
    title: str,
    sentences: Sequence[Sentence],
    analyzer: Analyzer,
    known: Mapping[int, Sequence[str]] | None = None,
) -> Gist | None:
    """The gist of a text, given with its sentences; None when it has no sentence that can be quoted. `known` are the
    terms of sentences as far as they are known, by their start."""
    known = known or {}
    title_line = display(title).rstrip(".").casefold()
    kept: list[tuple[int, int, str]] = []
    for index in _looked_at(sentences):
        if len(kept) == MOST_SENTENCES:
            break
        part = sentences[index]
        start = part.start + label_length(text[part.start : part.end])
        line = display(text[start : part.end])
        if is_statement(line, marked=part.marked) and line.rstrip(".").casefold() != title_line:
            kept.append((index, start, line))
    if not kept:
        return None
    terms = [known.get(start) or analyzer.terms(line) for _, start, line in kept]
    rows = signs_of([line for _, _, line in kept], terms, frozenset(analyzer.terms(title)))
    values = [sum(WEIGHTS[name] * value for name, value in zip(SIGNS, row, strict=True)) for row in rows]
    best = max(range(len(kept)), key=lambda i: (_stands_alone(kept[i][2]), round(values[i], 6), -i))
    index, start, _ = kept[best]
    return Gist(start, sentences[index].end, text[start : sentences[index].end])


def _stands_alone(line: str) -> bool:
    """False for a sentence that goes on from the one before it, and for a note that sends the reader elsewhere: the
    gist only where there is no other."""
    return not _GOES_ON.match(line) and not _POINTS_ELSEWHERE.match(line)


def _looked_at(sentences: Sequence[Sentence]) -> list[int]:
    """Sentences under headings of the abstract kind, where there are enough of them; else all from the beginning."""
    body = [index for index, part in enumerate(sentences) if not is_back_matter(part.section)]
    telling = [index for index in body if cues.is_abstract(sentences[index].section)]
    return telling if len(telling) > 2 else body[: 2 * MOST_SENTENCES]


SIGNS = (
    "first",
    "last",
    "place",
    "like the whole",
    "of the title",
    "of it in the title",
    "log words",
    "off the usual length",
    "short",
    "long",
    "offers",
    "shows",
    "studies",
    "first to offer or show",
    "after one that offers or shows",
    "we",
    "new",
    "opens a contrast",
    "opens a detail",
    "of a trial",
    "has a number",
    "refers back",
)


def signs_of(lines: Sequence[str], terms: Sequence[Sequence[str]], title: frozenset[str]) -> list[tuple[float, ...]]:
    """The signs of each sentence, in the order of `SIGNS`."""
    whole = Counter(term for found in terms for term in found)
    likeness = [_likeness(Counter(found), whole) for found in terms]
    most = max(likeness, default=0.0) or 1.0
    rows: list[tuple[float, ...]] = []
    told = False
    last = len(lines) - 1
    for index, line in enumerate(lines):
        words = max(1, len(line.split()))
        own = frozenset(terms[index])
        shared = len(own & title)
        voice = cues.may_speak_of_itself(line)
        offers, shows = voice and cues.offers(line), voice and cues.shows(line)
        opens = not told and voice and (offers or shows or cues.names_itself(line))
        row = (
            index == 0,
            index == last,
            index / last if last else 0.0,
            likeness[index] / most,
            shared / max(1, len(title)),
            shared / max(1, len(own)),
            math.log(words),
            (math.log(words) - _IDEAL_LOG_WORDS) ** 2,
            words < _SHORT,
            words > _LONG,
            offers,
            shows,
            voice and cues.studies(line),
            opens,
            told,
            voice and cues.speaks_as_we(line),
            cues.claims_novelty(line),
            cues.opens_contrast(line),
            cues.opens_detail(line),
            cues.speaks_of_trial(line),
            cues.has_number(line),
            refers_back(line),
        )
        rows.append(tuple(round(float(value), 6) for value in row))
        told = told or opens
    return rows


def _likeness(own: Mapping[str, int], whole: Mapping[str, int]) -> float:
    """Cosine of two bags of terms with sublinear frequencies, but for the length of the whole."""
    norm = math.sqrt(sum((1 + math.log(count)) ** 2 for count in own.values()))
    dot = sum((1 + math.log(count)) * (1 + math.log(whole[term])) for term, count in own.items())
    return dot / norm if norm else 0.0
