"""Where the values of a stored document lie: ranges of bytes, for every container that is worth one.

The document is canonical JSON (sorted keys, no white space, shortest numbers), so that a range of it can be handed out
as it is, and what is read from it and written again is the same bytes.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

VERSION = 1
"""Of the stored form; an index of another version is made anew."""


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbours in a container: items or members, with the commas between them and none around.

    :param first: the number of the first item, or the first member's name.
    :param count: how many they are.
    :param node: of the one value when that is a large container, else None.
    """

    first: int | str
    count: int
    start: int
    end: int
    node: Node | None = None


@dataclass(frozen=True, slots=True)
class Node:
    """A container. `start` and `end` are offsets in bytes, brackets included; `count` is of items or members."""

    is_list: bool
    start: int
    end: int
    count: int
    runs: tuple[Run, ...]

    def run_of(self, key: int | str) -> Run | None:
        """The run that holds an item or a member, if any does."""
        place = bisect_right(self.runs, key, key=lambda run: run.first) - 1
        return self.runs[place] if place >= 0 else None


@dataclass(frozen=True, slots=True)
class Index:
    """`root` is the document itself, with one run for every member; `small` are the values of the short ones. `size` is
    in bytes. `is_copy` says that the ranges are those of a canonical copy, not of the document as it came."""

    root: Node
    size: int
    small: Mapping[str, Any]
    is_copy: bool = False


def dump_index(index: Index) -> bytes:
    """The index as it is stored, beside what it indexes."""
    return orjson.dumps(
        {
            "version": VERSION,
            "is_copy": index.is_copy,
            "size": index.size,
            "small": index.small,
            "root": _listed(index.root),
        }
    )


def load_index(data: bytes) -> Index | None:
    """None for an index of another version, and for what is none."""
    try:
        stored = orjson.loads(data)
        if stored["version"] != VERSION:
            return None
        return Index(_node(stored["root"]), stored["size"], stored["small"], stored["is_copy"])
    except (ValueError, TypeError, LookupError):
        return None


def _listed(node: Node) -> list[Any]:
    runs = [[run.first, run.count, run.start, run.end, *([_listed(run.node)] if run.node else [])] for run in node.runs]
    return [node.is_list, node.start, node.end, node.count, runs]


def _node(stored: list[Any]) -> Node:
    is_list, start, end, count, runs = stored
    made = (Run(run[0], run[1], run[2], run[3], _node(run[4]) if len(run) > 4 else None) for run in runs)
    return Node(is_list, start, end, count, tuple(made))
