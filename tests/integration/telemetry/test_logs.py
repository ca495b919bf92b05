"""Logs of a whole run: they tell who did what for which request, and nothing that users wrote or own."""

from __future__ import annotations

import json

from tests.integration.telemetry.conftest import CLIENT_TRACE, REQUEST_ID, Run

PLANTED = ("zebrafish", "zanzibar", "zephyrous", "planted.bearer")


async def test_nothing_that_users_own_is_logged(run: Run) -> None:
    everything = "\n".join(run.logs.values())
    assert len(everything) > 5_000
    for word in (*PLANTED, *run.tokens):
        assert word not in everything
    assert "Bearer " not in everything


async def test_every_line_of_our_own_is_json(run: Run) -> None:
    for part in ("session", "billing", "library", "results", "collab", "gateway", "worker-1"):
        lines = [line for line in run.logs[part].splitlines() if line.startswith("{")]
        assert lines, part
        for line in lines:
            assert {"event", "level", "timestamp", "service"} <= json.loads(line).keys(), line


async def test_each_call_leaves_one_line_with_its_ids(run: Run) -> None:
    calls = [line for line in run.lines() if line["event"] == "call" and line.get("request_id") == REQUEST_ID]
    methods = [line["method"] for line in calls]
    assert methods.count("prsm.session.v1.SessionService/CreateSession") == 1
    assert "prsm.billing.v1.LedgerService/PlaceHold" in methods
    for line in calls:
        assert line["trace_id"] == CLIENT_TRACE
        assert len(line["span_id"]) == 16
        assert line["code"] == "OK"
        assert line["ms"] > 0
    (created,) = [line for line in calls if line["method"].endswith("/CreateSession")]
    assert (created["session_id"], created["caller"]) == (run.real, "ada")
    (hold,) = [line for line in calls if line["method"].endswith("/PlaceHold")]
    assert hold["caller"] == "session"


async def test_the_gateway_names_routes_and_never_paths(run: Run) -> None:
    requests = [line for line in run.lines() if line["event"] == "request"]
    assert {line["route"] for line in requests} >= {"/api/v1/sessions/{session_id}", "unmatched"}
    assert not [line for line in requests if line["route"] == "/ready"], "probes are not worth a line"
    assert not [line for line in requests if run.real in line["route"]]


async def test_the_worker_s_lines_name_session_and_trace(run: Run) -> None:
    ended = [line for line in run.lines() if line["event"] == "attempt ended"]
    assert sorted(line["session_id"] for line in ended) == sorted([run.real, run.led, run.led])
    (real,) = [line for line in ended if line["session_id"] == run.real]
    assert real["trace_id"] == CLIENT_TRACE
