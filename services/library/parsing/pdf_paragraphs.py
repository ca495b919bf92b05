"""Lines into paragraphs: a sentence that runs over lines or columns becomes one run of text again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from statistics import median

from services.library.parsing.pdf_lines import Line

_SENTENCE_END = re.compile(r"[.!?:;][\"'”’)\]]*$")
_NUMBERED = re.compile(r"^(?:\d+(?:\.\d+)*\.?|[IVX]+\.|[A-Z]\.)\s+\S")
_LIST_ITEM = re.compile(r"^(?:[•▪◦‣–—]|\[\d+\]|\(\w{1,3}\)|\d{1,2}[.)]\s)\s*\S")
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_NEIGHBOURS = 6


class Vocabulary:
    """The words of a document that stand unbroken in it: they tell how a broken one is written."""

    def __init__(self, pages: Iterable[Sequence[Line]]) -> None:
        self._words: set[str] = set()
        for lines in pages:
            after_break = False
            for line in lines:
                words = _WORD.findall(line.text.casefold())
                self._words.update(words[after_break : -1 if line.broken else None])
                after_break = line.broken

    def rejoin(self, left: str, right: str) -> str:
        """`left` and `right`, the parts of a text broken at a line's hyphen, as one."""
        before = re.search(r"[^\W\d_]+(?:-[^\W\d_]+)*$", left)
        after = _WORD.match(right)
        if before is None or after is None or right[:1].isupper():
            return f"{left}-{right}"
        head, tail = before.group().casefold(), after.group().casefold()
        if head + tail in self._words:
            return left + right
        if f"{head}-{tail}" in self._words:
            return f"{left}-{right}"
        first = tail.split("-")[0]
        compound = len(head) > 2 and head in self._words and first in self._words
        return f"{left}-{right}" if compound else left + right


def paragraphs(lines: Sequence[Line], vocabulary: Vocabulary) -> list[str]:
    """The text of lines: each paragraph or heading on a line of its own."""
    if not lines:
        return []
    step = _usual_step(lines)
    blocks: list[str] = []
    current = lines[0].text
    for index in range(1, len(lines)):
        before, after = lines[index - 1], lines[index]
        if _same_baseline(before, after):
            current += ("" if after.x0 - before.x1 < 0.55 * before.size else " ") + after.text
        elif before.broken or (current.endswith("-") and after.text[:1].islower()):
            current = vocabulary.rejoin(current.removesuffix("-"), after.text)
        elif _new_paragraph(lines, index, step):
            blocks.append(current)
            current = after.text
        else:
            current += " " + after.text
    blocks.append(current)
    return blocks


def _usual_step(lines: Sequence[Line]) -> float:
    """The usual distance between baselines, in line heights."""
    steps = [
        (before.y - after.y) / max(before.size, after.size)
        for before, after in pairwise(lines)
        if 0.5 < (before.y - after.y) / max(before.size, after.size) < 3
    ]
    return median(steps) if steps else 1.2


def _same_baseline(before: Line, after: Line) -> bool:
    height = max(before.size, after.size)
    close = -0.5 * height < after.x0 - before.x1 < 3 * height
    return close and abs(before.y - after.y) < 0.45 * height


def _new_paragraph(lines: Sequence[Line], index: int, step: float) -> bool:
    before, after = lines[index - 1], lines[index]
    height = max(before.size, after.size)
    ended = _SENTENCE_END.search(before.text) is not None
    small = min(len(before.text), len(after.text)) <= 3
    down = (before.y - after.y) / height
    if abs(before.size - after.size) > 0.12 * height and not small:
        return True
    if _LIST_ITEM.match(after.text):
        return True
    short = before.x1 < _right_edge(lines, index - 1) - 6 * before.size
    heading = (
        before.bold != after.bold
        or _NUMBERED.match(before.text) is not None
        or (_set_apart(lines, index - 1, step) and after.text[:1].isupper() and not ended)
    )
    if heading and short and not small and not before.text.endswith(","):
        return True
    if down < -0.5 or down > 4 * step:  # another column, or over a figure: the sentence may go on there
        return ended or not after.text[:1].islower()
    if down > 1.35 * step and not small:
        return True
    if not ended:
        return False
    shift = after.x0 - before.x0
    indented = 0.7 * height < shift < 5 * height
    hanging = shift < -0.7 * height and index > 1 and abs(lines[index - 2].x0 - before.x0) < 0.3 * height
    return indented or hanging or short


def _set_apart(lines: Sequence[Line], index: int, step: float) -> bool:
    """True when the line begins its column or stands further below the one before than lines usually do."""
    if index == 0:
        return True
    before, line = lines[index - 1], lines[index]
    down = (before.y - line.y) / max(before.size, line.size)
    return down < -0.5 or down > 1.35 * step


def _right_edge(lines: Sequence[Line], index: int) -> float:
    """Where lines of the same column end."""
    line = lines[index]
    near = lines[max(0, index - _NEIGHBOURS) : index + _NEIGHBOURS + 1]
    return max(other.x1 for other in near if abs(other.x0 - line.x0) < 3 * line.size)
