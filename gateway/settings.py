"""The gateway's settings, from the environment (`PRSM_GATEWAY_…`). Sizes are in bytes."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from kit.settings import Algorithm, TlsSettings
from kit.telemetry.settings import TelemetrySettings

_KIB = 1024
_MIB = 1024 * 1024


class GatewaySettings(TlsSettings, TelemetrySettings):
    """Everything that can be set; lists and objects are given as JSON."""

    model_config = SettingsConfigDict(env_prefix="PRSM_GATEWAY_", extra="ignore")

    listen: str = Field(default="127.0.0.1:8080", description="host:port to listen on; port 0 for a free one")
    listen_fd: int | None = Field(
        default=None, ge=3, description="descriptor of a socket that listens already, instead of opening one"
    )
    descriptors: Path = Field(default=Path("gen/descriptors.binpb"), description="the contract")
    backends: dict[str, str] = Field(description="gRPC target for each service: session, results, …")

    user_issuer: str = Field(min_length=1, description="`iss` that user tokens must have")
    user_audience: str = Field(min_length=1, description="`aud` that user tokens must have")
    user_jwks: str = Field(description="path or URL of the user issuer's JWKS")
    user_algorithms: list[Algorithm] = Field(
        default=["EdDSA"], min_length=1, description="accepted signature algorithms"
    )
    user_token_types: list[str] = Field(default=["at+jwt", "jwt"], description="accepted `typ`, lower case")

    max_body: int = Field(default=_MIB, ge=1, description="largest JSON body")
    max_upload: int = Field(default=50 * _MIB, ge=1, description="largest uploaded body")
    chunk: int = Field(default=256 * _KIB, ge=_KIB, le=_MIB, description="size of an upload's pieces")

    call_seconds: float = Field(default=15.0, gt=0, description="longest wait for an answer")
    hold_seconds: float = Field(
        default=6.0,
        ge=0,
        description="how long a request waits for a service without a connection, as while it is started again",
    )
    document_seconds: float = Field(
        default=45.0, gt=0, description="longest wait for a streamed answer's first byte: a report may have to be made"
    )
    upload_seconds: float = Field(
        default=300.0, gt=0, description="longest wait for a body; of an upload, with its answer"
    )
    stream_seconds: float = Field(default=3600.0, gt=0, description="longest life of a streamed answer")
    client_seconds: float = Field(
        default=60.0, gt=0, description="how long a client may leave untaken what was sent before it counts as gone"
    )
    health_seconds: float = Field(default=1.0, gt=0, description="longest wait for a backend's health")
    drain_seconds: float = Field(default=8.0, gt=0, description="grace period after SIGTERM, in seconds")

    rate_limit: float = Field(default=50.0, ge=0, description="requests a second and principal; 0: no limit")
    rate_burst: int = Field(default=200, ge=1, description="requests that one principal may send at once")
    log_level: str = Field(default="info", description="debug, info, warning or error")

    @property
    def address(self) -> tuple[str, int]:
        """Host and port to listen on. Raises ValueError."""
        host, _, port = self.listen.rpartition(":")
        if not host or not port.isdecimal() or int(port) > 65535:
            raise ValueError(f"listen must be host:port, not {self.listen}")
        return host.strip("[]"), int(port)
