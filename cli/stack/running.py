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
FORCE_AFTER = 2.0
"""Seconds after the first signal from which another one kills."""


class Signals:
    """What signals ask for: the first sets `stop`; one that comes `force_after` seconds later or more sets `kill`.

    Terminals, `make` and `timeout` deliver one wish several times within moments, to the process and to its group.
    """

    def __init__(self, clock: Callable[[], float], force_after: float = FORCE_AFTER) -> None:
        self.stop, self.kill = asyncio.Event(), asyncio.Event()
        self._clock = clock
        self._force_after = force_after
        self._first = 0.0

    def receive(self) -> None:
        """Take note of a signal."""
        if not self.stop.is_set():
            self._first = self._clock()
            self.stop.set()
        elif self._clock() - self._first >= self._force_after:
            self.kill.set()


async def run_stack(
    stack: Stack,
    *,
    then: Callable[[Stack], Awaitable[None]] | None = None,
    tell: Callable[[str], None] = lambda _line: None,
    force_after: float = FORCE_AFTER,
) -> int:
    """Start a stack, say `ready: URL`, run `then` beside it, and stay until SIGINT or SIGTERM; the exit status.

    A further signal after `force_after` seconds kills. `tell` takes the reason of a start that failed before the other
    parts are stopped, which takes a while. Raises Refused when the stack does not start or `then` gives
    up; nothing is left then.
    """
    loop = asyncio.get_running_loop()
    signals = Signals(loop.time, force_after)
    stop, kill = signals.stop, signals.kill
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, signals.receive)
    try:
        if await _unless(stop, _start(stack, tell)):
            if then is not None:
                await _unless(stop, then(stack))
            await stop.wait()
    finally:
        stop.set()
        killed = not await _unless(kill, stack.stop())
        if killed:
            await stack.kill()
    return KILLED if killed else 0


async def _start(stack: Stack, tell: Callable[[str], None]) -> None:
    try:
        await stack.start()
    except ExceptionGroup as group:
        # Parts fail together when they do; the first one's line is the one to read.
        refusals, others = group.split(Refused)
        if others is not None or refusals is None:
            raise
        refusal = _first(refusals)
        tell(f"{refusal}; stopping the other parts")
        raise refusal from None
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
