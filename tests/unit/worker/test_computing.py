"""Computing processes: what comes back from them, what ends them, and what they leave behind."""

from __future__ import annotations

import asyncio
import errno
import gc
import operator
import os
import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.support.pids import children_of, ended, until
from worker.computing.child import ComputingFailed
from worker.computing.computer import Computer
from worker.computing.forkserver import ComputingLost, ComputingTooLong, ForkServer
from worker.computing.frames import COMMAND, FORK, NotKept
from worker.computing.server import Server
from worker.engines.base import EngineError

_ENDLESS = (operator.pow, 7, 10**9)
"""One call into C, without a single Python instruction, that takes longer than any test."""


@pytest.fixture
async def server() -> AsyncIterator[ForkServer]:
    server = ForkServer(memory=1 << 30)
    yield server
    await server.close()


@pytest.fixture
async def computer(server: ForkServer) -> AsyncIterator[Computer]:
    computer = Computer(server)
    yield computer
    await computer.close()


def refuse(code: str) -> None:
    raise EngineError(code, "not like this")


class Unpicklable(Exception):
    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} and {two}")


def fail_oddly() -> None:
    raise Unpicklable(1, 2)


def lines() -> Iterator[str]:
    yield from ("one", "two")


def environment() -> dict[str, str]:
    return dict(os.environ)


def burn(seconds: float) -> None:
    start = os.times().user
    while os.times().user - start < seconds:
        pass


async def test_values_come_back_and_the_process_stays(computer: Computer) -> None:
    assert await computer.run(operator.add, 2, 3) == 5
    assert await computer.run(os.getpid) == await computer.run(os.getpid) != os.getpid()
    large = os.urandom(5_000_000)
    assert await computer.run(bytes, large) == large


async def test_what_is_kept_is_an_argument_of_later_calls(computer: Computer) -> None:
    first, second = await computer.keep(list, "abc"), await computer.keep(list, "de")
    assert await computer.run(operator.add, first, second) == list("abcde")
    assert await computer.run(dict, {"inside": [first]}) == {"inside": [list("abc")]}
    await computer.forget()
    with pytest.raises(NotKept):
        await computer.run(len, first)


async def test_errors_come_back_as_they_are(computer: Computer) -> None:
    with pytest.raises(EngineError, match="not like this") as refused:
        await computer.run(refuse, "no_good")
    assert refused.value.code == "no_good"
    assert "in refuse" in refused.value.__notes__[0]
    with pytest.raises(ComputingFailed, match="1 and 2"):
        await computer.run(fail_oddly)
    with pytest.raises(ComputingFailed, match="SystemExit"):
        await computer.run(sys.exit, 3)
    assert await computer.run(operator.add, 1, 1) == 2


async def test_what_cannot_travel_is_named(computer: Computer) -> None:
    with pytest.raises(TypeError, match="lambda"):
        await computer.run(lambda: 1)
    with pytest.raises(TypeError, match="generator"):
        await computer.run(lines)
    assert await computer.run(operator.add, 1, 1) == 2


async def test_cancelling_kills_a_call_into_c(server: ForkServer, computer: Computer) -> None:
    pid = await computer.run(os.getpid)
    running = asyncio.create_task(computer.run(*_ENDLESS))
    await _busy(computer)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await ended(pid)
    assert computer.cpu_seconds() > 0
    # The next call has a new process.
    assert await computer.run(os.getpid) != pid


async def test_closing_kills_it_and_no_zombie_stays(server: ForkServer, computer: Computer) -> None:
    running = asyncio.create_task(computer.run(*_ENDLESS))
    await _busy(computer)
    await computer.close()
    with pytest.raises(ComputingLost):
        await running
    assert server.pid is not None
    await _left(server.pid, set())


async def test_a_call_given_up_before_its_process_is_there_leaves_none(server: ForkServer, computer: Computer) -> None:
    running = asyncio.create_task(computer.run(*_ENDLESS))
    await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    pid = await computer.run(os.getpid)
    assert server.pid is not None
    await _left(server.pid, {pid})


async def test_a_process_that_dies_is_an_error_and_the_next_call_has_another(computer: Computer) -> None:
    pid = await computer.run(os.getpid)
    running = asyncio.create_task(computer.run(*_ENDLESS))
    await _busy(computer)
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(ComputingLost):
        await running
    assert await computer.run(operator.add, 1, 1) == 2


async def test_nothing_outlives_the_fork_server_and_it_is_replaced(server: ForkServer, computer: Computer) -> None:
    pid = await computer.run(os.getpid)
    running = asyncio.create_task(computer.run(*_ENDLESS))
    await _busy(computer)
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    with pytest.raises(ComputingLost):
        await running
    await ended(pid)
    # The loss may be noticed by the call before it is by the server's own watch.
    while True:
        try:
            assert await computer.run(operator.add, 1, 1) == 2
            break
        except ComputingLost:
            continue


