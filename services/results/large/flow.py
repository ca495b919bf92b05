"""An answer on its way: too large to be held, so it is read from the store as it is sent."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Flow:
    """`length` is in bytes, None where it is not known before the end. `pieces` begins anew at each call."""

    media_type: str
    filename: str
    length: int | None
    pieces: Callable[[], AsyncIterator[bytes]]
