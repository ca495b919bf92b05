"""Every part of a stack is ended in turn while people work: no request fails that one retry with its key does not mend,
and everybody's work is done in the end."""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest_asyncio

from tests.integration.restarts.load import Person
from tests.multihost.requests import Client, Journal
from tests.support.pids import children_of
from tests.support.stack import RunningStack, running_stack

_PEOPLE = 3
_SETTINGS = {
    # On a machine of any speed: what is measured here is that requests wait, not how long a process takes to start.
    "PRSM_GATEWAY_HOLD_SECONDS": "60",
    "PRSM_GATEWAY_CALL_SECONDS": "60",
    "PRSM_SESSION_BILLING_DEADLINE_SECONDS": "30",
    "PRSM_SESSION_LIBRARY_DEADLINE_SECONDS": "30",
}
_STEPS = (("billing",), ("session",), ("gateway",), ("nats",), ("library", "collab"), ("results", "worker"))
"""Every part, in the order in which they are ended; those of a step together."""


@pytest_asyncio.fixture(scope="module")
async def stack() -> AsyncIterator[RunningStack]:
    """A stack that nobody else uses, with real engines."""
    with tempfile.TemporaryDirectory(prefix="prsm-rolling-", ignore_cleanup_errors=True) as folder:
        async with running_stack(Path(folder), workers=2, settings=_SETTINGS) as running:
            yield running


def pid_of(stack: RunningStack, part: str) -> int:
    """The process of a part: the child of the stack that runs its program; 0 while there is none."""
    endings = {"nats": "nats-server", "gateway": "-m gateway", "worker": "-m worker"}
    for pid in sorted(children_of(stack.process.pid)):
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
        except OSError:
            continue
        wanted = endings.get(part, f"-m services.{part}")
        if command.endswith(wanted) or (part == "nats" and wanted in command.split(" ")[0]):
            return pid
    return 0


async def restarted(stack: RunningStack, part: str) -> None:
    """End a part, and return when its successor is there and everything is ready."""
    old = pid_of(stack, part)
    assert old, f"there is no {part}"
    os.kill(old, signal.SIGTERM)
    async with asyncio.timeout(60), aiohttp.ClientSession() as http:
        while pid_of(stack, part) in (0, old):  # noqa: ASYNC110 - /proc wakes nobody
            await asyncio.sleep(0.02)
        while True:
            try:
                async with http.get(f"{stack.url}/ready", timeout=aiohttp.ClientTimeout(total=10)) as response:
                    if response.status == 200:
                        return
            except (aiohttp.ClientError, TimeoutError):
                pass
            await asyncio.sleep(0.05)


async def test_nobody_needs_more_than_one_retry(stack: RunningStack) -> None:
    journal, over = Journal(), asyncio.Event()
    async with aiohttp.ClientSession() as http, asyncio.TaskGroup() as group:
        people = []
        for index in range(_PEOPLE):
            user = f"person-{index}"
            person = Person(Client(http, stack.url, user, stack.token(user), journal))
            people.append(person)
            group.create_task(person.run(over))
        await asyncio.gather(*(person.warm.wait() for person in people))
        for parts in _STEPS:
            before = [person.done for person in people]
            await asyncio.gather(*(restarted(stack, part) for part in parts))
            await asyncio.gather(*(person.beyond(done) for person, done in zip(people, before, strict=True)))
        over.set()
    mended = Counter(f"{record.operation}: {record.first}" for record in journal.records if record.first)
    print(f"{len(journal.records)} requests, mended by their retry: {dict(mended)}")
    assert len(journal.records) > _PEOPLE * len(_STEPS)


async def test_a_broker_that_stands_still_keeps_nobody_from_their_results(stack: RunningStack) -> None:
    journal = Journal()
    nats = pid_of(stack, "nats")
    async with aiohttp.ClientSession() as http:
        person = Person(Client(http, stack.url, "patient", stack.token("patient"), journal))
        os.kill(nats, signal.SIGSTOP)
        try:
            await person.round()
        finally:
            os.kill(nats, signal.SIGCONT)
        # What was to be told meanwhile is told now.
        await person.round()
        await person.settled()
    assert not [record for record in journal.records if record.first]
