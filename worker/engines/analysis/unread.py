"""Parts of a question that leave rows out or pick some of them, and that were not understood.

A figure of other rows than those that are meant is wrong, however it is computed: it is better not given.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from worker.engines.analysis.mentions import Mention
from worker.engines.analysis.question import Ask
from worker.engines.analysis.table import ColumnType, Table
from worker.engines.analysis.vocabulary import NUMBER, Word, number_of

_NUMBER = re.compile(r"(?<= )[-+−]?\d+(?:[.,]\d+)*(?= )")
_YEAR = re.compile(r"(?:1[5-9]|2[01])\d\d")
_DENIED = re.compile(
    r" (?:(?:except|excluding|without|neither|nor|never|not|no(?! matter| doubt)|nobody|none|besides|outside)|"
    r"other than|apart from|(?:non|un) ?(?=[@#])|\w+n t(?= ))"
    r"(?: (?:for|in|the|a|an|any|been|get|have))? ?([@#]\d+|\w+)?(?= )"
)
_COMPARED = re.compile(r" (?:(?:\w+er|more|less) than|above|below|exceed\w*)(?: [^\s?.,;:!]+){1,2}(?= )")
_RANKED = re.compile(
    r" (?:\w+ )?(?:percentiles?|quantiles?|deciles?)(?= )| how many (?:more|fewer|less)(?= [@#])|"
    r" (?:second|third|fourth|fifth|next|2nd|3rd) (?:high|low|larg|small|big|old|young|long|short|most|least)\w*(?= )"
)
_PICKED = re.compile(r"^ (?:who|when|where|which)(?= )| (?:which|what) (?:month|week|weekday|day|hour|season)(?= )")
_BY_TWO = re.compile(r" (?:by|per|for each) (?:the )?@\d+ (?:and|,)(?: by)?(?: the)? @\d+(?= )")
_OR = re.compile(r" [@#](\d+) or (?:the )?[@#](\d+)(?= )")


_PART = re.compile(r" (?:first|second|third|fourth|last|1st|2nd|3rd|4th) (?:week|quarter|half|month|decade|day)(?= )")
_DERIVED = re.compile(
    r" ratios? (?:of|between)(?= )| (?:in|at|on) (?:which|what) @\d+ (?:is|was|are|were) (?:it|they)(?= )"
)
_WITHOUT = re.compile(
    r" (?:except|excluding|without|besides|outside|other than|apart from)(?: (?:for|in|of|the|a|an))*"
    r" (?!controll|adjust|regard|assum|doubt)([@#]\d+|\w+)(?= )| not (?:in |from |of )?(?:the )?#\d+(?= )"
)
_SIZE = re.compile(r" (?:differences?|gap) (?:in|of|between)(?: the)? (?:means?|averages?|medians?|totals?)(?= )")
_MOVED = re.compile(
    r" how much (?:did|do|does|has|have|had) (?:the )?@\d+ (?:rise|risen|fall|fallen|grow|grown|change|changed|"
    r"increase|increased|decrease|decreased|drop|dropped|decline|declined)(?= )"
)
_SURE = re.compile(r" [\d.,]+ (?:percent )?(?:confidence|significance|level|ci|intervals?)(?= )")


def unread_of_test(words: Sequence[Word], mentions: Sequence[Mention], found: Mapping[str, Any]) -> tuple[str, ...]:
    """What of a question for a test or a model was not read: rows left out, numbers, the size of a difference."""
    text, said = _marked(words, mentions)
    text = _SURE.sub("", text)
    patterns = (_WITHOUT, _SIZE, *((_MOVED,) if found.get("ask") is Ask.TREND else ()))
    phrases = [_said(match[0], said) for pattern in patterns for match in pattern.finditer(text)]
    phrases += [number for number in _NUMBER.findall(text) if _value(number) != found.get("value")]
    return tuple(dict.fromkeys(phrases))


def unread(
    words: Sequence[Word],
    mentions: Sequence[Mention],
    table: Table,
    found: Mapping[str, Any],
    told: Sequence[str] = (),
) -> tuple[str, ...]:
    """These parts as they were said.

    :param words: those that no condition on the rows has used up, as are `mentions`
    :param found: what else was understood
    :param told: what is said to be in no column
    """
    text, said = _marked(words, mentions)
    counted = found.get("statistic") in ("count", "share")
    parts = [match for match in _DENIED.finditer(text) if not (counted and _is_flag(match[1], mentions, table))]
    if found.get("bound") is None:
        parts += _COMPARED.finditer(text)
    parts += [match for pattern in (_RANKED, _BY_TWO, _PART, _DERIVED) for match in pattern.finditer(text)]
    if found.get("ask") is Ask.DESCRIBE:
        parts += _PICKED.finditer(text)
    for match in _OR.finditer(text):
        one, other = (mentions[int(number)] for number in match.groups())
        if one.column != other.column and (one.level is not None or other.level is not None):
            parts.append(match)
    phrases = [_said(match[0], said) for match in parts]
    used = {found["bound"][2] if found.get("bound") else found.get("value")}
    for number in _NUMBER.findall(text):
        named = any(number in phrase.split() for phrase in phrases)
        known = _YEAR.fullmatch(number) and any(number in phrase.split() for phrase in told)
        if not (known or named or _value(number) in used):
            phrases.append(number)
    return tuple(dict.fromkeys(phrases))


def _value(number: str) -> float:
    return number_of(number) if re.fullmatch(NUMBER, number) else math.nan


def _is_flag(token: str | None, mentions: Sequence[Mention], table: Table) -> bool:
    """Whether this is a column of truth values, whose denial counts its other value."""
    if token is None or token[0] != "@":
        return False
    from worker.engines.analysis.choosing import is_zero_one

    column = table[mentions[int(token[1:])].column]
    return column.type is ColumnType.BOOLEAN or is_zero_one(column)


def _marked(words: Sequence[Word], mentions: Sequence[Mention]) -> tuple[str, dict[str, str]]:
    """The words with placeholders for mentions, and what each placeholder stands for."""
    starts = {mention.start: (number, mention) for number, mention in enumerate(mentions)}
    said: dict[str, str] = {}
    parts: list[str] = []
    place = 0
    while place < len(words):
        number, mention = starts.get(place, (0, None))
        end = mention.end if mention else place + 1
        part = f"{'@' if mention.level is None else '#'}{number}" if mention else words[place].text
        if mention:
            said[part] = " ".join(word.raw for word in words[place:end])
        parts.append(part)
        place = end
    return f" {' '.join(parts)} ", said


def _said(phrase: str, said: Mapping[str, str]) -> str:
    return " ".join(said.get(token, token) for token in phrase.split())
