"""Settings that every service process has; each service adds its own. Read from the environment, typed, checked."""

from __future__ import annotations

import difflib
import json
import os
import sys
from collections.abc import Iterable, Mapping
from typing import Any, Literal, Self, TypeVar, get_args, get_origin

from pydantic import Field, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

from kit.secret_files import BadSecretFile, values_from_files
from kit.telemetry.settings import TelemetrySettings

S = TypeVar("S", bound=BaseSettings)
Algorithm = Literal[
    "EdDSA", "Ed25519", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512"
]  # fmt: skip
"""Those with a private key that only the issuer has: `none` would let everybody in."""


class BadSettings(ValueError):
    """What a setting points to cannot be used; the message names the setting."""


def name_of(settings: BaseSettings, field: str) -> str:
    """The environment variable of a field."""
    return f"{settings.model_config.get('env_prefix', '')}{field}".upper()


class TlsSettings(BaseSettings):
    """Mutual TLS between processes: with all three files, or not at all."""

    tls_cert: str = Field(
        default="", description="PEM file of this process's certificate with its chain; re-read when it changes"
    )
    tls_key: str = Field(default="", description="PEM file of its private key")
    tls_ca: str = Field(
        default="", description="PEM file of the authorities that the other processes' certificates need"
    )
    tls_name: str = Field(
        default="", description="name that servers' certificates must carry; empty: the host of the target called"
    )

    @model_validator(mode="after")
    def _all_or_none(self) -> Self:
        fields = ("tls_cert", "tls_key", "tls_ca")
        missing = [name_of(self, field) for field in fields if not getattr(self, field)]
        if 0 < len(missing) < len(fields):
            raise ValueError(f"{', '.join(missing)} must be set too: certificate, key and authorities belong together")
        return self


class HealthSettings(BaseSettings):
    """A second port for probes that know no TLS."""

    health_listen: str = Field(
        default="", description="host:port of a plain-text gRPC server with only the health service; empty for none"
    )


class BusSettings(BaseSettings):
    """How NATS is reached."""

    nats_url: str = Field(description="nats:// or tls:// URLs of servers with JetStream, separated by commas")
    nats_token: str = Field(default="", description="token the NATS server asks for; empty for none")
    nats_ca: str = Field(
        default="", description="PEM file of the authorities that NATS certificates need; empty: the system's"
    )


class CallerSettings(BaseSettings):
    """What this process shows to the services it calls: tokens that it signs, or tokens that it is given."""

    internal_key: str = Field(
        default="", description="path of this process's private JWK, whose key id is `service` or `service/instance`"
    )
    internal_tokens: str = Field(
        default="",
        description="directory with a token for each service called, in a file of its name; instead of a key",
    )

    @model_validator(mode="after")
    def _one_identity(self) -> Self:
        if bool(self.internal_key) == bool(self.internal_tokens):
            either = f"{name_of(self, 'internal_key')} and {name_of(self, 'internal_tokens')}"
            raise ValueError(f"exactly one of {either} must be set")
        return self


class ServiceSettings(TlsSettings, HealthSettings, BusSettings, CallerSettings, TelemetrySettings):
    """Subclasses set `model_config = SettingsConfigDict(env_prefix="PRSM_<SERVICE>_")`."""

    model_config = SettingsConfigDict(extra="ignore")

    listen: str = Field(description="host:port the gRPC server listens on")
    database_url: str = Field(
        description="sqlite:///file or postgresql://user@host/name; libpq's parameters (sslmode, several hosts) count"
    )
    stream_replicas: int = Field(default=1, ge=1, le=5, description="JetStream replicas; 3 in production")
    retention_days: int = Field(default=7, ge=1, description="days that events stay in stream and outbox")

    user_issuer: str = Field(min_length=1, description="`iss` that user tokens must have")
    user_audience: str = Field(min_length=1, description="`aud` that user tokens must have")
    user_jwks: str = Field(description="path or URL of the user issuer's JWKS")
    user_algorithms: list[Algorithm] = Field(
        default=["EdDSA"], min_length=1, description="accepted signature algorithms"
    )
    user_token_types: list[str] = Field(default=["at+jwt", "jwt"], description="accepted `typ` headers, lower case")
    internal_jwks: str = Field(description="path or URL of the services' own JWKS")
    internal_jwks_ca: str = Field(
        default="", description="PEM file of the authorities that the certificate of INTERNAL_JWKS needs"
    )
    internal_jwks_token: str = Field(
        default="", description="file with the bearer token that reading INTERNAL_JWKS needs; re-read each time"
    )
    internal_issuer: str = Field(
        default="", description="`iss` of the tokens that services are given; needed with INTERNAL_TOKENS"
    )
    internal_subjects: str = Field(
        default="",
        description="what stands before the service's name in such a token's `sub`, e.g. system:serviceaccount:prsm:",
    )
    internal_algorithms: list[Algorithm] = Field(
        default=["RS256", "ES256"], min_length=1, description="accepted signature algorithms of such tokens"
    )
    grant_jwks: str = Field(
        default="", description="path or URL of the keys that sign workers' grants; empty: INTERNAL_JWKS"
    )

    log_level: str = Field(default="info", description="debug, info, warning or error")
    drain_seconds: float = Field(default=8.0, gt=0, description="grace period after SIGTERM, in seconds")
    relay_poll_seconds: float = Field(default=0.5, gt=0, description="how often the outbox is looked at when idle")
    currency: str = Field(default="FTNS", min_length=3, max_length=8, description="currency of all amounts")

    @model_validator(mode="after")
    def _whole_identity(self) -> Self:
        needed = ("internal_issuer", "internal_subjects") if self.internal_tokens else ()
        missing = [name_of(self, field) for field in needed if not getattr(self, field)]
        if missing:
            raise ValueError(f"{', '.join(missing)} must be set with {name_of(self, 'internal_tokens')}")
        if self.internal_tokens and self.user_issuer == self.internal_issuer:
            # A user could ask that issuer for a token that looks like a service's.
            both = f"{name_of(self, 'user_issuer')} and {name_of(self, 'internal_issuer')}"
            raise ValueError(f"{both} must be different issuers")
        return self


