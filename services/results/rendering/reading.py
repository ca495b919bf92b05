"""Reading JSON values with their place in the document, so that a fault can be named exactly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

JSON = Any
"""A JSON value: what ``json.loads`` gives."""

Cell = str | float | int | bool | None


class InvalidResultDocument(ValueError):
    """A stored result document does not have the shape of one. `path` says where, `problem` what."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path or 'document'}: {problem}")
        self.path = path
        self.problem = problem


class _Identified(Protocol):
    @property
    def id(self) -> str: ...


def unique(path: str, items: Sequence[_Identified]) -> frozenset[str]:
    """The ids of `items`; an id that stands twice is a fault."""
    seen: set[str] = set()
    for item in items:
        if item.id in seen:
            raise InvalidResultDocument(path, f"the id {item.id!r} stands twice")
        seen.add(item.id)
    return frozenset(seen)


class Node:
    """A JSON object at a path. Absent and null are the same thing to every reader."""

    __slots__ = ("_members", "_path")

    def __init__(self, value: JSON, path: str) -> None:
        if not isinstance(value, Mapping):
            raise InvalidResultDocument(path, "must be an object")
        self._members = value
        self._path = path

    def value(self, key: str) -> JSON:
        return self._members.get(key)

    def text(self, key: str, *, default: str | None = None) -> str:
        value = self._members.get(key)
        if value is None and default is not None:
            return default
        return self._as_text(value, key)

    def optional_text(self, key: str) -> str | None:
        value = self._members.get(key)
        return None if value is None else self._as_text(value, key)

    def texts(self, key: str) -> tuple[str, ...]:
        return tuple(self._as_text(item, f"{key}[{index}]") for index, item in enumerate(self._list(key)))

    def nodes(self, key: str) -> tuple[Node, ...]:
        return tuple(Node(item, self._at(f"{key}[{index}]")) for index, item in enumerate(self._list(key)))

    def texts_or_nodes(self, key: str) -> tuple[str | Node, ...]:
        return tuple(
            item if isinstance(item, str) else Node(item, self._at(f"{key}[{index}]"))
            for index, item in enumerate(self._list(key))
        )

    def flag(self, key: str) -> bool:
        value = self._members.get(key, False)
        if not isinstance(value, bool):
            raise self._wrong(key, "must be true or false")
        return value

    def number(self, key: str) -> float | None:
        value = self._members.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self._wrong(key, "must be a number")
        return float(value)

    def integer(self, key: str) -> int | None:
        value = self.number(key)
        if value is None:
            return None
        if not value.is_integer():
            raise self._wrong(key, "must be a whole number")
        return int(value)

    def object(self, key: str) -> Mapping[str, JSON]:
        value = self._members.get(key)
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            raise self._wrong(key, "must be an object")
        return value

    def rows(self, key: str, columns: Sequence[str]) -> tuple[tuple[Cell, ...], ...]:
        """Rows of scalar cells, one for each column."""
        rows: list[tuple[Cell, ...]] = []
        for index, row in enumerate(self._list(key)):
            place = f"{key}[{index}]"
            if not isinstance(row, Sequence) or isinstance(row, str) or len(row) != len(columns):
                raise self._wrong(place, f"must be a list of {len(columns)} cells")
            for cell in row:
                if not isinstance(cell, (str, int, float, bool, type(None))):
                    raise self._wrong(place, "cells must be text, numbers, true, false or null")
            rows.append(tuple(row))
        return tuple(rows)

    def _list(self, key: str) -> Sequence[JSON]:
        value = self._members.get(key)
        if value is None:
            return ()
        if not isinstance(value, Sequence) or isinstance(value, (str, bytes)):
            raise self._wrong(key, "must be a list")
        return value

    def _as_text(self, value: JSON, key: str) -> str:
        if not isinstance(value, str):
            raise self._wrong(key, "must be text")
        return value

    def _at(self, key: str) -> str:
        return f"{self._path}.{key}" if self._path else key

    def _wrong(self, key: str, problem: str) -> InvalidResultDocument:
        return InvalidResultDocument(self._at(key), problem)
