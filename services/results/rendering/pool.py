"""A few warm rendering processes, each doing one thing at a time, replaced when one hangs or dies.

They are started by executing a new interpreter, never by forking this process: gRPC does not survive a fork.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, TypeVar

import orjson

from kit.reaping import reap
from kit.tasks import end
from services.results.rendering.protocol import HEADER, RenderRequest, pack_request
from services.results.rendering.rendition import Rendition

_PACKAGE_ROOT = Path(__file__).resolve().parents[3]
_CLOSING_SECONDS = 1.0
_T = TypeVar("_T")
_PASSED_ON = ("PATH", "TMPDIR", "PRSM_RENDERING_FONTS")


class RenderingFailed(Exception):
    """A document could not be rendered; nothing about a second attempt would differ."""


class DocumentTooLarge(RenderingFailed):
    """Beyond a bound: `bound` is memory or bytes (`limit` in bytes), or pages."""

    def __init__(self, bound: str, limit: int) -> None:
        super().__init__(f"beyond the bound of {bound}, {limit}")
        self.bound = bound
        self.limit = limit


class RenderingBusy(Exception):
    """Too many wait already; `retry_after` is in seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("too many documents wait")
        self.retry_after = retry_after


class RenderingTimedOut(Exception):
    """Rendering took longer than allowed; the process was killed."""


class RenderingCrashed(Exception):
    """The process died while rendering, or could not be started."""


@dataclass(frozen=True, slots=True)
class PoolSettings:
    """Bounds of the pool.

    :param processes: rendering processes, each one rendering at a time.
    :param timeout_seconds: the longest a rendering may take.
    :param start_timeout_seconds: the longest a process may take to get warm.
    :param memory_bytes: data a process may hold, with the one that draws for it.
    :param renderings_per_process: after so many a process is replaced, so that nothing piles up in it.
    :param waiting: how many may wait for a process; one more is refused.
    :param output_bytes: the largest document that may come out.
    :param pages: the most pages of a document that has pages.
    """

    processes: int = 1
    timeout_seconds: float = 30.0
    start_timeout_seconds: float = 60.0
    memory_bytes: int = 2 << 30
    renderings_per_process: int = 500
    waiting: int = 32
    output_bytes: int = 64 << 20
    pages: int = 2000


def _nothing() -> None:
    pass


class _Slot:
    """A place for one process."""

    def __init__(self) -> None:
        self.process: asyncio.subprocess.Process | None = None
        self.served = 0


