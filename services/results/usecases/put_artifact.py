"""PutArtifact: store what a worker produced, under its claim. It stays invisible until session points at it."""

from __future__ import annotations

from kit.auth.grants import Grant
from kit.db.database import Database
from kit.times import Clock
from services.results.domain import Artifact, ArtifactKey, ArtifactKind, hash_of
from services.results.ports import Artifacts, Store


class PutArtifact:
    def __init__(self, db: Database, artifacts: Artifacts, store: Store, clock: Clock) -> None:
        self._db = db
        self._artifacts = artifacts
        self._store = store
        self._clock = clock

    async def __call__(self, grant: Grant, kind: ArtifactKind, data: bytes) -> Artifact:
        """Idempotent. Raises Unavailable."""
        key = ArtifactKey(grant.session_id, grant.epoch, hash_of(data))
        artifact = Artifact(key, kind, grant.owner, len(data), self._clock.now())
        # The bytes first: a row without bytes would be a promise that nobody keeps.
        await self._store.put(key.blob, data)
        await self._db.write(lambda conn: self._artifacts.insert(conn, artifact))
        return artifact
