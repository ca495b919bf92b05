"""Settings of the rendered configuration."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, Field


class EdgeSettings(BaseModel):
    """What differs between deployments. Sizes are in bytes, times in seconds."""

    host: str = "127.0.0.1"
    port: int = Field(default=8080, description="port to listen on; 0 for a free one")
    admin_port: int = Field(default=0, description="port of Envoy's own interface, on 127.0.0.1")
    descriptors: Path = Field(default=Path("gen/descriptors.binpb"), description="the contract")
    backends: dict[str, str] = Field(description="host:port for each service")
    user_issuer: str
    user_audience: str
    user_jwks: Path = Field(description="file with the user issuer's JWKS")
    max_body: int = Field(default=1024 * 1024, description="largest JSON body")
    max_upload: int = Field(default=50 * 1024 * 1024, description="largest uploaded body that is announced")
    call_seconds: float = 15.0
    upload_seconds: float = 300.0
