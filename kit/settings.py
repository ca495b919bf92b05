"""Settings that every service process has; each service adds its own. Read from the environment, typed, checked."""

from __future__ import annotations

import sys
from typing import TypeVar

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

S = TypeVar("S", bound=BaseSettings)


class ServiceSettings(BaseSettings):
    """Subclasses set `model_config = SettingsConfigDict(env_prefix="PRSM_<SERVICE>_")`."""

    model_config = SettingsConfigDict(extra="ignore")

    listen: str = Field(description="host:port the gRPC server listens on")
    database_url: str = Field(description="sqlite:///file or postgresql://user@host/name")
    nats_url: str = Field(description="nats://host:port of a server with JetStream")
    nats_token: str = Field(default="", description="token the NATS server asks for; empty for none")
    stream_replicas: int = Field(default=1, ge=1, le=5, description="JetStream replicas; 3 in production")
    retention_days: int = Field(default=7, ge=1, description="days that events stay in stream and outbox")

    user_issuer: str = Field(min_length=1, description="`iss` that user tokens must have")
    user_audience: str = Field(min_length=1, description="`aud` that user tokens must have")
    user_jwks: str = Field(description="path or URL of the user issuer's JWKS")
    user_algorithms: list[str] = Field(default=["EdDSA"], description="accepted signature algorithms")
    user_token_types: list[str] = Field(default=["at+jwt", "jwt"], description="accepted `typ` headers, lower case")
    internal_jwks: str = Field(description="path or URL of the services' own JWKS")
    internal_key: str = Field(description="path of this process's private JWK")

    log_level: str = Field(default="info", description="debug, info, warning or error")
    drain_seconds: float = Field(default=8.0, gt=0, description="grace period after SIGTERM, in seconds")
    relay_poll_seconds: float = Field(default=0.5, gt=0, description="how often the outbox is looked at when idle")
    currency: str = Field(default="FTNS", min_length=3, max_length=8, description="currency of all amounts")


def from_environment(settings: type[S]) -> S:
    """Read a process's settings. One that is missing or wrong ends the process with status 2 and one clear line; the
    line never shows a value, which may be a secret."""
    try:
        return settings.model_validate({})
    except ValidationError as error:
        prefix = settings.model_config.get("env_prefix", "")
        faults = [
            f"{prefix}{'.'.join(map(str, e['loc']))}".upper() + f": {e['msg']}"
            for e in error.errors(include_input=False)
        ]
        sys.stderr.write("; ".join(faults) + "\n")
        raise SystemExit(2) from None
