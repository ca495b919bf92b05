"""What results counts. Formats are those of exports."""

from __future__ import annotations

from kit.telemetry.metrics import SLOW, Counter, Gauge, Histogram

RENDERED = Histogram(
    "prsm_results_render_duration_seconds",
    "Documents made, with the wait for a process.",
    ["format", "outcome"],
    bounds=SLOW,
)
REQUESTS = Counter("prsm_results_render_requests_total", "Documents asked for, by where they came from.", ["source"])
CACHED = Gauge("prsm_results_render_cache_bytes", "Finished documents that are kept.")
REQUESTS.prepare(("cache", "joined", "rendered"))
