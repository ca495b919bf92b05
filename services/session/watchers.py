"""The open event streams of this process: who is woken when, and who may still watch.

A stream holds no buffer and no timer: it is woken, and reads the history itself, or says that it lives. A commit of
this process wakes at once; changes of other replicas are found by one query for all watched sessions. Streams of one
session that stand at the same event share what is read. Access is checked again for all streams together.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field

import structlog

from kit.access import decide
from kit.auth.principal import Principal
from kit.db.database import Database
from kit.errors import PrsmError, Unauthorized, Unavailable
from kit.levels import Level
from kit.memory import Ebb
from kit.times import Clock
from services.session import metrics
from services.session.domain import HistoryRow
from services.session.ports import Collab, Glance, Sessions

log = structlog.get_logger("watchers")
_CHUNK = 500
_TICKS = 150
"""In the time after which a silent stream says that it lives: so that it is not all of them at once."""


@dataclass(frozen=True, slots=True)
class Page:
    """What a stream reads at a time: the rows that come next, and where the session stands."""

    rows: Sequence[HistoryRow]
    glance: Glance


Read = Callable[[], Awaitable[Page]]


@dataclass(slots=True, eq=False)
class Watch:
    """One stream. `token_ends`, in microseconds, is when its caller's token does; `ended` is why the stream has to."""

    session_id: str
    principal: Principal
    owns: bool
    token_ends: int
    ended: PrsmError | None = None
    due: float = 0.0
    _news: bool = True
    _waiter: asyncio.Future[bool] | None = None

    def take_news(self) -> None:
        """What came until now is going to be read."""
        self._news = False

    async def wait(self) -> bool:
        """True once there is news, False when the stream was silent for long enough to say that it lives."""
        if self._news:
            return True
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            return await self._waiter
        finally:
            self._waiter = None

    def tell(self) -> None:
        self._news = True
        self._wake(True)

    def breathe(self) -> None:
        self._wake(False)

    def end(self, why: PrsmError) -> None:
        self.ended = self.ended or why
        self.tell()

    def _wake(self, news: bool) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(news)


@dataclass(slots=True)
class _Watched:
    """A session that is watched. `pages` were read since its last change, by the event that they come after."""

    watches: set[Watch] = field(default_factory=set)
    seen: Glance | None = None
    pages: dict[int, asyncio.Future[Page]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WatchTiming:
    """All in seconds: see the settings."""

    poll: float
    access: float
    grace: float
    keep_alive: float


class WatchHub:
    """See the module. Run it as a task."""

    def __init__(self, db: Database, clock: Clock, sessions: Sessions, collab: Collab, timing: WatchTiming) -> None:
        self._db = db
        self._clock = clock
        self._sessions = sessions
        self._collab = collab
        self._timing = timing
        self._watched: dict[str, _Watched] = {}
        self._guests: dict[tuple[str, Principal], set[Watch]] = {}
        self._silent: OrderedDict[Watch, None] = OrderedDict()
        self._ebb = Ebb()
        self._closed = False

    def __len__(self) -> int:
        return len(self._silent)

    def changed(self, session_id: str) -> None:
        """A commit of this process changed the session."""
        watched = self._watched.get(session_id)
        if watched is not None:
            watched.pages.clear()
            for watch in watched.watches:
                watch.tell()

    def open(self, watch: Watch) -> None:
        if self._closed:
            watch.end(Unavailable("The service is stopping"))
        self._watched.setdefault(watch.session_id, _Watched()).watches.add(watch)
        if not watch.owns:
            self._guests.setdefault((watch.session_id, watch.principal), set()).add(watch)
        self.spoke(watch)
        metrics.STREAMS.inc()

    def close(self, watch: Watch) -> None:
        watched = self._watched[watch.session_id]
        watched.watches.discard(watch)
        if not watched.watches:
            del self._watched[watch.session_id]
        if not watch.owns:
            pair = (watch.session_id, watch.principal)
            self._guests[pair].discard(watch)
            if not self._guests[pair]:
                del self._guests[pair]
        del self._silent[watch]
        metrics.STREAMS.dec()
        self._ebb.now(len(self._silent))

    def stop(self) -> None:
        """End every stream; its client comes back with the id of the last event it saw."""
        self._closed = True
        for watch in self._silent:
            watch.end(Unavailable("The service is stopping"))

    def spoke(self, watch: Watch) -> None:
        """The stream has just said something."""
        watch.due = asyncio.get_running_loop().time() + self._timing.keep_alive
        self._silent[watch] = None
        self._silent.move_to_end(watch)

    async def page(self, watch: Watch, after: int, read: Read) -> Page:
        """What `read` gives for a stream that was woken; read once for all that stand after the same event."""
        pages = self._watched[watch.session_id].pages
        reading = pages.get(after)
        if reading is None:
            reading = pages[after] = asyncio.ensure_future(read())
            reading.add_done_callback(lambda done: _drop_failed(pages, after, done))
        # Whoever began it may leave before the others have what they wait for.
        return reading.result() if reading.done() else await asyncio.shield(reading)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._poll(), name="watch-poll")
            tasks.create_task(self._check(), name="watch-access")
            tasks.create_task(self._tick(), name="watch-keep-alive")

    async def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self._timing.keep_alive / _TICKS)
            self.breathe(loop.time())

    def breathe(self, now: float) -> None:
        """Have streams say that they live which were silent for too long at `now`, on the loop's clock; of many that
        are due at once, only some each time."""
        for _ in range(2 * len(self._silent) // _TICKS + 1):
            watch = next(iter(self._silent), None)
            if watch is None or watch.due > now:
                return
            # Also one that cannot speak at the moment, because its reader does not take what was said: next time.
            self.spoke(watch)
            watch.breathe()

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(self._timing.poll)
            try:
                await self.look()
            except Exception as error:
                log.warning("changes cannot be read", cause=repr(error))

    async def look(self) -> None:
        """Wake the streams of sessions that changed since the last look."""
        for chunk in _chunks(list(self._watched)):
            for glance in await self._glance(chunk):
                watched = self._watched.get(glance.session_id)
                if watched is not None and watched.seen != glance:
                    watched.seen = glance
                    self.changed(glance.session_id)
            # A read may not give way by itself.
            await asyncio.sleep(0)

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
                    for watch in self._guest_watches(list(self._guests)):
                        watch.end(Unavailable())

    async def check_access(self) -> None:
        """Ask once for all streams whether their principals may still watch. Raises Unavailable, DeadlineExceeded."""
        now = self._clock.now()
        for watch in [watch for watch in self._silent if watch.token_ends <= now]:
            watch.end(Unauthorized())
        pairs = list(self._guests)
        for pair, answer in zip(pairs, await self._collab.check_many(pairs), strict=True):
            try:
                decide(answer, Level.VIEW)
            except PrsmError as error:
                for watch in self._guest_watches([pair]):
                    watch.end(error)

    def _guest_watches(self, pairs: Sequence[tuple[str, Principal]]) -> Iterator[Watch]:
        for pair in pairs:
            yield from self._guests.get(pair, ())


def _chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for first in range(0, len(ids), _CHUNK):
        yield ids[first : first + _CHUNK]


def _drop_failed(pages: dict[int, asyncio.Future[Page]], after: int, done: asyncio.Future[Page]) -> None:
    """Whoever comes next reads again."""
    if (done.cancelled() or done.exception() is not None) and pages.get(after) is done:
        del pages[after]
