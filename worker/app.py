"""The composition root: the only place where the worker's parts are put together."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING

import structlog

from kit.bus.connection import Bus
from kit.identity import nats_context, tls_files, token_source
from kit.ids import Ids, RandomIds
from kit.rpc.channels import open_channel
from kit.rpc.client import Peer
from kit.tasks import end
from kit.telemetry.setup import Telemetry
from kit.times import SystemClock
from worker import metrics
from worker.claims import ClaimLoop
from worker.clients import ArtifactClient, SessionClient
from worker.computing.computer import Computer
from worker.computing.forkserver import ForkServer
from worker.drain import Drain
from worker.engines.registry import Registry, libraries_of
from worker.errors import Stubborn
from worker.meter import ProcessMeter
from worker.probe import ProbeServer
from worker.runner import Runner
from worker.settings import WorkerSettings
from worker.signals import NatsCommands
from worker.sources import SourceClient
from worker.wakeups import KEEP, JobWakeUps

if TYPE_CHECKING:
    from worker.models.models import Models

NAME = "worker"
_GRACE_SHARE = 0.6
"""Of the drain time, what a stage under way has to reach its checkpoint; the rest is for handing back."""
_WINDING_UP = 0.5

log = structlog.get_logger(NAME)


async def serve(settings: WorkerSettings) -> None:
    """Work until SIGTERM or SIGINT, then hand back. Raises OSError, ValueError, UnknownEngine for bad settings."""
    clock = SystemClock()
    signer = token_source(settings, NAME, clock)
    tls = tls_files(settings)
    bus = Bus(settings.nats_url, name=NAME, token=settings.nats_token, tls=nats_context(settings))
    registry = Registry.of(settings.engines, signals=NatsCommands(bus) if settings.test_engines else None)
    probe = ProbeServer(settings.listen, tls=tls, plain=settings.health_listen)
    drain = Drain(settings.drain_seconds * _GRACE_SHARE)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, drain.begin)
    session = open_channel(settings.session_target, tls=tls)
    results = open_channel(settings.results_target, tls=tls)
    library = open_channel(settings.library_target, tls=tls)
    sessions = SessionClient(session, Peer("session", signer))
    patience = settings.patience_seconds
    computing = ForkServer(memory=settings.memory_mb * 1_000_000)
    models = _models(settings)
    sources = SourceClient(
        library=library,
        library_peer=Peer("library", signer),
        results=results,
        results_peer=Peer("results", signer),
        patience=patience,
    )
    runner = Runner(
        sessions=sessions,
        artifacts=ArtifactClient(results, Peer("results", signer), patience=patience),
        sources=sources.open,
        load=registry.load,
        measure=ProcessMeter,
        computers=lambda: Computer(computing, seconds=settings.computation_seconds),
        drain=drain,
        patience=patience,
        models=None if models is None else models.open,
    )
    claims = ClaimLoop(
        worker_id=_worker_id(RandomIds(clock)),
        engines=registry.names,
        claim_next=sessions.claim_next,
        run=runner.run,
        wake_ups=JobWakeUps(bus, registry.names),
        drain=drain,
        poll=settings.poll_seconds,
        keep=KEEP,
        hands=settings.concurrency,
    )
    telemetry = Telemetry(NAME, f"{socket.gethostname()}-{os.getpid()}", settings)
    telemetry.start()
    metrics.HANDS.set(settings.concurrency)
    metrics.FAILURES.prepare(registry.names, metrics.FAULTS)
    bus.start()
    await probe.start()
    working = asyncio.create_task(claims.run(), name="claims")
    await probe.serving(True)
    log.info("serving", port=probe.port, engines=registry.names)
    warming = asyncio.create_task(_preload(registry, computing, settings.preload, models), name="preload")
    drained = asyncio.create_task(drain.wait())
    await asyncio.wait([drained, working], return_when=asyncio.FIRST_COMPLETED)
    log.info("stopping", asked=drain.begun)
    drain.begin()
    await probe.serving(False)
    error = await _ended(working, settings.drain_seconds)
    await end([warming, drained])
    await computing.close()
    if models is not None:
        await models.close()
    await probe.stop()
    await bus.close()
    for channel in (session, results, library):
        await channel.close()
    await telemetry.close()
    if isinstance(error, Stubborn):
        # It would keep the event loop from closing as well.
        os._exit(1)
    if error is not None:
        raise error


def _models(settings: WorkerSettings) -> Models | None:
    options = settings.model()
    if options is None:
        return None
    # Here, so that a worker without a language model loads nothing of it.
    from worker.models.models import Models

    return Models(options)


async def _preload(
    registry: Registry, computing: ForkServer, names: Sequence[str] | None, models: Models | None
) -> None:
    """Have the libraries of engines ready for their first sessions. Without them those only take longer."""
    for name in registry.names if names is None else names:
        try:
            # In a thread: the import of an engine may take a while.
            engine = await asyncio.to_thread(registry.load, name)
            await computing.load(libraries_of(engine))
        except Exception as error:
            log.warning("not preloaded", engine=name, cause=repr(error))
    if models is not None and names != []:
        await models.load()


async def _ended(working: asyncio.Task[None], seconds: float) -> BaseException | None:
    """What went wrong with the work; it is cancelled when it does not end in time."""
    await asyncio.wait([working], timeout=max(seconds - _WINDING_UP, _WINDING_UP))
    if not working.done():
        log.warning("not ended in time")
        working.cancel()
    (error,) = await asyncio.gather(working, return_exceptions=True)
    return None if isinstance(error, asyncio.CancelledError) else error


def _worker_id(ids: Ids) -> str:
    """Host and process, for reading, and what no other process ever had."""
    return f"{socket.gethostname()[:40]}-{os.getpid()}-{ids.new()[-12:]}"
