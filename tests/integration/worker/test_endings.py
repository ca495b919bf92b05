"""Whatever ends an attempt ends its process with it, though that is inside a call that never returns."""

from __future__ import annotations

import asyncio

from prsm.session.v1 import worker_pb2
from tests.integration.worker.conftest import Stand
from tests.support.pids import alive, children_of, ended, until

_MODULE = "tests.integration.worker.long_call"
_BEFORE = (worker_pb2.ClaimNextRequest, worker_pb2.StartRequest, worker_pb2.BeginStageRequest)


async def computing(stand: Stand, engine: str = "long") -> tuple[str, int]:
    """Have a session begun; its id, and the process that it computes in."""
    session_id = await stand.offer(engine=engine)
    for kind in _BEFORE:
        await stand.sessions.next(kind)
    assert stand.process is not None
    worker = stand.process.pid

    def processes() -> list[int]:
        return [pid for server in children_of(worker) for pid in children_of(server) if alive(pid)]

    await until(lambda: bool(processes()))
    return session_id, processes()[0]


async def test_a_pause_frees_the_worker(stand: Stand) -> None:
    await stand.start(_MODULE)
    _, first = await computing(stand)
    stand.sessions.directive = worker_pb2.DIRECTIVE_PAUSE
    await ended(first)
    await stand.no_jobs()
    stand.sessions.directive = worker_pb2.DIRECTIVE_GO_ON
    _, second = await computing(stand)
    assert second != first


async def test_a_heartbeat_that_hangs_does_not_keep_a_cancel_away(stand: Stand) -> None:
    await stand.start(_MODULE)
    stand.sessions.hanging = 1
    _, pid = await computing(stand)
    stand.sessions.directive = worker_pb2.DIRECTIVE_CANCEL
    await ended(pid)
    assert stand.sessions.hanging == 0
    await stand.no_jobs()


async def test_a_lost_lease_frees_the_worker(stand: Stand) -> None:
    await stand.start(_MODULE)
    _, pid = await computing(stand)
    stand.sessions.stale = True
    await ended(pid)
    await stand.no_jobs()


async def test_sigterm_hands_back_what_cannot_be_finished(stand: Stand) -> None:
    await stand.start(_MODULE, drain_seconds="4")
    session_id, pid = await computing(stand)
    assert await stand.stop() == 0
    await ended(pid)
    assert (await stand.sessions.next(worker_pb2.ReleaseRequest)).lease.session_id == session_id


async def test_a_killed_worker_takes_its_processes_along(stand: Stand) -> None:
    await stand.start(_MODULE)
    _, pid = await computing(stand)
    assert stand.process is not None
    stand.process.kill()
    await ended(pid)


async def test_an_engine_that_does_not_end_costs_its_worker_and_no_more(stand: Stand) -> None:
    """The process leaves, for what supervises it to start it again."""
    await stand.start(_MODULE)
    await stand.offer(engine="stubborn")
    for kind in _BEFORE:
        await stand.sessions.next(kind)
    stand.sessions.directive = worker_pb2.DIRECTIVE_PAUSE
    assert stand.process is not None
    async with asyncio.timeout(60):
        assert await stand.process.wait() == 1


async def test_libraries_are_loaded_before_the_first_session(stand: Stand) -> None:
    await stand.start(preload='["synthesis"]', engines='["synthesis"]', test_engines="0")
    assert stand.process is not None
    worker = stand.process.pid
    await until(lambda: bool(children_of(worker)))
