"""Which columns, and which values of categories, a prompt names."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from worker.engines.analysis.table import ColumnType, Table
from worker.engines.analysis.vocabulary import (
    COMMON,
    Word,
    abbreviates,
    alike,
    is_acronym,
    name_words,
    same_meaning,
    words_of,
)

_ENGLISH_LETTERS = ("a", "i")
_QUOTED = re.compile(r"`([^`]+)`|\"([^\"]+)\"|“([^”]+)”|(?<!\w)'([^']+)'(?!\w)")
_MOST_LEVELS = 200
_LIKENESS = 0.8
_LEAST_FUZZY = 5
_MEN = frozenset(("male", "males", "men", "man", "boys"))
_WOMEN = frozenset(("female", "females", "women", "woman", "girls"))
_SEXES = {"m": _MEN, "male": _MEN, "f": _WOMEN, "w": _WOMEN, "female": _WOMEN}
_ORDINALS = {"first": "1st", "second": "2nd", "third": "3rd", "fourth": "4th", "fifth": "5th"}
_IRREGULAR = {"children": "child", "men": "man", "women": "woman", "people": "person", "mice": "mouse"}
_AFTER = """
? . , by on and or depend depends depended affect affects influence influences is are with to from over in vs
versus differ differs change changes predict predicts related correlated normally
"""
_AFTER_LETTER = frozenset(_AFTER.split())


@dataclass(frozen=True, slots=True)
class Mention:
    """Words `start` to `end` (exclusive) of the prompt that stand for a column, or for one of its values."""

    start: int
    end: int
    column: str
    level: str | None = None
    read_as: str = ""
    """Why, where the words are not the column's name."""
    alternatives: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unclear:
    """Words that may stand for several columns."""

    said: str
    columns: tuple[str, ...]


def find_mentions(prompt: str, words: Sequence[Word], table: Table) -> tuple[list[Mention], list[Unclear]]:
    """Mentions in the order of the prompt, none overlapping. Whole names go first, longest first; then names of values;
    then parts of a name that only one column has, abbreviations, words of the same meaning, misspellings. What fits
    several columns equally well is not a mention."""
    finder = _Finder(prompt, words, table)
    finder.quoted()
    finder.levels(longer=True)
    finder.whole_names()
    finder.levels()
    finder.units()
    finder.parts()
    finder.misspelled()
    return sorted(finder.found, key=lambda mention: mention.start), finder.unclear


