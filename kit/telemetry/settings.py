"""The settings that turn telemetry on. Every process has them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings


class TelemetrySettings(BaseSettings):
    """Without these, nothing of metrics and traces is even imported."""

    metrics_listen: str = Field(default="", description="host:port of Prometheus metrics; empty for none")
    otlp_endpoint: str = Field(
        default="", description="host:port or URL of an OTLP/gRPC collector that traces go to; empty for none"
    )
    trace_ratio: float = Field(
        default=1.0, ge=0, le=1, description="share of new traces that is recorded; one that came decides itself"
    )
    access_log: Literal["debug", "info"] = Field(
        default="debug", description="level of the line that each call leaves; info with the default log_level shows it"
    )
