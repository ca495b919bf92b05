"""The works of a bibliography in its text: what identifies each, which is no statement, and what follows it.

Works come in the order of the text.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace

from worker.engines.base import WorkSpan
from worker.engines.text.sentences import Sentence

_IDENTIFYING = frozenset(
    {"author", "editor", "issued", "container-title", "volume", "issue", "page", "publisher", "DOI", "URL"}
)


def without_heads(text: str, sentences: Sequence[Sentence], works: Sequence[WorkSpan]) -> list[Sentence]:
    """The sentences less the titles of the works and the lines of their authors, venues and addresses."""
    if not works:
        return list(sentences)
    starts = [work.start for work in works]
    ends = [_head_end(text, work) for work in works]
    kept: list[Sentence] = []
    for part in sentences:
        place = bisect_right(starts, part.start) - 1
        end = ends[place] if place >= 0 else 0
        if part.start >= end:
            kept.append(part)
        elif end < part.end:
            rest = text[end : part.end]
            kept.append(replace(part, start=part.end - len(rest.lstrip())))
    return kept


def title_at(position: int, works: Sequence[WorkSpan]) -> str:
    """The title of the work that is described there; "" where none is."""
    place = bisect_right(works, position, key=lambda work: work.start) - 1
    if place < 0 or works[place].end <= position:
        return ""
    return str(works[place].csl.get("title") or "")


def _head_end(text: str, work: WorkSpan) -> int:
    """Where the description of a work goes on after what identifies it: its title, which may have a line of its own,
    and the line of everything else."""
    title = _letters(str(work.csl.get("title") or ""))
    identified = not _IDENTIFYING.isdisjoint(work.csl)
    end = _line_end(text, work.start, work)
    line = _letters(text[work.start : end])
    if not line.startswith(title) or not (title or identified):
        return work.start
    if line == title and identified:
        begin = end + len(text[end : work.end]) - len(text[end : work.end].lstrip("\n"))
        return _line_end(text, begin, work)
    return end


def _letters(line: str) -> str:
    """Letters and digits alone: a title is compared with its line in the text, which was normalised."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", line).casefold()))


def _line_end(text: str, start: int, work: WorkSpan) -> int:
    end = text.find("\n", start, work.end)
    return work.end if end < 0 else end
