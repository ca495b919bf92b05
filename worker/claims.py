"""Finding work: wake-ups from the broker, and a look now and then without one.

The session's row is the truth; a message only says "there is work for this engine". The message of a claim is kept,
by telling the broker that it is in progress, until the claim has ended, so that scaling by queue depth sees busy
workers. A message that leads to no claim is done with: somebody else has that work.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import structlog

from kit.errors import PrsmError
from worker import metrics
from worker.drain import Drain
from worker.model import Claim, EmptyFirst, Ending
from worker.patience import Backoff

log = structlog.get_logger("claims")
_AT_ONCE = 0.05


class WakeUp(Protocol):
    """A message about work for one engine."""

    engine: str

    async def in_progress(self) -> None:
        """Keep it from being delivered again."""
        ...

    async def done(self) -> None: ...

    async def give_back(self) -> None:
        """Let another worker have it at once."""
        ...


class WakeUps(Protocol):
    """Where wake-ups come from."""

    async def next(self, timeout: float) -> WakeUp | None:
        """Wait up to `timeout` seconds. Returns None when there was none, also while the broker is away."""
        ...


class ClaimLoop:
    """Takes sessions while it has a hand free. Run it as a task; it returns when the drain has begun and all have
    ended."""

    def __init__(
        self,
        *,
        worker_id: str,
        engines: Sequence[str],
        claim_next: Callable[[str, Sequence[str], int], Awaitable[Claim | EmptyFirst | None]],
        run: Callable[[Claim], Awaitable[Ending]],
        wake_ups: WakeUps,
        drain: Drain,
        poll: float,
        keep: float,
        hands: int = 1,
    ) -> None:
        """`poll` and `keep` are in seconds: how often to look without a wake-up, and to say "in progress". `hands` is
        how many sessions it takes at a time."""
        self._worker_id = worker_id
        self._engines = list(engines)
        self._claim_next = claim_next
        self._run = run
        self._wake_ups = wake_ups
        self._drain = drain
        self._poll = poll
        self._keep = keep
        self._hands = hands
        self._away = self._backoff()
        self._busy: set[asyncio.Task[None]] = set()
        self._emptying = False
        """Whether nothing is taken until every session in hand has ended."""

    async def run(self) -> None:
        try:
            await self._take()
        finally:
            # After a fault of one session's work the others are handed back.
            self._drain.begin()
            outcomes = await asyncio.gather(*self._busy, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    async def _take(self) -> None:
        found = False
        while True:
            await self._free_hand()
            if self._drain.begun:
                return
            # After one session there may well be another; only a look that finds none leads to waiting.
            wake_up = await self._next(_AT_ONCE if found else self._poll)
            if self._drain.begun:
                if wake_up is not None:
                    await _quietly(wake_up.give_back())
                return
            found = await self._claim(wake_up)

    async def _free_hand(self) -> None:
        """Wait for one, or for all where a session has to be alone; raises what a session's work let out, which is a
        bug."""
        while len(self._busy) >= (1 if self._emptying else self._hands) and not self._drain.begun:
            draining = asyncio.create_task(self._drain.wait())
            await asyncio.wait({draining, *self._busy}, return_when=asyncio.FIRST_COMPLETED)
            draining.cancel()
            self._let_go()
        self._let_go()
        self._emptying = self._emptying and bool(self._busy)

    def _let_go(self) -> None:
        for task in [task for task in self._busy if task.done()]:
            self._busy.remove(task)
            task.result()

    async def _next(self, timeout: float) -> WakeUp | None:
        waiting = asyncio.create_task(self._wake_ups.next(timeout))
        draining = asyncio.create_task(self._drain.wait())
        try:
            await asyncio.wait({waiting, draining}, return_when=asyncio.FIRST_COMPLETED)
            if waiting.done():
                return waiting.result()
        finally:
            for task in (waiting, draining):
                task.cancel()
            await asyncio.gather(waiting, draining, return_exceptions=True)
        return None

    async def _claim(self, wake_up: WakeUp | None) -> bool:
        """Whether there was something to do."""
        engines = self._engines if wake_up is None else [wake_up.engine]
        try:
            in_hand = sum(not task.done() for task in self._busy)
            claim = await self._claim_next(self._worker_id, engines, in_hand)
        except PrsmError as error:
            metrics.CLAIMS.labels("failed").inc()
            log.warning("no claim", cause=repr(error))
            if wake_up is not None:
                await _quietly(wake_up.give_back())
            await self._pause()
            return False
        self._away = self._backoff()
        if not isinstance(claim, Claim):
            metrics.CLAIMS.labels("nothing").inc()
            self._emptying = claim is not None
            if wake_up is not None:
                await _quietly(wake_up.done())
            return self._emptying
        metrics.CLAIMS.labels("claimed").inc()
        self._emptying = claim.alone
        log.info("claimed", session_id=claim.lease.session_id, engine=claim.engine, epoch=claim.lease.epoch)
        self._busy.add(asyncio.create_task(self._work(claim, wake_up)))
        return True

    async def _work(self, claim: Claim, wake_up: WakeUp | None) -> None:
        keeper = asyncio.create_task(self._hold(wake_up)) if wake_up is not None else None
        metrics.BUSY.inc()
        try:
            await self._run(claim)
        finally:
            metrics.BUSY.dec()
            if keeper is not None and wake_up is not None:
                keeper.cancel()
                await asyncio.gather(keeper, return_exceptions=True)
                await _quietly(wake_up.done())

    async def _hold(self, wake_up: WakeUp) -> None:
        while True:
            await asyncio.sleep(self._keep)
            await _quietly(wake_up.in_progress())

    def _backoff(self) -> Backoff:
        return Backoff(self._poll / 4, self._poll)

    async def _pause(self) -> None:
        # The session service is away: at most the pace of a worker without work, and not all workers at once.
        try:
            await asyncio.wait_for(self._drain.wait(), self._away.pause())
        except TimeoutError:
            pass


async def _quietly(step: Awaitable[None]) -> None:
    """What the broker is told helps, and nothing hangs on it."""
    try:
        await step
    except Exception as error:
        log.info("the broker was not told", cause=repr(error))
