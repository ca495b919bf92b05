"""Finished documents: made once for the same content and options, at most one at a time over all replicas, and kept in
memory and in the object store."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from functools import partial
from time import perf_counter
from typing import Any

import structlog

from kit.errors import PrsmError, Unavailable
from kit.tasks import end
from kit.times import Clock
from services.results import metrics
from services.results.cache.claims import Claim, Claims
from services.results.cache.index import Row
from services.results.cache.key import key_of
from services.results.cache.memory import Memory
from services.results.cache.objects import RenditionObjects
from services.results.cache.refusals import FOR_GOOD, FOR_NOW, Refusals
from services.results.cache.uses import Uses
from services.results.errors import ExportTooLarge
from services.results.ports import Gather, Order, Ready
from services.results.rendering.pool import (
    DocumentTooLarge,
    RenderingBusy,
    RenderingCrashed,
    RenderingFailed,
    RenderingTimedOut,
    RenderPool,
)
from services.results.rendering.protocol import RenderRequest
from services.results.rendering.rendition import Rendition

log = structlog.get_logger("results")
_TAG_DIGITS = 32
_CLOSING_SECONDS = 3.0
"""Less than a process's parts are given to end."""


class RenderingRefused(PrsmError):
    """The document cannot be rendered in this format; another format may do."""

    reason = "INTERNAL"

    def __init__(self) -> None:
        super().__init__("The document cannot be rendered in this format; try another one")


class _Crashed(Unavailable):
    def __init__(self) -> None:
        super().__init__("The document cannot be rendered just now")


