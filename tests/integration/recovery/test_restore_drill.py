"""A stack at work is backed up, lost and restored: nothing that a user had is missing, and every amount adds up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from sqlalchemy import Connection, select

from kit.errors import PrsmError
from services.billing import tables as billing
from services.billing.audit import discrepancies
from services.session import tables as session
from tests.e2e import lab
from tests.integration.recovery.drill import Drill, Embedded, Postgres
from tests.support.beside import beside_each_other
from tests.support.databases import PostgresCluster
from tests.support.rest import API, TERMINAL, Api, People
from tests.support.signals import Signals
from tests.support.stack import PARKED, RunningStack, running_stack

JSON = Any
SETTINGS = {
    # Creations that the backup cut through are given up soon after the restore.
    "PRSM_SESSION_CREATION_LEASE_SECONDS": "2",
    "PRSM_SESSION_CREATION_ABORT_SECONDS": "1",
    "PRSM_SESSION_LEASE_SECONDS": "3",
}
LONG = "Warm water holds less carbon dioxide than cold water does. " * 2_000
"""More than a row takes: it is a blob."""


@dataclass
class Work:
    """What users had when the backup was made."""

    finished: lab.Done
    paused: str
    running: str
    queued: str
    document: str
    shown: dict[str, JSON] = field(default_factory=dict)


@pytest_asyncio.fixture(scope="module")
async def drills(
    tmp_path_factory: pytest.TempPathFactory, postgres_cluster: PostgresCluster
) -> AsyncIterator[Mapping[str, asyncio.Task[None]]]:
    """The drill on either database, beside each other: most of one is waiting for processes to start."""
    first, second = tmp_path_factory.mktemp("sqlite"), tmp_path_factory.mktemp("postgresql")
    runs = {
        "sqlite": lost_and_restored(Embedded(first), *folders(first)),
        "postgresql": lost_and_restored(Postgres(second, postgres_cluster), *folders(second)),
    }
    async with beside_each_other(runs) as tasks:
        yield tasks


def folders(parent: Path) -> tuple[Path, Path]:
    """Where the two stacks live, one after the other."""
    made = parent / "first", parent / "second"
    for folder in made:
        folder.mkdir()
    return made


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
async def test_a_restored_stack_goes_on_where_the_backup_was_made(
    database: str, drills: Mapping[str, asyncio.Task[None]]
) -> None:
    await drills[database]


async def lost_and_restored(drill: Drill, first: Path, second: Path) -> None:
    async with started(drill, first, restored=False) as (stack, people, signals):
        ada, bob = people.new("ada"), people.known("bob")
        work = await prepare(ada, bob, signals)
        work.shown = await look(ada, bob, work)
        async with storm(people.new("sam")):
            await drill.back_up(stack.data.root)
        late = await ada.create(preferences={"engine": PARKED})

    await drill.restore(second / "data")
    async with started(drill, second, restored=True) as (stack, people, signals):
        ada, bob = people.known("ada"), people.known("bob")
        assert await look(ada, bob, work) == work.shown
        assert (await ada.send("GET", f"{API}/sessions/{late}")).status == 404
        assert (await ada.send("GET", f"{API}{work.finished.path}/export", query={"format": "markdown"})).status == 200
        await go_on(ada, signals, work)
        await settled(drill, stack)


@asynccontextmanager
async def started(drill: Drill, folder: Path, *, restored: bool) -> AsyncIterator[tuple[RunningStack, People, Signals]]:
    settings = {**SETTINGS, **drill.settings(restored=restored)}
    async with (
        running_stack(folder, workers=1, settings=settings) as stack,
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=120)) as client,
        await Signals.connect(*stack.nats()) as signals,
    ):
        yield stack, People(stack, client), signals


async def prepare(ada: Api, bob: Api, signals: Signals) -> Work:
    """A session of each sort, documents as rows and as blobs, a share and a comment."""
    await lab.upload(ada, lab.ARTICLES[:4])
    document = await ada.add_document("A long one", LONG)
    finished = await lab.research(ada)
    await ada.share(finished.session_id, "bob", "edit")
    await bob.post(f"{finished.path}/comments", {"content": "Look here", "comment_type": "note"}, status=201)
    # What was shared and said reaches the history as events.
    await noted(ada, finished.session_id, 2)
    signal = {"engine": "signal"}
    paused = await ada.create(preferences=signal)
    await signals.use(paused, "document_read", 3)
    await signals.progress(paused, 0.5)
    await ada.post(f"/sessions/{paused}/pause")
    await ada.until_status(paused, "paused")
    await signals.gone(paused)
    running = await ada.create(preferences=signal)
    await signals.finish_stage(running, {"kept": True})
    await signals.look(running)
    queued = await ada.create(preferences={"engine": PARKED})
    return Work(finished, paused, running, queued, document)


async def noted(ada: Api, session_id: str, events: int) -> None:
    """Return when the history holds this many entries after the session's end."""
    async with asyncio.timeout(60):
        while True:
            types = [row["type"] for row in (await ada.get(f"/sessions/{session_id}/history"))["timeline"]]
            if len(types) - types.index("session.completed") > events:
                return
            await asyncio.sleep(0.05)


