"""What goes wrong, one thing after the other, each mended again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from tests.multihost import network
from tests.multihost.cluster import Cluster
from tests.multihost.layout import APPS, SERVICES
from tests.multihost.network import Host

CALM = "calm"


@dataclass(frozen=True, slots=True)
class Fault:
    """`run` breaks something, waits, and mends it. It returns the moment of mending, monotonic."""

    name: str
    run: Callable[[Cluster], Awaitable[float]]


@dataclass(frozen=True, slots=True)
class Phase:
    """Moments are monotonic; `healthy` is when every program did its work again."""

    name: str
    began: float
    mended: float
    healthy: float
    ended: float


async def go_through(cluster: Cluster, faults: list[Fault], *, calm: float) -> list[Phase]:
    """All of them, with `calm` seconds before, between and after."""
    phases = [await _calm(calm)]
    for fault in faults:
        began = time.monotonic()
        mended = await fault.run(cluster)
        await cluster.healthy()
        healthy = time.monotonic()
        # What was begun before may still fail for a moment; that is the fault's doing, not the calm's.
        await asyncio.sleep(calm)
        phases.append(Phase(fault.name, began, mended, healthy, time.monotonic()))
    phases.append(await _calm(calm))
    return phases


async def _calm(seconds: float) -> Phase:
    began = time.monotonic()
    await asyncio.sleep(seconds)
    now = time.monotonic()
    return Phase(CALM, began, began, began, now)


def killed_broker(stream: str, seconds: float) -> Fault:
    """The node that leads a stream is killed and stays away."""

    async def run(cluster: Cluster) -> float:
        program = cluster.programs[f"nats@{(await cluster.stream_leader(stream)).name}"]
        await program.kill()
        await asyncio.sleep(seconds)
        await program.start()
        return time.monotonic()

    return Fault("NATS node killed", run)


def rolling_restart(host: Host) -> Fault:
    """Each service of a host is stopped in order and started again, as an upgrade does it."""

    async def run(cluster: Cluster) -> float:
        for service in SERVICES:
            name = f"{service}@{host.name}"
            status = await cluster.programs[name].stop()
            assert status == 0, f"{name} ended with {status} after SIGTERM\n{cluster.programs[name].last_lines()}"
            await cluster.programs[name].start()
            await cluster.healthy([name])
        return time.monotonic()

    return Fault("replicas restarted in turn", run)


def killed_host(host: Host, seconds: float) -> Fault:
    """All services of a host are killed at the same time."""

    async def run(cluster: Cluster) -> float:
        programs = [cluster.programs[f"{service}@{host.name}"] for service in SERVICES]
        await asyncio.gather(*(program.kill() for program in programs))
        await asyncio.sleep(seconds)
        for program in programs:
            await program.start()
        return time.monotonic()

    return Fault("service host killed", run)


def cut_link(name: str, host: Callable[[Cluster], Awaitable[Host]], seconds: float) -> Fault:
    """A host's cable is pulled, and plugged in again."""

    async def run(cluster: Cluster) -> float:
        away = await host(cluster)
        network.cut(away)
        try:
            await asyncio.sleep(seconds)
        finally:
            network.mend(away)
        return time.monotonic()

    return Fault(name, run)


def _always(host: Host) -> Callable[[Cluster], Awaitable[Host]]:
    async def found(_: Cluster) -> Host:
        return host

    return found


async def _busy_worker(cluster: Cluster) -> Host:
    return await cluster.busy_worker()


def _leader(stream: str) -> Callable[[Cluster], Awaitable[Host]]:
    async def found(cluster: Cluster) -> Host:
        return await cluster.stream_leader(stream)

    return found


def schedule(lease: float, only: Sequence[str] = ()) -> list[Fault]:
    """All faults, or those whose names have one of the words of `only` in them.

    `lease` is how long a claim lasts without a heartbeat: a worker is away for longer. Raises AssertionError for a word
    that no name has.
    """
    every = [
        killed_broker("PRSM_EVENTS", 6),
        rolling_restart(APPS[0]),
        killed_host(APPS[1], 4),
        cut_link("service host cut off", _always(APPS[0]), 15),
        cut_link("worker host cut off", _busy_worker, lease + 5),
        cut_link("NATS node cut off", _leader("PRSM_JOBS"), 10),
    ]
    if unknown := [word for word in only if not any(word in fault.name for fault in every)]:
        names = "; ".join(fault.name for fault in every)
        raise AssertionError(f"no fault is called {', '.join(unknown)}; there are: {names}")
    return [fault for fault in every if not only or any(word in fault.name for word in only)]
