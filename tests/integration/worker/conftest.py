"""A worker as its own process, with a real broker and stand-ins for the services it calls."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kit.auth.grants import Grant, GrantSigner
from kit.auth.keys import load_key
from kit.bus.connection import Bus
from kit.bus.names import JOBS_STREAM, job_subject
from kit.ids import RandomIds
from kit.rpc.serve import GrpcServer
from kit.times import SystemClock
from prsm.library.v1 import internal_pb2
from prsm.results.v1 import artifacts_pb2
from prsm.session.v1 import worker_pb2
from tests.integration.worker.platform import LibraryStandIn, ResultsStandIn, SessionStandIn
from tests.support.nats import NatsServer
from tests.support.serving import Identities
from tests.support.signals import Signals

_CLOCK = SystemClock()


@dataclass
class Stand:
    """Everything around a worker process."""

    folder: Path
    identities: Identities
    sessions: SessionStandIn
    results: ResultsStandIn
    library: LibraryStandIn
    targets: dict[str, str]
    nats: NatsServer
    bus: Bus
    signals: Signals
    process: asyncio.subprocess.Process | None = None

    async def start(self, module: str = "worker", **settings: str) -> None:
        """Start the worker process."""
        given = {
            "listen": "127.0.0.1:0",
            "nats_url": self.nats.url,
            "internal_key": str(self.folder / "worker.json"),
            "test_engines": "1",
            "poll_seconds": "60",
            "drain_seconds": "1.5",
            "preload": "[]",
            **{f"{name}_target": target for name, target in self.targets.items()},
            **settings,
        }
        environment = {**os.environ, **{f"PRSM_WORKER_{key.upper()}": value for key, value in given.items()}}
        self.process = await asyncio.create_subprocess_exec(sys.executable, "-m", module, env=environment)

    async def stop(self) -> int:
        """End it with SIGTERM; its exit status."""
        assert self.process is not None
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(60):
            return await self.process.wait()

    async def jobs(self) -> int:
        """Wake-ups that are not done with."""
        return int((await self.bus.jetstream().stream_info(JOBS_STREAM)).state.messages)

    async def no_jobs(self) -> None:
        """Return when every wake-up is done with."""
        async with asyncio.timeout(60):
            while await self.jobs():
                pass  # Each look is a call to the broker and lets others run.

    def grant(self, session_id: str) -> str:
        signer = GrantSigner(load_key(self.folder / "session.json"), _CLOCK)
        return signer.sign(Grant("owner", session_id, 1))

    async def offer(self, **fields: Any) -> str:
        """Put a session up for claiming and say so; its id."""
        session_id = RandomIds(_CLOCK).new()
        claim = worker_pb2.Claim(
            lease=worker_pb2.Lease(session_id=session_id, epoch=1),
            lease_us=15_000_000,
            heartbeat_us=20_000,
            session_type="research",
            prompt="Why?",
            grant=self.grant(session_id),
            **{"engine": "signal", **fields},
        )
        self.sessions.waiting.append(claim)
        await self.bus.jetstream().publish(job_subject(claim.engine), b"")
        return session_id


@pytest.fixture
async def stand(tmp_path: Path) -> AsyncIterator[Stand]:
    identities = Identities(tmp_path, _CLOCK, ["session", "results", "library", "worker"])
    sessions, results, library = SessionStandIn(), ResultsStandIn(), LibraryStandIn()
    servers = {
        name: GrpcServer(
            "127.0.0.1:0",
            identities.pipeline(name, store=None, ids=RandomIds(_CLOCK)),
            [(module.DESCRIPTOR.services_by_name[service], servicer)],
        )
        for name, module, service, servicer in (
            ("session", worker_pb2, "WorkerService", sessions),
            ("results", artifacts_pb2, "ArtifactService", results),
            ("library", internal_pb2, "LibraryInternalService", library),
        )
    }
    for server in servers.values():
        await server.start()
    nats = NatsServer(tmp_path)
    await nats.start()
    bus = Bus(nats.url, name="test")
    bus.start()
    await bus.ready()
    await bus.ensure_streams()
    signals = await Signals.connect(nats.url)
    targets = {name: f"127.0.0.1:{server.port}" for name, server in servers.items()}
    made = Stand(tmp_path, identities, sessions, results, library, targets, nats, bus, signals)
    async with signals:
        yield made
        if made.process is not None:
            await made.stop()
    await bus.close()
    for server in servers.values():
        await server.stop(0)
    await nats.stop()
