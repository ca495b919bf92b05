"""Session's settings."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, Field, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from kit.settings import ServiceSettings, name_of
from services.session.domain import SessionType


class EngineSetting(BaseModel):
    """An engine that workers of this installation offer."""

    types: list[SessionType] = Field(min_length=1, description="session types that may ask for it")
    pausable: bool = Field(default=True, description="whether its sessions can be paused")


BUILT_IN = {kind.value: EngineSetting(types=[kind]) for kind in SessionType}
TEST_ENGINES = {"signal": EngineSetting(types=list(SessionType))}


class SessionSettings(ServiceSettings):
    """Read from `PRSM_SESSION_*`; lists and objects are given as JSON."""

    model_config = SettingsConfigDict(env_prefix="PRSM_SESSION_", extra="ignore")

    grant_key: str = Field(
        default="",
        description="path of the private JWK that signs workers' grants, with key id `session` or `session/instance`; "
        "empty: INTERNAL_KEY",
    )
    billing_target: str = Field(description="host:port of the billing service")
    library_target: str = Field(description="host:port of the library service")
    collab_target: str = Field(description="host:port of the collab service")
    results_target: str = Field(description="host:port of the results service")
    billing_deadline_seconds: float = Field(default=3.0, gt=0, description="deadline of a call to billing")
    library_deadline_seconds: float = Field(default=10.0, gt=0, description="deadline of preparing inputs")
    collab_deadline_seconds: float = Field(default=1.0, gt=0, description="deadline of bulk checks and lists of shares")
    results_deadline_seconds: float = Field(default=5.0, gt=0, description="deadline of asking for a citation style")

    engines: dict[str, EngineSetting] = Field(
        default={},
        examples=[{"glossary": {"types": ["research"]}}],
        description="engines beside the built-in ones (research, analysis, synthesis), by name",
    )
    test_engines: bool = Field(default=False, description="offer `signal`, the engine that tests lead step by step")
    url_inputs: bool = Field(
        default=True,
        description="whether inputs may be addresses on the web; library fetches them, by settings of its own",
    )
    model: bool = Field(
        default=False,
        description="whether workers have a language model (their MODEL_URL): sessions are then estimated with it",
    )

    lease_seconds: float = Field(default=15.0, gt=0, description="how long a worker may be seen silent")
    heartbeat_seconds: float = Field(default=1.0, gt=0, description="how often workers send heartbeats")
    beat_seconds: float = Field(default=2.0, gt=0, description="the most that running time grows between two of them")
    grant_seconds: int = Field(default=600, ge=10, description="how long a worker's grant lasts")
    owner_cap: int = Field(default=8, ge=1, description="sessions of one owner that workers may hold at a time")
    max_attempts: int = Field(default=3, ge=1, description="lost or failed attempts after which a session has failed")
    initializing_seconds: float = Field(default=600.0, gt=0, description="how long starting may be seen to take")
    time_limit_minutes: int = Field(
        default=60, ge=1, le=1440, description="running time where nobody asked for another"
    )
    write_up_time: float = Field(default=0.85, gt=0, lt=1, description="share of the time limit to write up after")
    write_up_money: float = Field(default=0.15, ge=0, lt=1, description="share of the hold set aside for writing up")
    expected_minutes: int = Field(default=2, ge=1, description="expected duration where nothing was learnt yet")

    creation_lease_seconds: float = Field(
        default=5.0, gt=0, description="how long a request that creates is waited for when its process says nothing"
    )
    creation_extend_seconds: float = Field(default=1.0, gt=0, description="how often a process says that it is at it")
    creation_abort_seconds: float = Field(
        default=120.0, gt=0, description="how long a creation stays pending after its lease before it is given up"
    )
    idempotency_wait_seconds: float = Field(
        default=6.0, gt=0, description="how long a second request waits; longer than the lease of the first"
    )
    idempotency_poll_seconds: float = Field(default=0.05, gt=0, description="how often it looks meanwhile")

    sweep_seconds: float = Field(default=1.0, gt=0, description="how often the sweeper looks for what is overdue")
    wake_up_seconds: float = Field(default=10.0, gt=0, description="how often missing wake-ups are topped up")
    prune_seconds: float = Field(default=3600.0, gt=0, description="how often old idempotency records are removed")
    settle_seconds: float = Field(default=2.0, gt=0, description="when a settlement is told again")

    watch_poll_seconds: float = Field(default=1.0, gt=0, description="how often other replicas' changes are looked for")
    watch_access_seconds: float = Field(default=0.5, gt=0, description="how often open streams are checked again")
    watch_grace_seconds: float = Field(default=5.0, ge=0, description="how long streams outlive a collab that is away")
    keep_alive_seconds: float = Field(default=15.0, gt=0, description="how often an idle stream says that it lives")

    @field_validator("engines")
    @classmethod
    def _named(cls, value: dict[str, EngineSetting]) -> dict[str, EngineSetting]:
        bad = [name for name in value if not name or not name.replace("-", "").replace("_", "").isalnum()]
        if bad:
            raise ValueError(f"engine names are letters, digits, - and _: {', '.join(bad)}")
        return value

    @model_validator(mode="after")
    def _can_sign(self) -> Self:
        if not self.signing_key:
            raise ValueError(f"{name_of(self, 'grant_key')} must be set with {name_of(self, 'internal_tokens')}")
        return self

    @property
    def signing_key(self) -> str:
        """The path of the key that signs grants."""
        return self.grant_key or self.internal_key

    def offered(self) -> dict[str, EngineSetting]:
        """Every engine that may be asked for."""
        return {**BUILT_IN, **(TEST_ENGINES if self.test_engines else {}), **self.engines}
