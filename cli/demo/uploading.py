"""Bringing the user's files into the library, each content once."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cli.demo.rest import JSON, Answered, RestApi

_REQUEST_BYTES = 16 * 1024 * 1024
_REQUEST_FILES = 50


@dataclass(slots=True)
class Uploaded:
    """`ids` follow the order of the files; unreadable ones are left out and named with the reason."""

    ids: list[str] = field(default_factory=list)
    stored: int = 0
    known: int = 0
    unreadable: list[tuple[str, str]] = field(default_factory=list)


class Uploader:
    """Remembers in a file which content became which document, so that a second run uploads nothing again."""

    def __init__(self, api: RestApi, memory: Path) -> None:
        self._api = api
        self._memory = memory

    async def upload(self, files: Sequence[Path]) -> Uploaded:
        """Store what the library does not hold yet. Raises Refused."""
        contents = await asyncio.to_thread(lambda: [(path, path.read_bytes()) for path in files])
        hashes = [hashlib.sha256(content).hexdigest() for _, content in contents]
        present = await self._api.document_ids()
        known = {sha: found for sha, found in self._recall().items() if found in present}
        fresh = {
            sha: (path.name, content) for sha, (path, content) in zip(hashes, contents, strict=True) if sha not in known
        }
        outcome = Uploaded(known=len(set(hashes) & known.keys()))
        for batch in _batches(fresh):
            for sha, card in zip(batch, await self._send([fresh[sha] for sha in batch]), strict=True):
                if card["status"] == "ready":
                    known[sha] = card["document_id"]
                    outcome.stored += 1
                else:
                    outcome.unreadable.append((fresh[sha][0], "; ".join(card["problems"])))
            self._memory.write_text(json.dumps(known))
        outcome.ids = list(dict.fromkeys(known[sha] for sha in hashes if sha in known))
        return outcome

    async def _send(self, files: list[tuple[str, bytes]]) -> list[dict[str, JSON]]:
        try:
            return await self._api.upload(files)
        except Answered as refusal:
            # What is unreadable is stored and named beside others, and refused when it comes alone.
            if refusal.error != "document_unreadable":
                raise
            return [{"status": "unreadable", "problems": [refusal.reason]}]

    def _recall(self) -> dict[str, str]:
        try:
            found: dict[str, str] = json.loads(self._memory.read_text())
        except (OSError, ValueError):
            return {}
        return found


def _batches(fresh: dict[str, tuple[str, bytes]]) -> Iterator[list[str]]:
    batch: list[str] = []
    size = 0
    for sha, (_, content) in fresh.items():
        if batch and (size + len(content) > _REQUEST_BYTES or len(batch) == _REQUEST_FILES):
            yield batch
            batch, size = [], 0
        batch.append(sha)
        size += len(content)
    if batch:
        yield batch
