"""Commands for the signal-driven engine, over plain NATS requests on `prsm.test.signal.SESSION_ID`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import orjson
from nats.aio.msg import Msg

from kit.bus.connection import Bus
from worker.engines.base import JSON

SUBJECT = "prsm.test.signal"


class NatsCommand:
    """A request; its reply says what came of it."""

    def __init__(self, message: Msg) -> None:
        self._message = message
        self.body: Mapping[str, Any] = _object(message.data)

    async def applied(self, **facts: JSON) -> None:
        await self._message.respond(orjson.dumps({"ok": True, **facts}))

    async def refused(self, reason: str) -> None:
        await self._message.respond(orjson.dumps({"ok": False, "reason": reason}))


class NatsCommands:
    """Listens while a stage does; in between a sender is told that nobody listens, and sends again."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    @asynccontextmanager
    async def listen(self, session_id: str) -> AsyncIterator[AsyncIterator[NatsCommand]]:
        await self._bus.ready()
        subscription = await self._bus.client.subscribe(f"{SUBJECT}.{session_id}")
        try:
            yield (NatsCommand(message) async for message in subscription.messages)
        finally:
            if not self._bus.client.is_closed:
                await subscription.unsubscribe()


def _object(data: bytes) -> Mapping[str, Any]:
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}
