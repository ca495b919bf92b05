"""The known name that an unknown one was probably meant to be. `deploy/envoy/lua/json.lua` does the same."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

_FURTHEST: Final = 2
_NAME: Final = re.compile(r"[A-Za-z0-9_]{1,64}")


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The nearest of `known`, of several the first by the alphabet; None where none is near.

    Near is at most two letters put in, left out, exchanged or swapped with their neighbour (optimal string alignment),
    and fewer than half of the name's.
    """
    if not _NAME.fullmatch(name):
        return None
    found, least = None, min(_FURTHEST, (len(name) - 1) // 2) + 1
    for candidate in sorted(known):
        if abs(len(candidate) - len(name)) < least and (away := _distance(name, candidate)) < least:
            found, least = candidate, away
    return found


def _distance(one: str, other: str) -> int:
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        older, before, row = before, row, [i]
        for j, sign in enumerate(other, 1):
            least = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != sign))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == sign:
                least = min(least, older[j - 2] + 1)
            row.append(least)
    return row[-1]
