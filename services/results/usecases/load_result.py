"""LoadResult: the stored document of a session, for somebody who may view it. Every reading use case starts here."""

from __future__ import annotations

from dataclasses import dataclass

from kit.auth.principal import Principal
from kit.errors import ResultsNotAvailable, SessionNotFound, Unavailable
from kit.levels import Level
from services.results.ports import Gate, Pointer, Sessions, Store


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
        """Raises SessionNotFound, SessionNotAccessible, ResultsNotAvailable, Unavailable."""
        await self._gate.require(principal, session_id, Level.VIEW)
        return await self.visible(session_id)

    async def visible(self, session_id: str) -> Loaded:
        """The same for a caller whose right was established before."""
        pointer = await self._sessions.pointer(session_id)
        if pointer is None:
            raise SessionNotFound()
        if pointer.result is None:
            raise ResultsNotAvailable()
        document = await self._store.get(pointer.result.blob)
        if document is None:
            raise Unavailable("The results cannot be read just now")
        return Loaded(pointer, document)
