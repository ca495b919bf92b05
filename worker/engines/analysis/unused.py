"""Words of a question that limit its rows and fit nothing in the data."""

from __future__ import annotations

import re
from collections.abc import Sequence

from worker.engines.analysis.mentions import Mention
from worker.engines.analysis.table import ColumnType, Table
from worker.engines.analysis.vocabulary import Word, alike, content, name_words

_NOUNS = """
rows row records entries observations cases lines points samples people persons person patients items subjects
participants individuals respondents units data dataset file table sample group groups category categories column
columns variable variables total detail general terms respect percent words short fact sense english importance
strength magnitude direction course addition example regard regards scale summary significance particular order
years year months month days day weeks week quarter quarters question time decade decades present future past
average each comparison turn view effect reality practice favour favor
controlling adjusting accounting correcting allowing holding keeping controlled adjusted accounted corrected
kilograms grams milligrams tonnes pounds metres meters centimetres centimeters millimetres millimeters kilometres
kilometers miles litres liters millilitres milliliters seconds minutes hours degrees celsius fahrenheit kelvin euros
dollars thousands millions
"""
GENERIC = frozenset(_NOUNS.split())
"""Nouns that stand for the rows, or after a preposition for nothing in the data."""
_DETERMINERS = ("the", "all", "those", "these", "our", "my", "only")
_RELATIVE = ("who", "that", "which", "is", "are", "was", "were", "has", "have", "had", "did")
_PREPOSITIONS = "among|amongst|for|in|before|since|after|during|where|within"
_OF = f"{_PREPOSITIONS}|of|with|without|over|under|per|from|at|on|above|below"
_YEAR = r"(?:1[5-9]|2[01])\d\d"


def unused_words(
    words: Sequence[Word], mentions: Sequence[Mention], table: Table, *, figure: bool, numbers: bool
) -> tuple[str, ...]:
    """What a preposition leads that is no column, level, date or noun for the rows. `figure` says that one figure is
    asked for, where *of*, *with* and *per* limit the rows too; `numbers` that no number of the prompt was used."""
    held = {i for mention in mentions for i in range(mention.start, mention.end)}
    nouns = [part for c in table.columns if c.identifier or c.type is ColumnType.TEXT for part in name_words(c.name)]
    nouns += name_words(table.name)
    nouns += [f"{un}{part}" for c in table.columns for part in name_words(c.name) for un in ("un", "non")]
    units = {(c.unit or "").lower() for c in table.columns}
    leads = frozenset((_OF if figure else _PREPOSITIONS).split("|"))
    found = []
    for i, word in enumerate(words):
        if word.text not in leads or i in held:
            continue
        phrase: list[str] = []
        for place in range(i + 1, len(words)):
            text = words[place].text
            if place in held or text[0] in ",;.?!:":
                # A word right before a column belongs to it.
                phrase = [] if place in held else phrase
                break
            named = text in GENERIC or text in units or any(alike(text, noun) for noun in nouns)
            year = re.fullmatch(_YEAR, text) is not None
            if content([text]) and not named:
                phrase.append(words[place].raw)
            elif numbers and (year or (text[0].isdigit() and word.text in ("over", "under", "above", "below"))):
                phrase.append(f"{word.raw} {words[place].raw}")
            elif phrase or text in leads or not (named or text in _DETERMINERS or text in _RELATIVE):
                break
        if phrase:
            found.append(" ".join(phrase))
    return tuple(dict.fromkeys(found))
