"""GetArtifact and GetInputResults: what a worker may read of what is stored, by its grant."""

from __future__ import annotations

import orjson

from kit.auth.grants import Grant
from kit.db.database import Database
from kit.errors import ResultsNotAvailable, Unavailable
from services.results.domain import ArtifactKey
from services.results.errors import GrantRefused
from services.results.ports import Artifacts, Sessions, Store


class GetArtifact:
    def __init__(self, db: Database, artifacts: Artifacts, store: Store) -> None:
        self._db = db
        self._artifacts = artifacts
        self._store = store

    async def __call__(self, grant: Grant, epoch: int, hash: str) -> bytes:
        """A checkpoint of the grant's own session. Raises ResultsNotAvailable, Unavailable."""
        key = ArtifactKey(grant.session_id, epoch, hash)
        if await self._db.read(lambda conn: self._artifacts.find(conn, key)) is None:
            raise ResultsNotAvailable("There is no such artifact")
        data = await self._store.get(key.blob)
        if data is None:
            raise Unavailable("The artifact cannot be read just now")
        return data


class GetInputResults:
    """The result document of a session that the grant names, with the prompt that led to it."""

    def __init__(self, sessions: Sessions, store: Store) -> None:
        self._sessions = sessions
        self._store = store

    async def __call__(self, grant: Grant, session_id: str) -> bytes:
        """Raises GrantRefused, Unavailable."""
        named = {entry.split(":", 1)[0]: entry for entry in grant.sessions}
        if session_id not in named:
            raise GrantRefused("The grant does not name this session")
        _, epoch, hash = named[session_id].split(":")
        data = await self._store.get(ArtifactKey(session_id, int(epoch), hash).blob)
        pointer = await self._sessions.pointer(session_id)
        if data is None or pointer is None:
            raise Unavailable("The results cannot be read just now")
        document = orjson.loads(data)
        document["prompt"] = pointer.prompt
        return orjson.dumps(document)
