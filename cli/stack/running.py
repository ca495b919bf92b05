"""A stack in the foreground, from start to the signal that ends it."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress

from cli.errors import Refused
from cli.stack.stack import Stack

KILLED = 137


async def run_stack(stack: Stack, *, then: Callable[[Stack], Awaitable[None]] | None = None) -> int:
    """Start a stack, say `ready: URL`, run `then` beside it, and stay until SIGINT or SIGTERM; the exit status.

    A second signal kills. Raises Refused when the stack does not start or `then` gives up; nothing is left then.
    """
    loop = asyncio.get_running_loop()
    stop, kill = asyncio.Event(), asyncio.Event()

    def on_signal() -> None:
        (kill if stop.is_set() else stop).set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal)
    try:
        if await _unless(stop, _start(stack)):
            if then is not None:
                await _unless(stop, then(stack))
            await stop.wait()
    finally:
        stop.set()
        killed = not await _unless(kill, stack.stop())
        if killed:
            await stack.kill()
    return KILLED if killed else 0


async def _start(stack: Stack) -> None:
    try:
        await stack.start()
    except ExceptionGroup as group:
        # Parts fail together when they do; the first one's line is the one to read.
        refusals, others = group.split(Refused)
        if others is not None or refusals is None:
            raise
        raise _first(refusals) from None
    sys.stdout.write(f"ready: {stack.url}\n")
    sys.stdout.flush()


def _first(group: BaseExceptionGroup[Refused]) -> Refused:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, Refused)
    return error


async def _unless(event: asyncio.Event, work: Awaitable[None]) -> bool:
    """Do the work unless the event comes first; whether it was done."""
    task = asyncio.ensure_future(work)
    waiter = asyncio.create_task(event.wait())
    await asyncio.wait([task, waiter], return_when=asyncio.FIRST_COMPLETED)
    waiter.cancel()
    if task.done():
        task.result()
        return True
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    return False


def say(line: str) -> None:
    """Tell the user, beside what the programs print."""
    sys.stderr.write(f"prsm: {line}\n")
    sys.stderr.flush()
