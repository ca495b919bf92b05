"""Words by which a finding points up or down, denies, or weighs two sides."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from worker.engines.text.stopwords import word_set

UP = word_set(
    """
    accelerate accelerated accelerates better boost boosted boosts elevate elevated elevates enhance enhanced enhances
    enhancing expand expanded expands gain gained gains greater grew grow grows growth higher improve improved
    improves improving improvement improvements increase increased increases increasing longer more positive positively
    promote promoted promotes raise raised raises raising rise risen rises rising rose strengthen strengthened
    strengthens stronger
    """
)
DOWN = word_set(
    """
    cut cuts decline declined declines declining decrease decreased decreases decreasing diminish diminished diminishes
    drop dropped drops fall fallen falling falls fell fewer harm harmed harms impair impaired impairs inhibit inhibited
    inhibits less lose loses losing loss losses lost lower lowered lowering lowers negative negatively prevent prevented
    prevents reduce reduced reduces reducing reduction reductions shorter shrank shrink shrinks slow slowed slower slows
    suppress suppressed suppresses weaken weakened weakens weaker worse worsen worsened worsens
    """
)
DENIALS = word_set(
    """
    not no never none neither nor without cannot can't don't doesn't didn't isn't aren't wasn't weren't won't wouldn't
    couldn't shouldn't hasn't haven't hadn't fail fails failed unable lack lacks lacked absence hardly unlikely
    """
)
DENIALS_ELSEWHERE = {
    "de": word_set("nicht kein keine keinem keinen keiner keines nie niemals ohne weder kaum"),
    "fr": word_set("ne pas aucun aucune jamais sans ni nullement"),
    "es": word_set("no nunca ningún ninguna ninguno sin ni tampoco jamás"),
}
"""By language. In others a denial is not known, so only the very same words count as the same statement."""
SIGNS = UP | DOWN | DENIALS
FRAMING = word_set(
    """
    about approximately clearly considerably greatly markedly moderately slightly steadily strongly substantially
    associated association effect effects evidence find finds found impact influence linked nearly
    observed percent related relation relationship report reported reports result results roughly show showed shown
    shows     significant significantly studies study suggest suggested suggests
    """
)
"""Words by which a finding is reported rather than what it says; "effect" and its like go with a denial."""
WEIGHING = re.compile(
    r"\b(?:whereas|while|although|though|but|however|unless|except|not only|depending|than)\b", re.IGNORECASE
)
"""What states two sides at once points no one way."""
_AND = re.compile(r"\band\b", re.IGNORECASE)
_VERB = re.compile(
    r"(?P<left>[\w’'-]+)?\s+(?P<verb>(?:accelerat|boost|caus|cut|decreas|diminish|driv|elevat|enhanc|harm|impair|improv|"
    r"increas|inhibit|lead|lower|mask|predict|prevent|promot|rais|reduc|shap|slow|strengthen|suppress|trigger|weaken|"
    r"worsen)(?:e|es|s|ed|d|ing|n|ns|ened)?)\b(?:\s+(?P<right>[\w’'-]+))?",
    re.IGNORECASE,
)
_BE = word_set("is are was were be been being")
_ARTICLES = word_set("a an the of with no any such its their")
_LOOSE = word_set(
    "after among and as at because between but during for from if in into on over since than to under when where with"
)


def denials_of(language: str) -> frozenset[str]:
    """Words that deny, in lower case; none for a language without a list."""
    return DENIALS if language == "en" else DENIALS_ELSEWHERE.get(language, frozenset())


@dataclass(frozen=True, slots=True)
class Verb:
    """What does something to something: the places of its first and last character, and whether it is passive."""

    word: str
    start: int
    end: int
    passive: bool


def acting_verb(sentence: str) -> Verb | None:
    """The first verb of change that has something at either side ("trees cool streets", "streets are cooled by trees").
    Comparatives ("lower risk", "was higher") and verbs without an object ("rises with age") are none."""
    for match in _VERB.finditer(sentence):
        left, right = (match["left"] or "").lower(), (match["right"] or "").lower()
        if left in _BE or (left.endswith("ly") and right == "by"):
            if right != "by":
                continue
            return Verb(match["verb"].lower(), match.start("verb"), match.end(), passive=True)
        if left in _ARTICLES or not left or not right or right in _LOOSE or right == "by":
            continue
        return Verb(match["verb"].lower(), match.start("verb"), match.end("verb"), passive=False)
    return None


def direction_of(folded: Collection[str], verb: Verb | None) -> int:
    """1 for up, −1 for down, 0 for neither or both: of the acting verb, or else of all words."""
    if verb is not None and verb.word in UP | DOWN:
        return 1 if verb.word in UP else -1
    return int(any(word in UP for word in folded)) - int(any(word in DOWN for word in folded))


def parts(sentence: str, folded: Collection[str]) -> tuple[str, str] | None:
    """The two sides that a sentence weighs; None when it weighs none."""
    found = WEIGHING.search(sentence)
    if found is None and any(word in UP for word in folded) and any(word in DOWN for word in folded):
        found = _AND.search(sentence)
    return (sentence[: found.start()], sentence[found.end() :]) if found is not None else None


def plain(sentence: str, folded: Collection[str], verb: Verb | None) -> bool:
    """Whether it points at most one way."""
    if WEIGHING.search(sentence):
        return False
    mixed = any(word in UP for word in folded) and any(word in DOWN for word in folded)
    return not mixed or (verb is not None and verb.word in UP | DOWN)
