"""The process with its broker and its neighbours: shares, a restart, and old keys forgotten."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import grpc
import pytest

from kit.bus.connection import Bus
from kit.ids import RandomIds
from kit.times import SystemClock
from prsm.collab.v1 import collab_pb2, collab_pb2_grpc
from prsm.events.v1 import events_pb2
from tests.integration.collab.neighbours import Known, Neighbours
from tests.support.nats import NatsServer
from tests.support.processes import ServiceProcess
from tests.support.serving import Identities


@pytest.fixture
def database(migrated_file: Path, tmp_path: Path) -> Path:
    """A migrated file of the process's own."""
    return Path(shutil.copy(migrated_file, tmp_path / "process.db"))


def keys_of(database: Path) -> list[str]:
    """The idempotency keys that are remembered."""
    with closing(sqlite3.connect(database)) as connection:
        return [row[0] for row in connection.execute("SELECT key FROM idempotency ORDER BY key")]


def remember_an_old_key(database: Path) -> None:
    """A record from the beginning of time."""
    columns = "principal, method, key, fingerprint, state, holder, lease_until, created_at, response, location"
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(
            f"INSERT INTO idempotency ({columns}) VALUES ('p', 'm', 'old', 'f', 'done', 'h', 0, 0, x'', '')"
        )


async def test_share_is_told_of_and_outlives_a_restart(database: Path, tmp_path: Path) -> None:
    session_id = RandomIds(SystemClock()).new()
    neighbours = Neighbours({session_id: Known(owner="olga")})
    channel = await neighbours.start()
    identities = Identities(tmp_path, SystemClock(), ["collab"])
    nats = NatsServer(tmp_path)
    await nats.start()
    bus = Bus(nats.url, name="test")
    bus.start()
    await bus.ready()
    settings = {
        **identities.settings("collab"),
        "database_url": f"sqlite:///{database}",
        "nats_url": nats.url,
        "session_target": neighbours.target,
        "results_target": neighbours.target,
        "share_url_base": "https://prsm.test/s",
    }
    remember_an_old_key(database)
    try:
        told = await bus.client.subscribe("prsm.events.collab.created")
        await bus.client.flush()
        share = collab_pb2.ShareSessionRequest(session_id=session_id, recipients=["bob"], permissions="view")
        async with ServiceProcess("collab", settings) as process:
            async with grpc.aio.insecure_channel(process.target) as to_collab:
                collab = collab_pb2_grpc.CollabServiceStub(to_collab)
                keyed = (*identities.user_metadata("olga"), ("idempotency-key", "new"))
                made = await collab.ShareSession(share, metadata=keyed, timeout=60)
                event = events_pb2.CollabChanged.FromString((await told.next_msg(timeout=60)).data)
            assert (event.type, event.subject_id) == ("share.created", made.share_id)
            assert await process.stop() == 0
        assert keys_of(database) == ["new"]
        async with ServiceProcess("collab", settings) as process:
            async with grpc.aio.insecure_channel(process.target) as to_collab:
                collab = collab_pb2_grpc.CollabServiceStub(to_collab)
                request = collab_pb2.OpenShareRequest(token=made.share_url.rpartition("/")[2])
                opened = await collab.OpenShare(request, metadata=identities.user_metadata("bob"), timeout=60)
            assert opened.session_id == session_id
            assert await process.stop() == 0
    finally:
        await bus.close()
        await nats.stop()
        await channel.close()
        await neighbours.stop()
