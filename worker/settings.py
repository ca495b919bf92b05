"""The worker's settings, from the environment (`PRSM_WORKER_…`). Times are in seconds."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from kit.settings import BusSettings, CallerSettings, HealthSettings, TlsSettings
from kit.telemetry.settings import TelemetrySettings
from worker.models.settings import ModelSettings


class WorkerSettings(ModelSettings, TlsSettings, HealthSettings, BusSettings, CallerSettings, TelemetrySettings):
    """Everything that can be set; lists are given as JSON."""

    model_config = SettingsConfigDict(env_prefix="PRSM_WORKER_", extra="ignore")

    listen: str = Field(description="host:port of the gRPC health service, for probes")
    session_target: str = Field(description="host:port of the session service")
    results_target: str = Field(description="host:port of the results service")
    library_target: str = Field(description="host:port of the library service")

    engines: list[str] = Field(default=[], description="names of the engines to offer; empty for all there are")
    test_engines: bool = Field(default=False, description="offer the signal-driven engine, for tests")
    concurrency: int = Field(default=1, ge=1, le=32, description="sessions that this process works on at a time")
    poll_seconds: float = Field(default=2.0, gt=0, description="how often idle workers ask for work without a wake-up")
    patience_seconds: float = Field(
        default=60.0, gt=0, description="how long library and results may be away before an attempt is given up"
    )
    memory_mb: int = Field(default=1500, ge=64, description="10^6 bytes that the computations of one session may hold")
    computation_seconds: float = Field(
        default=1_800.0, gt=0, description="longest time that one computation may take; then its session fails"
    )
    preload: list[str] | None = Field(
        default=None,
        description="engines whose libraries are loaded after the start; null for all that are offered, [] for none: "
        "then the first session of an engine waits for them",
    )
    drain_seconds: float = Field(default=8.0, gt=0, description="grace period after SIGTERM")
    log_level: str = Field(default="info", description="debug, info, warning or error")
