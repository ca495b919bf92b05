"""The whole product in one process: every service, a worker and the gateway with real connections between them, on a
real broker. It starts in a second or two, and a test can reach into any part; faults of processes are not for it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar

import aiohttp
import nats
from nats.js import JetStreamContext
from pydantic_settings import BaseSettings

from cli.stack.datadir import DataDir
from cli.stack.environment import SERVICES, Addresses, Environments
from cli.stack.keys import USER_AUDIENCE, USER_ISSUER, ensure_keys, load_user_key
from gateway.__main__ import serve as serve_gateway
from gateway.settings import GatewaySettings
from kit.auth.internal import InternalSigner
from kit.auth.keys import load_key
from kit.auth.tokens import TokenRules, mint
from kit.rpc.client import Peer
from kit.settings import from_environment
from kit.times import SystemClock
from services.billing.app import serve as serve_billing
from services.billing.settings import BillingSettings
from services.collab.app import serve as serve_collab
from services.collab.settings import CollabSettings
from services.library.app import serve as serve_library
from services.library.settings import LibrarySettings
from services.results.app import serve as serve_results
from services.results.settings import ResultsSettings
from services.session.app import serve as serve_session
from services.session.settings import SessionSettings
from tests.chaos import scripts
from tests.chaos.checker import Verdict, check
from tests.chaos.client import Client
from tests.chaos.engine import NAME, RehearsalEngine
from tests.chaos.journal import Journal
from tests.chaos.scenarios import Stage
from tests.support.migrated import Migrations
from tests.support.nats import NatsServer, free_port
from worker.app import serve as serve_worker
from worker.engines import registry
from worker.settings import WorkerSettings

S = TypeVar("S", bound=BaseSettings)
_START_SECONDS = 20.0
_POLL = 0.01
_SERVE: Mapping[str, Callable[[], Coroutine[Any, Any, None]]] = {
    "billing": lambda: serve_billing(from_environment(BillingSettings)),
    "library": lambda: serve_library(from_environment(LibrarySettings)),
    "results": lambda: serve_results(from_environment(ResultsSettings)),
    "collab": lambda: serve_collab(from_environment(CollabSettings)),
    "session": lambda: serve_session(from_environment(SessionSettings)),
    "worker": lambda: serve_worker(from_environment(WorkerSettings)),
    "gateway": lambda: serve_gateway(GatewaySettings.model_validate({})),
}
SETTINGS: Mapping[str, str] = {
    **scripts.SETTINGS,
    "PRSM_SESSION_SWEEP_SECONDS": "0.05",
    "PRSM_SESSION_HEARTBEAT_SECONDS": "0.1",
    "PRSM_SESSION_LEASE_SECONDS": "0.5",
    "PRSM_SESSION_SETTLE_SECONDS": "0.2",
    "PRSM_WORKER_POLL_SECONDS": "0.1",
    "PRSM_WORKER_CONCURRENCY": "8",
    "PRSM_WORKER_ENGINES": f'["{NAME}"]',
    **{f"PRSM_{part.upper()}_DRAIN_SECONDS": "0.2" for part in (*SERVICES, "worker", "gateway")},
}


class World:
    """Use as an async context manager; the worker is begun apart, by `begin("worker")`."""

    def __init__(self, folder: Path, migrations: Migrations, *, database_url: str = "") -> None:
        """`database_url`: a migrated PostgreSQL for all services instead of an SQLite file each."""
        self.data = DataDir(folder / "data")
        self.journal = Journal(folder / "journal.jsonl")
        self.broker = NatsServer(folder)
        self._migrations = migrations
        self._database_url = database_url
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._stops: list[Callable[[], object]] = []
        self._rng = random.Random(4)

    async def __aenter__(self) -> Self:
        self.data.create()
        ensure_keys(self.data)
        ports = {service: free_port() for service in SERVICES}
        self._addresses = Addresses(gateway=free_port(), services=ports, nats=self.broker.port, workers=(free_port(),))
        self._environments = Environments(
            self.data, self._addresses, SETTINGS, self._database_url, initial_grant=scripts.GRANT
        )
        if not self._database_url:
            for service in SERVICES:
                self._migrations.file(f"services.{service}", self.data.databases / f"{service}.db")
        self.http = aiohttp.ClientSession()
        try:
            await self.broker.start()
            for part in (*SERVICES, "gateway"):
                await self.begin(part)
            async with asyncio.timeout(_START_SECONDS):
                while True:
                    if await self._ready():
                        break
                    await asyncio.sleep(_POLL)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        for stop in self._stops:
            stop()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        await self.http.close()
        await self.broker.stop()
        self.journal.close()

    async def begin(self, part: str) -> None:
        """Begin a part with its settings; it ends with the world."""
        environments = self._environments
        if part == "gateway":
            environment = environments.gateway()
        elif part == "worker":
            environment = environments.worker(0)
        else:
            environment = environments.service(part)
        with _told(environment), self._handlers(), _rehearsing():
            task = asyncio.create_task(_SERVE[part](), name=part)
            self._tasks[part] = task
            # Settings are read, and what ends it on a signal is put in place, before it waits for anything of note.
            async with asyncio.timeout(_START_SECONDS):
                before = len(self._stops)
                while True:
                    await asyncio.sleep(0)
                    if len(self._stops) > before or task.done():
                        break
        if task.done():
            task.result()

    @contextlib.contextmanager
    def _handlers(self) -> Iterator[None]:
        """Parts ask the loop to be told of signals; here we tell them."""
        loop: Any = asyncio.get_running_loop()
        loop.add_signal_handler = lambda _number, callback: self._stops.append(callback)
        try:
            yield
        finally:
            del loop.add_signal_handler

    async def _ready(self) -> bool:
        for task in self._tasks.values():
            if task.done():
                task.result()
        try:
            async with self.http.get(f"{self.url}/ready") as response:
                return response.status == 200
        except aiohttp.ClientError:
            return False

    @property
    def url(self) -> str:
        return self._addresses.endpoints()["gateway"]

    @property
    def databases(self) -> dict[str, str]:
        return {service: self._environments.database(service) for service in SERVICES}

    def address(self, service: str) -> str:
        return self._addresses.endpoints()[service]

    def peer(self, service: str) -> Peer:
        """Call a service as a worker does."""
        return Peer(service, InternalSigner(load_key(self.data.internal_key("worker")), "worker", SystemClock()))

    @contextlib.asynccontextmanager
    async def jetstream(self) -> AsyncIterator[JetStreamContext]:
        """The broker, on a connection of its own."""
        connection = await nats.connect(self.broker.url)
        try:
            yield connection.jetstream()
        finally:
            await connection.close()

    def client(self, person: str) -> Client:
        """A client whose requests go into the world's journal."""
        return Client(self.http, self.url, person, self._token, self._rng, self.journal)

    def stage(self, *, seed: int = 4) -> Stage:
        """For scenarios; everybody's friend is `friend`."""
        return Stage(random.Random(seed), lambda _client: self.client("friend"))

    async def verdict(self, enough: Callable[[Verdict], bool], patience: float) -> Verdict:
        """What the checker says once that is enough, or after so many seconds."""
        loop = asyncio.get_running_loop()
        until = loop.time() + patience
        while True:
            verdict = await check(self.databases, self.journal)
            if enough(verdict) or loop.time() > until:
                return verdict
            await asyncio.sleep(10 * _POLL)

    def _token(self, person: str) -> str:
        rules = TokenRules(issuer=USER_ISSUER, audience=USER_AUDIENCE)
        return mint(load_user_key(self.data), rules, SystemClock(), ttl=3600, claims={"sub": person})


@contextlib.contextmanager
def _told(environment: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(environment)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextlib.contextmanager
def _rehearsing() -> Iterator[None]:
    before: Sequence[Any] = [registry.BUILT_IN]
    registry.BUILT_IN = {**registry.BUILT_IN, NAME: RehearsalEngine}
    try:
        yield
    finally:
        (registry.BUILT_IN,) = before
