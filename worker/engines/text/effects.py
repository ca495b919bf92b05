"""What a sentence says does what to what, and whether two sentences say the opposite of it.

Narrow on purpose: one plain English statement with an acting verb of direction ("shade reduces the growth of moss").
Two effects are opposite when the same thing acts, the same thing is acted upon, and the verbs point opposite ways.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from worker.engines.text import directions
from worker.engines.text.stopwords import WEAK_WORDS, word_set
from worker.engines.text.terms import Analyzer, fold, words

_NOT_STATED = re.compile(
    r"\?\s*$|\b(?:whether|if|hypothes\w+|expect\w*|assum\w+|suppos\w+|predict\w*|contrary|previous\w*|earlier)\b"
    r"|\b(?:aim|goal|objective|purpose)\b",
    re.IGNORECASE,
)
"""What is asked, supposed, or said of others is not stated."""
_LEAD_IN = re.compile(r"[,:;]|[.?!]\s|\bthat\b", re.IGNORECASE)
_OPEN = re.compile(r"\b(?:how|what|which|who|why)\b", re.IGNORECASE)
"""Asks for what acts instead of naming it."""
_ASKING = re.compile(
    r"^.*\b(?:do|does|did|can|could|may|might|will|would|should|is|are|was|were|whether|if)\b",
    re.IGNORECASE | re.DOTALL,
)
_END = re.compile(
    r"[,;:()]|\b(?:across|after|among|and|as|at|before|between|by|compared|during|for|from|in|on|or|over|per|relative"
    r"|through|to|under|when|where|which|with|within)\b",
    re.IGNORECASE,
)
"""Where the thing acted upon ends, and circumstances begin."""
_AMOUNT_BY = re.compile(r"^\s*(?:an?|one|half|\d)[^,;]{0,20}?\s+by\b", re.IGNORECASE)
"""How much, before what acts: "cut by *a third by* shade"."""
_OF = re.compile(r"\bof\b", re.IGNORECASE)
_TRIAL = word_set(
    """
    analyses analysis average conclude concluded data day days experiment experiments greenhouse half mean month months
    one plot plots sample samples season seasons site sites summer summers ten three total trial trials two week weeks
    winter winters year years
    """
)
"""Words for how long and how often something was tried, which are no circumstances of an effect."""
_NOUNS = word_set("growth")
"""Words of direction that name a thing as well."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What acts, what is acted upon (`head` is its main word), under which circumstances, all as stems; `direction` is
    1 for up and −1 for down. `turned` are the words of direction within what is acted upon ("the *decline* of")."""

    actor: frozenset[str]
    target: frozenset[str]
    head: str
    turned: frozenset[str]
    around: frozenset[str]
    direction: int


def effect_of(sentence: str, analyzer: Analyzer) -> Effect | None:
    """The effect that a sentence states; None when it states none, denies one or weighs two sides."""
    if analyzer.language != "en" or _NOT_STATED.search(sentence) or directions.WEIGHING.search(sentence):
        return None
    if not directions.DENIALS.isdisjoint(fold(word.text) for word in words(sentence)):
        return None
    verb = directions.acting_verb(sentence)
    if verb is None or verb.word not in directions.UP | directions.DOWN:
        return None
    opening, first = _after_lead_in(sentence[: verb.start])
    second, rest = _until_end(_behind(sentence, verb))
    acting, acted = (second, first) if verb.passive else (first, second)
    parts = _OF.split(acted, maxsplit=1)
    heads, actor, target = _stems(parts[0], analyzer), _stems(acting, analyzer), _stems(acted, analyzer)
    if not actor or not heads:
        return None
    return Effect(
        actor=frozenset(actor),
        target=frozenset(target),
        head=heads[-1],
        turned=frozenset(fold(word.text) for word in words(acted)) & (directions.UP | directions.DOWN) - _NOUNS,
        around=frozenset(_stems(f"{opening} {rest}", analyzer)),
        direction=1 if verb.word in directions.UP else -1,
    )


def opposite(left: Effect | None, right: Effect | None) -> bool:
    """Whether two effects contradict each other. Where each has circumstances of its own, both may hold."""
    if left is None or right is None or left.direction == right.direction:
        return False
    if left.actor != right.actor or left.head != right.head or left.turned != right.turned:
        return False
    if left.around - right.around and right.around - left.around:
        return False
    fewer, more = sorted((left.target, right.target), key=len)
    return fewer == more or (len(fewer) > 1 and fewer < more)


def acting_stems(prompt: str, analyzer: Analyzer) -> tuple[str, ...]:
    """The stems of what a prompt says, or asks, to have an effect ("Does *light* increase growth?"); none when it has
    no acting verb of direction."""
    verb = directions.acting_verb(prompt) if analyzer.language == "en" else None
    if verb is None or verb.word not in directions.UP | directions.DOWN:
        return ()
    if verb.passive:
        acting = _until_end(_behind(prompt, verb))[0]
    else:
        acting = _ASKING.sub("", _after_lead_in(prompt[: verb.start])[1])
    if _OPEN.search(acting):
        return ()
    return tuple(analyzer.stem([word for word in _content(acting, analyzer) if word not in WEAK_WORDS]))


def speaks_of(acting: Sequence[str], stems: Collection[str]) -> bool:
    """Whether a sentence of these stems names what acts, by one of its words or by their initials."""
    initials = "".join(stem[0] for stem in acting)
    return not acting or any(stem in acting or (len(initials) > 1 and stem == initials) for stem in stems)


def _behind(text: str, verb: directions.Verb) -> str:
    return _AMOUNT_BY.sub("", text[verb.end :]) if verb.passive else text[verb.end :]


def _after_lead_in(text: str) -> tuple[str, str]:
    ends = [match.end() for match in _LEAD_IN.finditer(text)]
    return (text[: ends[-1]], text[ends[-1] :]) if ends else ("", text)


def _until_end(text: str) -> tuple[str, str]:
    end = _END.search(text)
    return (text[: end.start()], text[end.start() :]) if end is not None else (text, "")


def _stems(text: str, analyzer: Analyzer) -> list[str]:
    return analyzer.stem(_content(text, analyzer))


def _content(text: str, analyzer: Analyzer) -> list[str]:
    left_out = analyzer.stop_words | directions.FRAMING | _TRIAL
    folded = [fold(word.text) for word in words(text)]
    return [word for word in folded if word not in left_out and not word[0].isdigit()]
