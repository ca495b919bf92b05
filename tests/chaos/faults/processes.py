"""Processes that are killed, stopped for a while, or restarted in order."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Sequence

from cli.stack.environment import SERVICES
from tests.chaos.faults.base import Fault, send
from tests.chaos.stack import ChaosStack

_RESTART_SECONDS = 90.0


def _workers(stack: ChaosStack) -> list[str]:
    return [part for part in stack.parts if part.startswith("worker-")]


class _OfWorker(Fault):
    @classmethod
    def targets(cls, stack: ChaosStack) -> Sequence[str]:
        return _workers(stack)


class _OfService(Fault):
    @classmethod
    def targets(cls, stack: ChaosStack) -> Sequence[str]:
        return SERVICES


class _OfGateway(Fault):
    @classmethod
    def targets(cls, stack: ChaosStack) -> Sequence[str]:
        return ("gateway",)


class _OfBroker(Fault):
    @classmethod
    def targets(cls, stack: ChaosStack) -> Sequence[str]:
        return ("nats",)


class Killed(Fault):
    """kill -9."""

    sudden = True

    async def inject(self) -> None:
        send(await self.alive(self.target), signal.SIGKILL)


class KilledWorker(_OfWorker, Killed):
    name = "kill -9 of a worker"


class KilledService(_OfService, Killed):
    name = "kill -9 of a service"


class KilledGateway(_OfGateway, Killed):
    name = "kill -9 of the gateway"


class KilledBroker(_OfBroker, Killed):
    name = "kill -9 of nats-server"


class Stopped(Fault):
    """SIGSTOP, and SIGCONT later: the process wakes up and believes that no time has passed."""

    shortest, longest = 1.0, 5.0

    async def inject(self) -> None:
        self._pid = await self.alive(self.target)
        send(self._pid, signal.SIGSTOP)

    async def heal(self) -> None:
        send(self._pid, signal.SIGCONT)


class StoppedWorker(_OfWorker, Stopped):
    name = "SIGSTOP of a worker"
    # Longer than a lease, so that others have its sessions when it wakes up.
    shortest, longest = 4.5, 7.0


class StoppedService(_OfService, Stopped):
    name = "SIGSTOP of a service"


class StoppedGateway(_OfGateway, Stopped):
    name = "SIGSTOP of the gateway"
    longest = 3.0


class StoppedBroker(_OfBroker, Stopped):
    name = "SIGSTOP of nats-server"


class Restarted(Fault):
    """SIGTERM, as an upgrade does it."""

    name = "SIGTERM of a part"
    sudden = True

    @classmethod
    def targets(cls, stack: ChaosStack) -> Sequence[str]:
        return stack.parts

    async def inject(self) -> None:
        await self.restart(self.target)

    async def restart(self, part: str) -> None:
        """Ask it to end, and return when it has."""
        pid = await self.alive(part)
        send(pid, signal.SIGTERM)
        until = time.monotonic() + _RESTART_SECONDS
        while self.stack.pid(part) == pid:
            assert time.monotonic() < until, f"{part} does not end\n{self.stack.report([part])}"
            await asyncio.sleep(0.02)


class Rolled(Restarted):
    """All services and workers, one after the other, each once the one before is healthy again."""

    name = "rolling restart of all parts"

    @classmethod
    def targets(cls, stack: ChaosStack) -> Sequence[str]:
        return ("all",)

    async def inject(self) -> None:
        parts = [part for part in self.stack.parts if part != "nats"]
        self.rng.shuffle(parts)
        before = ""
        for part in parts:
            # Not after the last one: how long that takes is recovery.
            if before:
                await self._healthy(before)
            await self.restart(part)
            before = part

    async def _healthy(self, part: str) -> None:
        until = time.monotonic() + _RESTART_SECONDS
        while not await self.stack.healthy(part):
            assert time.monotonic() < until, f"{part} is not healthy\n{self.stack.report([part])}"
            await asyncio.sleep(0.05)