def from_environment(settings: type[S]) -> S:
    """Read a process's settings. One that is missing or wrong ends the process with status 2 and one clear line; the
    line never shows a value, which may be a secret. For any setting NAME, NAME_FILE may name a file with its value.
    A variable that looks like a setting and is none is told on standard error and ignored: another release may know
    it."""
    prefix = settings.model_config.get("env_prefix", "")
    sys.stderr.writelines(f"{line}\n" for line in unknown_settings(os.environ, prefix, settings.model_fields))
    try:
        return settings.model_validate(values_from_files(os.environ, prefix, settings.model_fields))
    except BadSecretFile as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(2) from None
    except ValidationError as error:
        faults = [
            # What concerns several settings names them in its message.
            f"{prefix}{'.'.join(map(str, e['loc']))}".upper() + f": {_said(e, settings.model_fields)}"
            if e["loc"]
            else e["msg"].removeprefix("Value error, ")
            for e in error.errors(include_input=False)
        ]
        # Where a list or an object cannot be read at all, pydantic's one line names no variable.
        faults = no_json(os.environ, prefix, settings.model_fields) or faults
        sys.stderr.write("; ".join(faults) + "\n")
        raise SystemExit(2) from None


def _said(error: ErrorDetails, fields: Mapping[str, FieldInfo]) -> str:
    """A fault's message; for what is no list or object at all, the form it must have."""
    field = fields.get(str(error["loc"][0])) if len(error["loc"]) == 1 else None
    return _form(field) if field is not None and error["type"] in ("list_type", "dict_type") else error["msg"]


def no_json(environment: Mapping[str, str], prefix: str, fields: Mapping[str, FieldInfo]) -> list[str]:
    """A line for each list and object that is not given as JSON, with what it could look like; never its value."""
    given = {name.upper(): value for name, value in environment.items()}
    lines: list[str] = []
    for field, info in fields.items():
        name = f"{prefix}{field}".upper()
        if get_origin(info.annotation) not in (list, dict) or name not in given:
            continue
        try:
            json.loads(given[name])
        except ValueError:
            lines.append(f"{name}: {_form(info)}")
    return lines


def _form(info: FieldInfo) -> str:
    """What a list or an object must look like: by its examples, else its default, else its type."""
    kinds = [info.annotation, *get_args(info.annotation)]  # `list[str] | None` is a list.
    kind = next((each for each in kinds if get_origin(each) in (list, dict)), None)
    example: Any = {"name": "value"} if get_origin(kind) is dict else ["value"]
    items = get_args(kind)
    if get_origin(kind) is list and get_origin(items[0]) is Literal:
        example = [get_args(items[0])[0]]
    if not info.is_required() and info.default:
        example = info.default
    if info.examples:
        example = info.examples[0]
    return f"must be JSON, such as {json.dumps(example, default=str)}"


def unknown_settings(names: Iterable[str], prefix: str, fields: Iterable[str]) -> list[str]:
    """A line for each variable with this prefix that no field takes, with the nearest name there is."""
    known = {f"{prefix}{field}".upper() for field in fields}
    lines: list[str] = []
    for name in sorted(names):
        if not name.startswith(prefix) or name in known or name.removesuffix("_FILE") in known:
            continue
        near = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.8)
        lines.append(f"{name} is no setting and is ignored" + (f": did you mean {near[0]}?" if near else ""))
    return lines
