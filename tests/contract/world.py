"""What the scenarios are made in: the running stack, its people, and the sessions that many cases may look at."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import grpc

from kit.ids import RandomIds
from kit.rpc.channels import open_channel
from kit.times import SystemClock
from prsm.session.v1 import worker_pb2, worker_pb2_grpc
from tests.support.rest import API, PATIENCE, Api, People
from tests.support.signals import Signals
from tests.support.stack import MANUAL, PARKED, ROOT, RunningStack

T = TypeVar("T")
JSON = Any
SAMPLES = ROOT / "samples"
PROMPT = "How does the ocean take up carbon dioxide?"
WORKER_ID = "a-test"


@dataclass
class World:
    """One for each run."""

    stack: RunningStack
    people: People
    signals: Signals
    channel: grpc.aio.Channel
    _kept: dict[str, Any] = field(default_factory=dict)
    _running: list[tuple[Api, str]] = field(default_factory=list)
    _ids: RandomIds = field(default_factory=lambda: RandomIds(SystemClock()))

    @classmethod
    async def of(cls, stack: RunningStack, people: People) -> World:
        signals = await Signals.connect(*stack.nats())
        return cls(stack, people, signals, open_channel(stack.endpoints["session"]))

    async def close(self) -> None:
        for value in self._kept.values():
            if isinstance(value, asyncio.Task) and not value.done():
                value.cancel()
        await self.signals.__aexit__(None, None, None)
        await self.channel.close()

    def new_id(self) -> str:
        """An id that nothing has."""
        return self._ids.new()

    def keep(self, name: str, make: Callable[[], Awaitable[T]]) -> Awaitable[T]:
        """What `make` gives, made once: for what no case changes."""
        if name not in self._kept:
            self._kept[name] = asyncio.ensure_future(make())
        task: asyncio.Task[T] = self._kept[name]
        return asyncio.shield(task)

    async def reader_of_samples(self, documents: int = 5) -> Api:
        """A new user with the first articles of the sample library."""
        api = self.people.new()
        for path in sorted((SAMPLES / "library").glob("*.md"))[:documents]:
            text = path.read_text()
            await api.add_document(text.partition("\n")[0].removeprefix("# "), text)
        return api

    async def user_with_a_document(self) -> Api:
        api = self.people.new()
        await api.add_document(
            "A note", "The ocean takes up carbon dioxide from the air. It is dissolved in sea water."
        )
        return api

    async def parked(self, api: Api, **body: JSON) -> str:
        """A session that stays queued."""
        return await api.create(preferences={"engine": PARKED}, **body)

    async def running(self, api: Api, *, stays: bool = False, budget: JSON = None, **preferences: JSON) -> str:
        """A session of the signal-driven engine that is running, in its first stage; until the case ends, unless it
        `stays`."""
        session_id = await api.create(preferences={"engine": "signal", **preferences}, budget=budget or {})
        if not stays:
            self._running.append((api, session_id))
        await self.signals.look(session_id)
        return session_id

    async def end_running(self) -> None:
        """Cancel what a case left running: a worker has room for so many sessions only."""
        for api, session_id in self._running:
            await api.send("POST", f"{API}/sessions/{session_id}/cancel")
        self._running.clear()

    async def claim(self, session_id: str, engine: str = MANUAL) -> worker_pb2.Lease:
        """Take a queued session as a worker would, without starting it."""
        stub = worker_pb2_grpc.WorkerServiceStub(self.channel)
        peer = self.stack.peer("session")
        request = worker_pb2.ClaimNextRequest(worker_id=WORKER_ID, engines=[engine])
        async with asyncio.timeout(PATIENCE):
            while True:
                answer = await peer.call(stub.ClaimNext, request, timeout=5)
                assert answer.HasField("claim"), f"{session_id} is not to be had"
                lease: worker_pb2.Lease = answer.claim.lease
                if lease.session_id == session_id:
                    return lease

    async def start(self, lease: worker_pb2.Lease) -> None:
        """Bring a claimed session from initializing to running."""
        stub = worker_pb2_grpc.WorkerServiceStub(self.channel)
        request = worker_pb2.StartRequest(lease=lease, stages=[worker_pb2.StagePlan(stage="work", weight=1)])
        await self.stack.peer("session").call(stub.Start, request, timeout=5)


def sample_table() -> Path:
    return SAMPLES / "data" / "mauna_loa_co2_annual.csv"
