"""Whether a sentence says no more than the quotes that it cites.

A language model's sentences are accepted by words, not by trust: each clause of one must be backed by a single quote.
What it may do is shorten, leave out and put statements together; what it may not do is add, strengthen, turn round or
mix. Every check errs on the side of refusing: for a sentence that is refused, its sources' own words stand.

A clause is backed by a quote when

- each content word, name and number of it (by stem) is in the quote, in the quote's order, without leaping over a
  coordination ("A in rats and B in humans" does not back "A in humans"); where the clause has a comma and no
  figures, the part after it may come before the part ahead of it;
- numbers stand with the same sign, comparison and unit, beside the same word;
- both hold the same negations, and words of direction (raise, lower) of the same kinds;
- a quote that hedges (may, suggests) or limits (only, some, unless) is not told as if it did not;
- words of cause, time, amount and comparison (because, after, all, than) are not added;
- how often, how many and what should be (usually, most, should) is neither added nor left out;
- signs that are not plain punctuation (question marks, quotation marks, arrows, symbols) are in a quote that it cites.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from worker.engines.text.polarity import stance
from worker.engines.text.stopwords import word_set
from worker.engines.text.terms import Analyzer, fold, words

LONGEST = 400
_LEAST_CONTENT = 3
# "The study reported that": before all else a sentence may say so, in its midst these are words like others.
_FRAME = word_set(
    """
    study studies source sources paper papers author authors report reports reported finding findings found find finds
    show shows showed shown describe describes described state states stated note notes noted observe observed
    additionally similarly likewise overall respectively evidence
    """
)
_MODALS = word_set("may might could can possibly perhaps likely unlikely potential potentially probably presumably")
_ATTITUDES = word_set(
    """
    suggest suggests suggested suggesting appear appears appeared seem seems seemed hypothesis hypothesise hypothesised
    hypothesize hypothesized believed thought assumed unclear uncertain preliminary putative estimated
    """
)
HEDGES = _MODALS | _ATTITUDES
"""Words that say that something may be, or that somebody thinks so: they may be added, and not left out."""
_KEPT = word_set(
    """
    only should would will shall ought need most many several usually often frequently occasionally largely generally
    typically normally primarily predominantly
    """
)
"""Neither added nor left out."""
_LIMITS = _KEPT | word_set(
    """
    some few sometimes rarely seldom partly partially mainly mostly unless if except merely nearly almost approximately
    about roughly
    """
)
_BINDING = _KEPT | word_set(
    """
    because therefore thus hence thereby since consequently due despite although before after until when during between
    within without instead against above below under over by from per than all every each always never none
    both must cannot entirely completely very really especially
    """
)
_OTHER_NEGATIONS = word_set(
    "nicht kein keine keinen keiner ne pas aucun aucune niet geen non não nunca не нет ikke inte"
)
_COORDINATION = word_set("and or but nor while whereas")
_UNSAID = HEDGES | _LIMITS | _COORDINATION
_NUMBERS: Mapping[str, str] = {
    word: str(number)
    for number, word in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
            "twenty",
        ]
    )
} | {word: word for word in word_set("half third quarter twice double triple dozen hundred thousand million billion")}
_AFTER_NUMBER = "%‰°$€£"
_BEFORE_NUMBER = "<>≤≥=±~≈−–-$€£"
_DASHES = ("−", "–", "-")
_PLAIN = " .,;:()'’-–—"
_QUOTATION = '"“”„‟«»'
_FORBIDDEN = re.compile(
    r"[\[\]{}|\\`*_#\n]|<[a-z/!]|https?:|ftp:|www\.|mailto:|\S@\S|\b[\w-]+\.(?:com|org|net|io|dev|info|xyz|ru|cn|de|uk)\b",
    re.IGNORECASE,
)
_CLAUSES = re.compile(r";\s+|,\s+(?:and|but|while|whereas)\s+", re.IGNORECASE)
_PIECES = re.compile(r";\s+|,?\s+(?:but|while|whereas|although|however)[,\s]\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Verdict:
    """`backed` are the ids of the quotes that back a sentence, in the order cited; none when there is a `reason`."""

    backed: tuple[str, ...] = ()
    reason: str = ""


class Judge:
    """Judges sentences; what it has read of a quote it keeps."""

    def __init__(self, analyzer: Analyzer) -> None:
        self._analyzer = analyzer
        self._read: dict[str, list[_Reading]] = {}

    def __call__(self, sentence: str, quotes: Mapping[str, str]) -> Verdict:
        """Whether `quotes`, by id, back a sentence; ids that back nothing of it are left out."""
        if not sentence.strip() or len(sentence) > LONGEST:
            return Verdict(reason="it is empty or too long")
        if _FORBIDDEN.search(sentence) or not sentence.isprintable():
            return Verdict(reason="it holds markup, a marker or an address")
        same = tuple(name for name, quote in quotes.items() if quote == sentence)
        if same:
            return Verdict(same[:1])
        if not _signs(sentence) <= _signs("".join(quotes.values())):
            return Verdict(reason="it holds a sign that is in no quote that it cites")
        whole = _Reading.of(sentence, self._analyzer)
        clauses = [_Reading.of(clause, self._analyzer) for clause in _CLAUSES.split(sentence)]
        if len(whole.keys) < _LEAST_CONTENT or not all(clause.keys for clause in clauses):
            return Verdict(reason="it says too little to be checked")
        read = {name: self._pieces(quote) for name, quote in quotes.items() if not quote.rstrip().endswith("?")}
        for name, pieces in read.items():
            if not _fault(whole, pieces):
                return Verdict((name,))
        backed: dict[str, None] = {}
        for clause in clauses:
            found = next((name for name, pieces in read.items() if not _fault(clause, pieces)), None)
            if found is None:
                faults = [_fault(clause, pieces) for pieces in read.values()]
                return Verdict(reason=max(faults, key=_FAULTS.index, default="it cites nothing that can back it"))
            backed[found] = None
        return Verdict(tuple(backed))

    def _pieces(self, quote: str) -> list[_Reading]:
        """A quote as a whole, and its parts where it weighs one thing against another."""
        if quote not in self._read:
            parts = [part for part in _PIECES.split(quote) if part]
            texts = (quote, *(parts if len(parts) > 1 else ()))
            self._read[quote] = [_Reading.of(text, self._analyzer) for text in texts]
        return self._read[quote]


@dataclass(frozen=True, slots=True)
class _Reading:
    """A text as it is compared. `keys` are its content words by stem, negations and numbers, in order; `leaps` says of
    each whether a coordination stands before it, `commas` where a comma does."""

    keys: tuple[str, ...]
    leaps: tuple[bool, ...]
    commas: tuple[int, ...]
    numbers: tuple[tuple[str, str, str], ...]
    """Each with the word before and the word after it, "" at an end."""
    negations: Counter[str]
    directions: frozenset[int]
    hedges: tuple[bool, bool]
    """Whether it says that something may be, and whether it says that somebody thinks so."""
    limits: frozenset[str]
    binding: frozenset[str]

    @classmethod
    def of(cls, text: str, analyzer: Analyzer) -> _Reading:
        keys: list[str] = []
        leaps: list[bool] = []
        commas: list[int] = []
        negations: Counter[str] = Counter()
        directions: set[int] = set()
        seen: set[str] = set()
        leap, last = False, 0
        for word in words(text):
            form = fold(word.text)
            seen.add(form)
            if "," in text[last : word.start]:
                commas.append(len(keys))
            last = word.end
            alone = stance(word.text, analyzer)
            leap = leap or form in _COORDINATION
            if alone.negated or form in _OTHER_NEGATIONS:
                negations[form] += 1
                key = f"¬{form}"
            elif (number := _number(form)) is not None:
                key = _sided(text, word.start, word.end, number)
            elif alone.direction:
                directions.add(alone.direction)
                (key,) = analyzer.stem([form])
            elif form == "than":
                key = form
            elif form in _UNSAID or form in analyzer.stop_words or (form in _FRAME and not keys):
                continue
            else:
                (key,) = analyzer.stem([form])
            keys.append(key)
            leaps.append(leap)
            leap = False
        return cls(
            tuple(keys),
            tuple(leaps),
            tuple(commas),
            tuple(_neighbours(keys)),
            negations,
            frozenset(directions),
            (bool(seen & _MODALS), bool(seen & _ATTITUDES)),
            frozenset(seen & _LIMITS),
            frozenset(seen & _BINDING),
        )


_FAULTS = (
    "a word, name or number of it is in no quote that it cites",
    "it puts words of its quotes together in another way",
    "a number of it belongs to something else in its quotes",
    "a word of cause, time, amount or comparison is not in its quotes",
    "it leaves out or adds a negation",
    "it points another way than its quotes",
    "it is surer than its quotes",
)
"""From the farthest off to the nearest."""


def _fault(clause: _Reading, pieces: Sequence[_Reading]) -> str:
    """Why a quote does not back a clause; "" when it does. The first of the pieces is the whole quote."""
    quote = pieces[0]
    if not set(clause.keys) <= set(quote.keys):
        return _FAULTS[0]
    fitting = [piece for piece in pieces if _in_order(clause, piece)]
    if not fitting:
        return _FAULTS[1]
    if not all(_stands_in(number, quote.numbers) for number in clause.numbers):
        return _FAULTS[2]
    if not clause.binding <= quote.binding:
        return _FAULTS[3]
    if clause.negations != quote.negations:
        return _FAULTS[4]
    if not any(clause.directions == piece.directions for piece in fitting):
        return _FAULTS[5]
    surer = any(said and not kept for said, kept in zip(quote.hedges, clause.hedges, strict=True))
    if surer or not quote.limits <= clause.limits:
        return _FAULTS[6]
    return ""


def _in_order(clause: _Reading, quote: _Reading) -> bool:
    keys = clause.keys
    if _runs_through(keys, quote):
        return True
    if clause.numbers:
        return False  # Lists of figures have commas, and no order of their own.
    turns = (cut for cut in clause.commas if 0 < cut < len(keys))
    return any(_runs_through(keys[:cut], quote) and _runs_through(keys[cut:], quote) for cut in turns)


def _runs_through(keys: Sequence[str], quote: _Reading) -> bool:
    """Whether keys are found in the quote in order, leaping over no coordination between them."""
    reached = {place for place, key in enumerate(quote.keys) if key == keys[0]}
    for key in keys[1:]:
        reached = {
            place
            for place, found in enumerate(quote.keys)
            if found == key and any(_follows(before, place, quote) for before in reached)
        }
    return bool(reached)


def _follows(before: int, place: int, quote: _Reading) -> bool:
    if place <= before:
        return False
    return place == before + 1 or not any(quote.leaps[before + 1 : place + 1])


def _signs(text: str) -> set[str]:
    """What a text holds beside words, spaces and plain punctuation; quotation marks of every kind are one."""
    signs = {char for char in unicodedata.normalize("NFC", text) if not char.isalnum() and char not in _PLAIN}
    return {'"' if char in _QUOTATION else char for char in signs}


def _number(form: str) -> str | None:
    if form in _NUMBERS:
        return _NUMBERS[form]
    if not form[0].isdigit() or not all(character.isdigit() or character in ".," for character in form):
        return None
    # A comma before three digits groups thousands.
    return re.sub(r",(?=\d{3}(?:\D|$))", "", form)


def _sided(text: str, start: int, end: int, number: str) -> str:
    """A number with what stands right before and after it and changes what it says."""
    before = text[:start].rstrip()[-1:]
    after = text[end:].lstrip()[:1]
    left = before if before and before in _BEFORE_NUMBER else ""
    if left in _DASHES and text[max(0, start - 2) : start - 1].isalpha():
        left = ""  # a hyphen, as in "COVID-19"
    right = after if after and after in _AFTER_NUMBER else ""
    return f"#{'-' if left in _DASHES else left}{number}{right}"


def _stands_in(number: tuple[str, str, str], quoted: Sequence[tuple[str, str, str]]) -> bool:
    """Whether a number has the same word after it as in a quote, or before it where a clause ends with it."""
    value, before, after = number
    return any(value == other[0] and (after == other[2] if after else before == other[1]) for other in quoted)


def _neighbours(keys: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    for place, key in enumerate(keys):
        if key.startswith("#"):
            yield (key, keys[place - 1] if place else "", keys[place + 1] if place + 1 < len(keys) else "")
