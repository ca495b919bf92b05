"""The open event streams of this process: who is woken when, and who may still watch.

A stream holds no buffer: it is woken, and reads the history itself. A commit of this process wakes at once; changes of
other replicas are found by one query for all watched sessions. Access is checked again for all streams together.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import structlog

from kit.access import decide
from kit.auth.principal import Principal
from kit.db.database import Database
from kit.errors import PrsmError, Unavailable
from kit.levels import Level
from services.session import metrics
from services.session.ports import Collab, Glance, Sessions

log = structlog.get_logger("watchers")
_CHUNK = 500
Credential = Callable[[], Awaitable[object]]


@dataclass(slots=True, eq=False)
class Watch:
    """One stream. `credential` raises once the caller's token has ended; `ended` is why the stream has to end."""

    session_id: str
    principal: Principal
    owns: bool
    credential: Credential
    news: asyncio.Event = field(default_factory=asyncio.Event)
    ended: PrsmError | None = None

    def end(self, why: PrsmError) -> None:
        self.ended = self.ended or why
        self.news.set()


@dataclass(frozen=True, slots=True)
class WatchTiming:
    """All in seconds: see the settings."""

    poll: float
    access: float
    grace: float


class WatchHub:
    """See the module. Run it as a task."""

    def __init__(self, db: Database, sessions: Sessions, collab: Collab, timing: WatchTiming) -> None:
        self._db = db
        self._sessions = sessions
        self._collab = collab
        self._timing = timing
        self._watches: defaultdict[str, set[Watch]] = defaultdict(set)
        self._seen: dict[str, Glance] = {}
        self._closed = False

    def __len__(self) -> int:
        return sum(len(watches) for watches in self._watches.values())

    def changed(self, session_id: str) -> None:
        """A commit of this process changed the session."""
        for watch in self._watches.get(session_id, ()):
            watch.news.set()

    def open(self, watch: Watch) -> None:
        if self._closed:
            watch.end(Unavailable("The service is stopping"))
        self._watches[watch.session_id].add(watch)
        metrics.STREAMS.inc()

    def close(self, watch: Watch) -> None:
        watches = self._watches[watch.session_id]
        watches.discard(watch)
        if not watches:
            del self._watches[watch.session_id]
            self._seen.pop(watch.session_id, None)
        metrics.STREAMS.dec()

    def stop(self) -> None:
        """End every stream; its client comes back with the id of the last event it saw."""
        self._closed = True
        for watch in self._all():
            watch.end(Unavailable("The service is stopping"))

    def _all(self) -> list[Watch]:
        return [watch for watches in self._watches.values() for watch in watches]

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._poll(), name="watch-poll")
            tasks.create_task(self._check(), name="watch-access")

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(self._timing.poll)
            try:
                await self.look()
            except Exception as error:
                log.warning("changes cannot be read", cause=repr(error))

    async def look(self) -> None:
        """Wake the streams of sessions that changed since the last look."""
        watched = list(self._watches)
        for first in range(0, len(watched), _CHUNK):
            chunk = watched[first : first + _CHUNK]
            for glance in await self._glance(chunk):
                if self._seen.get(glance.session_id) != glance and glance.session_id in self._watches:
                    self._seen[glance.session_id] = glance
                    self.changed(glance.session_id)

    async def _glance(self, chunk: Sequence[str]) -> list[Glance]:
        return await self._db.read(lambda db: self._sessions.glance(db, chunk))

    async def _check(self) -> None:
        away = 0.0
        while True:
            await asyncio.sleep(self._timing.access)
            try:
                await self.check_access()
                away = 0.0
            except Exception as error:
                away += self._timing.access
                if away > self._timing.grace:
                    # Without an answer nobody knows whether these may still watch.
                    log.warning("ending shared streams: access cannot be checked", cause=repr(error))
                    for watch in self._all():
                        if not watch.owns:
                            watch.end(Unavailable())

    async def check_access(self) -> None:
        """Ask once for all streams whether their principals may still watch. Raises Unavailable, DeadlineExceeded."""
        for watch in self._all():
            try:
                await watch.credential()
            except PrsmError as error:
                watch.end(error)
        shared = [watch for watch in self._all() if not watch.owns]
        pairs = list({(watch.session_id, watch.principal) for watch in shared})
        if not pairs:
            return
        answers = dict(zip(pairs, await self._collab.check_many(pairs), strict=True))
        for watch in shared:
            try:
                decide(answers[watch.session_id, watch.principal], Level.VIEW)
            except PrsmError as error:
                watch.end(error)
