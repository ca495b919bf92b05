"""PutArtifact: store what a worker produced, under its claim. It stays invisible until session points at it."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import suppress

from kit.auth.grants import Grant
from kit.db.database import Database
from kit.errors import PayloadTooLarge, Unavailable
from kit.ids import Ids
from kit.times import Clock
from services.results.domain import Artifact, ArtifactKey, ArtifactKind, hash_of
from services.results.large.shelf import Shelf
from services.results.ports import Artifacts, RangeStore

_HELD = 4 * 1024 * 1024
"""Bytes that are held in memory; what has more goes to the store as it comes."""

_WITHIN = 300.0
"""Seconds in which an artifact must have come."""


class PutArtifact:
    def __init__(
        self,
        db: Database,
        artifacts: Artifacts,
        store: RangeStore,
        shelf: Shelf,
        clock: Clock,
        ids: Ids,
        *,
        largest: int,
    ) -> None:
        """`largest` is the size of an artifact in bytes."""
        self._db = db
        self._artifacts = artifacts
        self._store = store
        self._shelf = shelf
        self._clock = clock
        self._ids = ids
        self._largest = largest

    async def __call__(self, grant: Grant, kind: ArtifactKind, pieces: AsyncIterator[bytes]) -> Artifact:
        """Idempotent. Raises PayloadTooLarge, Unavailable, and what `pieces` raises."""
        arriving = _Arriving(pieces, self._largest)
        held = await arriving.up_to(_HELD)
        if len(held) <= _HELD:
            key = ArtifactKey(grant.session_id, grant.epoch, hash_of(held))
            # The bytes first: a row without bytes would be a promise that nobody keeps.
            await self._store.put(key.blob, held)
        else:
            # Its key is known at its end.
            place = f"artifacts/{grant.session_id}/{grant.epoch}/incoming-{self._ids.new()}"
            await self._store.put_stream(place, arriving.from_start(held), within=_WITHIN)
            key = ArtifactKey(grant.session_id, grant.epoch, arriving.hash())
            try:
                await self._store.rename(place, key.blob)
            except Unavailable:
                # It comes again, to another place.
                with suppress(Unavailable):
                    await self._store.delete(place)
                raise
        artifact = Artifact(key, kind, grant.owner, arriving.size, self._clock.now())
        await self._db.write(lambda conn: self._artifacts.insert(conn, artifact))
        if kind is ArtifactKind.RESULT:
            self._shelf.prepare(key, artifact.size)
        return artifact


class _Arriving:
    """Pieces on their way, counted and hashed."""

    def __init__(self, pieces: AsyncIterator[bytes], largest: int) -> None:
        self._pieces = pieces
        self._largest = largest
        self._hash = hashlib.sha256()
        self.size = 0

    async def up_to(self, size: int) -> bytes:
        """All of it, or a little more than `size` bytes."""
        held = bytearray()
        async for piece in self._rest():
            held += piece
            if len(held) > size:
                break
        return bytes(held)

    async def from_start(self, held: bytes) -> AsyncIterator[bytes]:
        yield held
        async for piece in self._rest():
            yield piece

    def hash(self) -> str:
        return self._hash.hexdigest()

    async def _rest(self) -> AsyncIterator[bytes]:
        async for piece in self._pieces:
            self.size += len(piece)
            if self.size > self._largest:
                raise PayloadTooLarge(f"An artifact holds at most {self._largest} bytes")
            self._hash.update(piece)
            yield piece
