"""Stacks as processes of their own, so that signals and exits are real."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.nats import free_port

ROOT = Path(__file__).resolve().parent.parent.parent.parent
DRIVER = ROOT / "tests" / "support" / "standin_stack.py"


def descendants(pid: int) -> dict[int, str]:
    """Processes under `pid`, with their command lines."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found: dict[int, str] = {}
    waiting = [pid]
    while waiting:
        for child in parents.get(waiting.pop(), []):
            with suppress(OSError):
                found[child] = Path(f"/proc/{child}/cmdline").read_text().replace("\0", " ")
            waiting.append(child)
    return found


def lives(pid: int) -> bool:
    """Whether a process is there and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def until(condition: Callable[[], bool]) -> None:
    """Return when the condition holds."""
    async with asyncio.timeout(60):
        while True:
            if condition():
                return
            await asyncio.sleep(0.01)


@dataclass
class StackProcess:
    """A running stack of stand-ins."""

    folder: Path
    port: int
    process: asyncio.subprocess.Process
    seen: dict[int, str] = field(default_factory=dict)

    async def ready(self) -> str:
        """The line that says where it answers."""
        assert self.process.stdout is not None
        async with asyncio.timeout(60):
            line = (await self.process.stdout.readline()).decode()
        self.seen |= self.parts()
        return line

    async def said(self, of: str = "") -> str:
        """The next line on standard error that holds `of`; "" when it ends without one."""
        assert self.process.stderr is not None
        async with asyncio.timeout(60):
            while line := (await self.process.stderr.readline()).decode():
                if of in line:
                    break
            return line

    def parts(self) -> dict[int, str]:
        return descendants(self.process.pid)

    def pid_of(self, module: str) -> int:
        (pid,) = [pid for pid, line in self.parts().items() if line.rstrip().endswith(f" {module}")]
        return pid

    async def ended(self) -> tuple[int, str]:
        """Exit status, and what was said on standard error to the end."""
        assert self.process.stderr is not None
        async with asyncio.timeout(60):
            rest = (await self.process.stderr.read()).decode()
            return await self.process.wait(), rest

    def left(self) -> list[str]:
        """What still runs of all that was ever seen."""
        return [line for pid, line in self.seen.items() if lives(pid)]


Launch = Callable[..., Awaitable[StackProcess]]


@pytest.fixture
async def launch(tmp_path: Path) -> AsyncIterator[Launch]:
    """See `launching`."""
    async with launching(tmp_path) as start:
        yield start


@asynccontextmanager
async def launching(parent: Path) -> AsyncIterator[Launch]:
    """Start a stack, in a folder of `parent`; keyword arguments are behaviours of stand-ins by part."""
    started: list[StackProcess] = []

    async def start(
        folder: Path | None = None,
        port: int | None = None,
        startup: float = 60,
        force_after: float = 3600,
        **behaviours: str,
    ) -> StackProcess:
        folder = folder or parent / "data"
        port = port or free_port()
        environment = {
            **os.environ,
            "PRSM_STANDIN_ENDED": str(parent / "ended"),
            **{f"PRSM_STANDIN_{part.upper()}": behaviour for part, behaviour in behaviours.items()},
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(DRIVER),
            str(folder),
            str(port),
            str(startup),
            str(force_after),
            env=environment,
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        stack = StackProcess(folder, port, process)
        started.append(stack)
        return stack

    try:
        yield start
    finally:
        for stack in started:
            if stack.process.returncode is None:
                stack.process.kill()
                await stack.process.wait()


@asynccontextmanager
async def running(folder: Path, *arguments: str) -> AsyncIterator[StackProcess]:
    """`prsm up` with the real services, which a signal must end within ten seconds, with nothing left."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli.main", "up", "--data-dir", str(folder), "--port", str(port), *arguments),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    started = StackProcess(folder, port, process)
    try:
        assert await started.ready() == f"ready: http://127.0.0.1:{port}\n"
        yield started
        everything = descendants(process.pid)
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(60):
            status, _ = await started.ended()
        assert status == 0
        await until(lambda: not any(lives(pid) for pid in everything))
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
