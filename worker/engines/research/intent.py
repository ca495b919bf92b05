"""What form of answer a prompt asks for, as far as its wording tells.

"What is spaced repetition?" asks for a definition, "How much carbon is stored?" for a quantity: a sentence that merely
mentions the thing is no answer to it, however well its words match.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from worker.engines.text.stopwords import GENERIC_WORDS, STOP_WORDS
from worker.engines.text.terms import fold, words

_ASKS_DEFINITION = re.compile(
    r"^\s*(?:what (?:is|are|was|were) (?:meant by |the (?:meaning|definition) of )?(?:an? |the )?(?P<is>[^?.!,;]+?)"
    r"|what does (?P<does>[^?.!,;]+?) mean|define (?:an? |the )?(?P<define>[^?.!,;]+?)"
    r"|explain what (?P<explain>[^?.!,;]+?) (?:is|are))\s*[?.!]?\s*$",
    re.IGNORECASE,
)
_RELATION = re.compile(r"\b(?:of|in|on|for|to|between|from|with|by|that|which|about|known|does|do)\b", re.IGNORECASE)
_COPULA = (
    r"(?:is|are|was|were|means?|refers? to|denotes?|describes?|comprises?|consists? of|deals? with|concerns?"
    r"|stands? for|may be|can be|has been (?:defined|described|called))"
)
HOW = re.compile(r"\bhow (?:much|many|large|big|long|far|high|fast|often|old|deep)\b", re.IGNORECASE)
"""A question for a quantity. The word after "how" names its dimension."""
_ASKS_QUANTITY = re.compile(
    HOW.pattern + r"|\bwhat (?:is |are |was |were )?(?:the )?(?:\w+ )?"
    r"(?:number|amount|rate|percentage|share|proportion|size|cost)\b",
    re.IGNORECASE,
)
# No quantities of the subject: calendar years, and numbers that are part of a name ("carbon-13").
_QUANTITY = re.compile(
    r"(?<![\w(-])(?!(?:1[5-9]|20)\d\d\b)(?!(?:1[5-9]|20)\d0s\b)\d[\d.,]*|\b(?:half|quarter|twice|hundred|thousand"
    r"|million|billion|per ?cent|percent)s?\b|\b(?:two|three|four|five|six|seven|eight|nine|ten)\b",
    re.IGNORECASE,
)
_ASKS_TIME = re.compile(r"^\s*when\b|\b(?:in )?what (?:year|century|decade|date)\b", re.IGNORECASE)
_TIME = re.compile(r"\b(?:1[0-9]|20)\d\d\b(?!\))|\bcentur(?:y|ies)\b|\b\d+ years\b|\bBC\b|\b\d0s\b", re.IGNORECASE)
_ASKS_CAUSE = re.compile(r"^\s*why\b|\bwhat (?:causes?|drives?|leads? to|explains?)\b", re.IGNORECASE)
_CAUSE = re.compile(
    r"\b(?:because|caused?|causes|due to|owing to|results? from|leads? to|led to|therefore|explains?|explained"
    r"|driven by|reasons?|so that)\b",
    re.IGNORECASE,
)


_ASKS_OF_A_WORD = re.compile(
    r"^\s*(?:define|what (?:is|are) (?:an?|meant by)|what do(?:es)? \S+ mean)\b"
    r"|^\s*what (?:is|are) (?!(?:this|these|it|they|here|there|\w+(?:ed|ant|ing|own|id))\b)\w+\s*\?*\s*$"
    r"|^\s*how\b.*\b(?:study|write|work|learn|understand|talk|speak)\b",
    re.IGNORECASE,
)
"""“What is a summary?” and “how should one study?” ask of the words that “give a summary of this study” only uses."""


def asks_overview(prompt: str) -> bool:
    """Whether a prompt names no subject: all its words are function words or speak of documents in general, as in
    "Summarise these papers". Its language need not be the session's."""
    if HOW.search(prompt) or _ASKS_OF_A_WORD.search(prompt):
        return False
    found = [word.text for word in words(prompt)]
    return any(_names_no_subject(found, language) for language in GENERIC_WORDS)


def _names_no_subject(found: Sequence[str], language: str) -> bool:
    stop, generic = STOP_WORDS[language], GENERIC_WORDS[language]
    folded = [fold(word) for word in found]
    if not folded or not all(word in stop or word in generic or word.isdigit() for word in folded):
        return False
    if any(word.isdigit() for word in folded) and generic.isdisjoint(folded):
        return False
    # "IT" and "US" are names that only look like function words.
    shouted = all(word.isupper() for word in found)
    return shouted or not any(word.isupper() and len(word) > 1 and fold(word) in stop - generic for word in found)


@dataclass(frozen=True, slots=True)
class AnswerForm:
    """A form of answer: its name, what a sentence of that form matches, how much more such a sentence counts, and
    whether an answer without any is in doubt."""

    name: str
    pattern: re.Pattern[str]
    gain: float
    required: bool

    def met(self, sentence: str) -> bool:
        return self.pattern.search(sentence) is not None


def answer_form(prompt: str) -> AnswerForm | None:
    """The form of answer that the prompt asks for; None when its wording does not tell."""
    subject = _subject(prompt)
    if subject:
        return AnswerForm("definition", _definition_of(subject), 1.5, required=True)
    if _ASKS_QUANTITY.search(prompt):
        return AnswerForm("quantity", _QUANTITY, 1.3, required=True)
    if _ASKS_TIME.search(prompt):
        return AnswerForm("time", _TIME, 1.3, required=True)
    if _ASKS_CAUSE.search(prompt):
        return AnswerForm("cause", _CAUSE, 1.2, required=False)
    return None


def _definition_of(subject: str) -> re.Pattern[str]:
    name = r"[\s-]+".join(_any_number(word) for word in re.split(r"[\s-]+", subject))
    return re.compile(
        rf"^(?:an? |the |this )?[\"“'‘]?{name}[\"”'’]?(?:\s*\([^)]*\))?,?\s+(?:[\w-]+ly )?{_COPULA}\b"
        rf"|\b(?:defin\w+|meaning|concept|notion)\b.{{0,30}}\b{name}\b|\b{name}\b.{{0,30}}\bdefin\w+",
        re.IGNORECASE,
    )


def _subject(prompt: str) -> str:
    match = _ASKS_DEFINITION.match(" ".join(prompt.split()))
    if not match:
        return ""
    subject = next(group for group in match.groups() if group)
    # "What is the effect of sleep on memory?" asks for a finding, not for the meaning of a name.
    return "" if _RELATION.search(subject) or len(subject.split()) > 5 else subject


def _any_number(word: str) -> str:
    stem = word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
    return re.escape(stem) + "(?:s|es)?"
