"""A program on one of the hosts: started, ended in order or killed, started again, and never left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.multihost import network
from tests.multihost.network import Host

ROOT = Path(__file__).resolve().parent.parent.parent
_GRACE = 40.0
_NOBODY = "65534"
_LAST_LINES = 8
_LONGEST_LINE = 400


class Program:
    """Use `start`, then `stop` or `kill`, any number of times."""

    def __init__(
        self,
        name: str,
        host: Host,
        command: Sequence[str],
        *,
        log: Path,
        environment: Mapping[str, str] | None = None,
        as_nobody: bool = False,
        stop_signal: int = signal.SIGTERM,
    ) -> None:
        self.name = name
        self.host = host
        self._command = command
        self._log = log
        self._environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("PRSM_")},
            **(environment or {}),
        }
        self._as_nobody = as_nobody
        self._stop_signal = stop_signal
        self._process: asyncio.subprocess.Process | None = None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    @property
    def status(self) -> int | None:
        """The exit status, None before the end."""
        return None if self._process is None else self._process.returncode

    @property
    def log(self) -> Path:
        return self._log

    async def start(self) -> None:
        """Start it; it dies with this process, whatever ends that."""
        child = (sys.executable, "-I", "-S", str(ROOT / "cli" / "child.py"), str(os.getpid()))
        command = list(self._command)
        if self._as_nobody:
            # A change of user forgets what the child was told about its parent, so it is told again.
            identity = ["--reuid", _NOBODY, "--regid", _NOBODY, "--clear-groups", "--pdeathsig", "KILL"]
            command = ["setpriv", *identity, *command]
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *child,
                *network.inside(self.host, command),
                env=self._environment,
                cwd=ROOT,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    async def stop(self) -> int:
        """End it in order; its exit status. Raises AssertionError when it does not end."""
        assert self._process is not None
        if self.running:
            self._process.send_signal(self._stop_signal)
        try:
            async with asyncio.timeout(_GRACE):
                return await self._process.wait()
        except TimeoutError:
            raise AssertionError(f"{self.name} is still there {_GRACE:g} s after it was asked to end") from None

    async def kill(self) -> None:
        """End it at once, as a power cut would."""
        if self._process is not None and self.running:
            self._process.kill()
            await self._process.wait()

    async def finish(self) -> int:
        """Wait until it ends by itself."""
        assert self._process is not None
        return await self._process.wait()

    def last_lines(self) -> str:
        lines = self._log.read_text(errors="replace").splitlines() if self._log.exists() else []
        return "\n".join([f"--- {self.name}", *(line[:_LONGEST_LINE] for line in lines[-_LAST_LINES:])])
