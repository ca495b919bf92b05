"""One part of the stack: a process that is started, probed, watched, started again, and stopped."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from cli.errors import Refused

_CHILD = Path(__file__).resolve().parent.parent / "child.py"
_BAD_SETTINGS = 2
"""A part's exit status that trying again cannot change."""


class Tier(IntEnum):
    """Parts stop in this order."""

    EDGE = 0
    WORKER = 1
    SERVICE = 2
    BROKER = 3


@dataclass(frozen=True, slots=True)
class PartSpec:
    """A program and how to tell that it works. `probe` answers quickly and does not raise."""

    name: str
    tier: Tier
    argv: tuple[str, ...]
    environment: Mapping[str, str]
    probe: Callable[[], Awaitable[bool]]
    descriptors: tuple[int, ...] = ()
    """What it inherits beside the lock."""
    beyond_help: Callable[[], Awaitable[bool]] | None = None
    """Whether it runs, and only a new process would work again. Answers quickly and does not raise."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Times in seconds."""

    startup: float = 60.0
    """Within which a part must be healthy."""
    startup_attempts: int = 3
    probe_pause: float = 0.05
    first_backoff: float = 0.25
    longest_backoff: float = 10.0
    steady: float = 30.0
    """A part that lived this long starts its next backoff from the beginning."""
    help_pause: float = 2.0
    """How often a part is asked whether it is beyond help."""
    help_grace: float = 5.0
    """What one that is has to end in order."""


class Part:
    """A supervised process. `say` takes the lines that the user should see."""

    def __init__(
        self, spec: PartSpec, *, log: Path, lock: int, say: Callable[[str], None], patience: Patience | None = None
    ) -> None:
        """`lock` is the descriptor of the directory's lock, which the process inherits."""
        self.spec = spec
        self._log = log
        self._lock = lock
        self._say = say
        self._patience = patience or Patience()
        self._process: asyncio.subprocess.Process | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._stopping = False
        self._started = asyncio.Event()
        self._refusal: asyncio.Future[Refused] = asyncio.get_running_loop().create_future()

    @property
    def pid(self) -> int | None:
        """The process's id while it lives."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    def start(self) -> None:
        self._watcher = asyncio.create_task(self._watch(), name=f"watch {self.spec.name}")

    async def healthy(self) -> None:
        """Wait until it works for the first time. Raises Refused when it will not."""
        try:
            async with asyncio.timeout(self._patience.startup):
                while not (self.pid is not None and await self.spec.probe()):
                    if self._refusal.done():
                        raise self._refusal.result()
                    await asyncio.sleep(self._patience.probe_pause)
        except TimeoutError:
            raise Refused(
                f"{self.spec.name} was not healthy after {self._patience.startup:g} s; see {self._log}"
            ) from None
        self._started.set()

    async def refused(self) -> None:
        """Wait until it is clear that it will not work, for as long as it takes. Raises Refused."""
        raise await asyncio.shield(self._refusal)

    async def stop(self, grace: float) -> None:
        """End it within `grace` seconds, and whatever it started with it."""
        self._stopping = True
        process = self._process
        if process is not None:
            with suppress(ProcessLookupError):
                process.terminate()
            with suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), grace)
        await self.kill()

    async def kill(self) -> None:
        """End it at once."""
        self._stopping = True
        if self._watcher is not None:
            self._watcher.cancel()
            await asyncio.gather(self._watcher, return_exceptions=True)
        if self._process is not None:
            end_group(self._process)
            await self._process.wait()
            self._process = None

    async def _watch(self) -> None:
        patience = self._patience
        loop = asyncio.get_running_loop()
        failures = 0
        while True:
            begun = loop.time()
            ended = await self._once()
            if self._stopping:
                return
            failures = 1 if loop.time() - begun > patience.steady else failures + 1
            if not self._started.is_set() and (ended == _BAD_SETTINGS or failures >= patience.startup_attempts):
                reason = f": {ended.strerror}" if isinstance(ended, OSError) else self._reason()
                self._refusal.set_result(Refused(f"{self.spec.name} does not start{reason}; see {self._log}"))
                return
            # Bounded before it is a float: after a thousand failures it would be too large for one.
            pause = min(patience.longest_backoff, patience.first_backoff * 2 ** min(failures - 1, 32))
            if isinstance(ended, OSError):
                self._say(f"{self.spec.name} cannot be started ({ended.strerror}); trying again in {pause:g} s")
            else:
                self._say(f"{self.spec.name} ended with {_ending(ended)}; starting it again in {pause:g} s")
            await asyncio.sleep(pause)

    async def _once(self) -> int | OSError:
        """Run it: its exit status, or why it cannot be started, as when memory or descriptors are short for a while."""
        try:
            self._process = process = await spawn(
                self.spec.argv, self.spec.environment, self._log, self._lock, *self.spec.descriptors
            )
        except OSError as error:
            return error
        status = await self._ended(process)
        end_group(process)
        self._process = None
        return status

    async def _ended(self, process: asyncio.subprocess.Process) -> int:
        if self.spec.beyond_help is None:
            return await process.wait()
        helping = asyncio.create_task(self._help(process, self.spec.beyond_help), name=f"help {self.spec.name}")
        try:
            return await process.wait()
        finally:
            helping.cancel()
            await asyncio.gather(helping, return_exceptions=True)

    async def _help(self, process: asyncio.subprocess.Process, beyond_help: Callable[[], Awaitable[bool]]) -> None:
        while True:
            await asyncio.sleep(self._patience.help_pause)
            if await beyond_help():
                break
        self._say(f"{self.spec.name} cannot go on; ending it")
        with suppress(ProcessLookupError):
            process.terminate()
        await asyncio.sleep(self._patience.help_grace)
        end_group(process)

    def _reason(self) -> str:
        line = last_line(self._log)
        return f": {line}" if line else ""


async def spawn(
    argv: Sequence[str], environment: Mapping[str, str], log: Path, *descriptors: int
) -> asyncio.subprocess.Process:
    """Start a program that dies with this process; its output goes to the end of `log`, and it has the `descriptors`.

    Call it in the main thread: the kernel takes the end of the thread that forked for the parent's.
    """
    with log.open("ab") as output:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", str(_CHILD), str(os.getpid())),
            *argv,
            env=dict(environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            # Ctrl-C in the terminal is for us alone; we stop the parts in their order.
            process_group=0,
            pass_fds=descriptors,
        )


def end_group(process: asyncio.subprocess.Process) -> None:
    """Kill what is left of a process and of the children it may have had."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def last_line(log: Path) -> str:
    """What a program said last, shortened; "" for nothing."""
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1][:300] if lines else ""


def _ending(status: int) -> str:
    if status >= 0:
        return f"status {status}"
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"
