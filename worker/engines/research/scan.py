"""Finding the quotable statements of one document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from worker.engines.base import WorkSpan
from worker.engines.research.changes import Changes
from worker.engines.research.evidence import place_of, signs_of
from worker.engines.research.gist import Gist, gist_of
from worker.engines.research.model import Passage, Term
from worker.engines.research.works import title_at, without_heads
from worker.engines.text.cues import Part, part_of, reports_research
from worker.engines.text.matching import TermMatcher, abbreviations
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
    held: Mapping[str, float]
    """The prompt's stems that it holds in any form, each with how surely (0..1)."""
    context: tuple[str, ...]
    pairs: int
    """How many of the prompt's neighbouring stems stand close together here as well."""
    signs: tuple[float, ...]
    """What speaks for it as evidence whatever the prompt (`evidence.FIXED`)."""


@dataclass(frozen=True, slots=True)
class Scan:
    """The units of one document, with the number of its sentences, their length in terms, and in how many of them each
    of the prompt's stems stands in any form."""

    document_id: str
    units: tuple[Unit, ...]
    sentences: int
    length: int
    frequency: Mapping[str, int]
    gist: Gist | None


class Scanner:
    """Reads documents for the terms of one prompt, one after the other; with the prompt itself, what it asks to have
    changed is met by statements of a direction."""

    def __init__(self, terms: Sequence[Term], language: str, prompt: str = "") -> None:
        self._stems = tuple(term.stem for term in terms)
        self._asked = frozenset(self._stems)
        self._analyzer = Analyzer(language)
        self._matcher = TermMatcher({term.stem: term.word for term in terms})
        self._changes = Changes.of(prompt, self._analyzer)

    def scan(
        self,
        document_id: str,
        title: str,
        text: str,
        passages: Sequence[Passage],
        *,
        whole: bool,
        works: Sequence[WorkSpan] = (),
    ) -> Scan:
        """The statements of `text` that hold a term of the prompt, each a sentence; with `whole` false, only those in
        the passages found. What identifies a work of a bibliography is none, but is the context of those about it."""
        analyzer, asked, stems = self._analyzer, self._asked, self._stems
        in_title = asked.intersection(analyzer.terms(title))
        title_line = display(title).rstrip(".").casefold()
        every = without_heads(text, split_sentences(text), works)
        sentences = [part for part in every if whole or _overlaps(part, passages)]
        forms = [analyzer.forms(text[part.start : part.end]) for part in sentences]
        aliases = abbreviations(text, analyzer)
        held = [self._matcher.matches(found, aliases) for found in forms]
        changes = [
            self._changes.met(text[part.start : part.end], [stem for stem, _ in found], analyzer)
            for part, found in zip(sentences, forms, strict=True)
        ]
        for found_here, met in zip(held, changes, strict=True):
            found_here.update(dict.fromkeys(asked.intersection(met), 1.0))
        sure = [asked.intersection(stem for stem, value in found.items() if value >= 1) for found in held]
        parts = _parts(text, sentences)
        report = any(parts) or any(reports_research(text[part.start : part.end]) for part in sentences)
        units: list[Unit] = []
        for index, part in enumerate(sentences):
            if not held[index] or is_back_matter(part.section):
                continue
            start = part.start + label_length(text[part.start : part.end])
            line = display(text[start : part.end])
            if not is_statement(line, marked=part.marked) or line.rstrip(".").casefold() == title_line:
                continue
            own = [*(stem for stem, _ in forms[index]), *changes[index]]
            titled = asked.intersection(analyzer.terms(title_at(start, works)))
            around = (in_title | titled).union(*(sure[i] for i in _neighbours(sentences, index)))
            units.append(
                Unit(
                    start=start,
                    end=part.end,
                    page=page_of(start, part.end, passages),
                    quote=text[start : part.end],
                    text=line,
                    length=len(own),
                    frequencies={stem: own.count(stem) for stem in stems if stem in own},
                    held=held[index],
                    context=tuple(stem for stem in stems if stem in around),
                    pairs=_pairs(own, stems),
                    signs=signs_of(line, parts[index], place_of(index, len(sentences), report=report), report=report),
                )
            )
        frequency = Counter(stem for found in held for stem in found)
        known = {part.start: [stem for stem, _ in found] for part, found in zip(sentences, forms, strict=True)}
        return Scan(
            document_id,
            tuple(units),
            len(sentences),
            sum(map(len, forms)),
            dict(sorted(frequency.items())),
            gist_of(text, title, every, analyzer, known),
        )


def _parts(text: str, sentences: Sequence[Sentence]) -> list[Part]:
    """What the part of the document is for that each sentence stands in: by the label before it or before a sentence
    ahead of it under the same heading, else by its heading."""
    found: list[Part] = []
    section, current = "", ""
    for part in sentences:
        if part.section != section:
            section, current = part.section, ""
        sentence = text[part.start : part.end]
        current = sentence[: label_length(sentence)] or current
        found.append(part_of(current or section))
    return found


def first_of(text: str, sentences: Sequence[Sentence], index: int) -> int | None:
    """Where the statement that ends with this sentence begins: at the sentence before when this one leans on it; None
    when the sentence is no statement."""
    part = sentences[index]
    line = _line(text, part)
    if not is_statement(line, marked=part.marked):
        return None
    if index and is_dependent(line):
        before = sentences[index - 1]
        previous = _line(text, before)
        if (
            before.block == part.block
            and len(previous) + len(line) <= MAX_JOINED_CHARACTERS
            and is_statement(previous, marked=before.marked)
            and not is_dependent(previous)
        ):
            return index - 1
    return index


def _line(text: str, part: Sentence) -> str:
    sentence = text[part.start : part.end]
    return display(sentence[label_length(sentence) :])


def _neighbours(sentences: Sequence[Sentence], index: int) -> range:
    low = high = index
    block = sentences[index].block
    while low > 0 and index - low < _CONTEXT_SENTENCES and sentences[low - 1].block == block:
        low -= 1
    while high + 1 < len(sentences) and high - index < _CONTEXT_SENTENCES and sentences[high + 1].block == block:
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
