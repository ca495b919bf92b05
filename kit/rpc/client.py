"""Calls to other services: a deadline and an identity on every one, and errors that keep their names."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

import grpc
from google.rpc import error_details_pb2, status_pb2

from kit.auth.internal import TokenSource
from kit.errors import DeadlineExceeded, RemoteError, Unavailable
from kit.rpc.channels import RETRY_TOKENS, has_connection
from kit.rpc.outgoing import PeerCall
from kit.rpc.reasons import DETAILS_KEY, DOMAIN, ERROR_KEY

_TURNS = 3
_PAUSE = 0.1
_AWAY = {kind.reason: kind for kind in (Unavailable, DeadlineExceeded)}


class NoConnection(Unavailable):
    """There was none for as long as the call could wait."""


class RetryBudget:
    """The same rule as a channel's (see there), for what is asked again above it."""

    def __init__(self, tokens: float = RETRY_TOKENS) -> None:
        self._most = self._tokens = tokens

    def succeeded(self) -> None:
        self._tokens = min(self._most, self._tokens + 1)

    def failed(self) -> bool:
        """Count a failure; whether the call may be made again."""
        self._tokens = max(0.0, self._tokens - 1)
        return self._tokens > self._most / 2


class Peer:
    """Another service, as this one calls it."""

    def __init__(self, audience: str, tokens: TokenSource, *, draw: Callable[[], float] = random.random) -> None:
        """`draw` gives numbers from 0 to 1."""
        self._audience = audience
        self._tokens = tokens
        self._draw = draw
        self._budget = RetryBudget()

    def metadata(self, extra: Iterable[tuple[str, str]] = ()) -> tuple[tuple[str, str], ...]:
        return (("authorization", f"Bearer {self._tokens.token(self._audience)}"), *extra)

    async def call(self, method: Any, request: Any, *, timeout: float, extra: Iterable[tuple[str, str]] = ()) -> Any:
        """Call a unary (or client-streaming) method; `timeout` in seconds. Raises RemoteError, Unavailable,
        DeadlineExceeded."""
        seen = PeerCall(self._audience, request)
        code = "CANCELLED"
        try:
            metadata = self.metadata((*seen.metadata, *extra))
            # One that has no connection just now, because the other process starts again, has until its deadline.
            answer = await method(request, timeout=timeout, metadata=metadata, wait_for_ready=True)
            code = "OK"
            return answer
        except grpc.aio.AioRpcError as error:
            code = error.code().name
            if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED and not has_connection(method):
                raise NoConnection(f"The {self._audience} service is not available") from error
            raise named(error, self._audience) from error
        finally:
            seen.end(code)

    async def read(self, method: Any, request: Any, *, timeout: float) -> Any:
        """The same for a method that changes nothing: asked again, at once and then after a pause, when nobody answered
        within `timeout`. With a deadline shorter than it takes to notice that a replica is gone, its turn is lost;
        round robin gives the next one to another."""
        for turn in range(1, _TURNS + 1):
            try:
                answer = await self.call(method, request, timeout=timeout)
            except (Unavailable, DeadlineExceeded) as error:
                # It has waited for a connection already; another turn would only wait longer.
                if not self._budget.failed() or turn == _TURNS or isinstance(error, NoConnection):
                    raise
            else:
                self._budget.succeeded()
                return answer
            if turn > 1:
                await asyncio.sleep(_PAUSE * (1 + self._draw()) / 2)
        raise AssertionError("unreachable")

    async def stream(
        self, method: Any, request: Any, *, timeout: float, extra: Iterable[tuple[str, str]] = ()
    ) -> AsyncIterator[Any]:
        """Iterate over the answers of a server-streaming method."""
        seen = PeerCall(self._audience, request)
        code = "CANCELLED"
        try:
            metadata = self.metadata((*seen.metadata, *extra))
            async for message in method(request, timeout=timeout, metadata=metadata):
                yield message
            code = "OK"
        except grpc.aio.AioRpcError as error:
            code = error.code().name
            raise named(error, self._audience) from error
        finally:
            seen.end(code)


def named(error: grpc.aio.AioRpcError, peer: str) -> Exception:
    """The error that another service raised, by its reason; a service that is away is `unavailable`."""
    trailing = dict(error.trailing_metadata() or ())
    packed = trailing.get(DETAILS_KEY)
    details: Any = None
    message: str | None = None
    body = trailing.get(ERROR_KEY)
    if isinstance(body, str):
        try:
            parsed = json.loads(body)
            details, message = parsed.get("details"), parsed.get("message")
        except ValueError:
            pass  # The reason below still tells what happened.
    if isinstance(packed, bytes):
        for packed_detail in status_pb2.Status.FromString(packed).details:
            info = error_details_pb2.ErrorInfo()
            if packed_detail.Unpack(info) and info.domain == DOMAIN:
                if info.reason == "UNAUTHORIZED":
                    # Our own credential was refused: that is our fault, never the user's.
                    return Unavailable(f"The {peer} service refused this one")
                if away := _AWAY.get(info.reason):
                    # Its database may be: for a caller that is no other than a service that does not answer.
                    return away(message, details=details)
                return RemoteError(info.reason, message, details=details)
    if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
        return DeadlineExceeded()
    return Unavailable(f"The {peer} service is not available")
