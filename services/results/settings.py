"""Results' settings."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator
from pydantic_settings import SettingsConfigDict

from kit.blob_settings import BlobSettings
from kit.settings import ServiceSettings, name_of


class ResultsSettings(BlobSettings, ServiceSettings):
    """Read from `PRSM_RESULTS_*`."""

    model_config = SettingsConfigDict(env_prefix="PRSM_RESULTS_", extra="ignore")

    session_target: str = Field(description="host:port of the session service")
    collab_target: str = Field(description="host:port of the collab service")
    render_processes: int = Field(default=1, ge=1, le=64, description="processes that render documents")
    render_seconds: float = Field(default=30.0, gt=0, description="longest rendering of one document, in seconds")
    render_memory_mb: int = Field(
        default=2048, ge=256, description="memory of a rendering process with the one that draws for it"
    )
    warm_after_seconds: float = Field(default=3.0, ge=0, description="when rendering processes are started, in seconds")
    render_waiting: int = Field(
        default=32, ge=0, description="documents that may wait for a rendering process; one more is answered with 503"
    )
    render_output_mb: int = Field(default=64, ge=1, description="largest document that is made")
    render_pages: int = Field(default=2000, ge=1, description="most pages of a PDF")
    cached_mb: int = Field(default=64, ge=0, description="memory for finished documents")
    renditions_days: int = Field(default=30, ge=1, description="finished documents unused for longer are removed")
    renditions_mb: int = Field(
        default=10_240, ge=1, description="finished documents kept in the object store; beyond, the least used go"
    )
    citation_styles: str = Field(
        default="", description="folder of .csl files that all users may choose, each by its name without the ending"
    )
    citation_styles_each: int = Field(default=50, ge=0, description="citation styles that a user may have")
    artifact_mb: int = Field(default=256, ge=1, description="largest stage output or result document")
    split_kb: int = Field(default=4096, ge=1, description="size of a result document from which it is read by parts")
    split_seconds: float = Field(default=120.0, gt=0, description="longest indexing of one large result, in seconds")

    @model_validator(mode="after")
    def _knows_grants(self) -> Self:
        if self.internal_tokens and not self.grant_jwks:
            raise ValueError(f"{name_of(self, 'grant_jwks')} must be set with {name_of(self, 'internal_tokens')}")
        return self