class _Finder:
    def __init__(self, prompt: str, words: Sequence[Word], table: Table) -> None:
        self.prompt = prompt
        self.words = words
        self.texts = [word.text for word in words]
        self.table = table
        self.names = {column.name: name_words(column.name) for column in table.columns}
        self.free = [word.text[0] not in ",;.?!:" for word in words]
        self.found: list[Mention] = []
        self.unclear: list[Unclear] = []

    def _take(self, mention: Mention) -> None:
        if all(self.free[mention.start : mention.end]) and mention.end > mention.start:
            self.found.append(mention)
            self.free[mention.start : mention.end] = [False] * (mention.end - mention.start)

    def _said(self, start: int, end: int) -> str:
        return self.prompt[self.words[start].start : self.words[end - 1].end]

    def _runs(self, length: int) -> Iterator[int]:
        return (i for i in range(len(self.words) - length + 1) if all(self.free[i : i + length]))

    def quoted(self) -> None:
        by_name = {column.name.strip().lower(): column.name for column in self.table.columns}
        for match in _QUOTED.finditer(self.prompt):
            name = by_name.get(next(filter(None, match.groups())).strip().lower())
            inside = [i for i, word in enumerate(self.words) if match.start() <= word.start and word.end <= match.end()]
            if name is not None and inside:
                self._take(Mention(inside[0], inside[-1] + 1, name))

    def whole_names(self) -> None:
        for name, parts in sorted(self.names.items(), key=lambda item: -len(" ".join(item[1]))):
            if not parts or (len(parts) == 1 and len(parts[0]) == 1 and not self._letter_is_meant(name)):
                continue
            for start in list(self._runs(len(parts))):
                said = self.texts[start : start + len(parts)]
                last = said[-1] in (parts[-1], f"{parts[-1]}s", f"{parts[-1]}es") or _plural(said[-1], parts[-1])
                if tuple(said[:-1]) == parts[:-1] and last and self._as_letter(name, start):
                    self._take(Mention(start, start + len(parts), name))
            joined = "".join(parts)
            if len(parts) > 1 or len(joined) > 3:
                for length in {1, 2, 3} - {len(parts)}:
                    for start in list(self._runs(length)):
                        if "".join(self.texts[start : start + length]) == joined:
                            self._take(Mention(start, start + length, name))

    def _letter_is_meant(self, name: str) -> bool:
        return re.search(rf"\b{re.escape(name)}\b", self.prompt) is not None

    def _as_letter(self, name: str, start: int) -> bool:
        """A name of one letter is meant in its own case only, and no article: what follows is no noun."""
        if len(name) > 1 or self.words[start].raw != name:
            return len(name) > 1
        after = self.texts[start + 1] if start + 1 < len(self.texts) else "."
        return name.lower() not in _ENGLISH_LETTERS or (start > 0 and after in _AFTER_LETTER)

    def levels(self, *, longer: bool = False) -> None:
        """Values of categories; with `longer` those only that are their column's name and more, as *first class*.
        One of a single letter counts only beside another value of its column, or after its column's name."""
        named = {mention.column for mention in self.found}
        taken: list[tuple[Mention, bool]] = []
        for column in self.table.columns:
            if column.type is not ColumnType.CATEGORY or column.distinct > _MOST_LEVELS:
                continue
            sexes = {level.lower() for level in column.levels()} in ({"f", "m"}, {"w", "m"}, {"female", "male"})
            for level in column.levels():
                parts = tuple(word.text for word in words_of(level))
                if not parts or (longer and (len(parts) < 2 or self.names[column.name] not in (parts[1:], parts[:-1]))):
                    continue
                for start in self._runs(len(parts)):
                    end = start + len(parts)
                    said = tuple(self.texts[start:end])
                    if said != parts and not _ORDINALS.keys().isdisjoint(said):
                        said = tuple(_ORDINALS.get(word, word) for word in said)
                    coded = sexes and said[-1] in _SEXES[parts[-1]]
                    if said[:-1] != parts[:-1] or not (coded or _level_said(said[-1], parts[-1])):
                        continue
                    short = not coded and (len(level) < 3 or level.lower() in COMMON)
                    if short and self._said(start, end) != level:
                        continue
                    beside = start > 0 and (
                        self.texts[start - 1] in ("group", "groups", "level", "type") or column.name in named
                    )
                    taken.append((Mention(start, end, column.name, level), short and not beside))
        sure = {(m.column, m.level) for m, _ in taken}
        for mention, doubtful in sorted(taken, key=lambda item: item[0].start - item[0].end):
            others = sum(column == mention.column for column, _ in sure)
            if doubtful and others < 2:
                continue
            self._take(mention)

    def units(self) -> None:
        """``in kg`` or ``kilograms`` says nothing of a column by itself, but is no part of another name either."""
        for column in self.table.columns:
            unit = (column.unit or "").lower()
            for i, text in enumerate(self.texts):
                if unit and text == unit and self.free[i] and i and self.texts[i - 1] in ("in", "of"):
                    self.free[i] = False

    def parts(self) -> None:
        """Words that fit the name of one column only."""
        for start in range(len(self.words)):
            if not self.free[start]:
                continue
            for length in (3, 2, 1):
                end = start + length
                if end > len(self.words) or not all(self.free[start:end]):
                    continue
                if length > 1 and len(shared := self._shared(self.texts[start:end])) == 1:
                    # "bill length" is bill_length_mm, though there is another length and another bill.
                    said = self._said(start, end)
                    self._take(Mention(start, end, shared[0], None, f"“{said}” are words of its name alone"))
                    break
                fitting, why = self._fitting(self.texts[start:end], meant=length == 1 and self._as_noun(start))
                said = self._said(start, end)
                if len(fitting) == 1:
                    # "body mass" is one mention of body_mass_g.
                    while end < len(self.words) and self.free[end] and self._fitting([self.texts[end]])[0] == fitting:
                        end += 1
                    said = self._said(start, end)
                    self._take(Mention(start, end, fitting[0], None, f"“{said}” {why}"))
                    break
                if fitting:
                    self.unclear.append(Unclear(said, tuple(fitting)))
                    break

    def _shared(self, said: Sequence[str]) -> list[str]:
        """The columns whose names have all of these words, each up to its ending."""
        if any(word in COMMON for word in said):
            return []

        def fits(tests: Sequence[Callable[[str, str], bool]]) -> list[str]:
            return [
                name
                for name, parts in self.names.items()
                if all(any(test(word, part) for part in parts for test in tests) for word in said)
            ]

        return fits([alike]) or fits([alike, same_meaning])

    def _as_noun(self, place: int) -> bool:
        """``the total`` before a verb is a thing, though its word mostly asks."""
        after = self.texts[place + 1] if place + 1 < len(self.texts) else "?"
        return self.texts[place] in COMMON and self.texts[place - 1 : place] == ["the"] and after in _AFTER_LETTER

    def _fitting(self, said: Sequence[str], *, meant: bool = False) -> tuple[list[str], str]:
        if len(said) > 1:
            return [n for n, parts in self.names.items() if any(is_acronym(p, said) for p in parts)], "is short for it"
        word = said[0]
        if (word in COMMON and not meant) or len(word) < 3 or not word[0].isalpha():
            return [], ""
        if meant:
            return [name for name, parts in self.names.items() if word in parts], "is a word of its name"
        tests: tuple[tuple[Callable[[str], bool], str], ...] = (
            (lambda part: part not in COMMON and alike(word, part), "is a word of its name"),
            (lambda part: same_meaning(word, part), "means the same"),
            (lambda part: part not in COMMON and abbreviates(part, word), "is what its name shortens"),
            (lambda part: part not in COMMON and len(word) > 2 and abbreviates(word, part), "shortens its name"),
        )
        for test, why in tests:
            if fitting := [name for name, parts in self.names.items() if any(test(part) for part in parts)]:
                already = {mention.column for mention in self.found} & set(fitting)
                return (sorted(already) if len(already) == 1 else fitting), why
        return [], ""

    def misspelled(self) -> None:
        names = {"".join(parts): name for name, parts in self.names.items() if len("".join(parts)) >= _LEAST_FUZZY}
        for i, word in enumerate(self.texts):
            if not self.free[i] or word in COMMON or len(word) < _LEAST_FUZZY or not word.isalpha():
                continue
            near = difflib.get_close_matches(word, names, n=2, cutoff=_LIKENESS)
            if len(near) == 1 and near[0][0] == word[0]:
                why = f"“{self.words[i].raw}” is near to its name; nothing else fits"
                self._take(Mention(i, i + 1, names[near[0]], None, why))


def _plural(said: str, named: str) -> bool:
    return said.endswith("ies") and named.endswith("y") and said[:-3] == named[:-1]


def _level_said(said: str, level: str) -> bool:
    return said == level or said in (f"{level}s", f"{level}es") or _plural(said, level) or _IRREGULAR.get(said) == level
