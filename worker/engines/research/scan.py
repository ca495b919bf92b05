"""Finding the quotable statements of one document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from worker.engines.research.model import Passage
from worker.engines.text.sentences import Sentence, split_sentences
from worker.engines.text.statements import display, is_back_matter, is_dependent, is_statement, label_length
from worker.engines.text.terms import Analyzer

MAX_JOINED_CHARACTERS = 420
_CONTEXT_SENTENCES = 2


@dataclass(frozen=True, slots=True)
class Unit:
    """A statement before it is scored: its place, its words, and which of the prompt's stems stand in and around it."""

    start: int
    end: int
    page: int | None
    quote: str
    text: str
    length: int
    frequencies: Mapping[str, int]
    context: tuple[str, ...]
    pairs: int
    """How many of the prompt's neighbouring stems stand close together here as well."""
    place: float
    """How far into the document it stands, 0..1; ½ in a document with headings, where the end need not conclude."""


@dataclass(frozen=True, slots=True)
class Scan:
    """The units of one document, with the number of its sentences and their length in terms."""

    document_id: str
    units: tuple[Unit, ...]
    sentences: int
    length: int


def scan(
    document_id: str,
    title: str,
    text: str,
    passages: Sequence[Passage],
    stems: Sequence[str],
    language: str,
    *,
    whole: bool,
) -> Scan:
    """The statements of `text` that hold a stem of the prompt; with `whole` false, only those in the passages found."""
    analyzer = Analyzer(language)
    asked = frozenset(stems)
    in_title = asked.intersection(analyzer.terms(title))
    title_line = display(title).rstrip(".").casefold()
    sentences = [part for part in split_sentences(text) if whole or _overlaps(part, passages)]
    terms = [analyzer.terms(text[part.start : part.end]) for part in sentences]
    sectioned = any(part.section for part in sentences)
    units: list[Unit] = []
    for index, part in enumerate(sentences):
        if not asked.intersection(terms[index]) or is_back_matter(part.section):
            continue
        first = first_of(text, sentences, index)
        if first is None:
            continue
        start = sentences[first].start
        start += label_length(text[start : part.end])
        line = display(text[start : part.end])
        if line.rstrip(".").casefold() == title_line:
            continue
        own = [term for group in terms[first : index + 1] for term in group]
        around = in_title.union(*(asked.intersection(terms[i]) for i in _neighbours(sentences, first, index)))
        units.append(
            Unit(
                start=start,
                end=part.end,
                page=page_of(start, part.end, passages),
                quote=text[start : part.end],
                text=line,
                length=len(own),
                frequencies={stem: own.count(stem) for stem in stems if stem in own},
                context=tuple(stem for stem in stems if stem in around),
                pairs=_pairs(own, stems),
                place=0.5 if sectioned else round(part.end / len(text), 6),
            )
        )
    return Scan(document_id, tuple(units), len(sentences), sum(map(len, terms)))


def first_of(text: str, sentences: Sequence[Sentence], index: int) -> int | None:
    """Where the statement that ends with this sentence begins: at the sentence before when this one leans on it; None
    when the sentence is no statement."""
    part = sentences[index]
    line = _line(text, part)
    if not is_statement(line):
        return None
    if index and is_dependent(line):
        before = sentences[index - 1]
        previous = _line(text, before)
        if (
            before.block == part.block
            and len(previous) + len(line) <= MAX_JOINED_CHARACTERS
            and is_statement(previous)
            and not is_dependent(previous)
        ):
            return index - 1
    return index


def _line(text: str, part: Sentence) -> str:
    sentence = text[part.start : part.end]
    return display(sentence[label_length(sentence) :])


def _neighbours(sentences: Sequence[Sentence], first: int, last: int) -> range:
    low, high = first, last
    while low > 0 and first - low < _CONTEXT_SENTENCES and sentences[low - 1].block == sentences[first].block:
        low -= 1
    while (
        high + 1 < len(sentences)
        and high - last < _CONTEXT_SENTENCES
        and sentences[high + 1].block == sentences[last].block
    ):
        high += 1
    return range(low, high + 1)


def _overlaps(part: Sentence, passages: Sequence[Passage]) -> bool:
    return any(part.start < passage.end and passage.start < part.end for passage in passages)


def page_of(start: int, end: int, passages: Sequence[Passage]) -> int | None:
    """The page of the passage that holds most of the statement."""
    shares = [(min(end, item.end) - max(start, item.start), -item.start, item.page) for item in passages]
    best = max(shares, default=(0, 0, None), key=lambda share: share[:2])
    if best[0] > 0:
        return best[2]
    pages = {item.page for item in passages}
    return pages.pop() if len(pages) == 1 else None


def _pairs(own: Sequence[str], stems: Sequence[str]) -> int:
    """Pairs of stems, next or next but one in the prompt, that stand within three terms of each other here."""
    places: dict[str, list[int]] = {}
    for index, term in enumerate(own):
        if term in stems:
            places.setdefault(term, []).append(index)
    return sum(
        any(abs(a - b) <= 3 for a in places.get(left, ()) for b in places.get(right, ()))
        for index, left in enumerate(stems)
        for right in stems[index + 1 : index + 3]
    )