async def test_who_lost_a_fork_server_does_no_harm_to_the_next_one(server: ForkServer, computer: Computer) -> None:
    idle, later = Computer(server), Computer(server)
    await asyncio.gather(idle.run(os.getpid), computer.run(os.getpid))
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    await until(lambda: server.pid is None)
    with pytest.raises(ComputingLost):
        await computer.run(os.getpid)
    pid = await computer.run(os.getpid)
    await idle.close()
    assert await later.run(operator.add, 1, 1) == 2
    assert await computer.run(os.getpid) == pid
    await later.close()


async def test_a_call_that_is_given_up_leaves_no_connection_behind(computer: Computer) -> None:
    await computer.run(os.getpid)
    before = len(os.listdir("/proc/self/fd"))
    gc.disable()
    try:
        for _ in range(3):
            running = asyncio.create_task(computer.run(*_ENDLESS))
            await _busy(computer)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        await computer.run(os.getpid)
        # Others may open and close something meanwhile; what is left behind here would stay.
        await until(lambda: len(os.listdir("/proc/self/fd")) <= before)
    finally:
        gc.enable()


def test_a_process_that_cannot_be_made_costs_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused() -> int:
        raise BlockingIOError(errno.EAGAIN, "too many processes")

    monkeypatch.setattr(os, "fork", refused)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        serving = threading.Thread(target=Server(theirs, 1 << 30).serve, daemon=True)
        serving.start()
        for _ in range(2):
            waiting, passed = socket.socketpair()
            waiting.settimeout(60)
            with waiting:
                socket.send_fds(ours, [COMMAND.pack(FORK, 0)], [passed.fileno()])
                passed.close()
                assert waiting.recv(1) == b""
        ours.close()
        serving.join(60)
        assert not serving.is_alive()


async def test_nothing_outlives_the_worker(tmp_path: Path) -> None:
    code = (
        "import asyncio, operator, os, sys\n"
        "from worker.computing.computer import Computer\n"
        "from worker.computing.forkserver import ForkServer\n"
        "async def main():\n"
        "    computer = Computer(ForkServer(memory=1 << 30))\n"
        "    print(await computer.run(os.getpid), flush=True)\n"
        "    await computer.run(operator.pow, 7, 10**9)\n"
        "asyncio.run(main())\n"
    )
    worker = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", code), stdout=asyncio.subprocess.PIPE, env={**os.environ, "PYTHONPATH": "."}
    )
    assert worker.stdout is not None
    pid = int(await worker.stdout.readline())
    worker.kill()
    await worker.wait()
    await ended(pid)


async def test_too_much_memory_is_an_error_and_not_the_end(computer: Computer) -> None:
    with pytest.raises(MemoryError):
        await computer.run(operator.mul, b"x", 2 << 30)
    assert await computer.run(operator.add, 1, 1) == 2


async def test_a_call_that_takes_too_long_is_ended(server: ForkServer) -> None:
    computer = Computer(server, seconds=0.05)
    try:
        with pytest.raises(ComputingTooLong, match=r"longer than 0\.05 seconds"):
            await computer.run(burn, 3_600.0)
        assert computer.cpu_seconds() >= 0
    finally:
        await computer.close()


async def test_what_it_used_is_counted_while_it_works_and_after(computer: Computer) -> None:
    await computer.run(burn, 0.05)
    assert computer.cpu_seconds() >= 0.05
    small = computer.peak_memory_mb()
    await computer.run(bytearray, 40_000_000)
    assert computer.peak_memory_mb() >= small + 40
    before = computer.cpu_seconds()
    running = asyncio.create_task(computer.run(*_ENDLESS))
    await until(lambda: computer.cpu_seconds() > before)
    await computer.close()
    await asyncio.gather(running, return_exceptions=True)
    assert computer.cpu_seconds() > before
    assert computer.peak_memory_mb() >= small + 40


async def test_libraries_are_there_from_the_start_and_nothing_else_is(server: ForkServer, computer: Computer) -> None:
    computer.needs(["wave", "no.such.module"])
    # Builtins only: a function of this module would bring what this module imports.
    loaded = set(await computer.run(eval, "list(__import__('sys').modules)"))
    assert "wave" in loaded
    assert not loaded & {"grpc", "nats", "uvloop", "structlog", "numpy", "asyncio"}
    assert await computer.run(eval, "len(__import__('os').listdir('/proc/self/task'))") == 1


async def test_settings_of_the_worker_stay_with_it(
    server: ForkServer, computer: Computer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRSM_WORKER_NATS_TOKEN", "secret")
    monkeypatch.setenv("SOMETHING_ELSE", "plain")
    monkeypatch.delenv("OPENBLAS_NUM_THREADS")
    seen = await computer.run(environment)
    assert "secret" not in seen.values()
    assert (seen["SOMETHING_ELSE"], seen["OPENBLAS_NUM_THREADS"]) == ("plain", "1")


async def _busy(computer: Computer) -> None:
    """Return once a call is under way in the process."""
    before = computer.cpu_seconds()
    await until(lambda: computer.cpu_seconds() > before)


async def _left(server: int, pids: set[int]) -> None:
    """Return when these are all the processes of a fork server."""
    await until(lambda: children_of(server) == pids)
