"""Turning telemetry on for a process, and off at its end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from kit.tasks import end
from kit.telemetry import metrics, tracing
from kit.telemetry.process import BUILD, LoopLag, release
from kit.telemetry.settings import TelemetrySettings

if TYPE_CHECKING:
    from kit.telemetry.exposition import MetricsServer
    from kit.telemetry.otlp import OtlpTracer

_FLUSH_SECONDS = 2.0


class Telemetry:
    """Use `start` on the event loop before anything is served, and `close` after everything has ended."""

    def __init__(self, process: str, instance: str, settings: TelemetrySettings) -> None:
        """`process` is the part's name; `instance` tells it from others of its kind."""
        self._process = process
        self._instance = instance
        self._settings = settings
        self._server: MetricsServer | None = None
        self._tracer: OtlpTracer | None = None
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def metrics_on(self) -> bool:
        return bool(self._settings.metrics_listen)

    def start(self) -> None:
        """Raises OSError when the address of the metrics is taken, ValueError when it is none."""
        if self._settings.otlp_endpoint:
            from kit.telemetry.otlp import OtlpTracer

            self._tracer = OtlpTracer(
                self._process,
                self._instance,
                release(),
                self._settings.otlp_endpoint,
                self._settings.trace_ratio,
            )
            tracing.install(self._tracer)
        if self.metrics_on:
            from kit.telemetry.exposition import Exposition, MetricsServer

            exposition = Exposition()
            metrics.bind(exposition)
            BUILD.labels(self._process, release()).set(1)
            host, port = _address(self._settings.metrics_listen)
            try:
                self._server = MetricsServer(exposition, host, port)
            except OSError as error:
                raise OSError(f"cannot listen on {self._settings.metrics_listen}") from error
            self._tasks.append(asyncio.create_task(LoopLag().run(), name="loop-lag"))

    async def close(self) -> None:
        """Send the spans that wait, for a moment; stop answering scrapes."""
        await end(self._tasks)
        if self._tracer is not None:
            tracing.install(None)
            await asyncio.to_thread(self._tracer.close, _FLUSH_SECONDS)
        if self._server is not None:
            await asyncio.to_thread(self._server.close)


def _address(listen: str) -> tuple[str, int]:
    host, _, port = listen.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise ValueError(f"metrics_listen must be host:port, not {listen}")
    return host.strip("[]"), int(port)