@asynccontextmanager
async def storm(sam: Api) -> AsyncIterator[None]:
    """Sessions are created and cancelled all the while."""
    await sam.add_document("A note", "Cold water holds more carbon dioxide.")
    begun, over = asyncio.Event(), asyncio.Event()

    async def create_and_cancel() -> None:
        while not over.is_set():
            session_id = await sam.create(preferences={"engine": PARKED}, budget={"limit": "2.00"})
            begun.set()
            await sam.post(f"/sessions/{session_id}/cancel")

    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        for _ in range(3):
            group.create_task(create_and_cancel())
        await begun.wait()
        yield
        over.set()


async def look(ada: Api, bob: Api, work: Work) -> dict[str, JSON]:
    """What the users see of what is at rest."""
    path = work.finished.path
    return {
        "finished": await ada.session(work.finished.session_id),
        "results": await bob.get(f"{path}/results"),
        "comments": (await bob.get(f"{path}/comments"))["comments"],
        "shares": (await ada.get(f"{path}/shares"))["shares"],
        "shared": [card["session_id"] for card in (await bob.get("/sessions", scope="shared"))["sessions"]],
        "documents": await ada.get("/documents", limit="100"),
        "text": (await ada.send("GET", f"{API}/documents/{work.document}/text")).text,
        "found": await ada.post("/documents/search", {"query": "carbon dioxide in cold water", "limit": 3}),
        "paused": await ada.session(work.paused),
        "queued": (await ada.session(work.queued))["status"],
        "balance": await ada.get("/billing/balance"),
        "transactions": (await ada.get("/billing/transactions", limit="100"))["transactions"],
    }


async def go_on(ada: Api, signals: Signals, work: Work) -> None:
    """Everything that was open comes to its end, and its stream goes on where it was."""
    history = (await ada.get(f"/sessions/{work.paused}/history"))["timeline"]
    await ada.post(f"/sessions/{work.paused}/resume")
    async with aclosing(ada.events(work.paused, after=history[-1]["seq"])) as events:
        await signals.complete(work.paused)
        numbers = [event.id async for event in events if event.id is not None]
    assert numbers == list(range(history[-1]["seq"] + 1, history[-1]["seq"] + 1 + len(numbers)))
    assert (await ada.session(work.paused))["status"] == "completed"
    # Its worker was lost with the stack: another one goes on from the last checkpoint.
    assert (await signals.look(work.running))["outputs"]
    await signals.complete(work.running)
    await ada.until_status(work.running, "completed")
    await ada.post(f"/sessions/{work.queued}/cancel")
    for session_id in (work.paused, work.running, work.queued):
        balance = await ada.settled_balance(session_id)
    assert balance["held"] == "0.00"


async def settled(drill: Drill, stack: RunningStack) -> None:
    """Sessions and billing come to agree: an open hold for each open session and for nothing else."""
    ledger = drill.database("billing", stack.data.root, restored=True)
    sessions = drill.database("session", stack.data.root, restored=True)
    try:
        async with asyncio.timeout(60):
            while True:
                try:
                    held, open_now = await ledger.read(open_holds), await sessions.read(open_sessions)
                    if held == open_now and not await sessions.read(unfinished):
                        break
                except PrsmError:
                    pass  # The services come first.
                await asyncio.sleep(0.1)
        assert await ledger.read(discrepancies) == []
    finally:
        await ledger.close()
        await sessions.close()


def open_holds(conn: Connection) -> set[str]:
    h = billing.holds.c
    return set(conn.execute(select(h.hold_id).where(h.state == "open")).scalars())


def open_sessions(conn: Connection) -> set[str]:
    s = session.sessions.c
    return set(conn.execute(select(s.session_id).where(s.status.not_in(TERMINAL))).scalars())


def unfinished(conn: Connection) -> set[str]:
    c, s = session.creations.c, session.sessions.c
    pending = set(conn.execute(select(c.session_id).where(c.state != "done")).scalars())
    return pending | set(conn.execute(select(s.session_id).where(s.settle_after.is_not(None))).scalars())
