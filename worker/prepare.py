"""Make the streams and the workers' consumers before anything runs: `python -m worker.prepare`.

Services and workers make what they miss themselves. A scaler that reads the consumers' depth from outside needs them
while there is no worker yet.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from kit.bus.connection import Bus
from kit.identity import nats_context
from kit.logging import configure
from kit.settings import BusSettings, from_environment
from worker.engines.registry import Registry
from worker.wakeups import add_consumer

_SECONDS = 60.0


class PrepareSettings(BusSettings):
    """Read from `PRSM_WORKER_*`; engines are given as JSON."""

    model_config = SettingsConfigDict(env_prefix="PRSM_WORKER_", extra="ignore")

    engines: list[str] = Field(default=[], description="names of the engines to offer; empty for all there are")
    stream_replicas: int = Field(default=1, ge=1, le=5, description="JetStream replicas; 3 in production")
    retention_days: int = Field(default=7, ge=1, description="days that events stay in the stream")


async def prepare(bus: Bus, engines: Sequence[str]) -> None:
    """Make what is missing; what is there stays as it is. Raises Unavailable and NATS's errors."""
    await bus.ready()
    await bus.ensure_streams()
    for engine in engines:
        await add_consumer(bus.jetstream(), engine)


async def _run(settings: PrepareSettings) -> None:
    engines = Registry.of(settings.engines).names
    bus = Bus(
        settings.nats_url,
        name="prepare",
        token=settings.nats_token,
        tls=nats_context(settings),
        replicas=settings.stream_replicas,
        retention=settings.retention_days * 86400,
    )
    bus.start()
    try:
        async with asyncio.timeout(_SECONDS):
            await prepare(bus, engines)
    finally:
        await bus.close()


def main() -> None:
    """Exit with 2 and one line when the broker does not do it."""
    settings = from_environment(PrepareSettings)
    configure("prepare", "info")
    try:
        asyncio.run(_run(settings))
    except Exception as error:
        sys.stderr.write(f"prepare: {error!r}\n")
        sys.exit(2)


if __name__ == "__main__":
    main()
