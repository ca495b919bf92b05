"""The settings of the language model, part of the worker's (`PRSM_WORKER_MODEL_…`). Times are in seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings

from kit.settings import name_of

Form = Literal["json_schema", "json_object", "none"]
Limit = Literal["max_tokens", "max_completion_tokens"]
Sampling = Literal["fixed", "default"]


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """The same, as the client takes them."""

    url: str
    name: str
    key: str
    ca: str
    seconds: float
    idle: float
    most_tokens: int
    context_tokens: int
    form: Form
    limit: Limit
    sampling: Sampling = "fixed"

    def __repr__(self) -> str:
        # The key is in no log and no traceback.
        return f"ModelOptions(url={self.url!r}, name={self.name!r})"


class ModelSettings(BaseSettings):
    """Mixed into the worker's settings."""

    model_url: str = Field(
        default="", description="base URL of an OpenAI-compatible endpoint, as in https://host/v1; empty for none"
    )
    model_name: str = Field(default="", max_length=200, description="the model's name there; needed with MODEL_URL")
    model_key: str = Field(default="", repr=False, description="bearer token of that endpoint; empty for none")
    model_ca: str = Field(
        default="", description="PEM file of the authorities that its certificate needs; empty: the usual ones"
    )
    model_seconds: float = Field(default=90.0, gt=0, description="deadline of a question, repetitions included")
    model_idle_seconds: float = Field(default=30.0, gt=0, description="how long an answer under way may be silent")
    model_max_tokens: int = Field(default=4000, ge=64, description="the most tokens that an answer may have")
    model_context_tokens: int = Field(
        default=32_000, ge=2048, description="the model's context: prompt and answer together"
    )
    model_format: Form = Field(
        default="json_schema",
        description="how it is told to answer in JSON: json_schema (structured outputs), json_object, or none",
    )
    model_limit_field: Limit = Field(
        default="max_tokens", description="what the endpoint calls the limit: max_tokens or max_completion_tokens"
    )
    model_sampling: Sampling = Field(
        default="fixed",
        description="fixed: temperature 0 and the session's seed are sent; default: neither, where they are refused",
    )

    @model_validator(mode="after")
    def _whole_model(self) -> Self:
        if not self.model_url:
            return self
        if not self.model_name.strip():
            raise ValueError(f"{name_of(self, 'model_name')} must be set with {name_of(self, 'model_url')}")
        parts = urlsplit(self.model_url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError(f"{name_of(self, 'model_url')} must be an http or https URL without a query")
        if parts.username is not None or parts.password is not None:
            raise ValueError(f"{name_of(self, 'model_url')} must hold no credentials: use {name_of(self, 'model_key')}")
        if any(not "!" <= character <= "~" for character in self.model_key):
            raise ValueError(f"{name_of(self, 'model_key')} must be visible ASCII characters")
        if self.model_max_tokens >= self.model_context_tokens:
            names = f"{name_of(self, 'model_max_tokens')} must be below {name_of(self, 'model_context_tokens')}"
            raise ValueError(names)
        return self

    def model(self) -> ModelOptions | None:
        """None where there is to be none."""
        if not self.model_url:
            return None
        return ModelOptions(
            url=self.model_url,
            name=self.model_name.strip(),
            key=self.model_key,
            ca=self.model_ca,
            seconds=self.model_seconds,
            idle=self.model_idle_seconds,
            most_tokens=self.model_max_tokens,
            context_tokens=self.model_context_tokens,
            form=self.model_format,
            limit=self.model_limit_field,
            sampling=self.model_sampling,
        )
