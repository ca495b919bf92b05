"""Sentences with their offsets.

A text is cut into blocks (paragraphs, headings, list items, table rows, captions), and blocks of prose into
sentences. Offsets are 0-based code points, end exclusive; ``text[start:end]`` is the sentence as it stands there,
line breaks included.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from worker.engines.text.stopwords import word_set
from worker.engines.text.wide import is_wide

_ABBREVIATIONS = word_set(
    """
    al approx art assoc bd bros ca cf chap co corp dept dr ed eds eq eqs esp est etc ex fig figs gen gov hon inc jr
    lt ltd max min mr mrs ms mt no nos nr op p par pp prof pt rev sect sec ser sgt sr st stat suppl tab univ viz vol
    vols vs
    """
)
_CLOSING = r"[\"'”’»)\]」』）］]"
# A full stop may be followed by closing quotes and by bracketed reference numbers before the space.
_BOUNDARY = re.compile(
    rf"(?:(?P<end>[.!?…]+)(?:{_CLOSING}|\[\d+(?:\s?[,–-]\s?\d+)*\])*(?=\s)|[。！？।॥۔։؟]+{_CLOSING}*"
    # A missing space: "in detail.It is", but not "e.g.The" or "Node.Js".
    r"|(?<=[a-z]{4})(?P<tight>\.)(?=(?:The|It|This|In|A|An|These|We|For|However)\s))"
)
_PARAGRAPH = re.compile(r"\n[^\S\n]*\n\s*|\f\s*")
_LIST_ITEM = re.compile(r"^\s*(?:[-*+•‣▪–]\s+|\(?(?:\d{1,3}|[a-zA-Z]|[ivx]{1,4})[.)]\s+(?=\S))")
_MARKDOWN_HEADING = re.compile(r"^\s{0,3}(#{1,6})\s+\S")
_UNDERLINE = re.compile(r"^\s*(?:={3,}|-{3,}|\*{3,}|_{3,})\s*$")
_NUMBERED_HEADING = re.compile(r"^\s*(?:\d+(?:\.\d+)*\.?|[IVX]{1,5}\.|Appendix\s+\w+)\s+[^\W\d_]")
_SENTENCE_INSIDE = re.compile(r"[a-z]{2}[.!?]\s")
_TABLE_ROW = re.compile(r"\|.*\||\t.*\t")
_ENDS = (".", "!", "?", ":", ".”", '."', ".)", "。", "！", "？", "：", "。」", "。”")
_NO_HEADING = ".!?;,…。！？；，、।॥۔։؟،؛"
_QUOTES = "\"'”’»」』"
_LETTERS = tuple("abcdefghijklmnopqrstuvwxyz")
_MINOR_WORDS = word_set("a an and as at but by for from in into nor of on or over per the to via vs with")

_OPENERS = word_set(
    """
    a all although an and another as at both but by during each for from however if in it its many most no on one our
    several she he since some such that the their there these they this those to we what when where while with you
    """
)
_SAMPLE = 50_000
_STRAY = 0.002
"""Share of the rarer case among the letters of a text that is in one case. Where sentences begin with a capital it is
several times as much; below five hundred letters not a single one may stray."""
_RUN = re.compile(r"\S+")
_LONGEST_RUN, _PIECE = 60, 40
"""Words without a stop that may be one sentence in a text of one case, and words of a piece of more than that."""
_HEADING_WORDS = 6


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of prose. `block` numbers its paragraph, `section` is the heading it stands under; `marked` is false
    in a text of one case, where neither a capital nor always a stop tells a sentence."""

    start: int
    end: int
    block: int
    section: str
    marked: bool = True


@dataclass(frozen=True, slots=True)
class _Line:
    start: int
    end: int
    text: str


def split_sentences(text: str, *, pieces: bool = True) -> list[Sentence]:
    """The sentences of all prose in `text`, in order; headings, table rows and rules are left out. With `pieces` a run
    of words without a stop is cut where a text is in one case."""
    found: list[Sentence] = []
    section = ""
    marked = not in_one_case(text)
    for number, (start, end, heading) in enumerate(_blocks(text, marked=marked)):
        if heading:
            section = text[start:end].strip().strip("#=-*_: \t")
            continue
        for part in _cut(text, start, end, marked=marked):
            cut = _pieces(text, *part) if pieces and not marked else (part,)
            found.extend(Sentence(a, b, number, section, marked) for a, b in cut)
    return found


def in_one_case(text: str) -> bool:
    """Whether a text has no capitals, or hardly anything else, as old records and some scans do. A script without cases
    is none."""
    sample = text[:_SAMPLE]
    lower, upper = sum(map(str.islower, sample)), sum(map(str.isupper, sample))
    return 2 * (lower + upper) > sum(map(str.isalpha, sample)) and min(lower, upper) <= _STRAY * (lower + upper)


