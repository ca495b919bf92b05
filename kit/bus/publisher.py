"""Publishing many messages at once, each with its own outcome: what the stream says to one never hides behind another.

The library's own asynchronous publishing loses what the server answers to a message that it refuses, and sends what
is larger than the server takes, which ends the whole connection.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import BadHeaderError, BadSubjectError, Error, MaxPayloadError

from kit.bus.connection import Bus
from kit.errors import Unavailable

_SEND = 5.0
_ACKS = 5.0
# The server's names for "message size exceeds maximum allowed" and the same of its headers.
_REFUSALS = (10054, 10097)


class Refused(Exception):
    """The broker does not take this message as it is, however often it is sent."""


@dataclass(frozen=True, slots=True)
class Message:
    subject: str
    payload: bytes
    headers: Mapping[str, str]

    @property
    def size(self) -> int:
        """What the server counts against its limit, in bytes."""
        lines = sum(len(name.encode()) + len(value.encode()) + 4 for name, value in self.headers.items())
        return len("NATS/1.0\r\n") + lines + len("\r\n") + len(self.payload)


@dataclass(frozen=True, slots=True)
class Ack:
    """The stream has it under this number; `duplicate` if it says that it had it before."""

    seq: int
    duplicate: bool


Outcome = Ack | Refused | Unavailable


class Publisher:
    """Keeps the subscription on which the acknowledgements of one connection come back."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._client: Client | None = None
        self._prefix = ""
        self._count = 0
        self._waiting: dict[str, asyncio.Future[Outcome]] = {}

    async def publish(self, messages: Sequence[Message]) -> list[Outcome]:
        """Send them in order, which the stream keeps, and wait for all acknowledgements together. Raises Unavailable
        while there is no connection."""
        client = await self._subscribed()
        futures: list[asyncio.Future[Outcome]] = []
        tokens: list[str] = []
        try:
            try:
                # One time limit for all: with one for each, every event would leave in a packet of its own.
                async with asyncio.timeout(_SEND):
                    for message in messages:
                        tokens.append(self._expect(futures))
                        await self._send(client, message, tokens[-1], futures[-1])
            except TimeoutError:
                pass  # What was not sent has no answer, and what was has one.
            if futures:
                await asyncio.wait(futures, timeout=_ACKS)
        finally:
            for token in tokens:
                self._waiting.pop(token, None)
        missing = Unavailable("The message broker did not acknowledge in time")
        answers: list[Outcome] = [future.result() if future.done() else missing for future in futures]
        return answers + [missing] * (len(messages) - len(answers))

    async def _subscribed(self) -> Client:
        self._bus.jetstream()
        client = self._bus.client
        if client is not self._client:
            self._prefix = client.new_inbox()
            await client.subscribe(f"{self._prefix}.*", cb=self._answered)
            self._client = client
        return client

    def _expect(self, futures: list[asyncio.Future[Outcome]]) -> str:
        self._count += 1
        token = str(self._count)
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting[token] = future
        futures.append(future)
        return token

    async def _send(self, client: Client, message: Message, token: str, future: asyncio.Future[Outcome]) -> None:
        if message.size > client.max_payload:
            future.set_result(Refused(f"{message.size} bytes are more than the {client.max_payload} that it takes"))
            return
        reply = f"{self._prefix}.{token}"
        try:
            await client.publish(message.subject, message.payload, reply=reply, headers=dict(message.headers))
        except (BadSubjectError, BadHeaderError, MaxPayloadError) as error:
            future.set_result(Refused(repr(error)))
        except Error as error:
            future.set_result(Unavailable(f"The message broker is not available: {error!r}"))

    async def _answered(self, message: Msg) -> None:
        future = self._waiting.get(message.subject.rpartition(".")[2])
        if future is not None and not future.done():
            future.set_result(_read(message))


def _read(message: Msg) -> Outcome:
    if (message.headers or {}).get("Status"):
        return Unavailable("The message broker has no such stream")
    said = json.loads(message.data)
    error = said.get("error")
    if error is None:
        return Ack(int(said["seq"]), bool(said.get("duplicate")))
    text = str(error.get("description", ""))
    return Refused(text) if error.get("err_code") in _REFUSALS else Unavailable(f"The message broker refused: {text}")
