"""Excerpts of a stored document: its values with their long lists shortened, and a note of each list that was."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from kit.errors import PayloadTooLarge
from services.results.large.index import Node, Run

Read = Callable[[int, int], Awaitable[bytes]]
"""The bytes of the document from an offset to before another."""

Path = tuple[str | int, ...]

WHOLE_BYTES = 16 * 1024 * 1024
"""Of a text, or of an object's members: what cannot be shortened is taken up to here."""


_BEYOND = 3
_NUMBER = re.compile(r"0|[1-9][0-9]{0,9}")


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much of each list an excerpt takes.

    :param items: of a list that is reached by names alone.
    :param inside: of a list inside an item of another.
    :param block_bytes: of a member of the document: lists end early, but not before their first item.
    """

    items: int
    inside: int
    block_bytes: int


@dataclass(frozen=True, slots=True)
class Shortened:
    """A list of which `items` items from `offset` on were taken, out of `total`."""

    path: Path
    offset: int
    items: int
    total: int


class Excerpt:
    """Takes values of one document; `shortened` collects what was left out, in the order of the document."""

    def __init__(self, read: Read, bounds: Bounds) -> None:
        self._read = read
        self._bounds = bounds
        self._left = bounds.block_bytes
        self.shortened: list[Shortened] = []

    async def find(self, root: Node, names: Sequence[str]) -> tuple[Held, Path] | None:
        """What lies behind names, where those of items are their numbers, and its path. Raises PayloadTooLarge."""
        place = Held(None, root)
        path: list[str | int] = []
        for name in names:
            key: str | int | None = name
            if place.is_list:
                key = int(name) if _NUMBER.fullmatch(name) else None
            found = None
            if key is not None:
                found = await self._inner(place.node, key) if place.node is not None else _step(place.value, key)
            if found is None or key is None:
                return None
            place = found
            path.append(key)
        return place, tuple(path)

    async def _inner(self, node: Node, key: str | int) -> Held | None:
        run = node.run_of(key) if node.is_list is isinstance(key, int) else None
        if run is None:
            return None
        if run.node is not None:
            return Held(None, run.node) if run.first == key else None
        values = await self._values(node, run)
        return _step(values, key - int(run.first) if isinstance(key, int) else key)

    async def of(self, place: Held, path: Path, *, offset: int = 0) -> Any:
        """The value at a place, shortened. `offset` is the first item of the place itself, when that is a list.

        :raises PayloadTooLarge: a text or an object in it is too long to be taken.
        """
        self._left = self._bounds.block_bytes
        if place.node is not None:
            return await self._node(place.node, path, inside=False, offset=offset)
        return self._counted(place.value, path, inside=False, offset=offset)

    async def _node(self, node: Node, path: Path, *, inside: bool, offset: int = 0) -> Any:
        if node.is_list:
            return await self._list(node, path, inside=inside, offset=offset)
        found: dict[str, Any] = {}
        taken = 0
        for run in node.runs:
            if run.node is not None:
                found[str(run.first)] = await self._node(run.node, (*path, run.first), inside=inside)
                continue
            taken += run.end - run.start
            if taken > WHOLE_BYTES:
                raise too_long(path, node.end - node.start)
            for name, value in (await self._values(node, run)).items():
                found[name] = self._counted(value, (*path, name), inside=inside)
        return found

    async def _list(self, node: Node, path: Path, *, inside: bool, offset: int) -> list[Any]:
        place = len(self.shortened)
        taken: list[Any] = []
        last = min(node.count, offset + self._most(inside))
        for run in node.runs:
            first = int(run.first)
            if first + run.count <= offset:
                continue
            if first >= last or self._is_full(taken, inside):
                break
            if run.node is not None:
                taken.append(await self._node(run.node, (*path, first), inside=True))
                continue
            values = await self._values(node, run)
            for number in range(max(offset, first), min(last, first + run.count)):
                if self._is_full(taken, inside):
                    break
                taken.append(self._counted(values[number - first], (*path, number), inside=True))
        self._note(place, path, offset, len(taken), node.count)
        return taken

    def _counted(self, value: Any, path: Path, *, inside: bool, offset: int = 0) -> Any:
        shown = self._value(value, path, inside=inside, offset=offset)
        if not isinstance(value, list) or inside:
            self._left -= len(orjson.dumps(shown))
        return shown

    def _value(self, value: Any, path: Path, *, inside: bool, offset: int = 0) -> Any:
        if isinstance(value, dict):
            return {name: self._value(member, (*path, name), inside=inside) for name, member in value.items()}
        if not isinstance(value, list):
            return value
        place = len(self.shortened)
        taken: list[Any] = []
        for number in range(offset, min(len(value), offset + self._most(inside))):
            if not inside and self._is_full(taken, inside):
                break
            item = self._value(value[number], (*path, number), inside=True)
            if not inside:
                self._left -= len(orjson.dumps(item))
            taken.append(item)
        self._note(place, path, offset, len(taken), len(value))
        return taken

    def _note(self, place: int, path: Path, offset: int, items: int, total: int) -> None:
        if offset or items < total:
            # Before what was shortened inside it.
            self.shortened.insert(place, Shortened(path, offset, items, total))

    def _is_full(self, taken: list[Any], inside: bool) -> bool:
        """An item that was begun is cut only when it goes far beyond the block's size."""
        return bool(taken) and self._left <= (-_BEYOND * self._bounds.block_bytes if inside else 0)

    def _most(self, inside: bool) -> int:
        return self._bounds.inside if inside else self._bounds.items

    async def _values(self, node: Node, run: Run) -> Any:
        if run.end - run.start > WHOLE_BYTES:
            raise too_long((run.first,), run.end - run.start)
        data = await self._read(run.start, run.end)
        return orjson.loads(b"[" + data + b"]" if node.is_list else b"{" + data + b"}")


@dataclass(frozen=True, slots=True)
class Held:
    """A value of a document: read already, or a container that is read as needed."""

    value: Any
    node: Node | None = None

    @property
    def is_list(self) -> bool:
        return self.node.is_list if self.node is not None else isinstance(self.value, list)


def _step(value: Any, key: str | int) -> Held | None:
    if isinstance(value, dict) and isinstance(key, str) and key in value:
        return Held(value[key])
    if isinstance(value, list) and isinstance(key, int) and 0 <= key < len(value):
        return Held(value[key])
    return None


def too_long(path: Path, size: int) -> PayloadTooLarge:
    name = ".".join(map(str, path))
    return PayloadTooLarge(
        f"{name!r} holds {size} bytes that no page can hold; read it whole, with fields and without limit"
    )
