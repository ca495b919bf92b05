"""Texts into passages: what a search finds and a citation quotes.

A passage is whole sentences of one section, 100 to 200 words where the text allows, and always exactly
`text[start:end]` of the stored text. Headings are not quoted; each is kept beside the passages below it,
so that its words find them.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from services.library.sentences import ends_sentence, sentences

TARGET_WORDS = 100
MAX_WORDS = 200
MIN_WORDS = 40
_MAX_CHARACTERS = 4_000
_DATASET_HEAD = 2_000
_HEADING_WORDS = 14
_UNFINISHED = ";,:；，、：،؛"
_BLOCK = re.compile(r"\S[^\n]*(?:\n(?![ \t]*\n)[^\n]*)*")
_MARKED_HEADING = re.compile(r" {0,3}#{1,6}[ \t]+\S[^\n]*")
_WORD = re.compile(r"\S+")
_WIDE = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


class Page(Protocol):
    """A page of the stored text; `page` counts from 1."""

    @property
    def page(self) -> int: ...
    @property
    def start(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Passage:
    """Code points `start` to `end` of the stored text, end exclusive. `page` is that of its first
    character, None when the document has no pages. `heading` is the span of the headings over it."""

    start: int
    end: int
    page: int | None = None
    heading: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class _Block:
    start: int
    end: int
    heading: tuple[int, int] | None


def split(text: str, pages: Sequence[Page] = ()) -> list[Passage]:
    """The passages of a prose text, in order, without overlap."""
    starts = [page.start for page in pages]
    found: list[Passage] = []
    for section in _sections(text):
        for start, end in _packed(text, section):
            number = bisect_right(starts, start)
            page = pages[number - 1].page if number else None
            found.append(Passage(start, end, page, section[0].heading))
    return found


def split_dataset(text: str, pages: Sequence[Page] = ()) -> list[Passage]:
    """One passage, the table's first lines: a dataset is found by its columns, not quoted by its rows."""
    end = len(text)
    if end > _DATASET_HEAD:
        end = text.rfind("\n", 0, _DATASET_HEAD)
        end = _DATASET_HEAD if end <= 0 else end
    head = text[:end].rstrip()
    start = len(head) - len(head.lstrip())
    return [Passage(start, len(head), pages[0].page if pages else None)] if start < len(head) else []


def _sections(text: str) -> Iterator[list[_Block]]:
    """Runs of blocks under the same heading. A heading that stands over nothing is a block itself."""
    heading: tuple[int, int] | None = None
    over_nothing = False
    section: list[_Block] = []
    blocks = list(_BLOCK.finditer(text))
    for index, match in enumerate(blocks):
        start, end = match.start(), len(match.group().rstrip()) + match.start()
        body = start
        if marked := _MARKED_HEADING.match(text, start, end):
            title_end, body = marked.end(), min(end, marked.end() + 1)
        elif _looks_like_heading(text[start:end]) and index + 1 < len(blocks):
            title_end, body = end, end
        if body > start:
            if section:
                yield section
                section = []
            heading = (heading[0], title_end) if heading and over_nothing else (start, title_end)
            over_nothing = True
        body += len(text[body:end]) - len(text[body:end].lstrip())
        if body < end:
            section.append(_Block(body, end, heading))
            over_nothing = False
    if section:
        yield section
    if heading and over_nothing:
        yield [_Block(*heading, None)]


def _looks_like_heading(block: str) -> bool:
    """A short line of its own, without the end of a sentence, that begins like a title."""
    if "\n" in block or len(block) > 120 or block[-1] in _UNFINISHED or ends_sentence(block):
        return False
    if _words(block, 0, len(block)) > _HEADING_WORDS or "\t" in block or block[0] in "-*•>|":
        return False
    letters = sum(character.isalpha() for character in block)
    first = next((character for character in block if character.isalpha()), "")
    return letters >= 0.5 * len(block) and not first.islower()


def _packed(text: str, section: list[_Block]) -> list[tuple[int, int]]:
    """Spans of one section: sentences together up to the target, never over the maximum."""
    spans: list[tuple[int, int]] = []
    counts: list[int] = []
    open_span = False
    for block in section:
        for start, end in _pieces(text, block):
            words = _words(text, start, end)
            fits = (
                open_span
                and counts[-1] + words <= MAX_WORDS
                and end - spans[-1][0] <= _MAX_CHARACTERS
                and (counts[-1] < TARGET_WORDS or words < MIN_WORDS // 2)
            )
            if fits:
                spans[-1] = (spans[-1][0], end)
                counts[-1] += words
            else:
                spans.append((start, end))
                counts.append(words)
                open_span = True
        if counts and counts[-1] >= TARGET_WORDS:
            open_span = False
    return _without_stub(spans, counts)


def _without_stub(spans: list[tuple[int, int]], counts: list[int]) -> list[tuple[int, int]]:
    """Add a last passage that is too short to stand alone to the one before it."""
    if len(spans) > 1 and counts[-1] < MIN_WORDS and counts[-2] + counts[-1] <= MAX_WORDS:
        last = spans.pop()
        if last[1] - spans[-1][0] <= _MAX_CHARACTERS:
            spans[-1] = (spans[-1][0], last[1])
        else:
            spans.append(last)
    return spans


def _pieces(text: str, block: _Block) -> Iterator[tuple[int, int]]:
    """Sentences, and of those longer than a passage may be, runs of words."""
    for start, end in sentences(text, block.start, block.end):
        if _words(text, start, end) <= MAX_WORDS and end - start <= _MAX_CHARACTERS:
            yield start, end
            continue
        yield from _cut(text, start, end)


def _cut(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    first = last = start
    count = 0
    for match in _WORD.finditer(text, start, end):
        words = _words(text, match.start(), match.end())
        if count and (count + words > MAX_WORDS or match.end() - first > _MAX_CHARACTERS):
            yield first, last
            first, count = match.start(), 0
        last = match.end()
        count += words
        while last - first > _MAX_CHARACTERS:  # one endless word
            yield first, first + _MAX_CHARACTERS
            first += _MAX_CHARACTERS
            count = max(1, count - MAX_WORDS)
    if last > first:
        yield first, last


def _words(text: str, start: int, end: int) -> int:
    """Words by white space; scripts written without it count two characters a word."""
    piece = text[start:end]
    return len(piece.split()) + (0 if piece.isascii() else len(_WIDE.findall(piece)) // 2)
