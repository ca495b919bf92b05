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

_PEOPLE = 2
_WORKERS = 2
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
async def alone() -> AsyncIterator[RunningStack]:
    """A stack that nobody else uses, with real engines."""
    with tempfile.TemporaryDirectory(prefix="prsm-rolling-", ignore_cleanup_errors=True) as folder:
        async with running_stack(Path(folder), workers=_WORKERS, settings=_SETTINGS) as running:
            yield running


def pids_of(stack: RunningStack, part: str) -> set[int]:
    """The processes of a part: the children of the stack that run its program."""
    endings = {"nats": "nats-server", "gateway": "-m gateway", "worker": "-m worker"}
    wanted = endings.get(part, f"-m services.{part}")
    found = set()
    for pid in children_of(stack.process.pid):
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
        except OSError:
            continue
        if command.endswith(wanted) or (part == "nats" and wanted in command.split(" ")[0]):
            found.add(pid)
    return found


async def restarted(stack: RunningStack, part: str) -> None:
    """End each process of a part in turn, and return when all have a successor and everything is ready."""
    before = pids_of(stack, part)
    assert len(before) == (_WORKERS if part == "worker" else 1), part
    async with asyncio.timeout(60 * len(before)), aiohttp.ClientSession() as http:
        for old in before:
            os.kill(old, signal.SIGTERM)
            while old in (now := pids_of(stack, part)) or len(now) < len(before):  # noqa: ASYNC110 - /proc wakes nobody
                await asyncio.sleep(0.02)
            await ready(stack, http)


async def ready(stack: RunningStack, http: aiohttp.ClientSession) -> None:
    """Return when the gateway says that everything is."""
    while True:
        try:
            async with http.get(f"{stack.url}/ready", timeout=aiohttp.ClientTimeout(total=10)) as response:
                if response.status == 200:
                    return
        except (aiohttp.ClientError, TimeoutError):
            pass
        await asyncio.sleep(0.05)


async def test_nobody_needs_more_than_one_retry(alone: RunningStack) -> None:
    journal, over = Journal(), asyncio.Event()
    async with aiohttp.ClientSession() as http, asyncio.TaskGroup() as group:
        people = []
        for index in range(_PEOPLE):
            user = f"person-{index}"
            person = Person(Client(http, alone.url, user, alone.token(user), journal))
            people.append(person)
            group.create_task(person.run(over))
        await asyncio.gather(*(person.warm.wait() for person in people))
        for parts in _STEPS:
            before = [person.done for person in people]
            await asyncio.gather(*(restarted(alone, part) for part in parts))
            await asyncio.gather(*(person.beyond(done) for person, done in zip(people, before, strict=True)))
        over.set()
    mended = Counter(f"{record.operation}: {record.first}" for record in journal.records if record.first)
    print(f"{len(journal.records)} requests, mended by their retry: {dict(mended)}")
    assert len(journal.records) > _PEOPLE * len(_STEPS)


async def test_a_broker_that_stands_still_keeps_nobody_from_their_results(alone: RunningStack) -> None:
    journal = Journal()
    (nats,) = pids_of(alone, "nats")
    async with aiohttp.ClientSession() as http:
        person = Person(Client(http, alone.url, "patient", alone.token("patient"), journal))
        os.kill(nats, signal.SIGSTOP)
        try:
            await person.round()
        finally:
            os.kill(nats, signal.SIGCONT)
        # What was to be told meanwhile is told now.
        await person.round()
        await person.settled()
    assert not [record for record in journal.records if record.first]
