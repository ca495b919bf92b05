"""WatchSession and StreamEvents: the durable history from some event on, and what comes, until the session ends."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from sqlalchemy import Connection

from kit.auth.principal import Principal
from kit.levels import Level
from services.session.domain import HELD, TERMINAL, HistoryRow
from services.session.ports import Glance, History
from services.session.usecases.unit import SessionUnit
from services.session.watchers import Page, Watch, WatchHub

_BATCH = 50
"""Rows that are read at a time: what a stream holds while its reader takes them."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Not part of the history."""

    glance: Glance


class KeepAlive:
    """Nothing happened for a while; also the first thing that is said."""


class WatchSession:
    def __init__(self, unit: SessionUnit, history: History, hub: WatchHub) -> None:
        self._unit = unit
        self._history = history
        self._hub = hub

    async def __call__(
        self, principal: Principal, session_id: str, after: int, token_ends: int
    ) -> AsyncGenerator[HistoryRow | Progress | KeepAlive, None]:
        """`token_ends` in microseconds. Raises SessionNotFound, SessionNotAccessible, Unavailable before the first
        item; what raises later ends a stream that was allowed when it began."""
        session, _ = await self._unit.open(principal, session_id, Level.VIEW)
        watch = Watch(session_id, principal, session.owner == principal.user_id, token_ends)
        # Nothing is held while the stream waits: not the session, and no page below.
        del session
        self._hub.open(watch)
        try:
            yield KeepAlive()
            shown: tuple[int, str] | None = None
            is_first = True
            while True:
                watch.take_news()
                page = await self._page(watch, after, alone=is_first)
                for row in page.rows:
                    if watch.ended is not None:
                        raise watch.ended
                    yield row
                    after = row.seq
                    shown = (row.progress, row.stage)
                is_first, glance = len(page.rows) == _BATCH, page.glance
                del page
                if watch.ended is not None:
                    raise watch.ended
                if is_first:
                    continue
                if glance.status in TERMINAL:
                    return
                progress = (glance.progress, glance.stage)
                if glance.status in HELD and progress != shown:
                    shown = progress
                    yield Progress(glance)
                self._hub.spoke(watch)
                while not await watch.wait():
                    yield KeepAlive()
        finally:
            self._hub.close(watch)

    async def _page(self, watch: Watch, after: int, *, alone: bool) -> Page:
        """`alone` for one who has just come: what others read a moment ago may be older than what the client knows
        from another replica."""
        if alone:
            return await self._read(watch.session_id, after)
        return await self._hub.page(watch, after, lambda: self._read(watch.session_id, after))

    async def _read(self, session_id: str, after: int) -> Page:
        unit = self._unit

        def read(db: Connection) -> Page:
            (glance,) = unit.sessions.glance(db, [session_id])
            return Page(self._history.after(db, session_id, after, _BATCH), glance)

        return await unit.db.read(read)
