"""What travels between a worker and its computing processes: frames of pickles between two processes of one trust."""

from __future__ import annotations

import pickle
import struct
from dataclasses import dataclass
from typing import Any

HELLO = struct.Struct("!Q")
"""A new process's first word: its id."""
REQUEST = struct.Struct("!cQ")
"""Kind and length of what follows."""
ANSWER = struct.Struct("!cddQ")
"""Kind, CPU seconds and peak memory (bytes) of the process so far, length of what follows."""
CALL, KEEP, FORGET = b"c", b"k", b"f"
VALUE, ERROR = b"v", b"e"
COMMAND = struct.Struct("!cI")
"""To the fork server: kind and length."""
LOAD, FORK, REAP = b"l", b"f", b"r"

_kept: dict[int, Any] = {}


@dataclass(frozen=True, slots=True)
class Kept:
    """A value that stays in the process that made it; as an argument of a later call it is that value again."""

    number: int

    def __reduce__(self) -> tuple[Any, tuple[int]]:
        return recall, (self.number,)


class NotKept(Exception):
    """A value that was kept by a process which is gone, or in an earlier stage."""


def recall(number: int) -> Any:
    """In the computing process: the value behind a Kept. Raises NotKept."""
    try:
        return _kept[number]
    except KeyError:
        raise NotKept(f"nothing is kept as {number}") from None


def keep(value: Any) -> int:
    """In the computing process: hold a value; its number."""
    number = len(_kept)
    _kept[number] = value
    return number


def forget() -> None:
    """In the computing process: drop all that is held."""
    _kept.clear()


def packed(value: Any) -> bytes:
    """Raises what pickle raises for a value that cannot travel."""
    return pickle.dumps(value, pickle.HIGHEST_PROTOCOL)


def unpacked(data: bytes) -> Any:
    return pickle.loads(data)  # noqa: S301 - from our own parent or child, over a socket without a name
