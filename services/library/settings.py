"""The library's settings."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator
from pydantic_settings import SettingsConfigDict

from kit.settings import ServiceSettings, name_of


class LibrarySettings(ServiceSettings):
    """Read from `PRSM_LIBRARY_*`."""

    model_config = SettingsConfigDict(env_prefix="PRSM_LIBRARY_", extra="ignore")

    collab_target: str = Field(description="host:port of the collab service")
    collab_deadline_seconds: float = Field(default=0.3, gt=0, description="deadline of an access check, in seconds")
    blobs: str = Field(description="a directory, or s3://, gs://, az:// with a prefix")
    upload_mb: int = Field(default=50, ge=1, le=1024, description="largest body of an upload or a batch, and file")
    upload_files: int = Field(default=1000, ge=1, description="most files in one upload")
    batch_lines: int = Field(default=20_000, ge=1, description="most documents in one batch")
    parser_processes: int = Field(default=2, ge=1, le=64, description="processes that read files")
    parse_seconds: float = Field(default=60.0, gt=0, description="longest reading of one file, in seconds")
    parse_memory_mb: int = Field(default=1024, ge=256, description="memory of a process that reads files")
    index_mb: int = Field(default=512, ge=16, description="memory for indexes of libraries")
    text_cache_mb: int = Field(default=64, ge=0, description="memory for texts that searches quote from")
    snapshot_documents: int = Field(
        default=500, ge=1, description="changed documents after which a library's index is saved anew"
    )
    purge_days: int = Field(
        default=30, ge=1, description="days after which a deleted document that nothing cites is removed for good"
    )
    sweep_seconds: float = Field(default=3600.0, gt=0, description="how often old things are looked for")

    @model_validator(mode="after")
    def _knows_grants(self) -> Self:
        if self.internal_tokens and not self.grant_jwks:
            raise ValueError(f"{name_of(self, 'grant_jwks')} must be set with {name_of(self, 'internal_tokens')}")
        return self
