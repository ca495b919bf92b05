"""Calls to other services: a deadline and an identity on every one, and errors that keep their names."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable
from typing import Any

import grpc
from google.rpc import error_details_pb2, status_pb2

from kit.auth.internal import TokenSource
from kit.errors import DeadlineExceeded, RemoteError, Unavailable
from kit.rpc.outgoing import PeerCall
from kit.rpc.reasons import DETAILS_KEY, DOMAIN, ERROR_KEY

_TURNS = 3


class Peer:
    """Another service, as this one calls it."""

    def __init__(self, audience: str, tokens: TokenSource) -> None:
        self._audience = audience
        self._tokens = tokens

    def metadata(self, extra: Iterable[tuple[str, str]] = ()) -> tuple[tuple[str, str], ...]:
        return (("authorization", f"Bearer {self._tokens.token(self._audience)}"), *extra)

    async def call(self, method: Any, request: Any, *, timeout: float, extra: Iterable[tuple[str, str]] = ()) -> Any:
        """Call a unary (or client-streaming) method; `timeout` in seconds. Raises RemoteError, Unavailable,
        DeadlineExceeded."""
        seen = PeerCall(self._audience, request)
        code = "CANCELLED"
        try:
            answer = await method(request, timeout=timeout, metadata=self.metadata((*seen.metadata, *extra)))
            code = "OK"
            return answer
        except grpc.aio.AioRpcError as error:
            code = error.code().name
            raise named(error, self._audience) from error
        finally:
            seen.end(code)

    async def read(self, method: Any, request: Any, *, timeout: float) -> Any:
        """The same for a method that changes nothing: asked again at once, twice at most, when nobody answered within
        `timeout`. With a deadline shorter than it takes to notice that a replica is gone, its turn is lost; round
        robin gives the next one to another."""
        for _ in range(_TURNS - 1):
            try:
                return await self.call(method, request, timeout=timeout)
            except (Unavailable, DeadlineExceeded):
                continue
        return await self.call(method, request, timeout=timeout)

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
                return RemoteError(info.reason, message, details=details)
    if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
        return DeadlineExceeded()
    return Unavailable(f"The {peer} service is not available")
