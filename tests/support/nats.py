"""A real nats-server with JetStream for tests, on a free port."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import socket
import sys
from contextlib import suppress
from pathlib import Path

_PORTS = (12_000, 32_000)


def free_port() -> int:
    """A port of the loopback that was free a moment ago, below those that the system hands out by itself: between here
    and its use, any connection of anybody could take one of them."""
    while True:
        port = secrets.choice(range(*_PORTS))
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class NatsServer:
    """A server process; its store lies in `folder` and can be wiped between a stop and a start."""

    def __init__(self, folder: Path) -> None:
        self.store = folder / "jetstream"
        self._copy = folder / "jetstream-copy"
        self.port = free_port()
        self.url = f"nats://127.0.0.1:{self.port}"
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        binary = Path(sys.executable).parent / "nats-server"
        self._process = await asyncio.create_subprocess_exec(
            str(binary), "-a", "127.0.0.1", "-p", str(self.port), "-js", "-sd", str(self.store),
            *self.arguments(),
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        async with asyncio.timeout(10):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                except OSError:
                    await asyncio.sleep(0)
                else:
                    writer.close()
                    return

    def arguments(self) -> list[str]:
        """What a kind of server is told besides."""
        return []

    async def stop(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
        self._process = None

    def wipe(self) -> None:
        shutil.rmtree(self.store, ignore_errors=True)

    def keep_copy(self) -> None:
        """Copy the store of a server that is stopped, for `set_back`."""
        shutil.copytree(self.store, self._copy)

    def set_back(self) -> None:
        """Put the copy in the place of what a server that is stopped has now."""
        self.wipe()
        shutil.copytree(self._copy, self.store)
