"""Alert rules, their tests, dashboards and the runbook belong together."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic_settings import BaseSettings

from services.billing.settings import BillingSettings
from services.collab.settings import CollabSettings
from services.library.settings import LibrarySettings
from services.results.settings import ResultsSettings
from services.session.settings import SessionSettings
from tests.support.stack import ROOT
from worker.settings import WorkerSettings

FOLDER = ROOT / "deploy" / "observability"
RUNBOOK = ROOT / "docs" / "runbook.md"
DASHBOARDS = sorted((FOLDER / "dashboards").glob("*.json"))
SETTINGS: list[type[BaseSettings]] = [
    BillingSettings, CollabSettings, LibrarySettings, ResultsSettings, SessionSettings, WorkerSettings,
]  # fmt: skip


@cache
def alerts() -> dict[str, dict[str, Any]]:
    groups = yaml.safe_load((FOLDER / "alerts.yaml").read_text())["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"] if "alert" in rule}


@cache
def rule_tests() -> list[dict[str, Any]]:
    return [test for path in (FOLDER / "tests").glob("*.yaml") for test in yaml.safe_load(path.read_text())["tests"]]


@cache
def entries() -> dict[str, str]:
    """The runbook's text by heading of an alert."""
    parts = re.split(r"^### (\w+)$", RUNBOOK.read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_there_are_alerts_for_what_matters() -> None:
    assert len(alerts()) >= 40


@pytest.mark.parametrize("name", alerts())
def test_an_alert_says_what_it_is_and_where_to_read_on(name: str) -> None:
    rule = alerts()[name]
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert len(rule["annotations"]["summary"]) > 20
    assert rule["annotations"]["runbook_url"] == f"docs/runbook.md#{name.lower()}"


@pytest.mark.parametrize("name", alerts())
def test_an_alert_has_an_entry_in_the_runbook(name: str) -> None:
    entry = entries()[name]
    assert entry.strip().startswith(f"**{alerts()[name]['labels']['severity']}.**")
    assert "*Look" in entry
    assert "*Cure:*" in entry or "*Look and cure:*" in entry


def test_the_runbook_has_no_entry_for_what_is_no_alert() -> None:
    assert entries().keys() == alerts().keys()
    anchors = {name.lower() for name in entries()}
    assert set(re.findall(r"\]\(#(\w+)\)", RUNBOOK.read_text())) <= anchors


def test_the_runbook_names_settings_that_exist() -> None:
    known = {
        f"{settings.model_config.get('env_prefix', '')}{field}".upper()
        for settings in SETTINGS
        for field in settings.model_fields
    }
    named = set(re.findall(r"PRSM_[A-Z]+_[A-Z_]+", RUNBOOK.read_text()))
    assert len(named) > 3
    assert named <= known


@pytest.mark.parametrize("name", alerts())
def test_an_alert_s_firing_and_not_firing_is_tested(name: str) -> None:
    (test,) = [test for test in rule_tests() if test["name"] == name]
    checks = test["promql_expr_test"]
    assert all(f'alertname="{name}",alertstate="firing"' in check["expr"] for check in checks)
    assert [bool(check["exp_samples"]) for check in checks] == [False, True]


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_a_dashboard_can_be_loaded(path: Path) -> None:
    board = json.loads(path.read_text())
    assert board["uid"] == f"prsm-{path.stem}"
    panels = board["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels) >= 12
    assert len({panel["title"] for panel in panels}) == len(panels)
    places = {(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels}
    assert len(places) == len(panels)
    variables = {variable["name"] for variable in board["templating"]["list"]}
    used = set(re.findall(r"\$([a-z]+)", path.read_text()))
    assert used <= variables, used