class _Job:
    """A document on its way: who waits for it, and whether making it has begun."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.task: asyncio.Task[Rendition]
        self.waiting = 0
        self.begun = False

    def begin(self) -> None:
        self.begun = True


class CachedRenderer:
    """Behind `ports.Renderer`. Access was decided before: what is kept holds no rights."""

    def __init__(
        self,
        pool: RenderPool,
        *,
        objects: RenditionObjects,
        claims: Claims,
        uses: Uses,
        clock: Clock,
        version: str,
        most_bytes: int,
        timeout_seconds: float,
    ) -> None:
        """`version` is that of what makes the documents. `most_bytes` is of memory for documents, `timeout_seconds`
        the pool's own bound for one rendering."""
        self._pool = pool
        self._objects = objects
        self._claims = claims
        self._uses = uses
        self._clock = clock
        self._version = version
        self._memory = Memory(most_bytes)
        self._timeout = timeout_seconds
        self._jobs: dict[str, _Job] = {}
        self._refusals = Refusals(clock)
        self._behind: set[asyncio.Task[None]] = set()

    def tag(self, order: Order) -> str:
        """From the key: making the same again gives the same bytes, so nothing has to be made to tell."""
        return f'"{key_of(self._version, order)[:_TAG_DIGITS]}"'

    async def render(self, order: Order, gather: Gather, ready: Ready | None = None) -> Rendition:
        """See `ports.Renderer`. Raises Unavailable, RenderingRefused, ExportTooLarge, and what `gather` raises."""
        key = key_of(self._version, order)
        kept = self._memory.get(key)
        if kept is not None:
            self._count(order, "memory")
            self._uses.note(Row(key, order.request.format, len(kept.body), self._clock.now()))
            return kept
        self._refusals.check(key)
        job = self._jobs.get(key)
        if job is None:
            job = self._jobs[key] = _Job(key)
            job.task = asyncio.create_task(self._obtain(key, order, gather, ready, job), name="rendition")
            job.task.add_done_callback(_looked_at)
        else:
            self._count(order, "joined")
        return await self._outcome(job)

    async def close(self) -> None:
        """Give up what is being made, and finish what is being stored and noted, for some seconds."""
        await end([job.task for job in self._jobs.values()])
        behind = {*self._behind, *self._uses.tasks}
        if behind:
            await asyncio.wait(behind, timeout=_CLOSING_SECONDS)
        await end(behind)

    async def _outcome(self, job: _Job) -> Rendition:
        job.waiting += 1
        try:
            # Who goes away does not take the document from those who wait for the same one.
            return await asyncio.shield(job.task)
        finally:
            job.waiting -= 1
            if job.waiting == 0 and not job.begun:
                # Nobody wants it any more. Who asks from now on must not join what is being ended.
                self._forget(job)
                job.task.cancel()

    async def _obtain(self, key: str, order: Order, gather: Gather, ready: Ready | None, job: _Job) -> Rendition:
        try:
            rendition = await self._stored(key, order)
            if rendition is None:
                rendition = await self._made(key, order, gather, ready, job)
        finally:
            self._forget(job)
        self._memory.keep(key, rendition)
        metrics.CACHED.set(self._memory.bytes)
        return rendition

    def _forget(self, job: _Job) -> None:
        if self._jobs.get(job.key) is job:
            del self._jobs[job.key]

    async def _stored(self, key: str, order: Order) -> Rendition | None:
        try:
            found = await self._objects.get(key)
        except Unavailable as error:
            log.warning("renditions cannot be read", cause=repr(error))
            return None
        if found is not None:
            self._count(order, "store")
            self._uses.note(Row(key, order.request.format, len(found.body), self._clock.now()))
        return found

    async def _made(self, key: str, order: Order, gather: Gather, ready: Ready | None, job: _Job) -> Rendition:
        claim = await self._claim(key, order)
        if claim is None:
            return await self._rendered(key, order, gather, ready, job)
        try:
            async with self._claims.held(claim):
                # It was stored between the look into the store and the claim, or it is damaged.
                found = await self._stored(key, order) if claim.size else None
                rendition = found or await self._rendered(key, order, gather, ready, job)
        except BaseException:
            self._later(self._claims.give_up(claim))
            raise
        self._later(self._claims.give_up(claim) if found else self._store(claim, rendition))
        return rendition

    async def _claim(self, key: str, order: Order) -> Claim | None:
        """None where claims cannot be had: without the index the document is made all the same, and not kept."""
        try:
            while (claim := await self._claims.take(key, order.request.format)) is None:
                if not await self._claims.released(key, within=2 * self._timeout):
                    break
            else:
                return claim
        except Unavailable as error:
            log.warning("renditions cannot be claimed", cause=repr(error))
            return None
        raise Unavailable("The document is still being made")

    async def _rendered(self, key: str, order: Order, gather: Gather, ready: Ready | None, job: _Job) -> Rendition:
        if ready is not None:
            await ready()
        format, outcome, began = order.request.format, "crashed", perf_counter()
        self._count(order, "rendered")
        metrics.OPEN.inc()
        try:
            rendition = await self._pool.render(partial(_within, self._timeout, gather), begun=job.begin)
            outcome = "done"
        except RenderingBusy as error:
            outcome = "busy"
            metrics.REFUSED.labels("waiting").inc()
            raise Unavailable("Too many documents are being made", retry_after=error.retry_after) from error
        except RenderingTimedOut as error:
            outcome = "timeout"
            raise self._beyond(key, order, "seconds", self._timeout) from error
        except DocumentTooLarge as error:
            outcome = "too_large"
            raise self._beyond(key, order, error.bound, error.limit) from error
        except RenderingCrashed as error:
            # Edges ask again when a service is away: a document that kills its process must not do so each time.
            raise self._refusals.add(key, _Crashed, FOR_NOW) from error
        except RenderingFailed as error:
            outcome = "failed"
            raise self._refusals.add(key, RenderingRefused, FOR_NOW) from error
        finally:
            metrics.OPEN.dec()
            metrics.RENDERED.labels(format, outcome).observe(perf_counter() - began)
        metrics.RENDERED_BYTES.labels(format).inc(len(rendition.body))
        log.info(
            "rendered",
            session_id=order.request.session_id,
            format=format,
            raw_data=order.raw_data,
            bytes=len(rendition.body),
            seconds=round(perf_counter() - began, 3),
        )
        return rendition

    def _beyond(self, key: str, order: Order, bound: str, limit: float) -> PrsmError:
        format = order.request.format
        metrics.REFUSED.labels(bound).inc()
        log.warning("too large to render", session_id=order.request.session_id, format=format, bound=bound, limit=limit)
        error = partial(ExportTooLarge, format, bound, limit, raw_data=order.raw_data)
        return self._refusals.add(key, error, FOR_NOW if bound == "seconds" else FOR_GOOD)

    async def _store(self, claim: Claim, rendition: Rendition) -> None:
        try:
            size = await self._objects.put(claim.key, rendition)
        except Unavailable:
            await self._claims.give_up(claim)
            raise
        await self._claims.finish(claim, size)

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        """Off the way of the answer."""
        task = asyncio.create_task(_told(work), name="rendition-kept")
        self._behind.add(task)
        task.add_done_callback(self._behind.discard)

    @staticmethod
    def _count(order: Order, source: str) -> None:
        metrics.REQUESTS.labels(order.request.format, source).inc()


async def _within(seconds: float, gather: Gather) -> RenderRequest:
    """Raises Unavailable where gathering takes longer: a process waits for it."""
    try:
        async with asyncio.timeout(seconds):
            return await gather()
    except TimeoutError as error:
        raise Unavailable("The results cannot be read just now") from error


def _looked_at(task: asyncio.Task[Rendition]) -> None:
    if not task.cancelled():
        task.exception()  # Everybody may have gone; a failure is then nobody's.


async def _told(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except Unavailable as error:
        log.warning("a rendition is not kept", cause=repr(error.__cause__ or error))
