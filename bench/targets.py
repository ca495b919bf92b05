"""What is measured: the product's own stack, and a reference server beside it if one is given."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_START = 90.0
_STOP = 20.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Served:
    """A server process that prints `ready: URL`, ended by its id."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self._process = process
        self.port = port

    @property
    def pid(self) -> int:
        return self._process.pid

    @classmethod
    async def start(cls, command: list[str], port: int, env: Mapping[str, str] | None = None) -> Served:
        process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, env={**os.environ, **(env or {})}
        )
        served = cls(process, port)
        assert process.stdout is not None
        try:
            async with asyncio.timeout(_START):
                while line := await process.stdout.readline():
                    if line.startswith(b"ready:"):
                        return served
        except TimeoutError:
            pass
        await served.stop()
        raise SystemExit(f"{' '.join(command[:4])} did not get ready")

    async def stop(self) -> None:
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(self._process.wait(), _STOP)
            except TimeoutError:
                self._process.kill()
                await self._process.wait()


async def product(folder: Path, *arguments: str) -> Served:
    """The whole stack without workers, so that sessions stay queued, with limits out of the way."""
    port = free_port()
    command = [sys.executable, "-m", "cli.main", "up", "--data-dir", str(folder), "--port", str(port)]
    command += ["--workers", "0", "--initial-grant", "100000000.00", *arguments]
    env = {"PRSM_BILLING_SESSION_QUOTA": "100000000", "PRSM_GATEWAY_RATE_LIMIT": "0", "PRSM_LOG_LEVEL": "warning"}
    return await Served.start(command, port, env)


async def ceiling(path: Path) -> Served:
    """The reference server."""
    port = free_port()
    return await Served.start([sys.executable, str(path), "--port", str(port)], port)


def token(folder: Path, user: str) -> str:
    """A token of the embedded default's local key."""
    import subprocess

    command = [sys.executable, "-m", "cli.main", "token", "--data-dir", str(folder), "--user", user, "--ttl", "12h"]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout.strip()


def post(port: int, path: str, body: object, bearer: str) -> dict[str, Any]:
    """One request with a JSON body."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json", "Authorization": f"Bearer {bearer}"},
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        found: dict[str, Any] = json.load(answer)
        return found


def gauge(url: str, name: str) -> int:
    """A metric without labels, from where Prometheus would read it; 0 before it was first set. Raises LookupError."""
    with urllib.request.urlopen(url, timeout=30) as answer:
        lines = answer.read().decode().splitlines()
    if f"# TYPE {name} gauge" not in lines:
        raise LookupError(name)
    return next((int(float(line.split()[1])) for line in lines if line.startswith(f"{name} ")), 0)
