"""Two replicas of session on one PostgreSQL, each with a key and a certificate, against a real billing and broker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import grpc
import pytest

from kit.db.migrate import upgrade
from kit.errors import Unavailable
from kit.ids import RandomIds
from kit.rpc.channels import open_channel
from kit.rpc.tls import TlsFiles
from kit.times import SystemClock
from prsm.collab.v1 import access_pb2
from prsm.events.v1 import events_pb2
from prsm.library.v1 import internal_pb2
from prsm.session.v1 import session_pb2, session_pb2_grpc, worker_pb2, worker_pb2_grpc
from tests.integration.session.test_process import NobodyShares, OneDocument
from tests.support.certificates import Authority, TlsFolder
from tests.support.nats import NatsServer
from tests.support.processes import ServiceProcess
from tests.support.serving import Identities, Served, answer

CLOCK = SystemClock()
pb = session_pb2


class Replica:
    """A process of session, as its callers reach it."""

    def __init__(self, process: ServiceProcess, channel: grpc.aio.Channel) -> None:
        self.process = process
        self.sessions: Any = session_pb2_grpc.SessionServiceStub(channel)
        self.workers: Any = worker_pb2_grpc.WorkerServiceStub(channel)


class Town:
    """Everything around the replicas. All of it talks over mutual TLS."""

    def __init__(self, folder: Path, database_url: str, stack: AsyncExitStack) -> None:
        self._folder = folder
        self._database_url = database_url
        self._stack = stack
        self._authority = Authority()
        self.identities = Identities(folder, CLOCK, ["billing", "library", "collab", "worker"])
        self.nats = NatsServer(folder)
        self._common: dict[str, str] = {}
        self._files = self._opened(self._issued("test"))

    def _issued(self, name: str) -> TlsFolder:
        return TlsFolder(self._folder / f"tls-{name}", self._authority, "127.0.0.1")

    def _opened(self, files: TlsFolder) -> TlsFiles:
        return TlsFiles(str(files.cert), str(files.key), str(files.ca))

    async def start(self) -> None:
        for name in ("billing", "session"):
            await asyncio.to_thread(upgrade, f"services.{name}", self._database_url)
        await self.nats.start()
        self._stack.push_async_callback(self.nats.stop)
        peers = {}
        for name, module, service, servicer in (
            ("library", internal_pb2, "LibraryInternalService", OneDocument()),
            ("collab", access_pb2, "AccessService", NobodyShares()),
        ):
            pipeline = self.identities.pipeline(name, store=None, ids=RandomIds(CLOCK))
            own = self._opened(self._issued(name))
            served = await Served.start(pipeline, [(module.DESCRIPTOR.services_by_name[service], servicer)], tls=own)
            self._stack.push_async_callback(served.stop)
            peers[f"{name}_target"] = f"127.0.0.1:{served.port}"
        self._common = {"nats_url": self.nats.url, "database_url": self._database_url}
        settings = {**self._common, **self._issued("billing").settings(), **self.identities.settings("billing")}
        billing = await self._stack.enter_async_context(ServiceProcess("billing", settings))
        # No session here names a citation style that results would be asked about.
        self._common |= {
            **peers,
            "results_target": "127.0.0.1:9",
            "billing_target": billing.target,
            "sweep_seconds": "0.1",
            "watch_poll_seconds": "0.1",
        }

    async def replica(self, instance: str) -> Replica:
        """Start one more; its key becomes known while the others run."""
        own = {"internal_key": str(self.identities.join("session", instance))}
        certificate = self._issued(f"session-{instance}").settings()
        settings = {**self._common, **self.identities.settings("session"), **certificate, **own}
        process = await self._stack.enter_async_context(ServiceProcess("session", settings))
        channel = await self._stack.enter_async_context(open_channel(process.target, tls=self._files))
        return Replica(process, channel)

    async def create(self, replica: Replica, *, user: str = "ada", key: str = "") -> str:
        """A refusal because somebody does not know the replica's key yet is tried again, as clients do."""
        request = pb.CreateSessionRequest(prompt="Why is the sea salt?")
        more = (("idempotency-key", key),) if key else ()
        async with asyncio.timeout(60):
            while True:
                metadata = (*self.identities.user_metadata(user), *more)
                try:
                    created = await answer(replica.sessions.CreateSession(request, metadata=metadata, timeout=60))
                except Unavailable:
                    continue
                return str(created.session_id)

    async def listed(self, replica: Replica, *, user: str = "ada") -> set[str]:
        request = pb.ListSessionsRequest()
        metadata = self.identities.user_metadata(user)
        found = await answer(replica.sessions.ListSessions(request, metadata=metadata, timeout=60))
        return {session.session_id for session in found.sessions}

    async def claim(self, replica: Replica, worker_id: str) -> str:
        request = worker_pb2.ClaimNextRequest(worker_id=worker_id, engines=["research"])
        metadata = self.identities.peer("worker", "session").metadata()
        found = await answer(replica.workers.ClaimNext(request, metadata=metadata, timeout=60))
        return str(found.claim.lease.session_id)


@pytest.fixture
async def town(postgres_url: str, tmp_path: Path) -> AsyncIterator[Town]:
    async with AsyncExitStack() as stack:
        made = Town(tmp_path, postgres_url, stack)
        await made.start()
        yield made


async def test_replicas_agree_and_one_goes_on_without_the_other(town: Town) -> None:
    one = await town.replica("1")
    first = await town.create(one)
    two = await town.replica("2")
    second = await town.create(two)
    assert await town.listed(one) == await town.listed(two) == {first, second}

    # One key asked of both at once is one session.
    same = await asyncio.gather(*(town.create(replica, key="k") for replica in (one, two, one, two)))
    assert len(set(same)) == 1

    # What one replica changes, a stream at the other tells.
    metadata = town.identities.user_metadata("ada")
    request = pb.StreamEventsRequest(session_id=first)
    stream = one.sessions.StreamEvents(request, metadata=metadata, timeout=60)
    frames = stream.__aiter__()
    seen = b""
    while b"session.queued" not in seen:
        seen += (await frames.__anext__()).data
    await answer(two.sessions.CancelSession(pb.CancelSessionRequest(session_id=first), metadata=metadata, timeout=60))
    while b"session.cancelled" not in seen:
        seen += (await frames.__anext__()).data
    stream.cancel()

    # Workers that ask both at once never get the same session, and get them all.
    waiting = {second, same[0], *[await town.create(replica, user="bob") for replica in (one, two, one, two)]}
    claims = await asyncio.gather(
        *(town.claim(replica, f"w{n}{m}") for n in range(5) for m, replica in enumerate((one, two)))
    )
    claimed = [session_id for session_id in claims if session_id]
    assert len(set(claimed)) == len(claimed)
    assert set(claimed) <= waiting

    # Whoever held the leases, its death stops neither the answers nor the events.
    await one.process.kill()
    import nats

    client = await nats.connect(town.nats.url)
    events = await client.subscribe("prsm.events.session.>")
    await client.flush()
    last = await town.create(two, user="eve")
    while True:
        event = events_pb2.SessionChanged.FromString((await events.next_msg(timeout=60)).data)
        if event.session_id == last:
            break
    await client.close()
    assert await town.listed(two, user="eve") == {last}
