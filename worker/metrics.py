"""What a worker counts. Engines and their stages are few and known; ids are for logs and traces."""

from __future__ import annotations

from kit.telemetry.metrics import SLOW, Counter, Gauge, Histogram

ATTEMPTS = Histogram(
    "prsm_worker_attempt_duration_seconds", "Ended attempts, by how they ended.", ["engine", "ending"], bounds=SLOW
)
STAGES = Histogram(
    "prsm_worker_stage_duration_seconds",
    "Stages that were run, from reservation to checkpoint.",
    ["engine", "stage", "outcome"],
    bounds=SLOW,
)
FAILURES = Counter("prsm_worker_failures_total", "Attempts that failed, by whose fault it was.", ["engine", "fault"])
BUSY = Gauge("prsm_worker_busy_hands", "Sessions that this process works on.")
HANDS = Gauge("prsm_worker_hands", "Sessions that it may work on at a time.")
CLAIMS = Counter("prsm_worker_claims_total", "Looks for work, by what they found.", ["outcome"])
HEARTBEATS = Counter("prsm_worker_heartbeats_total", "Heartbeats, by how they were answered.", ["outcome"])

FAULTS = ("ours", "input")
CLAIMS.prepare(("claimed", "nothing", "failed"))
HEARTBEATS.prepare(("answered", "lost", "failed"))
