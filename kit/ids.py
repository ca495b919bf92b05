"""Identifiers: UUIDv7 (RFC 9562), so that keys of new rows are near each other and sort by time."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Protocol

from kit.times import Clock

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", flags=re.ASCII)


class Ids(Protocol):
    """Where identifiers and secrets come from."""

    def new(self) -> str:
        """A UUIDv7 as text."""
        ...

    def secret(self, size: int) -> bytes:
        """Random bytes fit for secrets."""
        ...


class RandomIds:
    """UUIDv7 from a clock and the system's randomness."""

    def __init__(self, clock: Clock, randomness: Callable[[int], bytes] = os.urandom) -> None:
        self._clock = clock
        self._randomness = randomness

    def new(self) -> str:
        millis = self._clock.now() // 1000
        bits = int.from_bytes(self._randomness(10), "big")
        value = (millis & (1 << 48) - 1) << 80 | 0x7 << 76 | (bits >> 68 & 0xFFF) << 64 | 0b10 << 62
        text = f"{value | bits & (1 << 62) - 1:032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def secret(self, size: int) -> bytes:
        return self._randomness(size)


def is_uuid(text: str) -> bool:
    """Whether a text is a UUID in its usual form; what is not is simply not found."""
    return _UUID.fullmatch(text) is not None
