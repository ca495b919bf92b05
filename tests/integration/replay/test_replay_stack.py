"""The same through the real broker: the running services read everything from the beginning once more."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Collection
from contextlib import closing
from datetime import datetime

import nats
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from kit.bus.names import EVENTS_STREAM
from tests.e2e import lab
from tests.integration.kit.bus_rig import until
from tests.support.rest import People
from tests.support.stack import PARKED, RunningStack

DURABLES = ("billing-settlements", "library-citations", "session-collab")
SERVICES = ("billing", "library", "session")


def dump(stack: RunningStack, about: Collection[str]) -> dict[str, list[str]]:
    """Every row that names one of these."""
    found: dict[str, list[str]] = {}
    for service in SERVICES:
        with closing(sqlite3.connect(f"file:{stack.data.databases / f'{service}.db'}?mode=ro", uri=True)) as database:
            tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            for table in tables:
                rows = map(repr, database.execute(f'SELECT * FROM "{table}"'))
                found[f"{service}.{table}"] = sorted(row for row in rows if any(id_ in row for id_ in about))
    return found


async def caught_up(js: JetStreamContext, since: datetime | None) -> None:
    """Wait until each position was begun after `since` and has come to the end of the stream."""
    waiting = set(DURABLES)
    async with asyncio.timeout(60):
        while waiting:
            for name in sorted(waiting):
                try:
                    info = await js.consumer_info(EVENTS_STREAM, name)
                except NotFoundError:
                    continue
                begun = since is None or (info.created is not None and info.created > since)
                if begun and not info.num_pending and not info.num_ack_pending:
                    waiting.discard(name)
            await asyncio.sleep(0.05)


def all_published(stack: RunningStack) -> bool:
    for path in stack.data.databases.glob("*.db"):
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            if database.execute("SELECT 1 FROM outbox WHERE published_at IS NULL").fetchone():
                return False
    return True


async def test_positions_that_are_lost_cost_a_reading_and_change_nothing(stack: RunningStack, people: People) -> None:
    api = people.new("rita", email="rita@example.org")
    await lab.upload(api, lab.ARTICLES[:4])
    done = await lab.research(api)
    cancelled = await api.post("/sessions", {"prompt": "Later", "preferences": {"engine": PARKED}}, status=201)
    await api.post(f"/sessions/{cancelled['session_id']}/cancel", {})
    about = {api.user, done.session_id, str(cancelled["session_id"])}
    about.add(str((await api.share(done.session_id, "user:bob"))["share_id"]))
    for number in range(3):
        comment = await api.post(f"{done.path}/comments", {"content": f"Remark {number}"}, status=201)
        about.add(str(comment["comment_id"]))
    url, token = stack.nats()
    client = await nats.connect(url, token=token)
    js = client.jetstream()
    await until(lambda: all_published(stack))
    await caught_up(js, None)
    before = dump(stack, about)
    for table in ("billing.inbox", "library.session_documents", "session.inbox"):
        assert before[table], table
    deleted = []
    for name in DURABLES:
        info = await js.consumer_info(EVENTS_STREAM, name)
        assert info.created is not None
        deleted.append(info.created)
        await js.delete_consumer(EVENTS_STREAM, name)
    await caught_up(js, max(deleted))
    await client.close()
    assert dump(stack, about) == before
