"""Rows in portions that a statement can take."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import islice
from typing import Any

ROWS = 500
"""Rows of one statement."""


def chunks(items: Collection[Any]) -> Iterator[list[Any]]:
    iterator = iter(items)
    while some := list(islice(iterator, ROWS)):
        yield some
