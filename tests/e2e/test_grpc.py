"""The same lifecycle over gRPC, as a stranger with nothing but `buf curl` and reflection would drive it."""

from __future__ import annotations

import asyncio
import base64
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from google.rpc import error_details_pb2

from tests.support.rest import PATIENCE, Api, People
from tests.support.stack import PARKED, RunningStack

BUF = Path(sys.executable).parent / "buf"
SESSION = "prsm.session.v1.SessionService"
PROMPT = "How does the ocean take up carbon dioxide?"


@dataclass(frozen=True)
class Reply:
    """What `buf curl` printed: the messages, or the error."""

    messages: list[Any]
    error: Any

    @property
    def message(self) -> Any:
        assert self.error is None, self.error
        return self.messages[0]


class BufCurl:
    """Calls methods of a running stack by reflection."""

    def __init__(self, stack: RunningStack, token: str) -> None:
        self._stack = stack
        self._token = token

    async def call(self, method: str, request: Any) -> Reply:
        target = self._stack.endpoints[method.split(".")[1]]
        arguments = ["curl", "--protocol", "grpc", "--http2-prior-knowledge", "--emit-defaults"]
        if self._token:
            arguments += ["--header", f"Authorization: Bearer {self._token}"]
        arguments += ["--data", json.dumps(request), f"http://{target}/{method}"]
        process = await asyncio.create_subprocess_exec(
            str(BUF), *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        async with asyncio.timeout(PATIENCE):
            out, err = await process.communicate()
        if process.returncode == 0:
            return Reply(_objects(out.decode()), None)
        return Reply([], json.loads(err.decode().strip()))


def _objects(text: str) -> list[Any]:
    decoder, found, text = json.JSONDecoder(), [], text.strip()
    while text:
        value, end = decoder.raw_decode(text)
        found.append(value)
        text = text[end:].lstrip()
    return found


@pytest.fixture
async def reader(people: People) -> Api:
    api = people.new()
    await api.add_document("Gas exchange", "The ocean takes up carbon dioxide from the air at its surface.")
    return api


async def test_the_lifecycle(stack: RunningStack, people: People, reader: Api) -> None:
    buf = BufCurl(stack, reader.token)
    created = (
        await buf.call(f"{SESSION}/CreateSession", {"prompt": PROMPT, "preferences": {"depth": "quick"}})
    ).message
    session_id = created["sessionId"]
    assert (created["status"], created["costEstimate"]["currency"]) == ("queued", "FTNS")

    watched = (await buf.call(f"{SESSION}/WatchSession", {"sessionId": session_id})).messages
    assert [m["seq"] for m in watched if m["seq"]] == list(range(1, len([m for m in watched if m["seq"]]) + 1))
    progress = [m["progress"] for m in watched]
    assert progress == sorted(progress)
    assert watched[-1]["type"] == "session.completed"

    one = {"sessionId": session_id}
    session = (await buf.call(f"{SESSION}/GetSession", one)).message
    assert (session["status"], session["progress"]) == ("completed", 100)
    results = (await buf.call("prsm.results.v1.ResultsService/GetResults", one)).message
    assert results["summary"] == session["results"]["summary"]
    assert await reader.get(f"/sessions/{session_id}/results", include_metadata="false") == {
        "session_id": results["sessionId"],
        "results": results["results"],
        "summary": results["summary"],
        "citations": results["citations"],
        "confidence_score": results["confidenceScore"],
    }
    metrics = (await buf.call(f"{SESSION}/GetSessionMetrics", one)).message
    assert metrics["costBreakdown"]["charged"] != "0.00"
    history = (await buf.call(f"{SESSION}/GetSessionHistory", one)).message
    assert len(history["timeline"]) == len([m for m in watched if m["seq"]])
    listed = (await buf.call(f"{SESSION}/ListSessions", {"status": "completed"})).message
    assert [entry["sessionId"] for entry in listed["sessions"]] == [session_id]

    friend = people.new()
    share = {**one, "recipients": [f"user:{friend.user}"], "permissions": "edit"}
    assert (await buf.call("prsm.collab.v1.CollabService/ShareSession", share)).message["permissions"] == "edit"
    theirs = BufCurl(stack, friend.token)
    comment = {**one, "content": "Read it."}
    added = (await theirs.call("prsm.collab.v1.CollabService/AddComment", comment)).message
    assert added["author"]["userId"] == friend.user
    await reader.settled_balance(session_id)
    balance = (await buf.call("prsm.billing.v1.BillingService/GetBalance", {})).message
    assert balance == {"available": balance["available"], "held": "0.00", "currency": "FTNS"}


async def test_control(stack: RunningStack, reader: Api) -> None:
    buf = BufCurl(stack, reader.token)
    request = {"prompt": PROMPT, "preferences": {"engine": PARKED}}
    one = {"sessionId": (await buf.call(f"{SESSION}/CreateSession", request)).message["sessionId"]}
    for method in ("PauseSession", "ResumeSession"):
        assert (await buf.call(f"{SESSION}/{method}", one)).error["code"] == "failed_precondition"
    cancelled = (await buf.call(f"{SESSION}/CancelSession", {**one, "reason": "done"})).message
    assert cancelled["status"] == "cancelled"
    again = await buf.call(f"{SESSION}/CancelSession", one)
    assert _reason(again) == "SESSION_CANNOT_BE_CANCELLED"


def _reason(reply: Reply) -> str:
    """The reason in the ErrorInfo of an error."""
    assert reply.error is not None, reply.messages
    (packed,) = [d["value"] for d in reply.error["details"] if d["type"] == "google.rpc.ErrorInfo"]
    raw = base64.b64decode(packed + "=" * (-len(packed) % 4))
    return str(error_details_pb2.ErrorInfo.FromString(raw).reason)


async def test_the_same_refusals(stack: RunningStack, people: People, reader: Api) -> None:
    """No token, a wrong one, a foreign session, a blank prompt, an internal method."""
    foreign = {"sessionId": await reader.create(preferences={"engine": PARKED})}
    unknown = {"sessionId": "01890000-0000-7000-8000-000000000000"}
    stranger = BufCurl(stack, people.new().token)
    cases = [
        (BufCurl(stack, ""), f"{SESSION}/GetSession", foreign, "unauthenticated", "UNAUTHORIZED"),
        (BufCurl(stack, "garbage"), f"{SESSION}/GetSession", foreign, "unauthenticated", "UNAUTHORIZED"),
        (stranger, f"{SESSION}/GetSession", foreign, "not_found", "SESSION_NOT_FOUND"),
        (stranger, f"{SESSION}/GetSession", unknown, "not_found", "SESSION_NOT_FOUND"),
        (stranger, f"{SESSION}/CancelSession", foreign, "not_found", "SESSION_NOT_FOUND"),
        (stranger, "prsm.results.v1.ResultsService/GetResults", foreign, "not_found", "SESSION_NOT_FOUND"),
        (stranger, f"{SESSION}/CreateSession", {"prompt": " "}, "invalid_argument", "VALIDATION_ERROR"),
        (stranger, f"{SESSION}/CreateSession", {"prompt": "Why?"}, "invalid_argument", "VALIDATION_ERROR"),
    ]
    replies = [await buf.call(method, request) for buf, method, request, _, _ in cases]
    assert [(reply.error["code"], _reason(reply)) for reply in replies] == [(code, why) for *_, code, why in cases]
    assert replies[2].error["message"] == replies[3].error["message"]
    for name in ("admin", "service", "read"):
        someone = BufCurl(stack, people.new(scope=name).token)
        request = {"workerId": "mallory", "engines": ["research"]}
        reply = await someone.call("prsm.session.v1.WorkerService/ClaimNext", request)
        assert reply.error["code"] in ("unauthenticated", "permission_denied"), name
