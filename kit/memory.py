"""Giving memory back to the system.

The allocator keeps what was freed between what is still in use, which after thousands of long calls is most of it; it
lets go of whole pages only when asked (malloc_trim(3), of the GNU C library).
"""

from __future__ import annotations

import asyncio
import ctypes

_MANY = 500


def give_back() -> None:
    """Give free pages back; some milliseconds for a gigabyte. Nothing happens where the C library cannot."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


class Ebb:
    """Gives memory back when most of many things that were open are open no more."""

    def __init__(self, pause: float = 5.0) -> None:
        """`pause`, in seconds: what is closing together has let go of its memory by then."""
        self._pause = pause
        self._most = 0
        self._now = 0
        self._waits = False

    def now(self, number: int) -> None:
        """So many are open. Call it on the event loop when one has closed; the work is done in a thread."""
        self._now = number
        self._most = max(self._most, number)
        if self._most >= _MANY and number <= self._most // 2 and not self._waits:
            self._waits = True
            asyncio.get_running_loop().call_later(self._pause, self._ebbed)

    def _ebbed(self) -> None:
        self._waits = False
        self._most = self._now
        asyncio.get_running_loop().run_in_executor(None, give_back)
