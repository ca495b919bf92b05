"""Words by which a sentence of a report tells what it does: state a result, describe a method, give background, say
what a work contributes; and what the part of a document under a heading or label is for. English; other languages have
none.
"""

from __future__ import annotations

import re
from typing import Literal

Part = Literal["", "background", "methods", "results", "conclusion"]

_RESULT = re.compile(
    r"\b(?:we (?:\w+ )?(?:found|find|showe?d?|observed|report|reported|demonstrate\w*|identif\w+|discover\w*"
    r"|confirm\w*)|was found|were found|resulted in|showed|significant\w*|associated with|correlat\w+|increas\w+"
    r"|decreas\w+|reduc\w+|higher|lower|greater|fewer|more|less)\b",
    re.IGNORECASE,
)
_METHOD = re.compile(
    r"\b(?:we (?:\w+ )?(?:used|performed|conducted|measured|examined|investigated|assessed|evaluated|analy[sz]ed"
    r"|compared|studied|tested|sought|aimed|searched|recruited|enrolled|developed)"
    r"|were (?:\w+ )?(?:assessed|measured|randomi[sz]ed|recruited|enrolled|assigned|collected|performed|included|used"
    r"|obtained|analy[sz]ed|examined|evaluated|searched|selected)"
    r"|was (?:\w+ )?(?:assessed|measured|performed|used|conducted|evaluated|carried out)|aim(?:s|ed)?|objective|purpose"
    r"|to (?:determine|investigate|assess|evaluate|examine|test) (?:whether|if|the)|hypothesi[sz]ed?)\b",
    re.IGNORECASE,
)
_BACKGROUND = re.compile(
    r"\b(?:unknown|unclear|not (?:\w+ )?(?:known|understood|established)|poorly understood|little is known|remains?"
    r"|is (?:an?|the) (?:\w+ )?(?:common|major|leading|important)|controversial|limited)\b",
    re.IGNORECASE,
)
_STATISTIC = re.compile(
    r"\bp\s*[<=>]|\b9\d% CI\b|confidence interval|(?:odds|hazard|risk) ratio|\bn\s*=|\d\s?%", re.IGNORECASE
)
_NUMBER = re.compile(r"\d")

_HEADS: tuple[tuple[Part, str], ...] = (
    (
        "conclusion",
        r"(?:\w+ and )?conclu\w*|(?:\w+ )?interpretation|in (?:brief|short|summary)|take-?aways?|implications?"
        r"|(?:executive |plain[- ]language )?summary",
    ),
    ("results", r"(?:main |key |principal )?(?:results?|findings?|outcomes?)|observations?|discussion"),
    (
        "methods",
        r"(?:materials? and |patients and )?method\w*|materials?|design|setting|patients|participants|subjects"
        r"|interventions?|measure\w*|data|procedures?|experiment\w*|main outcome measures?|study",
    ),
    (
        "background",
        r"background|introduction|objectives?|aims?|purpose|context|rationale|importance|relevance|hypothesis"
        r"|related work|motivation|significance",
    ),
)
_PARTS = tuple(
    (part, re.compile(rf"^(?:[\divx]+(?:\.\d+)*\.?\s+)?(?:the )?(?:{heads})\b", re.IGNORECASE))
    for part, heads in _HEADS
)

