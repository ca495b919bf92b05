"""Results' settings."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator
from pydantic_settings import SettingsConfigDict

from kit.settings import ServiceSettings, name_of


class ResultsSettings(ServiceSettings):
    """Read from `PRSM_RESULTS_*`."""

    model_config = SettingsConfigDict(env_prefix="PRSM_RESULTS_", extra="ignore")

    session_target: str = Field(description="host:port of the session service")
    collab_target: str = Field(description="host:port of the collab service")
    blobs: str = Field(description="a directory, or s3://, gs://, az:// with a prefix")
    render_processes: int = Field(default=1, ge=1, le=64, description="processes that render documents")
    render_seconds: float = Field(default=30.0, gt=0, description="longest rendering of one document, in seconds")
    render_memory_mb: int = Field(default=2048, ge=256, description="memory of a rendering process")
    warm_after_seconds: float = Field(default=3.0, ge=0, description="when rendering processes are started, in seconds")
    cached_mb: int = Field(default=64, ge=0, description="memory for finished documents")
    artifact_mb: int = Field(default=256, ge=1, description="largest stage output or result document")

    @model_validator(mode="after")
    def _knows_grants(self) -> Self:
        if self.internal_tokens and not self.grant_jwks:
            raise ValueError(f"{name_of(self, 'grant_jwks')} must be set with {name_of(self, 'internal_tokens')}")
        return self
