"""Settings of the rendered configuration, from the environment (`PRSM_ENVOY_…`) or from a JSON file."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from kit.settings import Algorithm

_MIB = 1024 * 1024


class EdgeSettings(BaseSettings):
    """What differs between deployments; lists and objects are given as JSON. Sizes are in bytes, times in seconds.

    Port 0 takes a free one; without a port there is no such listener.
    """

    model_config = SettingsConfigDict(env_prefix="PRSM_ENVOY_", extra="ignore")

    host: str = Field(default="127.0.0.1", description="address of every listener but the admin's")
    port: int = Field(default=8080, description="REST over plain HTTP")
    plain_http: Literal["serve", "redirect"] = Field(
        default="serve", description="what plain HTTP does: all, or probes and a redirect to HTTPS"
    )
    https_port: int | None = Field(default=None, description="REST over HTTPS; needs `public_cert` and `public_key`")
    grpc_port: int | None = Field(default=None, description="native gRPC for internal callers; never to be public")
    metrics_port: int | None = Field(default=None, description="Prometheus metrics at /metrics")
    admin_port: int = Field(default=9901, description="Envoy's own interface, on 127.0.0.1")

    descriptors: Path = Field(default=Path("gen/descriptors.binpb"), description="the contract")
    backends: dict[str, str] = Field(description="host:port of each service; a name is asked for all its addresses")
    health_check_seconds: float = Field(
        default=2.0, ge=0, description="between two gRPC health checks of a service's replica; 0: none"
    )

    public_cert: str = Field(default="", description="PEM chain shown to clients; read again when rotated")
    public_key: str = Field(default="", description="its key")
    tls_cert: str = Field(default="", description="PEM chain of Envoy's own internal identity; with key and CA: mTLS")
    tls_key: str = Field(default="", description="its key")
    tls_ca: str = Field(default="", description="PEM file of the CA that internal certificates must come from")
    backend_name: str = Field(
        default="{host}", description="the name in a service's certificate, of {host} and {service}"
    )
    secrets_dir: Path = Field(
        default=Path("/run/prsm-envoy"), description="where the files that tell Envoy of certificates are written"
    )

    user_issuer: str = Field(min_length=1, description="`iss` that user tokens must have")
    user_audience: str = Field(min_length=1, description="`aud` that user tokens must have")
    user_jwks: str | Path = Field(description="URL of the user issuer's JWKS, or a file, read at start")
    user_jwks_ca: str = Field(
        default="/etc/ssl/certs/ca-certificates.crt", description="PEM file of CAs for a JWKS by https"
    )
    user_jwks_cache_seconds: float = Field(default=300.0, ge=1, description="how long a fetched JWKS is kept")
    user_algorithms: list[Algorithm] = Field(default=["EdDSA"], description="accepted signature algorithms")
    user_token_types: list[str] = Field(default=["at+jwt", "jwt"], description="accepted `typ`, lower case")

    max_body: int = Field(default=_MIB, ge=1, description="largest JSON body")
    max_upload: int = Field(default=50 * _MIB, ge=1, description="largest uploaded body that is announced")
    max_connections: int = Field(default=20_000, ge=1, description="clients connected at a time")
    max_heap: int = Field(default=0, ge=0, description="memory at which requests are refused; 0: no such limit")
    trusted_hops: int = Field(default=0, ge=0, description="proxies before Envoy whose X-Forwarded-For is believed")

    call_seconds: float = Field(default=15.0, gt=0, description="longest wait for an answer")
    document_seconds: float = Field(default=45.0, gt=0, description="longest wait for a streamed answer's first byte")
    upload_seconds: float = Field(
        default=300.0, gt=0, description="longest wait for a body; of an upload, with its answer"
    )
    stream_seconds: float = Field(default=3600.0, gt=0, description="longest life of a streamed answer")
    client_seconds: float = Field(
        default=60.0, gt=0, description="how long a client may leave untaken what was sent before it counts as gone"
    )
    health_seconds: float = Field(default=1.0, gt=0, description="longest wait for a service's health in /ready")
    drain_seconds: float = Field(default=8.0, ge=0, description="grace period after SIGTERM")

    rate_limit: float = Field(default=50.0, ge=0, description="requests a second and principal; 0: no limit")
    rate_burst: int = Field(default=200, ge=1, description="requests that one principal may send at once")

    access_log: bool = Field(default=True, description="a JSON line on standard output for each request")
    otlp_endpoint: str = Field(default="", description="host:port of an OTLP/gRPC collector; empty: no tracing")
    trace_ratio: float = Field(default=1.0, ge=0, le=1, description="part of the requests without a trace that get one")
    log_level: str = Field(default="warning", description="of Envoy's own log: debug, info, warning or error")
    concurrency: int = Field(default=0, ge=0, description="worker threads; 0: one for each CPU")

    @property
    def has_internal_tls(self) -> bool:
        """Whether services are called, and internal callers met, with mutual TLS."""
        return bool(self.tls_cert)

    @property
    def has_jwks_url(self) -> bool:
        """Whether the user issuer's keys are fetched."""
        return urlsplit(str(self.user_jwks)).scheme in ("http", "https")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        internal = (self.tls_cert, self.tls_key, self.tls_ca)
        if any(internal) and not all(internal):
            raise ValueError("tls_cert, tls_key and tls_ca go together")
        if bool(self.public_cert) != bool(self.public_key):
            raise ValueError("public_cert and public_key go together")
        if (self.https_port is None) == bool(self.public_cert):
            raise ValueError("https_port and public_cert go together")
        if self.plain_http == "redirect" and self.https_port is None:
            raise ValueError("there is no https_port to redirect to")
        if self.metrics_port is not None and not self.admin_port:
            raise ValueError("metrics_port needs a fixed admin_port")
        for target in (*self.backends.values(), *filter(None, (self.otlp_endpoint,))):
            host_and_port(target)
        return self


def host_and_port(target: str) -> tuple[str, int]:
    """The parts of `host:port`, `[v6]:port`, `dns:///host:port` or `http://host:port`. Raises ValueError."""
    host, _, port = target.removeprefix("dns:///").removeprefix("http://").rstrip("/").rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise ValueError(f"must be host:port, not {target}")
    return host.strip("[]"), int(port)