def _pieces(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """A run of words without a stop that is too long to be quoted, as pieces of which each can be."""
    if len(list(islice(_RUN.finditer(text, start, end), _LONGEST_RUN + 1))) <= _LONGEST_RUN:
        yield start, end
        return
    runs = _RUN.finditer(text, start, end)
    first, last = start, start
    while group := list(islice(runs, _PIECE)):
        if last > start and 2 * len(group) >= _PIECE:
            yield first, last
            first = group[0].start()
        last = group[-1].end()
    yield first, last


def _blocks(text: str, *, marked: bool) -> Iterator[tuple[int, int, bool]]:
    position = 0
    for gap in [*(match.span() for match in _PARAGRAPH.finditer(text)), (len(text), len(text))]:
        if text[position : gap[0]].strip():
            yield from _blocks_of_paragraph(text, position, gap[0], marked=marked)
        position = gap[1]


def _blocks_of_paragraph(text: str, start: int, end: int, *, marked: bool) -> Iterator[tuple[int, int, bool]]:
    lines = _lines(text, start, end)
    begun: int | None = None
    for index, line in enumerate(lines):
        following = lines[index + 1] if index + 1 < len(lines) else None
        rule = bool(_UNDERLINE.match(line.text)) or bool(_TABLE_ROW.search(line.text))
        fresh = begun is None or lines[index - 1].text.rstrip().endswith(_ENDS)
        heading = not rule and _is_heading(lines, index, fresh=fresh, marked=marked)
        if rule or heading:
            if begun is not None:
                yield begun, line.start, False
            begun = None
            if heading:
                yield line.start, line.end, True
        elif begun is not None and _LIST_ITEM.match(line.text):
            yield begun, line.start, False
            begun = line.start
        elif begun is None:
            begun = line.start
        if following is None and begun is not None:
            yield begun, end, False


def _lines(text: str, start: int, end: int) -> list[_Line]:
    lines = []
    position = start
    while position < end:
        stop = text.find("\n", position, end)
        stop = end if stop < 0 else stop
        if text[position:stop].strip():
            lines.append(_Line(position, stop, text[position:stop].rstrip("\r")))
        position = stop + 1
    return lines


def _is_heading(lines: list[_Line], index: int, *, fresh: bool, marked: bool) -> bool:
    line = lines[index].text.strip()
    if _MARKDOWN_HEADING.match(line):
        return True
    following = lines[index + 1].text.strip() if index + 1 < len(lines) else ""
    if following and _UNDERLINE.match(following) and len(line) <= 120:
        return True
    if not fresh or len(line) > 100 or (line.rstrip(_QUOTES) or line)[-1] in _NO_HEADING:
        return False
    if not marked:
        return len(lines) == 1 and len(line.split()) <= _HEADING_WORDS
    if line[0].islower() or _SENTENCE_INSIDE.search(line):
        return False
    # Inside a paragraph the next line must begin anew, or this one is just a wrapped line.
    if following and (following[0].islower() or following[0] in ",;)"):
        return False
    found = line.rstrip(":").split()
    if _NUMBERED_HEADING.match(line) and len(found) <= 12:
        return True
    if len(lines) == 1:
        # Scripts without spaces: two characters are about a word.
        return len(found) + (0 if line.isascii() else sum(map(is_wide, line)) // 2) <= 14
    titled = [word for word in found if word[0].isupper() or word.lower() in _MINOR_WORDS or word[0].isdigit()]
    return len(found) <= 10 and len(titled) == len(found) and len(line) <= 80


def _cut(text: str, start: int, end: int, *, marked: bool) -> Iterator[tuple[int, int]]:
    item = _LIST_ITEM.match(text[start : start + 40])
    begin = start + item.end() if item else start
    for match in _BOUNDARY.finditer(text, begin, end):
        if _is_boundary(text, match, begin, end, marked=marked):
            yield from _trimmed(text, begin, match.end())
            begin = match.end()
    yield from _trimmed(text, begin, end)


def _trimmed(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    piece = text[start:end]
    start += len(piece) - len(piece.lstrip())
    end -= len(piece) - len(piece.rstrip())
    if start < end:
        yield start, end


def _is_boundary(text: str, match: re.Match[str], begin: int, end: int, *, marked: bool) -> bool:
    if match.group("end") is None:  # a full stop that needs no space after it
        return True
    following = text[match.end() : min(end, match.end() + 40)].lstrip()
    if not following:
        return True
    first = following[1] if following[0] in "\"'“‘«([¿¡" and len(following) > 1 else following[0]
    if marked and first.islower():
        # Names such as "mRNA" or "pH" begin a sentence all the same.
        name = re.match(r"[^\s]+", following)
        if not (name and any(letter.isupper() for letter in name.group()[1:3])):
            return False
    if match.group("end") != ".":
        return True
    before = text[max(begin, match.start() - 24) : match.start()]
    word = re.search(r"[^\s(\[“\"]+$", before)
    last_word = word.group() if word else ""
    if last_word.lower().rstrip(".") in _ABBREVIATIONS or re.search(r"\.[a-zA-Z]$", last_word):
        # "etc. The" may end a sentence; after the others a wrong cut costs more than a missed one.
        return last_word.lower() == "etc" and first.isupper()
    if len(last_word) == 1 and last_word.isalpha() and (last_word.isupper() or not marked) and last_word not in "Ii":
        # An initial ("J. Smith"), unless the sentence ends in a letter that stands alone ("vitamin C. It").
        ahead = before[: -len(last_word)].rstrip()
        return (ahead if marked else ahead.lower()).endswith(_LETTERS) and _starts_plainly(following)
    return not (last_word.isdigit() and len(last_word) <= 2 and match.start() - len(last_word) == begin)


def _starts_plainly(following: str) -> bool:
    word = re.match(r"[^\W\d_]+", following)
    return bool(word) and word.group().lower() in _OPENERS  # type: ignore[union-attr]
