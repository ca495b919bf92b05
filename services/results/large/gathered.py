"""What was gathered for a large document, row by row: its passages and its screening."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import orjson

from services.results.large.answers import Stored
from services.results.large.points import items_of, member_of, values_of

_PIECE = 256 * 1024


async def passages(stored: Stored) -> AsyncIterator[dict[str, Any]]:
    """Every passage with its citation. Raises Unavailable."""
    async for citation in items_of(stored, await member_of(stored, stored.index.root, "citations")):
        about = {name: await member_of(stored, citation, member) for name, member in _ABOUT}
        async for passage in values_of(stored, await member_of(stored, citation, "passages")):
            if isinstance(passage, dict):
                yield {**about, **passage}


_ABOUT = (("citation", "id"), ("document_id", "document_id"))


async def screening(stored: Stored) -> AsyncIterator[Any]:
    """Every document that was left out. Raises Unavailable."""
    flow = await member_of(stored, stored.index.root, "screening")
    async for row in values_of(stored, await member_of(stored, flow, "excluded")):
        yield row


async def listed(
    rows: AsyncIterator[Any], *, between: bytes = b",", start: bytes = b"[", end: bytes = b"]"
) -> AsyncIterator[bytes]:
    """A JSON array of rows, piece by piece."""
    held = bytearray(start)
    is_first = True
    async for row in rows:
        if not is_first:
            held += between
        is_first = False
        held += orjson.dumps(row, option=orjson.OPT_SORT_KEYS)
        if len(held) > _PIECE:
            yield bytes(held)
            held.clear()
    yield bytes(held + end)
