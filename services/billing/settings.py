"""Billing's settings."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import SettingsConfigDict

from kit.money import Micros, typed
from kit.settings import ServiceSettings
from services.billing.pricing import SESSION_TYPES, UNITS, PriceList

_HIGHEST_PRICE = "10000"
Amount = Annotated[str, Field(max_length=32)]

DEFAULT_PRICES: dict[str, str] = {
    "base.research": "1.00",
    "base.analysis": "0.50",
    "base.synthesis": "0.50",
    "document_read": "0.02",
    "passage_read": "0.002",
    "row_read": "0.000002",
    "finding_merged": "0.01",
    "tokens_in": "0.001",
    "tokens_out": "0.004",
}


class BillingSettings(ServiceSettings):
    """Read from `PRSM_BILLING_*`."""

    model_config = SettingsConfigDict(env_prefix="PRSM_BILLING_", extra="ignore")

    initial_grant: Amount = Field(
        default="1000.00", description='what a new account starts with, a decimal string; "0" for nothing'
    )
    session_quota: int = Field(default=100, ge=1, description="sessions that one owner may have open at a time")
    audit_seconds: float = Field(
        default=300.0, gt=0, description="how often metrics have the whole ledger added up, at most"
    )
    prices: dict[str, Amount] = Field(
        default={},
        description="unit prices as decimal strings, as a JSON object; an item left out keeps its default: "
        + ", ".join(f"{item} {price}" for item, price in DEFAULT_PRICES.items()),
    )

    @field_validator("initial_grant")
    @classmethod
    def _is_amount(cls, value: str) -> str:
        typed(value)
        return value

    @field_validator("prices")
    @classmethod
    def _are_prices(cls, value: dict[str, str]) -> dict[str, str]:
        unknown = sorted(value.keys() - DEFAULT_PRICES.keys())
        if unknown:
            raise ValueError(f"unknown items: {', '.join(unknown)}")
        for item, price in value.items():
            if typed(price) > typed(_HIGHEST_PRICE):
                raise ValueError(f"the price of {item} is above {_HIGHEST_PRICE}")
        return value

    @property
    def grant(self) -> Micros:
        return typed(self.initial_grant)

    def price_list(self) -> PriceList:
        """The prices in force."""
        listed = {item: typed(price) for item, price in {**DEFAULT_PRICES, **self.prices}.items()}
        return PriceList(
            currency=self.currency,
            base={kind: listed[f"base.{kind}"] for kind in SESSION_TYPES},
            items={item: listed[item] for item in UNITS if item != "base"},
        )
