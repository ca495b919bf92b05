"""What the library counts, and the figures that it looks up for metrics."""

from __future__ import annotations

from collections.abc import Callable

from kit.telemetry.metrics import SLOW, Counter, Gauge, Histogram
from kit.telemetry.readings import Reading

SEARCHES = Histogram("prsm_library_search_duration_seconds", "Searches in an index that is at hand.", ["caller"])
CATCH_UPS = Histogram("prsm_library_index_update_duration_seconds", "Taking up what changed in a library.", bounds=SLOW)
LEARNINGS = Histogram(
    "prsm_library_latent_model_duration_seconds", "Learning the latent model of a library.", bounds=SLOW
)
PARSED = Histogram(
    "prsm_library_parse_duration_seconds",
    "Files read by a parser process, by how that ended.",
    ["outcome"],
    bounds=SLOW,
)
SWEPT = Counter("prsm_library_swept_total", "What was removed for good.")
SWEEPS = Counter("prsm_library_sweeper_runs_total", "Rounds of the sweeper, by how they ended.", ["outcome"])
INDEXES = Gauge("prsm_library_index_loaded", "Indexes in memory.", ["kind"])
BYTES = Gauge("prsm_library_index_bytes", "Memory that they take.", ["kind"])
CONNECTOR_CALLS = Counter(
    "prsm_library_connector_searches_total",
    "Searches that connectors were asked for, by how they ended.",
    ["connector", "outcome"],
)
SWEPT.prepare()
SWEEPS.prepare(("done", "failed"))


def readings(sizes: Callable[[], dict[str, tuple[int, int]]]) -> list[Reading]:
    """`sizes` gives how many indexes of each kind there are, and their bytes."""

    async def take() -> None:
        found = sizes()
        INDEXES.replace({(kind,): float(count) for kind, (count, _) in found.items()})
        BYTES.replace({(kind,): float(nbytes) for kind, (_, nbytes) in found.items()})

    return [Reading("indexes", 15.0, take, (INDEXES, BYTES))]
