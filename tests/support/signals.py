"""Leading a session of the signal-driven engine, one command at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import nats
import orjson
from nats.aio.client import Client
from nats.errors import NoRespondersError
from nats.errors import TimeoutError as NatsTimeout

from worker.signals import SUBJECT

_PAUSE = 0.02
_STILL_THERE = 1.0


class Signals:
    """Sends commands to the worker that holds a session. Each call returns when the worker has applied it.

    While no stage listens (the session is still queued, or between two stages) a command is sent again. A worker whose
    session was paused, cancelled or taken away listens until its next heartbeat: wait for `gone` before going on.
    """

    def __init__(self, client: Client, *, patience: float = 60.0) -> None:
        """`patience` is in seconds: how long a command waits for a stage that listens."""
        self._client = client
        self._patience = patience

    @classmethod
    async def connect(cls, url: str, token: str = "") -> Self:
        return cls(await nats.connect(url, token=token or None))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.close()

    async def send(self, session_id: str, do: str, **fields: Any) -> dict[str, Any]:
        """The worker's answer. Raises AssertionError when it refuses, TimeoutError when nobody listens."""
        payload = orjson.dumps({"do": do, **fields})
        async with asyncio.timeout(self._patience):
            while True:
                try:
                    reply = await self._client.request(f"{SUBJECT}.{session_id}", payload, timeout=self._patience)
                except NoRespondersError:
                    await asyncio.sleep(_PAUSE)
                    continue
                answer: dict[str, Any] = orjson.loads(reply.data)
                assert answer["ok"], answer
                return answer

    async def gone(self, session_id: str) -> None:
        """Return when no worker listens for the session any more."""
        async with asyncio.timeout(self._patience):
            while True:
                try:
                    payload = orjson.dumps({"do": "look"})
                    await self._client.request(f"{SUBJECT}.{session_id}", payload, timeout=_STILL_THERE)
                except NoRespondersError:
                    return
                except NatsTimeout:
                    pass  # It let go between the request and its answer.
                await asyncio.sleep(_PAUSE)

    async def progress(self, session_id: str, value: float) -> None:
        await self.send(session_id, "progress", value=value)

    async def use(self, session_id: str, item: str, quantity: int) -> None:
        await self.send(session_id, "use", item=item, quantity=quantity)

    async def decide(
        self,
        session_id: str,
        decision: str,
        reason: str,
        *,
        alternatives: Sequence[str] = (),
        excluded: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        fields = {"alternatives": list(alternatives), "excluded": list(excluded)}
        await self.send(session_id, "decide", decision=decision, reason=reason, **fields)

    async def look(self, session_id: str) -> dict[str, Any]:
        """The stage that listens, whether it is to write up, and the outputs before it."""
        return await self.send(session_id, "look")

    async def until_released(self, session_id: str) -> None:
        """Returns once no stage listens: the worker has let go of a session that was paused."""
        await self.gone(session_id)

    async def finish_stage(self, session_id: str, output: Any = None) -> None:
        await self.send(session_id, "finish_stage", output=output)

    async def complete(self, session_id: str, result: Mapping[str, Any] | None = None) -> None:
        """This stage and all that follow end."""
        await self.send(session_id, "complete", result=dict(result or {}))

    async def fail(self, session_id: str, code: str, message: str = "Told to fail", *, retryable: bool = False) -> None:
        await self.send(session_id, "fail", code=code, message=message, retryable=retryable)

    async def crash(self, session_id: str) -> None:
        await self.send(session_id, "crash")
