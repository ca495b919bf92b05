"""Names that fit: shortened so that they stay apart, titles broken into lines, rare levels put together."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from worker.engines.analysis.reading.units import unit_in_name

_WIDE = frozenset({"W", "F"})
_ELLIPSIS = "…"
LABEL = 28
"""Widest label of a category, in average Latin letters."""

_TITLE_LINES = 3
_AXIS_TITLE = 56


def width(text: str) -> int:
    """How many average Latin letters `text` is wide: ideographs take two, combining marks none."""
    return sum(
        0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in _WIDE else 1
        for letter in text
    )


def _one_line(text: str) -> str:
    return " ".join("".join(" " if unicodedata.category(letter) == "Cc" else letter for letter in text).split())


def shortened(text: str, most: int = LABEL) -> str:
    """`text` on one line, cut at its end to `most` letters' width."""
    text = _one_line(text)
    if width(text) <= most:
        return text
    kept = ""
    for letter in text:
        if width(kept + letter) > most - 1:
            break
        kept += letter
    return kept.rstrip() + _ELLIPSIS


def distinct_labels(names: Sequence[str], most: int = LABEL) -> list[str]:
    """Short labels, each different: names alike at their beginnings lose what they share, and numbered at the worst."""
    labels = [shortened(name, most) or "(blank)" for name in names]
    for label in {label for label in labels if labels.count(label) > 1}:
        alike = [place for place, other in enumerate(labels) if other == label and width(names[place]) > most]
        common = _common([names[place] for place in alike])
        for place in alike:
            labels[place] = _without_middle(names[place], common, most)
    taken: dict[str, int] = {}
    unique = []
    for label in labels:
        taken[label] = taken.get(label, 0) + 1
        unique.append(label if taken[label] == 1 else f"{label} ({taken[label]})")
    return unique


def _common(names: Sequence[str]) -> int:
    """How many letters all the names begin with alike."""
    shortest = min(map(len, names), default=0)
    return next((i for i, letters in enumerate(zip(*names, strict=False)) if len(set(letters)) > 1), shortest)


def _without_middle(text: str, common: int, most: int) -> str:
    """`text` without the middle of its first `common` letters, which others share."""
    head, tail = shortened(text[:common], most // 3), shortened(text[common:], most - most // 3)
    return f"{head.rstrip(_ELLIPSIS)}{_ELLIPSIS}{tail}"


def titled(name: str, unit: str | None = None) -> str:
    """An axis title: the name, cut where it is long, and its unit where the name does not end with it."""
    short = shortened(name, _AXIS_TITLE)
    said = unit is not None and unit_in_name(short) == unit
    return short + (f" ({unit})" if unit and not said else "")


def wrapped(text: str, pixels: float, letter: float) -> str | list[str]:
    """`text`, or its lines where it is wider than `pixels` at `letter` pixels a letter; at most three."""
    room = max(8, int(pixels / letter))
    text = _one_line(text)
    if width(text) <= room:
        return text
    lines = [""]
    for word in text.split(" "):
        joined = f"{lines[-1]} {word}".strip()
        if width(joined) <= room:
            lines[-1] = joined
            continue
        # A word without spaces (ideographs, a path) is broken where the line ends.
        if lines[-1]:
            lines.append("")
        while width(word) > room:
            head = shortened(word, room + 1).rstrip(_ELLIPSIS)
            lines[-1], word = head, word[len(head) :]
            lines.append("")
        lines[-1] = word
    if len(lines) > _TITLE_LINES:
        rest = " ".join(lines[_TITLE_LINES - 1 :])
        lines = [*lines[: _TITLE_LINES - 1], shortened(rest, room)]
    return lines
