"""How units of work are written on the bill: quantities in 10^-6 of an item's unit."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

TOKENS_IN, TOKENS_OUT = "tokens_in", "tokens_out"
_MICRO = 1_000_000
# A token costs less than the smallest amount there is: it is counted one by one and priced by the thousand.
_PER_UNIT: Mapping[str, int] = MappingProxyType({TOKENS_IN: 1000, TOKENS_OUT: 1000})


def in_micros(item: str, count: int) -> int:
    """`count` of what an engine counts, in 10^-6 of the item's unit."""
    return count * (_MICRO // _PER_UNIT.get(item, 1))
