"""Reads a document once from its beginning to its end, and notes where its values lie. What it holds at a time is the
longest text of the document and a few hundred kilobytes.

Values are parsed a run at a time by the parser that everything else here uses, and written again: what comes out
different was not canonical, and ranges of such a document would not be what the serialiser gives.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from json import JSONDecodeError, JSONDecoder
from typing import Any

import orjson

from services.results.large.index import Index, Node, Run

GRAIN = 64 * 1024
"""Bytes from which a container gets a node of its own, and at which a run ends."""

SMALL = 4 * 1024
"""Bytes of a member of the document that the index has itself."""

_REFILL = 1024 * 1024
_TEXT = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_SCALAR = re.compile(rb"[^,\]}\s]+")
_FIRST_KEY = re.compile(rb'\{"[^"\\]{0,64}":')
_DECODE = JSONDecoder().raw_decode


class NotCanonical(Exception):
    """The bytes are not those that the serialiser gives for the same content."""


def scan(read: Callable[[int], bytes], *, grain: int = GRAIN) -> Index:
    """Index the document that `read` gives, piece by piece.

    :param read: takes how many bytes are wanted at most, gives none at the end.
    :raises NotCanonical: also for what is no JSON object at all; parsing it as a whole tells the two apart.
    """
    scanner = _Scanner(read, grain)
    try:
        return scanner.document()
    except (orjson.JSONDecodeError, RecursionError, IndexError) as error:
        raise NotCanonical("not read as JSON") from error


class _Scanner:
    def __init__(self, read: Callable[[int], bytes], grain: int) -> None:
        self._read = read
        self._grain = grain
        self._held = b""
        self._base = 0
        self._small: dict[str, Any] = {}

    def document(self) -> Index:
        if self._byte(0) != b"{":
            raise NotCanonical("not an object")
        root = self._object(0, single=True)
        if self._window(root.end, 1):
            raise NotCanonical("something follows the object")
        return Index(root, root.end, self._small)

    def _value(self, start: int) -> tuple[Node | None, int]:
        """The node of a large container, and where the value ends."""
        window = self._window(start, self._grain)
        kind = window[:1]
        if kind not in (b"{", b"["):
            return None, self._scalar(start)
        try:
            # As Latin-1 every byte is a character, and offsets stay what they are.
            _, length = _DECODE(window.decode("latin-1"))
        except (JSONDecodeError, RecursionError):
            node = self._object(start) if kind == b"{" else self._list(start)
            return node, node.end
        _check(window[:length])
        return None, start + length

    def _scalar(self, start: int) -> int:
        size = self._grain
        while True:
            window = self._window(start, size)
            pattern = _TEXT if window[:1] == b'"' else _SCALAR
            found = pattern.match(window)
            # What touches the window's end may go on after it.
            if found is not None and (found.end() < len(window) or len(window) < size):
                _check(found[0])
                return start + found.end()
            if len(window) < size:
                raise NotCanonical("it breaks off")
            size *= 4

    def _object(self, start: int, *, single: bool = False) -> Node:
        """`single` gives every member a run of its own."""
        runs = _Runs(self._grain, single=single)
        place, last, count = start + 1, None, 0
        if self._byte(place) == b"}":
            return Node(False, start, place + 1, 0, ())
        while True:
            end_of_name = self._scalar(place)
            name = orjson.loads(self._window(place, end_of_name - place))
            if not isinstance(name, str) or (last is not None and name <= last):
                raise NotCanonical("names are not sorted")
            if self._byte(end_of_name) != b":":
                raise NotCanonical("no value after a name")
            node, end = self._value(end_of_name + 1)
            runs.add(name, 1, place, end, node)
            if single and node is None and end - end_of_name <= SMALL:
                self._small[name] = orjson.loads(self._window(end_of_name + 1, end - end_of_name - 1))
            last, count = name, count + 1
            if (after := self._byte(end)) == b"}":
                return Node(False, start, end + 1, count, runs.made())
            if after != b",":
                raise NotCanonical("no comma between members")
            place = end + 1

    def _list(self, start: int) -> Node:
        runs = _Runs(self._grain)
        place, count = start + 1, 0
        if self._byte(place) == b"]":
            return Node(True, start, place + 1, 0, ())
        while True:
            items, end = self._several(place)
            node = None
            if not items:
                node, end = self._value(place)
                items = 1
            runs.add(count, items, place, end, node)
            count += items
            if (after := self._byte(end)) == b"]":
                return Node(True, start, end + 1, count, runs.made())
            if after != b",":
                raise NotCanonical("no comma between items")
            place = end + 1

    def _several(self, start: int) -> tuple[int, int]:
        """How many items there are up to a place about a grain on, and that place; 0 where none was found.

        The place is guessed: where something that looks like the next item begins. The parser says whether it does.
        """
        window = self._window(start, 3 * self._grain)
        between, kept = _between(window)
        place = window.find(between, self._grain)
        if place < 0:
            return 0, start
        several = b"[" + window[: place + kept] + b"]"
        try:
            items = orjson.loads(several)
        except orjson.JSONDecodeError:
            return 0, start
        if orjson.dumps(items, option=orjson.OPT_SORT_KEYS) != several:
            raise NotCanonical("written differently")
        return len(items), start + place + kept

    def _byte(self, place: int) -> bytes:
        found = self._window(place, 1)
        if not found:
            raise NotCanonical("it breaks off")
        return found

    def _window(self, start: int, size: int) -> bytes:
        """`size` bytes from `start`, fewer only at the end. What lies before `start` is forgotten on a refill."""
        offset = start - self._base
        if offset + size > len(self._held):
            parts = [self._held[offset:]]
            missing = size - len(parts[0])
            self._base, offset = start, 0
            while missing > 0 and (part := self._read(max(missing, _REFILL))):
                parts.append(part)
                missing -= len(part)
            self._held = b"".join(parts)
        return self._held[offset : offset + size]


class _Runs:
    """Joins small neighbours until they come to a grain."""

    def __init__(self, grain: int, *, single: bool = False) -> None:
        self._grain = grain
        self._single = single
        self._runs: list[Run] = []

    def add(self, first: int | str, count: int, start: int, end: int, node: Node | None) -> None:
        last = self._runs[-1] if self._runs else None
        joins = last is not None and node is None and last.node is None and end - last.start <= self._grain
        if last is not None and joins and not self._single:
            self._runs[-1] = Run(last.first, last.count + count, last.start, end)
        else:
            self._runs.append(Run(first, count, start, end, node))

    def made(self) -> tuple[Run, ...]:
        return tuple(self._runs)


def _check(value: bytes) -> None:
    if orjson.dumps(orjson.loads(value), option=orjson.OPT_SORT_KEYS) != value:
        raise NotCanonical("written differently")


def _between(window: bytes) -> tuple[bytes, int]:
    """What stands between two items like the first of the window, and how much of it belongs to the one before."""
    if (key := _FIRST_KEY.match(window)) is not None:
        return b"}," + key[0], 1
    first = window[:1]
    if first == b'"':
        return b'","', 1
    if first == b"[":
        return b"],[", 1
    return (b"},{", 1) if first == b"{" else (b",", 0)
