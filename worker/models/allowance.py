"""What a stage may still spend, looked at before work is done that costs money."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from kit.money import times
from worker.quantities import in_micros


@dataclass(slots=True)
class Allowance:
    """A stage's reservation. Money in 10^-6 of the currency.

    `available` is what the stage's usage may cost, `prices` are the session's unit prices by item. An item without a
    price is not offered to this session. What calls under way may cost at most is set aside here.
    """

    available: int = 0
    prices: Mapping[str, int] = field(default_factory=dict)
    _set_aside: int = 0

    def sells(self, *items: str) -> bool:
        return all(item in self.prices for item in items)

    def cost(self, usage: Mapping[str, int]) -> int:
        """What usage costs, each item rounded as on the bill."""
        return sum(times(self.prices.get(item, 0), in_micros(item, count)) for item, count in usage.items())

    @contextmanager
    def setting_aside(self, most: Mapping[str, int], used: Mapping[str, int]) -> Iterator[bool]:
        """Set aside what `most` more units may cost beside what is `used` already, while the block lasts. Gives whether
        there is enough; if not, nothing is set aside."""
        # Rounding: the sum may cost one unit more for each item than the parts do.
        amount = self.cost(most) + len(most)
        enough = self.cost(used) + self._set_aside + amount <= self.available
        if not enough:
            yield False
            return
        self._set_aside += amount
        try:
            yield True
        finally:
            self._set_aside -= amount
