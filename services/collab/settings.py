"""Collab's settings."""

from __future__ import annotations

from typing import Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from kit.settings import ServiceSettings, name_of
from kit.times import DAY
from services.collab.tokens import check_secret_file


class CollabSettings(ServiceSettings):
    """Read from `PRSM_COLLAB_*`."""

    model_config = SettingsConfigDict(env_prefix="PRSM_COLLAB_", extra="ignore")

    session_target: str = Field(description="host:port of the session service")
    results_target: str = Field(description="host:port of the results service")
    share_url_base: str = Field(description="what a share URL is before its token, e.g. https://host/api/v1/shared")
    share_secret: str = Field(
        default="",
        description="path of a file with at least 32 random bytes, the same for every replica; share URLs end with it. "
        "Empty: a secret derived from this process's internal key, for a single process",
    )
    share_days: int = Field(default=30, ge=1, le=365, description="days that a share lasts when none is said")

    @field_validator("share_secret")
    @classmethod
    def _is_secret(cls, value: str) -> str:
        if value:
            check_secret_file(value)
        return value

    @model_validator(mode="after")
    def _has_secret(self) -> Self:
        if self.internal_tokens and not self.share_secret:
            raise ValueError(f"{name_of(self, 'share_secret')} must be set with {name_of(self, 'internal_tokens')}")
        return self

    @property
    def share_lifetime(self) -> int:
        """In microseconds."""
        return self.share_days * DAY
