"""Every answer of this suite is held against the description; here is shown that the comparison bites."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from gateway.openapi import examples
from tests.contract.described import document, faults_of
from tests.support.rest import Answer

SESSIONS = "/api/v1/sessions"
SESSION = f"{SESSIONS}/{examples.SESSION_ID}"
GOOD: Any = document()["paths"]["/api/v1/sessions/{session_id}"]["get"]["responses"]["200"]["content"][
    "application/json"
]["examples"]["Session"]["value"]
ERROR = {
    "error": "session_not_found",
    "message": "The specified session does not exist",
    "code": 404,
    "timestamp": examples.MOMENT,
    "request_id": examples.REQUEST_ID,
}
FRAME = {"seq": 4, "at": examples.MOMENT, "type": "t", "actor": "a", "status": "running", "progress": 1}
KEPT = {"ETag": '"1f"', "Vary": "Authorization, X-API-Key", "Accept-Ranges": "none"}
EVENT = {**FRAME, "current_stage": "", "detail": {}}


def answer(
    body: Any,
    *,
    status: int = 200,
    path: str = SESSION,
    method: str = "GET",
    media_type: str = "application/json",
    headers: Mapping[str, str] | None = None,
) -> Answer:
    given = {"Content-Type": media_type, "X-Request-Id": "r", **(headers or {})}
    content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return Answer(method, path, status, CIMultiDictProxy(CIMultiDict(given)), content)


def frames(*events: Mapping[str, Any], head: str = "id: 4\nevent: t\n") -> Answer:
    text = "".join(f"{head}data: {json.dumps(event)}\n\n" for event in events)
    return answer(f": keep-alive\nretry: 2000\n\n{text}", path=f"{SESSION}/events", media_type="text/event-stream")


@pytest.mark.parametrize(
    "good",
    [
        answer(GOOD),
        answer(ERROR, status=404),
        frames(EVENT, EVENT),
        answer("# Text", path=f"{SESSION}/results", media_type="text/markdown", headers=KEPT),
        answer("", path=f"{SESSION}/results", status=304, headers=KEPT),
        answer({"error": "not_found"}, status=404, path="/api/v1/nothing"),
    ],
)
def test_what_is_described_has_no_faults(good: Answer) -> None:
    assert faults_of(good) == []


def without(field: str) -> dict[str, Any]:
    return {name: value for name, value in GOOD.items() if name != field}


@pytest.mark.parametrize(
    "bad",
    [
        answer(GOOD, status=202),
        answer(GOOD, media_type="text/html"),
        answer(without("progress")),
        answer(without("resource_usage")),
        answer({**GOOD, "mood": "fine"}),
        answer({**GOOD, "progress": "40"}),
        answer({**GOOD, "status": "status_unspecified"}),
        answer({**GOOD, "created_at": "yesterday"}),
        answer({**GOOD, "session_id": "1"}),
        answer({**GOOD, "budget": {**GOOD["budget"], "limit": "5"}}),
        answer({**ERROR, "error": "results_not_available"}, status=404),
        answer({**ERROR, "code": 400}, status=404),
        answer({name: ERROR[name] for name in ("error", "message", "code", "timestamp")}, status=404),
        answer(GOOD, headers={"X-Request-Id": ""}, path=SESSIONS, method="POST", status=201),
        answer("# Text", path=f"{SESSION}/results", media_type="text/markdown"),
        frames(FRAME),
        frames({**EVENT, "status": "dancing"}),
        frames(EVENT, head="id: x\n"),
    ],
)
def test_what_is_not_described_is_found(bad: Answer) -> None:
    assert faults_of(bad)
