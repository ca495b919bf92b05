"""Scripts that write no space between words: Han characters and kana.

Without a dictionary nobody can tell their words. What stands between function words and punctuation is a run; Han
characters are compared by overlapping pairs, as search engines do, kana of loan words as they stand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

CJK = "\u3005\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
"""Their characters, for use between square brackets of a pattern."""
_ANY = re.compile(f"[{CJK}]")
_ALL = re.compile(f"[{CJK}]+$")
_HIRAGANA = "\u3041-\u3096"
_KATAKANA = "\u30a1-\u30fa\u30fc-\u30fe"
_RUN = re.compile(
    f"(?P<kana>[{_KATAKANA}]+)|(?P<hiragana>[{_HIRAGANA}\u309d\u309e]+)|(?P<han>[\u3005\u3007\u3400-\u9fff\uf900-\ufaff]+)"
)
_INFLECTION = re.compile(f"[{_HIRAGANA}]+$")
_FUNCTION = re.compile(
    "为什么|為什麼|为何|為何|什么|什麼|怎么|怎麼|怎样|怎樣|如何|哪些|哪个|哪個|多少|是否|有没有|有沒有|请问|請問|[的了吗嗎呢吧]"
    f"|何(?=[{_HIRAGANA}])"
)
"""Words that ask, and particles: none of them is a subject."""
_PARTICLE = re.compile("(?:ですか|ますか|です|ます|[はがをにのともでへかや]{1,2})$")


def has_wide(text: str) -> bool:
    """Whether a text has any such character."""
    return not text.isascii() and _ANY.search(text) is not None


def is_wide(word: str) -> bool:
    """Whether a word is of such characters alone."""
    return _ALL.match(word) is not None


def is_inflection(word: str) -> bool:
    """Whether a word is of hiragana alone, which mostly are endings and function words."""
    return _INFLECTION.match(word) is not None


def wide_spans(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Places in `text` of what is compared of such a run: pairs of neighbouring characters, one that stands alone, and
    a run of katakana as a whole. Particles and words that ask are left out."""
    for run in _RUN.finditer(text, start, end):
        first, last = run.span()
        if run.lastgroup == "kana":
            yield first, last
            continue
        if run.lastgroup == "hiragana":
            particle = _PARTICLE.search(run.group())
            yield from _pairs(first, first + particle.start() if particle else last)
            continue
        for function in _FUNCTION.finditer(text, first, last):
            yield from _pairs(first, function.start())
            first = function.end()
        yield from _pairs(first, last)


def _pairs(start: int, end: int) -> Iterator[tuple[int, int]]:
    if end - start == 1:
        yield start, end
    for first in range(start, end - 1):
        yield first, first + 2


def told(prompt: str, words: Sequence[str], held: Sequence[str] = ()) -> list[str]:
    """`words` of a prompt as a reader is told of them: pairs that overlap there as the run they make up, without those
    of which both characters stand in pairs that are `held`, and without single characters."""
    known = {
        place
        for word in held
        if is_wide(word)
        for start in _places(prompt, word)
        for place in range(start, start + len(word))
    }
    spans: list[list[int]] = []
    for start, end in sorted(
        (start, start + len(word)) for word in words if is_wide(word) for start in _places(prompt, word)
    ):
        if known.issuperset(range(start, end)):
            continue
        if spans and start < spans[-1][1]:
            spans[-1][1] = max(spans[-1][1], end)
        else:
            spans.append([start, end])
    runs = dict.fromkeys(prompt[start:end] for start, end in spans if end - start > 1)
    return [*(word for word in words if not is_wide(word)), *runs]


def _places(prompt: str, word: str) -> list[int]:
    return [match.start() for match in re.finditer(f"(?={re.escape(word)})", prompt)]
