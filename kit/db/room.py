"""A bound on what waits for a database. Beyond it a call is refused at once: whoever waits behind a thousand others has
given up before it is their turn."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kit.errors import Unavailable

MOST = 1000
"""Units of work that wait or run, for each process."""


class Room:
    """Counts who is inside."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self.taken = 0

    @contextmanager
    def one(self) -> Iterator[None]:
        """Be inside for the block. Raises Unavailable when it is full."""
        if self.taken >= self._most:
            raise Unavailable("The database has too much to do")
        self.taken += 1
        try:
            yield
        finally:
            self.taken -= 1
