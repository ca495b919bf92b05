"""What is asked again, how often, and when no more."""

from __future__ import annotations

import json
from typing import Any

import grpc
import pytest

from kit.errors import DeadlineExceeded, RemoteError, Unavailable
from kit.rpc import channels
from kit.rpc.client import Peer, RetryBudget


class Anybody:
    def token(self, audience: str) -> str:
        return audience


class Scripted(Peer):
    """A peer whose calls end as it is told, and then well."""

    def __init__(self, *endings: Exception) -> None:
        super().__init__("other", Anybody(), draw=lambda: -1.0)  # pauses of no length
        self.endings = list(endings)
        self.asked = 0

    async def call(self, method: Any, request: Any, *, timeout: float, extra: Any = ()) -> Any:
        self.asked += 1
        if self.endings:
            raise self.endings.pop(0)
        return "answer"


async def test_a_read_is_asked_again_while_nobody_answers() -> None:
    peer = Scripted(Unavailable(), DeadlineExceeded())
    assert await peer.read(None, None, timeout=1) == "answer"
    assert peer.asked == 3


async def test_an_answer_that_is_an_error_is_an_answer() -> None:
    peer = Scripted(RemoteError("FORBIDDEN"))
    with pytest.raises(RemoteError):
        await peer.read(None, None, timeout=1)
    assert peer.asked == 1


async def test_in_an_outage_that_lasts_each_read_is_asked_once() -> None:
    peer = Scripted(*(Unavailable() for _ in range(1000)))
    for _ in range(100):
        with pytest.raises(Unavailable):
            await peer.read(None, None, timeout=1)
    before = peer.asked
    with pytest.raises(Unavailable):
        await peer.read(None, None, timeout=1)
    assert peer.asked == before + 1
    assert before < 100 + channels.RETRY_TOKENS


async def test_it_recovers_with_what_it_asks_of() -> None:
    budget = RetryBudget(tokens=4)
    assert [budget.failed() for _ in range(3)] == [True, False, False]
    budget.succeeded()
    assert not budget.failed()
    for _ in range(10):
        budget.succeeded()
    assert budget.failed()


async def test_half_of_the_calls_failing_does_not_use_it_up() -> None:
    budget = RetryBudget()
    for _ in range(10_000):
        assert budget.failed()
        budget.succeeded()


async def test_a_channel_that_retries_says_when_it_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[dict[str, Any]] = []

    def keep(_target: str, *, options: list[tuple[str, Any]]) -> None:
        made.append(json.loads(dict(options)["grpc.service_config"]))

    monkeypatch.setattr(grpc.aio, "insecure_channel", keep)
    channels.open_channel("host:1", reads=[("a.B", "Get")])
    channels.open_channel("host:1")
    retrying, plain = made
    assert retrying["retryThrottling"] == {"maxTokens": channels.RETRY_TOKENS, "tokenRatio": 1}
    assert retrying["methodConfig"][0]["name"] == [{"service": "a.B", "method": "Get"}]
    assert "methodConfig" not in plain