_ABSTRACT = re.compile(
    r"^(?:[\divx]+(?:\.\d+)*\.?\s+)?(?:abstract|(?:executive |plain[- ]language )?summary|synopsis)\b", re.IGNORECASE
)
_VERBS_OF_OFFERING = (
    r"(?:propos|introduc|present|develop|describ|design|devis|formulat|deriv|offer|contribut|report|suggest|provid)\w*"
)
_VERBS_OF_SHOWING = (
    r"(?:show\w*|demonstrat\w+|find|found|prove\w*|establish\w*|observ\w+|reveal\w*|conclud\w+|argu\w+|identif\w+"
    r"|explain\w*|verif\w+)"
)
_VERBS_OF_STUDYING = (
    r"(?:stud|investigat|explor|examin|analy|address|consider|tackl|focus|aim|seek|revisit|extend|evaluat|compar)\w*"
)
_SPEAKER = r"(?:we|i|authors?|(?:this|the|our) (?:\w+ )?(?:paper|work|article|study|thesis|report|results?))"
_OWN_VOICE = re.compile(
    r"\b(?:we|our|i|authors?|paper|work|article|study|thesis|chapter|report|results?)\b", re.IGNORECASE
)
_OFFERS, _SHOWS, _STUDIES = (
    re.compile(rf"\b{_SPEAKER} (?:\w+ ){{0,2}}?{verbs}\b", re.IGNORECASE)
    for verbs in (_VERBS_OF_OFFERING, _VERBS_OF_SHOWING, _VERBS_OF_STUDYING)
)
_THIS_WORK = re.compile(
    r"\b(?:in this|this|the present|our) (?:paper|work|article|study|thesis|chapter|report)\b", re.IGNORECASE
)
_STUDY = re.compile(
    r"\b(?:th(?:is|e present|e current) (?:study|paper|work|article|report|trial|review)|patients|participants"
    r"|these (?:results|findings|data)|(?:results|findings|data) (?:suggest|indicate|show|demonstrate))\b",
    re.IGNORECASE,
)
_WE = re.compile(r"\b(?:we|our)\b", re.IGNORECASE)
_NOVELTY = re.compile(
    r"\b(?:novel|new|first|simple|efficient|effective|general|unified|framework|approach|method|algorithm|model"
    r"|architecture|technique)\b",
    re.IGNORECASE,
)
_CONTRAST = re.compile(
    r"^(?:however|unfortunately|but|yet|nevertheless|although|while|despite|though)\b", re.IGNORECASE
)
_DETAIL = re.compile(
    r"^(?:(?:more )?specifically|in particular|concretely|to this end|furthermore|moreover|additionally|in addition"
    r"|also|further|finally|second|third|then|next|for example|for instance|experiment\w*|empirical\w*|extensive"
    r"|(?:the )?code|we (?:also|further|then|additionally|evaluate|test|validate|conduct|perform)"
    r"|our (?:experiments?|results?|code))\b",
    re.IGNORECASE,
)
_TRIAL = re.compile(
    r"\b(?:experiment\w*|empirical\w*|benchmarks?|datasets?|outperform\w*|state[- ]of[- ]the[- ]art|accuracy|code is"
    r"|evaluat\w+|available at)\b|https?:",
    re.IGNORECASE,
)


def states_result(sentence: str) -> bool:
    """Whether it words a result: a verb of finding, a comparison, a direction."""
    return _RESULT.search(sentence) is not None


def tells_method(sentence: str) -> bool:
    """Whether it words what was done, or was meant to be done."""
    return _METHOD.search(sentence) is not None


def gives_background(sentence: str) -> bool:
    """Whether it words what was or was not known before."""
    return _BACKGROUND.search(sentence) is not None


def has_statistic(sentence: str) -> bool:
    """Whether it holds a percentage, a p value, an interval, a ratio or a sample size."""
    return _STATISTIC.search(sentence) is not None


def has_number(sentence: str) -> bool:
    return _NUMBER.search(sentence) is not None


def reports_research(sentence: str) -> bool:
    """Whether it is of a report of research: it says we, speaks of a study at hand, or holds a statistic."""
    return (
        _WE.search(sentence) is not None
        or _STUDY.search(sentence) is not None
        or _STATISTIC.search(sentence) is not None
    )


def part_of(heading: str) -> Part:
    """What the part of a document under this heading, or behind this label, is for; "" when it does not tell."""
    line = " ".join(heading.split())
    return next((part for part, pattern in _PARTS if pattern.match(line)), "") if line else ""


def is_abstract(heading: str) -> bool:
    """Whether a heading opens an abstract or a summary."""
    return _ABSTRACT.match(" ".join(heading.split())) is not None


def may_speak_of_itself(sentence: str) -> bool:
    """Whether it has a word by which a work speaks of itself; else it neither offers, shows nor studies anything."""
    return _OWN_VOICE.search(sentence) is not None


def offers(sentence: str) -> bool:
    """Whether it says that the work proposes, presents or develops something."""
    return _OFFERS.search(sentence) is not None


def shows(sentence: str) -> bool:
    """Whether it says that the work shows, finds or proves something."""
    return _SHOWS.search(sentence) is not None


def studies(sentence: str) -> bool:
    """Whether it says that the work studies or addresses something."""
    return _STUDIES.search(sentence) is not None


def names_itself(sentence: str) -> bool:
    """Whether it speaks of "this paper", "our work" or the like."""
    return _THIS_WORK.search(sentence) is not None


def speaks_as_we(sentence: str) -> bool:
    return _WE.search(sentence) is not None


def claims_novelty(sentence: str) -> bool:
    """Whether it has a word for something new, or for a thing that a work offers (a method, a model)."""
    return _NOVELTY.search(sentence) is not None


def opens_contrast(sentence: str) -> bool:
    return _CONTRAST.match(sentence) is not None


def opens_detail(sentence: str) -> bool:
    """Whether its opening announces a particular, an addition or a test of what was said before."""
    return _DETAIL.match(sentence) is not None


def speaks_of_trial(sentence: str) -> bool:
    """Whether it speaks of experiments, benchmarks, or where the code is."""
    return _TRIAL.search(sentence) is not None
