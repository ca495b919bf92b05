"""Which columns a prompt speaks of, and which of them it asks about."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from worker.engines.analysis.table import Column, Table

_ARTICLES = r"(?:the |a |an |its |their |mean |average |median )*"
_ACTS_ON = re.compile(
    r"(?:\b(?:affects?|affecting|influences?|influencing|predicts?|predicting|explains?|explaining|determines?|"
    r"drives?|causes?|forecast|model|change|changes|raises?|lowers?|increases?|decreases?|reduces?|improves?)"
    rf"|(?<!depends)(?<!depend)(?<!depending)(?<!dependent)(?<!based) on) {_ARTICLES}$"
)
_IS_ACTED_ON = re.compile(
    r"^ (?:values? |levels? )?(?:is |are |be |was |were )?(?:depends?|dependent|explained|affected|predicted|driven|"
    r"influenced|determined|vary|varies|differs?|different|changed?|changes|increased?|increases|decreased?|decreases|"
    r"grow|grows|rise|rises|fall|falls|by|between|across|over|as a function|higher|lower|larger|smaller)\b"
)
_OVER_TIME = re.compile(r"\b(trend|trends|trending|over time|over the years|time series|rising|falling|growth)\b")
_ENGLISH_LETTERS = ("a", "i")


@dataclass(frozen=True, slots=True)
class Question:
    """What the prompt names. `response` is the numeric column it asks about, if it names one."""

    mentioned: tuple[str, ...] = ()
    """Column names, in order of mention."""
    response: str | None = None
    over_time: bool = False


def read_question(prompt: str, table: Table) -> Question:
    """Find column names in `prompt` as whole words, longest first; cue words tell which is the response.

    Without cue words the first numeric column named is the response.
    """
    text = _plain(prompt)
    mentions = _mentions(prompt, text, table.columns)
    numeric = [(start, end, column) for start, end, column in mentions if column.numeric]
    acted_on = [c for start, _, c in numeric if _ACTS_ON.search(text[:start])]
    acted_on += [c for _, end, c in numeric if _IS_ACTED_ON.search(text[end:])]
    response = acted_on[0] if acted_on else numeric[0][2] if numeric else None
    return Question(
        mentioned=tuple(dict.fromkeys(column.name for _, _, column in mentions)),
        response=None if response is None else response.name,
        over_time=bool(_OVER_TIME.search(text)),
    )


def _plain(text: str) -> str:
    """Lower case, camelCase parted, everything but letters and digits a single space."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text)
    return " " + " ".join(re.sub(r"[\W_]+", " ", parted.lower()).split()) + " "


def _mentions(prompt: str, text: str, columns: Sequence[Column]) -> list[tuple[int, int, Column]]:
    taken: list[tuple[int, int, Column]] = []
    for column in sorted(columns, key=lambda c: -len(_plain(c.name))):
        words = _plain(column.name).strip()
        if not words or (len(words) == 1 and not _letter_is_meant(column.name, prompt)):
            continue
        for match in re.finditer(rf"(?<= ){re.escape(words)}(?:e?s)?(?= )", text):
            if not any(match.start() < end and start < match.end() for start, end, _ in taken):
                taken.append((match.start(), match.end(), column))
    return sorted(taken, key=lambda mention: mention[:2])


def _letter_is_meant(name: str, prompt: str) -> bool:
    quoted = re.search(rf"[`'\"]{re.escape(name)}[`'\"]", prompt)
    if name.lower() in _ENGLISH_LETTERS:
        return quoted is not None
    return quoted is not None or re.search(rf"\b{re.escape(name)}\b", prompt) is not None
