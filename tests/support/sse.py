"""Reading Server-Sent Events."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp


@dataclass(frozen=True)
class StreamEvent:
    """One Server-Sent Event. `id` is None where the stream gave none."""

    id: int | None
    type: str
    data: dict[str, Any]


async def events_of(response: aiohttp.ClientResponse) -> AsyncIterator[StreamEvent | None]:
    """Events, and None for whatever else shows that the stream lives."""
    fields: dict[str, str] = {}
    async for raw in response.content:
        line = raw.decode().rstrip("\r\n")
        if line.startswith(":"):
            yield None
        elif not line:
            if "data" in fields:
                number = int(fields["id"]) if "id" in fields else None
                yield StreamEvent(number, fields.get("event", "message"), json.loads(fields["data"]))
            fields = {}
        else:
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            fields[name] = f"{fields[name]}\n{value}" if name in fields else value
