"""A service as its own process, as it runs in production."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.support.nats import free_port

ROOT = Path(__file__).resolve().parent.parent.parent


class ServiceProcess:
    """`python -m services.<name>` with settings from the environment, on a port of its own."""

    def __init__(self, name: str, settings: Mapping[str, str]) -> None:
        """`settings` are the service's own, by field name."""
        self._name = name
        self.target = f"127.0.0.1:{free_port()}"
        prefix = f"PRSM_{name.upper()}_"
        given = {**settings, "listen": self.target}
        self.health = self.target
        if settings.get("tls_cert"):
            # Its health is asked for in plain text.
            self.health = given["health_listen"] = f"127.0.0.1:{free_port()}"
        self._environment = {
            **os.environ,
            "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'gen'}",
            **{prefix + field.upper(): value for field, value in given.items()},
        }
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        """Returns once the service says that it is serving."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", f"services.{self._name}", env=self._environment, cwd=ROOT
        )
        async with grpc.aio.insecure_channel(self.health) as channel:
            stub = health_pb2_grpc.HealthStub(channel)
            watch = stub.Watch(health_pb2.HealthCheckRequest(), timeout=60, wait_for_ready=True)
            async for answer in watch:
                if answer.status == health_pb2.HealthCheckResponse.SERVING:
                    break
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def kill(self) -> None:
        """End it without a warning."""
        assert self._process is not None
        self._process.kill()
        await self._process.wait()

    async def stop(self) -> int:
        """End it with SIGTERM and return its exit status."""
        assert self._process is not None
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(60):
            return await self._process.wait()


@asynccontextmanager
async def ending(process: asyncio.subprocess.Process, patience: float) -> AsyncIterator[None]:
    """At the end of the block: SIGTERM unless it has ended, then status 0 in `patience` seconds, or SIGKILL."""
    try:
        yield
        if process.returncode is None:
            process.terminate()
        async with asyncio.timeout(patience):
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
