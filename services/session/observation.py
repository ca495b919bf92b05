"""How long something was seen unchanged: what leases are judged by.

Moments in rows come from wall clocks, which somebody may set, and a moment that has passed says nothing about a worker
that could not be heard because the service or its database was away. So nothing is taken from anybody because of what a
clock shows. Who looks remembers what it saw, and counts the time that goes by between two looks on a clock that cannot
be set; of a long gap it counts no more than a step, for in a gap nobody could have been heard. A new observer has seen
nothing yet and begins anew.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping


class Watch:
    """Remembers the things of its last look and nothing else, so it holds as much as there is to be seen."""

    def __init__(self, longest_step: int) -> None:
        """`longest_step` is the most that counts between two looks, in microseconds."""
        self._longest = longest_step
        self._looked: int | None = None
        self._time = 0
        self._seen: dict[str, tuple[Hashable, int]] = {}

    def look(self, moment: int, marks: Mapping[str, Hashable]) -> dict[str, int]:
        """For each thing, how long its mark was seen not to change, in microseconds; 0 at first sight.

        `moment` is on a clock that never goes back. A thing that is not given is forgotten.
        """
        if self._looked is not None:
            self._time += min(moment - self._looked, self._longest)
        self._looked = moment
        seen = {}
        for key, mark in marks.items():
            before = self._seen.get(key)
            seen[key] = before if before is not None and before[0] == mark else (mark, self._time)
        self._seen = seen
        return {key: self._time - since for key, (_, since) in seen.items()}
