"""Things that are really there, so that random calls get further than "not found"."""

from __future__ import annotations

import json
from collections.abc import Mapping

import aiohttp

from tests.support.rest import API, People
from tests.support.stack import PARKED, RunningStack

TEXT = "Cold water holds more carbon dioxide than warm water. Uptake is limited by mixing below the surface."
# How often a parameter is one of them; otherwise it is random.
_PROBABILITY = 0.8


async def things(stack: RunningStack, user: str) -> dict[str, list[str]]:
    """By parameter: ids of a completed session and a queued one, of what belongs to them, and a cursor."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=120)) as client:
        people = People(stack, client)
        api, other = people.known(user, email=f"{user}@example.org"), people.known(f"{user}-owner")
        documents = [await api.add_document(f"Note {number}", TEXT) for number in (1, 2, 3)]
        completed = await api.create("What limits ocean uptake?", preferences={"depth": "quick"})
        queued = await api.create("What limits ocean uptake?", preferences={"engine": PARKED})
        comment = await api.post(f"/sessions/{queued}/comments", {"content": "A remark"}, status=201)
        share = await api.share(queued, "user:grace")
        await other.add_document("Note", TEXT)
        shared = await other.share(await other.create("Whose?", preferences={"engine": PARKED}), f"user:{user}")
        page = await api.send("GET", f"{API}/documents", query={"limit": "1"})
        await api.until_status(completed, "completed")
        return {
            "session_id": [completed, queued],
            "document_id": documents,
            "comment_id": [comment["comment_id"]],
            "share_id": [share["share_id"]],
            "token": [shared["share_url"].rpartition("/")[2]],
            "cursor": [page.expect(200)["next_cursor"]],
        }


def configured(found: Mapping[str, list[str]]) -> str:
    """The part of Schemathesis's configuration that has parameters take such values."""
    lines = []
    for name, values in found.items():
        lines.append(f"[dictionaries.{name}]\nvalues = {json.dumps(values)}\n")
    lines.append("[parameters]")
    for name in found:
        where = "query" if name == "cursor" else "path"
        lines.append(f'"{where}.{name}" = {{ dictionary = "{name}", probability = {_PROBABILITY} }}')
    return "\n".join(lines) + "\n"
