"""A real nats-server with JetStream for tests, on a free port."""

from __future__ import annotations

import asyncio
import fcntl
import os
import secrets
import shutil
import socket
import sys
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import IO

_PORTS = range(12_000, 20_000)
"""Below those that stacks take for themselves, and those that the system hands out: any connection could have one."""

_RESERVED: set[int] = set()


@cache
def _reservations() -> IO[bytes]:
    """A file whose byte N stands for port N: who has locked it has the port, until its process ends. Never closed, for
    that would give everything back."""
    return (Path(tempfile.gettempdir()) / f"prsm-test-ports-{os.getuid()}").open("ab")


def free_port() -> int:
    """A port of the loopback that nobody uses, and that no other test process is given as long as this one lives:
    a server that is stopped and started again finds it free."""
    while True:
        port = secrets.choice(_PORTS)
        with socket.socket() as probe, suppress(OSError):
            if port not in _RESERVED:
                fcntl.lockf(_reservations(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
                _RESERVED.add(port)
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
        async with asyncio.timeout(60):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                except OSError:
                    assert self._process.returncode is None, f"nats-server ended with {self._process.returncode}"
                    await asyncio.sleep(0.005)
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
