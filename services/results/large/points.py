"""What a comment may point at inside a large document, found without holding it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson

from services.results.large.answers import Stored
from services.results.large.excerpt import Bounds, Excerpt, Held
from services.results.large.index import Node

MOST_BYTES = 6 * 1024 * 1024
"""Of all points together: they travel in one message."""

_WHOLE = Bounds(items=1 << 40, inside=1 << 40, block_bytes=1 << 40)
_KINDS = (
    ("section", "sections"),
    ("claim", "sections"),
    ("finding", "key_findings"),
    ("table", "tables"),
    ("figure", "figures"),
    ("citation", "citations"),
)


async def points_of(stored: Stored) -> tuple[str, ...]:
    """As `ResultDocument.reference_points`, up to `MOST_BYTES`. Raises Unavailable."""
    points: list[str] = []
    size = 0
    for kind, member in _KINDS:
        async for id in _ids(stored, member, of_claims=kind == "claim"):
            size += len(kind) + len(id.encode()) + 8
            if size > MOST_BYTES:
                return tuple(points)
            points.append(f"{kind}:{id}")
    return tuple(points)


async def _ids(stored: Stored, member: str, *, of_claims: bool) -> AsyncIterator[str]:
    async for item in items_of(stored, await _list(stored, member)):
        if not of_claims:
            if (id := await _id(stored, item)) is not None:
                yield id
            continue
        claims = await member_of(stored, item, "claims") if isinstance(item, (dict, Node)) else None
        async for claim in items_of(stored, claims):
            if (id := await _id(stored, claim)) is not None:
                yield id


async def _list(stored: Stored, member: str) -> Any:
    return await member_of(stored, stored.index.root, member)


async def items_of(stored: Stored, value: Any) -> AsyncIterator[Any]:
    """The items of a list: values, or nodes of those that are large."""
    if isinstance(value, Node) and value.is_list:
        for run in value.runs:
            if run.node is not None:
                yield run.node
                continue
            for item in orjson.loads(b"[" + await stored.read(run.start, run.end) + b"]"):
                yield item
            await asyncio.sleep(0)  # Others have their turn.
    elif isinstance(value, list):
        for item in value:
            yield item


async def values_of(stored: Stored, value: Any) -> AsyncIterator[Any]:
    """The items of a list as values, each as a whole. Raises PayloadTooLarge, Unavailable."""
    async for item in items_of(stored, value):
        yield await Excerpt(stored.read, _WHOLE).of(Held(None, item), ()) if isinstance(item, Node) else item


async def _id(stored: Stored, item: Any) -> str | None:
    id = await member_of(stored, item, "id") if isinstance(item, (dict, Node)) else None
    return id if isinstance(id, str) else None


async def member_of(stored: Stored, item: Any, name: str) -> Any:
    """A member of an item: its value, or the node of a large one; None where there is none."""
    if not isinstance(item, Node):
        return item.get(name) if isinstance(item, dict) else None
    run = item.run_of(name)
    if run is None or run.node is not None:
        return None if run is None or run.first != name else run.node
    return orjson.loads(b"{" + await stored.read(run.start, run.end) + b"}").get(name)
