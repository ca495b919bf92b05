"""The parts of a prompt that its wording names: what is compared, in whom, to what end, for and against what."""

from __future__ import annotations

import re
from dataclasses import dataclass

_GROUP = (
    r"(?:\s+(?:with (?:respect|regard) to|in terms of|regarding|in|among|amongst|for|during|within|across|when|after"
    r"|under)\s+(?P<group>[^?.!;]+))?"
)
_VERSUS = re.compile(
    r"(?P<left>[^?.!;]+?),?\s+(?:versus|vs\.?|(?:when |as )?compared (?:with|to)|in comparison (?:with|to)"
    r"|as opposed to|rather than|relative to)\s+(?P<right>[^?.!;,]+?)" + _GROUP + r"\s*[?.!;,]*\s*$",
    re.IGNORECASE,
)
_BETWEEN = re.compile(
    r"\b(?:differences?|comparisons?|contrasts?|trade-?offs?|choice|choose)\s+between\s+(?P<left>[^?.!;]+?)\s+and\s+"
    r"(?P<right>[^?.!;,]+?)" + _GROUP + r"\s*[?.!;,]*\s*$",
    re.IGNORECASE,
)
_COMPARE = re.compile(
    r"^\s*(?:please\s+)?(?:compare|contrast)\s+(?P<left>[^?.!;]+?)\s+(?:and|with|to|against)\s+(?P<right>[^?.!;,]+?)"
    + _GROUP
    + r"\s*[?.!;,]*\s*$",
    re.IGNORECASE,
)
_THAN = re.compile(
    r"^\s*(?:is|are|was|were|does|do|did|can|could|will|should)\s+(?P<left>[^?.!;]+?)\s+(?:(?:work|perform|do|be|have|lead"
    r"|yield|give|show)\s+)?(?:significantly\s+|much\s+|any\s+)?(?:more|less|better|worse|fewer|[a-z]{3,}er)\b[^?.!;]*?\s"
    r"than\s+(?P<right>[^?.!;,]+?)" + _GROUP + r"\s*[?.!;,]*\s*$",
    re.IGNORECASE,
)
_EFFECT = re.compile(
    r"\b(?:effects?|impacts?|influence|role|efficacy|effectiveness|benefits?|consequences?)\s+of\s+(?P<cause>[^?.!;]+?)\s+"
    r"(?:on|upon|in|for)\s+(?P<outcome>[^?.!;]+?)(?:\s+(?:in|among|amongst|for|during)\s+(?P<group>[^?.!;]+?))?\s*[?.!;]*\s*$",
    re.IGNORECASE,
)
_DOES = re.compile(
    r"^\s*(?:does|do|did|can|could|will|would|may|is|are|how (?:does|do|did)|to what extent (?:does|do))\s+"
    r"(?P<cause>[^?.!;]+?)\s+(?:\w+ly\s+)?(?:improve|increase|reduce|decrease|cause|prevent|affect|predict|help|influence"
    r"|protect|lower|raise|promote|enhance|impair|alter|change|delay|slow|induce|lead to|result in|contribute to"
    r"|(?:associated|linked|correlated) with|related to|(?:correlate|interfere) with)s?\s+(?P<outcome>[^?.!;]+?)"
    r"(?:\s+(?:in|among|amongst|for|during|after)\s+(?P<group>[^?.!;]+?))?\s*[?.!;]*\s*$",
    re.IGNORECASE,
)
_FOR_AND_AGAINST = re.compile(
    r"\b(?:(?:arguments?|evidence|case|reasons?|points)?\s*(?:both\s+)?for and against"
    r"|pros (?:and|&) cons of|(?:benefits?|advantages?|strengths?|merits?) and "
    r"(?:risks?|harms?|drawbacks?|disadvantages?|costs?|limitations?|weaknesses?|limits?) of"
    r"|(?:risks?|harms?|costs?) and (?:benefits?|advantages?|gains?) of)\s+(?P<subject>[^?.!;]+?)\s*[?.!;]*\s*$",
    re.IGNORECASE,
)
WEIGHS = re.compile(r"\b(?:pros (?:and|&) cons|for and against)\b(?: of)?", re.IGNORECASE)
"""Words that ask for both sides, which no source need hold."""
_LEAD = re.compile(
    r"^(?:(?:how|what|which|why|is|are|was|were|does|do|did|can|could|will|should|there|any|please|compare|between|either"
    r"|effective|efficacious|useful|good|well|safe|the|an?|effects?|impacts?|efficacy|effectiveness|use|role|benefits?"
    r"|comparison|differences?|of|in)\s+)+",
    re.IGNORECASE,
)
_LIST = re.compile(r"\s*,\s*(?:and\s+)?")
_MOST_WORDS = 8
FOR = "benefit advantage improve effective support"
AGAINST = "risk harm drawback limitation adverse fail"
"""Words that a search for either side adds."""
_SPEAKS_FOR = re.compile(
    r"\b(?:benefi|advantag|improv|effectiv|effic|support|help|gain|protect|promot|succe|enhanc|strengthen|useful|valu|better"
    r"|prevent|sav(?:e|es|ed|ing)\b|safe)",
    re.IGNORECASE,
)
_SPEAKS_AGAINST = re.compile(
    r"\b(?:risk|harm|drawback|limit|adverse|fail|disadvantag|wors|cost|damag|danger|ineffect|weak|problem|expens|threat|loss"
    r"|impair|hazard|concern|unsafe|complication)|\bno (?:\w+ ){0,2}?(?:benefit|effect|advantage|improvement)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Part:
    """`role`: `side` (of a comparison), `intervention`, `outcome`, `population`, or `subject` of a question for and
    against; `text` as the prompt has it."""

    role: str
    text: str


def parts_of(prompt: str) -> tuple[Part, ...]:
    """The parts that the wording of a prompt of one question names; empty when it names none."""
    line = " ".join(prompt.split())
    weighed = _FOR_AND_AGAINST.search(line)
    if weighed:
        return (Part("subject", _short(weighed["subject"])),)
    for pattern in (_BETWEEN, _COMPARE, _THAN, _VERSUS):
        match = pattern.search(line)
        if match:
            # "Compare a, b and c": all before the last are sides as well.
            left = _LIST.split(match["left"]) if pattern in (_BETWEEN, _COMPARE) else [match["left"]]
            sides = [_short(_LEAD.sub("", side)) for side in (*left, match["right"])]
            if all(sides) and len({side.casefold() for side in sides}) == len(sides):
                return _filled(*(("side", side) for side in sides), ("population", match["group"]))
    for pattern in (_EFFECT, _DOES):
        match = pattern.search(line)
        if match:
            named = ("intervention", match["cause"]), ("outcome", match["outcome"]), ("population", match["group"])
            return _filled(*named)
    return ()


def speaks(kind: str, sentence: str) -> bool:
    """Whether a sentence may speak to a facet of that kind: to a side of a question for and against only by a word that
    says so; its subject alone takes no side."""
    pattern = {"for": _SPEAKS_FOR, "against": _SPEAKS_AGAINST}.get(kind)
    return pattern is None or pattern.search(sentence) is not None


def _filled(*found: tuple[str, str | None]) -> tuple[Part, ...]:
    return tuple(Part(role, short) for role, text in found if text and (short := _short(text)))


def _short(text: str) -> str:
    """Without an article before it; the last words of a long left side are the ones that name it."""
    told = re.sub(r"^(?:the|an?)\s+", "", text.strip(" ,:"), flags=re.IGNORECASE).split()
    return " ".join(told[-_MOST_WORDS:])