class RenderPool:
    """Renders documents in child processes. Start it after the service is ready: a warm process takes a second."""

    def __init__(self, settings: PoolSettings, *, command: Sequence[str] | None = None) -> None:
        self._settings = settings
        self._command = command or (
            sys.executable,
            "-P",
            "-m",
            "services.results.rendering.child",
            "--memory",
            str(settings.memory_bytes),
            "--pages",
            str(settings.pages),
        )
        self._slots = [_Slot() for _ in range(settings.processes)]
        self._free: asyncio.LifoQueue[_Slot] = asyncio.LifoQueue()
        for slot in self._slots:
            self._free.put_nowait(slot)
        self._jobs: set[asyncio.Task[Any]] = set()
        self._closed = False
        self._waiting = 0
        self._usual = 0.1  # Seconds that a rendering takes of late.

    @property
    def waiting(self) -> int:
        """How many wait for a process."""
        return self._waiting

    async def start(self) -> None:
        """Start and warm all processes, so that no request has to wait for it.

        :raises RenderingCrashed: a process could not be started.
        """
        warming = [self._keep(asyncio.create_task(self._warm())) for _ in self._slots]
        await asyncio.gather(*warming)

    async def _warm(self) -> None:
        # Who has a slot has it alone, also while its process starts: a request that comes meanwhile waits for it.
        slot = await self._free.get()
        try:
            await self._process(slot)
        finally:
            self._free.put_nowait(slot)

    async def render(
        self, request: RenderRequest | Callable[[], Awaitable[RenderRequest]], *, begun: Callable[[], None] = _nothing
    ) -> Rendition:
        """Render; waits while all processes are busy. A caller that goes away does not stop what has begun.

        :param request: or what gathers it, asked when a process is free: who waits holds no document in memory.
        :param begun: called when a process is free.
        :raises RenderingBusy: too many wait.
        :raises RenderingFailed: the document cannot be rendered.
        :raises RenderingTimedOut: it took too long.
        :raises RenderingCrashed: the process died.
        """
        if self._closed:
            raise RenderingCrashed("the pool is closed")
        slot = await self._slot()
        begun()
        return await asyncio.shield(self._keep(asyncio.create_task(self._job(slot, request))))

    async def close(self) -> None:
        """End all processes. What is under way fails."""
        self._closed = True
        for slot in self._slots:
            _kill(slot)
        # Who reads from a process sees its end. Those that are still gathering have none to see.
        if self._jobs:
            await asyncio.wait(self._jobs, timeout=_CLOSING_SECONDS)
        await end(self._jobs)
        for slot in self._slots:
            await self._end(slot)

    def _keep(self, job: asyncio.Task[_T]) -> asyncio.Task[_T]:
        self._jobs.add(job)
        job.add_done_callback(self._done)
        return job

    def _done(self, job: asyncio.Task[Any]) -> None:
        self._jobs.discard(job)
        if not job.cancelled():
            job.exception()  # The caller may have gone; a failure is then nobody's.

    async def _slot(self) -> _Slot:
        if self._free.empty() and self._waiting >= self._settings.waiting:
            ahead = self._usual * (self._waiting + 1) / len(self._slots)
            raise RenderingBusy(min(max(math.ceil(ahead), 1), 60))
        self._waiting += 1
        try:
            return await self._free.get()
        finally:
            self._waiting -= 1

    async def _job(self, slot: _Slot, request: RenderRequest | Callable[[], Awaitable[RenderRequest]]) -> Rendition:
        try:
            if not isinstance(request, RenderRequest):
                request = await request()
            process = await self._process(slot)
            started = perf_counter()
            try:
                async with asyncio.timeout(self._settings.timeout_seconds):
                    head, body = await _exchange(process, pack_request(request), self._settings.output_bytes)
            except TimeoutError as error:
                await self._end(slot)
                raise RenderingTimedOut(f"longer than {self._settings.timeout_seconds} s") from error
            except (asyncio.IncompleteReadError, ConnectionError, ValueError) as error:
                await self._end(slot)
                raise RenderingCrashed("the rendering process died, or answered something else") from error
            except BaseException:
                # The rest of its answer is still on the way, and would be taken for that to the next.
                await self._end(slot)
                raise
            slot.served += 1
            self._usual += (perf_counter() - started - self._usual) / 8
            if head.get("spent") or slot.served >= self._settings.renderings_per_process:
                await self._end(slot)
        finally:
            self._free.put_nowait(slot)
        if "error" in head:
            if head["error"] == "too_large":
                raise DocumentTooLarge("memory", self._settings.memory_bytes)
            if head["error"] == "too_many_pages":
                raise DocumentTooLarge("pages", self._settings.pages)
            raise RenderingFailed(f"{head['error']}: {head['message']}")
        return Rendition(head["media_type"], head["filename"], body)

    async def _process(self, slot: _Slot) -> asyncio.subprocess.Process:
        """The slot's process, started if there is none."""
        if slot.process is not None and slot.process.returncode is None:
            return slot.process
        if self._closed:
            raise RenderingCrashed("the pool is closed")
        try:
            slot.process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                env=_environment(),
                start_new_session=True,
            )
        except OSError as error:
            # Memory, descriptors or processes are short for a while.
            raise RenderingCrashed("the rendering process could not be started") from error
        slot.served = 0
        if self._closed:
            # While it was being started: nobody else would end it.
            await self._end(slot)
            raise RenderingCrashed("the pool is closed")
        try:
            async with asyncio.timeout(self._settings.start_timeout_seconds):
                await _receive(slot.process, self._settings.output_bytes)
        except (TimeoutError, asyncio.IncompleteReadError, ConnectionError, ValueError, DocumentTooLarge) as error:
            await self._end(slot)
            raise RenderingCrashed("the rendering process did not start") from error
        except BaseException:
            # What it says when it is ready would be taken for an answer.
            await self._end(slot)
            raise
        return slot.process

    async def _end(self, slot: _Slot) -> None:
        """Only for who has the slot: nobody else may be reading from its process."""
        _kill(slot)
        process, slot.process = slot.process, None
        if process is not None:
            await reap(process)


def _kill(slot: _Slot) -> None:
    # The process leads a session of its own, so this reaches whatever it has started as well.
    if slot.process is not None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(slot.process.pid, signal.SIGKILL)


async def _exchange(process: asyncio.subprocess.Process, frame: bytes, most: int) -> tuple[dict[str, Any], bytes]:
    assert process.stdin is not None
    process.stdin.write(frame)
    await process.stdin.drain()
    return await _receive(process, most)


async def _receive(process: asyncio.subprocess.Process, most: int) -> tuple[dict[str, Any], bytes]:
    assert process.stdout is not None
    head_length, body_length = HEADER.unpack(await process.stdout.readexactly(HEADER.size))
    if head_length + body_length > most:
        raise DocumentTooLarge("bytes", most)
    head: dict[str, Any] = orjson.loads(await process.stdout.readexactly(head_length))
    return head, await process.stdout.readexactly(body_length)


def _environment() -> dict[str, str]:
    """Nothing of the service's own environment, where secrets live, but what finding programs and fonts takes."""
    passed_on = {name: value for name in _PASSED_ON if (value := os.environ.get(name)) is not None}
    return {**passed_on, "LANG": "C.UTF-8", "PYTHONPATH": os.fspath(_PACKAGE_ROOT)}
