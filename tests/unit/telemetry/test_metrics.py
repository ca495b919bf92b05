"""Instruments as Prometheus gets to see them, over HTTP."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from kit.telemetry import metrics
from kit.telemetry.exposition import Exposition, MetricsServer
from kit.telemetry.metrics import Counter, Gauge, Histogram, Instrument
from tests.support.stack import ROOT


class Served:
    """A few instruments behind a real port."""

    def __init__(self) -> None:
        self._exposition = Exposition()
        self._server = MetricsServer(self._exposition, "127.0.0.1", 0)
        self.port = self._server.port

    def add(self, *instruments: Instrument) -> None:  # type: ignore[type-arg]
        for instrument in instruments:
            self._exposition.add(instrument)

    async def samples(self) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
        url = f"http://127.0.0.1:{self.port}/metrics"
        text = await asyncio.to_thread(lambda: urlopen(url).read().decode())
        return {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def close(self) -> None:
        self._server.close()


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    # Instruments of a test are not the process's.
    monkeypatch.setattr(metrics, "_declared", {})
    found = Served()
    yield found
    found.close()


async def test_counters_gauges_and_histograms(served: Served) -> None:
    counter = Counter("t_events_total", "Events.", ["kind"])
    gauge = Gauge("t_depth", "Depth.", ["engine"])
    histogram = Histogram("t_seconds", "Time.", ["method"], bounds=(0.1, 1.0))
    served.add(counter, gauge, histogram)
    counter.labels("a").inc()
    counter.labels("a").inc(2)
    gauge.labels("x").set(7)
    for value in (0.05, 0.1, 0.5, 3.0):
        histogram.labels("m").observe(value)
    found = await served.samples()
    assert found["t_events_total", (("kind", "a"),)] == 3
    assert found["t_depth", (("engine", "x"),)] == 7
    buckets = {dict(labels)["le"]: value for (name, labels), value in found.items() if name == "t_seconds_bucket"}
    assert buckets == {"0.1": 2, "1.0": 3, "+Inf": 4}
    assert found["t_seconds_count", (("method", "m"),)] == 4
    assert found["t_seconds_sum", (("method", "m"),)] == pytest.approx(3.65)


async def test_what_may_happen_stands_at_0_before_it_does(served: Served) -> None:
    counter = Counter("t_events_total", "Events.", ["kind", "outcome"])
    counter.prepare(("a", "b"), ("ok", "failed"))
    served.add(counter)
    found = await served.samples()
    ours = {labels: value for (name, labels), value in found.items() if name == "t_events_total"}
    assert len(ours) == 4
    assert set(ours.values()) == {0}


async def test_a_reading_that_is_gone_is_shown_no_more(served: Served) -> None:
    gauge = Gauge("t_depth", "Depth.", ["engine"])
    served.add(gauge)
    gauge.replace({("a",): 1.0, ("b",): 2.0})
    gauge.replace({("b",): 3.0})
    assert {key: value for key, value in (await served.samples()).items() if key[0] == "t_depth"} == {
        ("t_depth", (("engine", "b"),)): 3.0
    }
    gauge.forget()
    assert not [key for key in await served.samples() if key[0] == "t_depth"]


async def test_the_process_tells_its_own_figures(served: Served) -> None:
    names = {name for name, _ in await served.samples()}
    assert {"process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds"} <= names


def test_a_name_is_declared_once(served: Served) -> None:
    Counter("t_events_total", "Events.")
    with pytest.raises(AssertionError):
        Gauge("t_events_total", "Again.")


def test_a_taken_port_is_an_error(served: Served) -> None:
    with pytest.raises(OSError, match="in use"):
        MetricsServer(Exposition(), "127.0.0.1", served.port)


def test_what_is_off_is_not_even_imported() -> None:
    programs = [f"services.{name}" for name in ("session", "billing", "collab", "library", "results")]
    # Of all in one process: what any of them loads is seen.
    loads = "".join(f"import {name}.__main__\n" for name in (*programs, "worker", "gateway"))
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{loads}print(*sys.modules)"], capture_output=True, text=True, check=True,
        timeout=120, env={"PYTHONPATH": f"{ROOT}:{ROOT / 'gen'}"},
    )  # fmt: skip
    unwanted = ("opentelemetry.sdk", "opentelemetry.exporter", "prometheus_client")
    assert [name for name in done.stdout.split() if name.startswith(unwanted)] == []
