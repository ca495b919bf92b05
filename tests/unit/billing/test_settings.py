"""Billing's settings."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from kit.settings import from_environment
from services.billing.settings import BillingSettings

_NAMES = "listen database_url nats_url user_issuer user_audience user_jwks internal_jwks internal_key"
REQUIRED = dict.fromkeys(_NAMES.split(), "x")


def settings(**changes: object) -> BillingSettings:
    return BillingSettings.model_validate({**REQUIRED, **changes})


def test_defaults() -> None:
    found = settings()
    assert (found.grant, found.session_quota, found.currency) == (1_000_000_000, 100, "FTNS")
    assert found.price_list().items == {
        "document_read": 20_000,
        "passage_read": 2_000,
        "row_read": 2,
        "finding_merged": 10_000,
        "tokens_in": 1_000,
        "tokens_out": 4_000,
    }


def test_one_price_changes_alone() -> None:
    prices = settings(prices={"base.analysis": "9.99"}).price_list()
    assert prices.base == {"research": 1_000_000, "analysis": 9_990_000, "synthesis": 500_000}


def test_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in REQUIRED.items():
        monkeypatch.setenv(f"PRSM_BILLING_{name.upper()}", value)
    monkeypatch.setenv("PRSM_BILLING_INITIAL_GRANT", "0")
    monkeypatch.setenv("PRSM_BILLING_PRICES", '{"row_read": "0.5"}')
    found = BillingSettings.model_validate({})
    assert found.grant == 0
    assert found.price_list().items["row_read"] == 500_000


@pytest.mark.parametrize(
    "wrong",
    [
        {"initial_grant": "-1"},
        {"initial_grant": "1e3"},
        {"session_quota": 0},
        {"prices": {"tokens": "1.00"}},
        {"prices": {"row_read": "free"}},
        {"prices": {"row_read": "10000.01"}},
    ],
)
def test_wrong_settings(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        settings(**wrong)


def test_a_process_without_its_settings_says_so_and_ends(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in REQUIRED.items():
        monkeypatch.setenv(f"PRSM_BILLING_{name.upper()}", value)
    monkeypatch.delenv("PRSM_BILLING_LISTEN")
    monkeypatch.setenv("PRSM_BILLING_SESSION_QUOTA", "5ecret")
    with pytest.raises(SystemExit) as ended:
        from_environment(BillingSettings)
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith("PRSM_BILLING_LISTEN: Field required; PRSM_BILLING_SESSION_QUOTA: ")
    assert said.count("\n") == 1
    assert "5ecret" not in said
