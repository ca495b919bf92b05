"""Prometheus' exposition of the declared instruments, on a port of its own. Imported only where that is set."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import accumulate
from typing import Any
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from kit.telemetry.metrics import Counter, Histogram, Instrument


class Exposition(Collector):
    """The sink of `metrics.bind`: reads the instruments when it is scraped, in the HTTP server's thread."""

    def __init__(self) -> None:
        self._instruments: list[Instrument[Any]] = []
        self.registry = CollectorRegistry()
        self.registry.register(self)
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)

    def add(self, instrument: Instrument[Any]) -> None:
        self._instruments.append(instrument)

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        for instrument in list(self._instruments):
            yield _family(instrument)


class MetricsServer:
    """`GET /metrics`, in a thread of its own, so that a busy event loop is seen and not waited for."""

    def __init__(self, exposition: Exposition, host: str, port: int) -> None:
        """Raises OSError when the address is taken."""
        self._server: WSGIServer
        self._thread: threading.Thread
        self._server, self._thread = start_http_server(port, host, registry=exposition.registry)
        self.port = int(self._server.server_port)

    def close(self) -> None:
        """Blocks for up to half a second."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _family(instrument: Instrument[Any]) -> Metric:
    # A snapshot: the event loop goes on adding time series meanwhile.
    cells = list(instrument.cells.items())
    names = instrument.labelnames
    if isinstance(instrument, Histogram):
        histogram = HistogramMetricFamily(instrument.name, instrument.text, labels=names)
        bounds = [*map(floatToGoString, instrument.bounds), "+Inf"]
        for labels, cell in cells:
            added = accumulate(list(cell.counts))
            histogram.add_metric(labels, list(zip(bounds, map(float, added), strict=True)), cell.total)
        return histogram
    if isinstance(instrument, Counter):
        counter = CounterMetricFamily(instrument.name, instrument.text, labels=names)
        for labels, cell in cells:
            counter.add_metric(labels, cell.value)
        return counter
    gauge = GaugeMetricFamily(instrument.name, instrument.text, labels=names)
    for labels, cell in cells:
        gauge.add_metric(labels, cell.value)
    return gauge
