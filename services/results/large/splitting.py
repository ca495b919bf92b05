"""Splits documents in child processes, one at a time."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Mapping
from contextlib import aclosing
from pathlib import Path
from typing import TypeVar

from kit.errors import DeadlineExceeded, PrsmError, Unavailable
from kit.reaping import reap
from services.results.large.child import NOT_CANONICAL, NOT_JSON, TOO_LARGE
from services.results.large.index import Index, load_index

_PACKAGE_ROOT = Path(__file__).resolve().parents[3]
_PIECE = 256 * 1024
_T = TypeVar("_T")


class DocumentUnreadable(PrsmError):
    """A stored document is no JSON, or too large to be read at all."""

    reason = "INTERNAL"


class Splitter:
    """`memory` is in bytes and `seconds` of one document; both bound the child process."""

    def __init__(self, *, memory: int, seconds: float) -> None:
        self._memory = memory
        self._seconds = seconds
        self._one = asyncio.Semaphore(1)

    async def index(self, document: AsyncIterator[bytes]) -> Index | None:
        """The index of a document; None for one that is not canonical.

        Raises DocumentUnreadable, DeadlineExceeded, and what `document` raises.
        """
        written = bytearray()
        try:
            async for piece in self._run(document):
                written += piece
        except _NotCanonical:
            return None
        return load_index(bytes(written))

    async def canonical(self, document: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """A document as the serialiser would write it. Raises as `index` does."""
        async with aclosing(self._run(document, "--canonical")) as pieces:
            async for piece in pieces:
                yield piece

    async def _run(self, document: AsyncIterator[bytes], *options: str) -> AsyncGenerator[bytes]:
        async with self._one:
            process = await _started(
                *(sys.executable, "-P", "-m", "services.results.large.child", "--memory", str(self._memory), *options),
                # Nothing of the service's own environment, where secrets live.
                env={"PATH": os.environ.get("PATH", ""), "LANG": "C.UTF-8", "PYTHONPATH": os.fspath(_PACKAGE_ROOT)},
            )
            assert process.stdout is not None
            feeding = asyncio.create_task(_feed(process, document))
            until = asyncio.get_running_loop().time() + self._seconds
            try:
                # Not around the whole: it would end the task that began to read, wherever that is by then, and the
                # object store reads each piece in another one.
                while piece := await _by(until, process.stdout.read(_PIECE)):
                    yield piece
                await _by(until, feeding)
                status = await _by(until, process.wait())
            except TimeoutError:
                raise DeadlineExceeded("The results take too long to be read") from None
            finally:
                feeding.cancel()
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await reap(process)
        if status == NOT_CANONICAL:
            raise _NotCanonical
        if status in (NOT_JSON, TOO_LARGE):
            raise DocumentUnreadable("The stored results cannot be read")
        if status != 0:
            raise Unavailable("The results cannot be read just now")


class _NotCanonical(Exception):
    pass


async def _started(*command: str, env: Mapping[str, str]) -> asyncio.subprocess.Process:
    """A process with pipes. Raises Unavailable while memory, descriptors or processes are short."""
    try:
        return await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, env=env)
    except OSError as error:
        raise Unavailable("The results cannot be read just now") from error


async def _by(until: float, step: Awaitable[_T]) -> _T:
    """What a step gives. Raises TimeoutError when the loop's clock is past `until`."""
    async with asyncio.timeout_at(until):
        return await step


async def _feed(process: asyncio.subprocess.Process, document: AsyncIterator[bytes]) -> None:
    assert process.stdin is not None
    try:
        async for piece in document:
            process.stdin.write(piece)
            await process.stdin.drain()
    except (BrokenPipeError, ConnectionResetError):
        return  # It has read enough to know; its status says what.
    finally:
        process.stdin.close()
