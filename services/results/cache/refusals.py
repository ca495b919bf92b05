"""Documents that could not be made, remembered for a while: what fails is not tried again at every request."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from kit.errors import PrsmError
from kit.times import SECOND, Clock

FOR_NOW = 60 * SECOND
"""Where another attempt may end otherwise: a machine was slow for a while, a process was killed from outside."""

FOR_GOOD = 600 * SECOND
"""Where it may not."""

_REMEMBERED = 1000


class Refusals:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: OrderedDict[str, tuple[int, Callable[[], PrsmError]]] = OrderedDict()

    def add(self, key: str, error: Callable[[], PrsmError], lasting: int) -> PrsmError:
        """The error, which from now on is raised at once for so many microseconds."""
        self._kept[key] = (self._clock.monotonic() + lasting, error)
        self._kept.move_to_end(key)
        if len(self._kept) > _REMEMBERED:
            self._kept.popitem(last=False)
        return error()

    def check(self, key: str) -> None:
        """Raise what the document was refused with, unless that is too long ago."""
        kept = self._kept.get(key)
        if kept is not None and self._clock.monotonic() < kept[0]:
            raise kept[1]()
