"""LoadResult: the stored document of a session, for somebody who may view it. Every reading use case starts here."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from kit.auth.principal import Principal
from kit.errors import SessionNotFound, Unavailable
from kit.levels import Level
from services.results.domain import ArtifactKey, hash_of
from services.results.errors import NoResults
from services.results.large.splitting import DocumentUnreadable
from services.results.ports import Gate, Pointer, Sessions, Store

log = structlog.get_logger("results")


@dataclass(frozen=True, slots=True)
class Found:
    """A session whose results are there."""

    pointer: Pointer
    result: ArtifactKey


@dataclass(frozen=True, slots=True)
class Loaded:
    """A session's result document as its engine stored it, in JSON."""

    pointer: Pointer
    document: bytes


class LoadResult:
    def __init__(self, gate: Gate, sessions: Sessions, store: Store) -> None:
        self._gate = gate
        self._sessions = sessions
        self._store = store

    async def __call__(self, principal: Principal, session_id: str) -> Loaded:
        """Raises SessionNotFound, SessionNotAccessible, NoResults, Unavailable."""
        return await self.document(await self.pointer(principal, session_id))

    async def visible(self, session_id: str) -> Found:
        """`pointer` for a caller whose right was established before."""
        return await self._pointer(session_id)

    async def pointer(self, principal: Principal, session_id: str) -> Found:
        """Which document it is, without reading it. The right is checked anew each time: what is kept of a document
        holds none. Raises SessionNotFound, SessionNotAccessible, NoResults, Unavailable."""
        await self._gate.require(principal, session_id, Level.VIEW)
        return await self._pointer(session_id)

    async def document(self, found: Found) -> Loaded:
        """Raises Unavailable, DocumentUnreadable."""
        document = await self._store.get(found.result.blob)
        if document is None:
            log.error("a result document is missing", session_id=found.result.session_id, blob=found.result.blob)
            raise Unavailable("The results cannot be read just now")
        if hash_of(document) != found.result.hash:
            log.error("a result document is damaged", session_id=found.result.session_id, blob=found.result.blob)
            raise DocumentUnreadable("The stored results cannot be read")
        return Loaded(found.pointer, document)

    async def _pointer(self, session_id: str) -> Found:
        pointer = await self._sessions.pointer(session_id)
        if pointer is None:
            raise SessionNotFound()
        if pointer.result is None:
            raise NoResults(pointer.status, pointer.progress)
        return Found(pointer, pointer.result)
