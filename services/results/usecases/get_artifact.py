"""GetArtifact and GetInputResults: what a worker may read of what is stored, by its grant."""

from __future__ import annotations

from collections.abc import AsyncIterator

import orjson

from kit.auth.grants import Grant
from kit.db.database import Database
from kit.errors import ResultsNotAvailable, Unavailable
from services.results.domain import ArtifactKey
from services.results.errors import GrantRefused
from services.results.large.shelf import artifact_pieces
from services.results.ports import Artifacts, RangeStore, Sessions

_TAIL = 1024


class GetArtifact:
    def __init__(self, db: Database, artifacts: Artifacts, store: RangeStore) -> None:
        self._db = db
        self._artifacts = artifacts
        self._store = store

    async def __call__(self, grant: Grant, epoch: int, hash: str) -> AsyncIterator[bytes]:
        """A checkpoint of the grant's own session, in pieces. Raises ResultsNotAvailable, Unavailable,
        DocumentUnreadable."""
        key = ArtifactKey(grant.session_id, epoch, hash)
        if await self._db.read(lambda conn: self._artifacts.find(conn, key)) is None:
            raise ResultsNotAvailable("There is no such artifact")
        return artifact_pieces(self._store, key)


class GetInputResults:
    """The result document of a session that the grant names, with the prompt that led to it."""

    def __init__(self, sessions: Sessions, store: RangeStore) -> None:
        self._sessions = sessions
        self._store = store

    async def __call__(self, grant: Grant, session_id: str) -> AsyncIterator[bytes]:
        """Raises GrantRefused, Unavailable, DocumentUnreadable."""
        named = {entry.split(":", 1)[0]: entry for entry in grant.sessions}
        if session_id not in named:
            raise GrantRefused("The grant does not name this session")
        _, epoch, hash = named[session_id].split(":")
        pointer = await self._sessions.pointer(session_id)
        if pointer is None:
            raise Unavailable("The results cannot be read just now")
        key = ArtifactKey(session_id, int(epoch), hash)
        return _with_member(artifact_pieces(self._store, key), "prompt", pointer.prompt)


async def _with_member(document: AsyncIterator[bytes], name: str, value: str) -> AsyncIterator[bytes]:
    """A JSON object with one more member at its end, where it outdoes one of the same name."""
    held = b""
    async for piece in document:
        held += piece
        yield held[:-_TAIL]
        held = held[-_TAIL:]
    rest = held.rstrip()
    comma = b"" if rest[:-1].rstrip().endswith(b"{") else b","
    yield rest[:-1] + comma + orjson.dumps(name) + b":" + orjson.dumps(value) + b"}"
