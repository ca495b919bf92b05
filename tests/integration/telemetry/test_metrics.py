"""What the running processes export, and that rules and dashboards ask for nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integration.telemetry.conftest import Run
from tests.support.promql import asked_by
from tests.support.stack import ROOT

FOLDER = ROOT / "deploy" / "observability"
ALERTS = FOLDER / "alerts.yaml"
DASHBOARDS = sorted((FOLDER / "dashboards").glob("*.json"))
TARGET = {"job", "instance"}
"""Labels that Prometheus gives to whatever it scrapes."""
BUILT_IN = {
    "up": TARGET,
    # Envoy's own; tests of the edge see that it has them.
    "envoy_http_downstream_rq_xx": TARGET | {"envoy_http_conn_manager_prefix", "envoy_response_code_class"},
}
UNBOUNDED = ("session_id", "user", "owner", "request_id", "trace_id", "path", "document_id")


def exported(run: Run) -> dict[str, set[str]]:
    """Names of time series and the labels they have."""
    found: dict[str, set[str]] = {}
    for families in run.scraped.values():
        for family in families:
            suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum")}.get(family.type, ("",))
            for suffix in suffixes:
                found.setdefault(family.name + suffix, set(TARGET))
            for sample in family.samples:
                found.setdefault(sample.name, set(TARGET)).update(sample.labels)
    return found


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load(ALERTS.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def known(run: Run) -> dict[str, set[str]]:
    """Everything that an expression may name; a recorded series has the labels it was grouped by."""
    found = {**exported(run), **BUILT_IN}
    for rule in rules():
        if "record" in rule:
            found[rule["record"]] = asked_by(rule["expr"]).grouped
    return found


def wrong(expression: str, found: dict[str, set[str]]) -> list[str]:
    """What an expression asks for that is not there."""
    asked = asked_by(expression)
    assert asked.metrics, expression
    faults = [f"no metric {name}" for name in asked.metrics if name not in found]
    for name, labels in asked.metrics.items():
        faults += [f"{name} has no label {label}" for label in labels - found.get(name, labels)]
    everywhere = set().union(*(found.get(name, set()) for name in asked.metrics))
    faults += [f"nothing in {expression} has label {label}" for label in asked.grouped - everywhere]
    return faults


def queries(dashboard: Path) -> Iterator[str]:
    body = json.loads(dashboard.read_text())
    for panel in body["panels"]:
        for target in panel.get("targets", []):
            yield target["expr"].replace("$__rate_interval", "5m").replace("$job", ".*")
    for variable in body["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["definition"].removeprefix("label_values(").rpartition(",")[0]


def test_a_wrong_name_is_found() -> None:
    found = {"prsm_a_total": {"code"} | TARGET}
    assert wrong('sum by (job) (rate(prsm_a_total{code="OK"}[5m])) > 1e3', found) == []
    assert wrong("prsm_b_total > 0", found) == ["no metric prsm_b_total"]
    assert wrong('prsm_a_total{kind="x"}', found) == ["prsm_a_total has no label kind"]
    assert len(wrong("sum by (engine) (prsm_a_total)", found)) == 1


async def test_alerts_ask_for_what_is_exported(run: Run) -> None:
    found = known(run)
    assert [fault for rule in rules() for fault in wrong(rule["expr"], found)] == []


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda path: path.stem)
async def test_dashboards_ask_for_what_is_exported(run: Run, dashboard: Path) -> None:
    found = known(run)
    asked = list(queries(dashboard))
    assert len(asked) > 5
    assert [fault for expression in asked for fault in wrong(expression, found)] == []


async def test_every_part_tells_of_itself(run: Run) -> None:
    assert set(run.scraped) == {"session", "results", "collab", "billing", "library", "gateway", "worker-1"}
    for part, families in run.scraped.items():
        names = {sample.name: sample for family in families for sample in family.samples}
        assert names["prsm_build_info"].labels["process"] == part.removesuffix("-1")
        assert names["process_resident_memory_bytes"].value > 10_000_000
        assert names["prsm_event_loop_lag_seconds_count"].value > 0


async def test_figures_tell_what_was_done(run: Run) -> None:
    assert value(run, "session", "prsm_session_sessions", status="completed") == 2
    assert value(run, "session", "prsm_session_transitions_total", session_type="research", status="queued") == 3
    assert value(run, "session", "prsm_session_queue_depth", engine="research") == 0
    assert value(run, "billing", "prsm_billing_open_holds") == 0
    for invariant in ("total", "accounts", "holds", "negative"):
        assert value(run, "billing", "prsm_billing_invariant_violations", invariant=invariant) == 0
    attempts = "prsm_worker_attempt_duration_seconds_count"
    assert value(run, "worker-1", attempts, engine="signal", ending="completed") == 1
    create = {"method": "prsm.session.v1.SessionService/CreateSession", "code": "OK"}
    assert value(run, "session", "prsm_rpc_server_duration_seconds_count", **create) == 2
    route = {"method": "GET", "route": "unmatched", "status": "401"}
    assert value(run, "gateway", "prsm_http_request_duration_seconds_count", **route) == 1


async def test_labels_are_bounded(run: Run) -> None:
    for families in run.scraped.values():
        for family in families:
            for sample in family.samples:
                assert not sample.labels.keys() & set(UNBOUNDED), sample
                assert run.real not in sample.labels.values()


async def test_names_and_help_follow_the_conventions(run: Run) -> None:
    for families in run.scraped.values():
        for family in families:
            if family.name.startswith("prsm_"):
                assert family.documentation.endswith("."), family.name
                assert not family.name.endswith(("_ms", "_milliseconds", "_minutes", "_kb", "_mb")), family.name
                assert family.type in ("counter", "gauge", "histogram"), family.name


def value(run: Run, part: str, name: str, **labels: str) -> float:
    (found,) = [
        sample.value
        for family in run.scraped[part]
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    ]
    return float(found)
