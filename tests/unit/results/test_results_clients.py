"""What results asks session for, and how often: once a session has ended, nothing of it changes any more."""

from __future__ import annotations

from typing import Any

import pytest

from kit.rpc.sessions import SessionFacts
from prsm.session.v1 import internal_pb2
from services.results.clients import GrpcSessions

SESSION = "0192f0aa-1111-7000-8000-000000000001"


class Session:
    """The session service, its directory and the way to it, in one."""

    def __init__(self, status: str) -> None:
        self.status = status
        self.charged = "1.00"
        self.asked = 0
        self.DescribeExecution = object()

    async def find(self, session_id: str) -> SessionFacts:
        return SessionFacts(
            session_id,
            "ada",
            self.status,
            "research",
            "Why?",
            0,
            0,
            "",
            (),
            citation_style="",
            language="",
            progress=40,
        )

    async def call(self, method: object, request: Any, *, timeout: float) -> Any:
        self.asked += 1
        answer = internal_pb2.DescribeExecutionResponse()
        answer.metadata.update({"charged": self.charged})
        if self.status == "ending":
            self.status = "completed"
        return answer


def sessions(session: Session) -> GrpcSessions:
    peer: Any = session
    return GrpcSessions(peer, peer, peer)


async def test_an_ended_session_is_described_once() -> None:
    session = Session("completed")
    asking = sessions(session)
    digest = await asking.execution_digest(SESSION)
    assert (await asking.execution(SESSION)).digest() == digest
    assert await asking.execution_digest(SESSION) == digest
    assert session.asked == 1


@pytest.mark.parametrize("status", ["running", "ending"])
async def test_one_that_goes_on_is_described_each_time(status: str) -> None:
    """Also one that ends while it is described: what was told may be from before."""
    session = Session(status)
    asking = sessions(session)
    before = await asking.execution_digest(SESSION)
    session.charged = "2.00"
    assert await asking.execution_digest(SESSION) != before
    assert session.asked == 2


@pytest.mark.parametrize("status", ["running", "cancelled"])
async def test_a_pointer_says_how_far_the_session_is(status: str) -> None:
    pointer = await sessions(Session(status)).pointer(SESSION)
    assert pointer is not None
    assert (pointer.result, pointer.status, pointer.progress) == (None, status, 40)


async def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.results.clients._EXECUTIONS", 2)
    session = Session("completed")
    asking = sessions(session)
    for name in ("a", "b", "c", "a"):
        await asking.execution(name)
    assert session.asked == 4
