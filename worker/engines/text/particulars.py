"""The particulars of a statement: its numbers with their units, its names, and whether it denies.

Two statements in nearly the same words are of two things where a particular differs ("sample 64" and "sample 1064",
"in the North Sea" and nowhere): neither may be cited for what the other says.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from worker.engines.text.directions import denials_of
from worker.engines.text.terms import Analyzer, fold, words

_NUMBER = re.compile(
    r"(?P<sign>(?<![\w.)\]])[-−])?(?<![\w.,])(?P<value>\d+(?:[.,]\d+)*)\s*"
    r"(?P<unit>%|‰|per ?cent\b|°\s?[A-Za-z]?|[^\W\d_]+(?:/[^\W\d_]+)*)?",
    re.IGNORECASE,
)
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_SPELT = {
    "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9",
    "ten": "10", "eleven": "11", "twelve": "12", "twenty": "20", "thirty": "30", "forty": "40", "fifty": "50",
    "hundred": "100",
}  # fmt: skip
_SENTENCE = re.compile(r"[.!?:;]\s+[\"“'‘(\[]*$")
_PARTS = {"half": "1/2", "third": "1/3", "thirds": "1/3", "quarter": "1/4", "quarters": "1/4"}


_Number = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Particulars:
    """`numbers` are (value, unit) as written, without thousands separators; `names` the stems of what is written as a
    name, `first` the one it begins with, where that may be a name ("" otherwise), `held` all stems; `denied` says that
    its denials do not cancel out."""

    numbers: frozenset[_Number]
    names: frozenset[str]
    first: str
    held: frozenset[str]
    denied: bool


def particulars(text: str, analyzer: Analyzer) -> Particulars:
    """The particulars of one statement."""
    found = words(text)
    folded = [fold(word.text) for word in found]
    stems = analyzer.stem(folded)
    # In a sentence of letters that have capitals, a word of others is a name: 南海.
    cased = text.lower() != text.upper()
    names = {
        stem
        for word, form, stem in zip(found, folded, stems, strict=True)
        if form not in analyzer.stop_words and _is_name(word.text, text, word.start, cased=cased)
    }
    opens = bool(found) and folded[0] not in analyzer.stop_words and found[0].text[0].isupper()
    denials = denials_of(analyzer.language)
    numbers = {(_value(match), _unit(match["unit"] or "", analyzer)) for match in _NUMBER.finditer(text)}
    numbers |= {(_SPELT[form], "") for form in folded if form in _SPELT}
    numbers |= {(_PARTS[form], "") for form in folded if form in _PARTS}
    return Particulars(
        numbers=frozenset(numbers),
        names=frozenset(names),
        first=stems[0] if opens else "",
        held=frozenset(stems),
        denied=sum(form in denials for form in folded) % 2 == 1,
    )


def same_particulars(left: Particulars, right: Particulars, *, rounded: bool = False) -> bool:
    """Whether two statements have the same numbers, units and names, and both deny or neither does; with `rounded`, a
    number is the same as another that it is rounded to ("12.1 %", "12 %")."""
    begins_apart = left.first and right.first and left.first not in right.held and right.first not in left.held
    return (
        left.denied == right.denied
        and not begins_apart
        and left.names <= right.held
        and right.names <= left.held
        and _found(left.numbers, right.numbers, rounded=rounded)
        and _found(right.numbers, left.numbers, rounded=rounded)
    )


def _found(numbers: frozenset[_Number], other: frozenset[_Number], *, rounded: bool) -> bool:
    return all(any(_meets(one, two, rounded=rounded) for two in other) for one in numbers)


def _meets(left: _Number, right: _Number, *, rounded: bool) -> bool:
    (value, unit), (other, other_unit) = left, right
    # A unit may be left out ("20 to 30 %"), or be the next word of the sentence.
    if unit != other_unit and unit and other_unit:
        return False
    return value == other or (rounded and _rounded_alike(value, other))


def _rounded_alike(left: str, right: str) -> bool:
    try:
        values = Decimal(left), Decimal(right)
    except InvalidOperation:
        return False
    step = Decimal(1).scaleb(-min(len(left.partition(".")[2]), len(right.partition(".")[2])))
    return bool(abs(values[0] - values[1]) * 2 <= step)


def _value(match: re.Match[str]) -> str:
    written = match["value"]
    value = written.replace(",", "") if _THOUSANDS.fullmatch(written) else written.replace(",", ".")
    if value.count(".") == 1:
        value = value.rstrip("0").rstrip(".")
    return ("-" if match["sign"] else "") + (value.lstrip("0") or "0")


def _unit(written: str, analyzer: Analyzer) -> str:
    unit = fold(written).replace(" ", "")
    if unit == "percent":
        return "%"
    return "" if not unit or unit in analyzer.stop_words else analyzer.stem([unit])[0]


def _is_name(word: str, text: str, start: int, *, cased: bool) -> bool:
    """Whether a word is written as a name: with a capital where no sentence begins, or with one inside, or, among words
    in letters that have capitals, in others."""
    if word[1:] != word[1:].lower() or (cased and word[0].isalpha() and word.lower() == word.upper()):
        return True
    return word[0].isupper() and start > 0 and not _begins(text, start)


def _begins(text: str, start: int) -> bool:
    before = text[:start]
    return not before.strip(" \"“'‘([„«") or _SENTENCE.search(before) is not None
