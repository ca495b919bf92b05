"""Finished documents: rendered once for the same content and options, at most one at a time, kept in bounded memory."""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from time import perf_counter

from kit.errors import DeadlineExceeded, PrsmError, Unavailable
from services.results import metrics
from services.results.rendering.pool import (
    RenderingCrashed,
    RenderingFailed,
    RenderingTimedOut,
    RenderPool,
)
from services.results.rendering.protocol import RenderRequest, pack_request
from services.results.rendering.rendition import Rendition


class RenderingRefused(PrsmError):
    """The document cannot be rendered in this format; another format may do."""

    reason = "INTERNAL"


class CachedRenderer:
    """Behind `ports.Renderer`. Access was decided before: the cache holds no rights."""

    def __init__(self, pool: RenderPool, *, most_bytes: int) -> None:
        self._pool = pool
        self._most = most_bytes
        self._kept: OrderedDict[str, Rendition] = OrderedDict()
        self._bytes = 0
        self._running: dict[str, asyncio.Task[Rendition]] = {}

    async def render(self, request: RenderRequest) -> Rendition:
        key = hashlib.sha256(pack_request(request)).hexdigest()
        kept = self._kept.get(key)
        if kept is not None:
            metrics.REQUESTS.labels("cache").inc()
            self._kept.move_to_end(key)
            return kept
        task = self._running.get(key)
        metrics.REQUESTS.labels("rendered" if task is None else "joined").inc()
        if task is None:
            task = asyncio.create_task(self._render(key, request))
            self._running[key] = task
        # Who goes away does not take the document from those who wait for the same one.
        return await asyncio.shield(task)

    async def _render(self, key: str, request: RenderRequest) -> Rendition:
        began, outcome = perf_counter(), "crashed"
        try:
            rendition = await self._pool.render(request)
            outcome = "done"
        except RenderingTimedOut as error:
            outcome = "timeout"
            raise DeadlineExceeded("Rendering the document took too long") from error
        except RenderingCrashed as error:
            raise Unavailable("The document cannot be rendered just now") from error
        except RenderingFailed as error:
            outcome = "failed"
            raise RenderingRefused("The document cannot be rendered in this format; try another one") from error
        finally:
            del self._running[key]
            metrics.RENDERED.labels(request.format, outcome).observe(perf_counter() - began)
        self._keep(key, rendition)
        return rendition

    def _keep(self, key: str, rendition: Rendition) -> None:
        if len(rendition.body) > self._most:
            return
        self._kept[key] = rendition
        self._bytes += len(rendition.body)
        while self._bytes > self._most:
            _, dropped = self._kept.popitem(last=False)
            self._bytes -= len(dropped.body)
        metrics.CACHED.set(self._bytes)
