"""How long an event waits for its next attempt, and what is said about it."""

from __future__ import annotations

import random
from collections import OrderedDict
from collections.abc import Callable

from kit.bus.connection import backoff

_FIRST = 1.0
_LONGEST = {"failed": 60.0, "undecodable": 600.0}
_REMEMBERED = 4096


class Patience:
    """One consumer's. What fails comes again after a second, then later and later: a handler mostly fails because its
    database is away, and what cannot be read waits for a newer release."""

    def __init__(self, chance: Callable[[], float] = random.random) -> None:
        """`chance` gives numbers from 0 to 1."""
        self._chance = chance
        self._reported: OrderedDict[str, None] = OrderedDict()

    def delay(self, outcome: str, delivered: int) -> float:
        """Seconds until the next attempt of an event that was delivered so many times."""
        return backoff(delivered, _FIRST, _LONGEST[outcome], self._chance)

    def is_news(self, event_id: str) -> bool:
        """Whether nothing was said about this event yet, as far as is remembered."""
        if event_id in self._reported:
            self._reported.move_to_end(event_id)
            return False
        self._reported[event_id] = None
        if len(self._reported) > _REMEMBERED:
            self._reported.popitem(last=False)
        return True
