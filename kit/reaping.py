"""Waiting for the end of child processes whose output nobody reads any more."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import Process

_PIECE = 64 * 1024


async def reap(process: Process) -> int:
    """Wait for the end of a process that was killed, or is ending, and throw away what it wrote. Returns its status.

    `Process.wait` alone may never return: asyncio tells the end only when every pipe has come to its end (CPython
    issue 119710), and a pipe whose buffer is full is not read on. Nobody else may be reading its output.
    """
    await asyncio.gather(*(_discard(stream) for stream in (process.stdout, process.stderr) if stream is not None))
    return await process.wait()


async def _discard(stream: asyncio.StreamReader) -> None:
    while await stream.read(_PIECE):
        pass
