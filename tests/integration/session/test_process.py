"""The process with its broker: it serves while its peers are away, and ends in order."""

from __future__ import annotations

import shutil
from pathlib import Path

import grpc
import pytest

from kit.errors import PrsmError
from kit.times import SystemClock
from prsm.session.v1 import session_pb2, session_pb2_grpc
from tests.support.nats import NatsServer, free_port
from tests.support.processes import ServiceProcess
from tests.support.serving import Identities, answer


async def test_serves_without_its_peers_and_stops_in_order(migrated_file: Path, tmp_path: Path) -> None:
    database = tmp_path / "process.db"
    shutil.copy(migrated_file, database)
    identities = Identities(tmp_path, SystemClock(), ["session"])
    nats = NatsServer(tmp_path)
    await nats.start()
    away = f"127.0.0.1:{free_port()}"
    settings = {
        **identities.settings("session"),
        "database_url": f"sqlite:///{database}",
        "nats_url": nats.url,
        "billing_target": away,
        "library_target": away,
        "collab_target": away,
        "library_deadline_seconds": "1",
    }
    process = ServiceProcess("session", settings)
    await process.start()
    try:
        metadata = identities.user_metadata("ada")
        async with grpc.aio.insecure_channel(process.target) as channel:
            stub = session_pb2_grpc.SessionServiceStub(channel)
            listed = await stub.ListSessions(session_pb2.ListSessionsRequest(), metadata=metadata, timeout=10)
            assert (listed.total_count, listed.page, listed.limit) == (0, 1, 20)
            request = session_pb2.CreateSessionRequest(prompt="Why?")
            with pytest.raises(PrsmError) as refused:
                await answer(stub.CreateSession(request, metadata=metadata, timeout=10))
            assert refused.value.name == "UNAVAILABLE"
    finally:
        status = await process.stop()
        await nats.stop()
    assert status == 0
