"""WatchSession and StreamEvents: the durable history from some event on, and what comes, until the session ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from sqlalchemy import Connection

from kit.auth.principal import Principal
from kit.levels import Level
from services.session.domain import HELD, TERMINAL, HistoryRow
from services.session.ports import Glance, History
from services.session.usecases.unit import SessionUnit
from services.session.watchers import Credential, Watch, WatchHub

_BATCH = 200


@dataclass(frozen=True, slots=True)
class Progress:
    """Not part of the history."""

    glance: Glance


class KeepAlive:
    """Nothing happened for a while; also the first thing that is said."""


class WatchSession:
    def __init__(self, unit: SessionUnit, history: History, hub: WatchHub, keep_alive: float) -> None:
        """`keep_alive` in seconds."""
        self._unit = unit
        self._history = history
        self._hub = hub
        self._keep_alive = keep_alive

    async def __call__(
        self, principal: Principal, session_id: str, after: int, credential: Credential
    ) -> AsyncGenerator[HistoryRow | Progress | KeepAlive, None]:
        """Raises SessionNotFound, SessionNotAccessible, Unavailable before the first item; what raises later ends a
        stream that was allowed when it began."""
        session, _ = await self._unit.open(principal, session_id, Level.VIEW)
        watch = Watch(session_id, principal, session.owner == principal.user_id, credential)
        self._hub.open(watch)
        try:
            yield KeepAlive()
            shown: tuple[int, str] | None = None
            while True:
                watch.news.clear()
                if watch.ended is not None:
                    raise watch.ended
                rows, glance = await self._read(session_id, after)
                for row in rows:
                    yield row
                    after = row.seq
                    shown = (row.progress, row.stage)
                if len(rows) == _BATCH:
                    continue
                if glance.status in TERMINAL:
                    return
                progress = (glance.progress, glance.stage)
                if glance.status in HELD and progress != shown:
                    shown = progress
                    yield Progress(glance)
                if not await self._wait(watch):
                    yield KeepAlive()
        finally:
            self._hub.close(watch)

    async def _read(self, session_id: str, after: int) -> tuple[list[HistoryRow], Glance]:
        unit = self._unit

        def read(db: Connection) -> tuple[list[HistoryRow], Glance]:
            (glance,) = unit.sessions.glance(db, [session_id])
            return self._history.after(db, session_id, after, _BATCH), glance

        return await unit.db.read(read)

    async def _wait(self, watch: Watch) -> bool:
        try:
            await asyncio.wait_for(watch.news.wait(), self._keep_alive)
        except TimeoutError:
            return False
        return True
