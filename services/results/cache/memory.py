"""Finished documents in memory: the last ones used, up to a number of bytes."""

from __future__ import annotations

from collections import OrderedDict

from services.results.rendering.rendition import Rendition


class Memory:
    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._kept: OrderedDict[str, Rendition] = OrderedDict()
        self.bytes = 0

    def get(self, key: str) -> Rendition | None:
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
        return kept

    def keep(self, key: str, rendition: Rendition) -> None:
        """One that is larger than all there may be is not kept."""
        if len(rendition.body) > self._most:
            return
        before = self._kept.pop(key, None)
        self.bytes += len(rendition.body) - (len(before.body) if before else 0)
        self._kept[key] = rendition
        while self.bytes > self._most:
            _, dropped = self._kept.popitem(last=False)
            self.bytes -= len(dropped.body)
