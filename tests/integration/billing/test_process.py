"""The process with its broker: a session's terminal event settles its hold, and SIGTERM ends the process in order."""

from __future__ import annotations

import shutil
from pathlib import Path

import grpc
import pytest
from nats.aio.client import Client
from nats.aio.subscription import Subscription

from kit.bus.connection import Bus
from kit.times import SystemClock
from prsm.billing.v1 import ledger_pb2, ledger_pb2_grpc
from prsm.events.v1 import events_pb2
from tests.integration.billing.stand import QUICK
from tests.support.nats import NatsServer
from tests.support.processes import ServiceProcess
from tests.support.serving import Identities


@pytest.fixture
def database(migrated_file: Path, tmp_path: Path) -> Path:
    """A migrated file of the process's own."""
    return Path(shutil.copy(migrated_file, tmp_path / "process.db"))


async def test_event_of_a_completed_session_settles_its_hold(database: Path, tmp_path: Path) -> None:
    identities = Identities(tmp_path, SystemClock(), ["session", "billing"])
    nats = NatsServer(tmp_path)
    await nats.start()
    bus = Bus(nats.url, name="test")
    bus.start()
    await bus.ready()
    settings = {**identities.settings("billing"), "database_url": f"sqlite:///{database}", "nats_url": nats.url}
    try:
        async with ServiceProcess("billing", settings) as process:
            await bus.ensure_streams()
            captures = await listen(bus.client)
            session = identities.peer("session", "billing")
            async with grpc.aio.insecure_channel(process.target) as channel:
                ledger = ledger_pb2_grpc.LedgerServiceStub(channel)
                request = ledger_pb2.PlaceHoldRequest(hold_id="s1", owner="ada", workload=QUICK)
                held = (await session.call(ledger.PlaceHold, request, timeout=60)).held_micros
                event = events_pb2.SessionChanged(
                    session_id="s1",
                    version=9,
                    type="session.completed",
                    settlement=events_pb2.Settlement(hold_id="s1", captured_micros=1000, released_micros=held - 1000),
                )
                await bus.jetstream().publish("prsm.events.session.completed", event.SerializeToString())
                capture = events_pb2.AccountChanged.FromString((await captures.next_msg(timeout=60)).data)
                assert (capture.user_id, capture.session_id, capture.amount_micros) == ("ada", "s1", 1000)
                again = ledger_pb2.SettleRequest(hold_id="s1", captured_micros=1000, released_micros=held - 1000)
                assert (await session.call(ledger.Settle, again, timeout=60)).captured_micros == 1000
            assert await process.stop() == 0
    finally:
        await bus.close()
        await nats.stop()


async def listen(client: Client) -> Subscription:
    """A subscription to captures, in force once this returns."""
    subscription = await client.subscribe("prsm.events.billing.capture")
    await client.flush()
    return subscription
