"""What results counts. Formats are those of exports."""

from __future__ import annotations

from kit.telemetry.metrics import SLOW, Counter, Gauge, Histogram

RENDERED = Histogram(
    "prsm_results_render_duration_seconds",
    "Documents made, with the wait for a process.",
    ["format", "outcome"],
    bounds=SLOW,
)
REQUESTS = Counter(
    "prsm_results_render_requests_total", "Documents asked for, by where they came from.", ["format", "source"]
)
UNCHANGED = Counter("prsm_results_unchanged_total", "Documents that the client had already (304).", ["format"])
RENDERED_BYTES = Counter("prsm_results_render_bytes_total", "Bytes of the documents made.", ["format"])
REFUSED = Counter("prsm_results_render_refused_total", "Documents beyond a bound, by the bound.", ["bound"])
OPEN = Gauge("prsm_results_render_open", "Documents that are being made or wait for a rendering process.")
CACHED = Gauge("prsm_results_render_cache_bytes", "Finished documents that are kept in memory.")
DAMAGED = Counter("prsm_results_rendition_damaged_total", "Kept documents that were not what was stored.")
EVICTED = Counter("prsm_results_rendition_evicted_total", "Kept documents that were removed, by why.", ["reason"])
KEPT = Gauge("prsm_results_renditions", "Finished documents in the object store.")
KEPT_BYTES = Gauge("prsm_results_rendition_bytes", "Bytes of the finished documents in the object store.")
REQUESTS.prepare(("pdf", "docx", "markdown", "json"), ("memory", "store", "joined", "rendered"))
UNCHANGED.prepare(("pdf", "docx", "markdown", "json"))
REFUSED.prepare(("seconds", "memory", "bytes", "pages", "waiting"))
DAMAGED.prepare()
EVICTED.prepare(("unused", "room", "stray"))
