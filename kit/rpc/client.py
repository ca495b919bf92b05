"""Calls to other services: a deadline and an identity on every one, and errors that keep their names."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable
from typing import Any

import grpc
from google.rpc import error_details_pb2, status_pb2

from kit.auth.internal import InternalSigner
from kit.errors import DeadlineExceeded, RemoteError, Unavailable
from kit.rpc.reasons import DETAILS_KEY, DOMAIN, ERROR_KEY

# Reads may be sent again when the server was away; writes are retried by their callers, who know their ids.
_RETRIED_READS = {
    "maxAttempts": 3,
    "initialBackoff": "0.05s",
    "maxBackoff": "0.5s",
    "backoffMultiplier": 3,
    "retryableStatusCodes": ["UNAVAILABLE"],
}
MOST_RECEIVED = 8 * 1024 * 1024


def open_channel(target: str, *, reads: Iterable[tuple[str, str]] = ()) -> grpc.aio.Channel:
    """A channel to `host:port`, round robin over its addresses. `reads` are (service, method) that may be retried."""
    names = [{"service": service, "method": method} for service, method in reads]
    config: dict[str, Any] = {"loadBalancingConfig": [{"round_robin": {}}]}
    if names:
        config["methodConfig"] = [{"name": names, "retryPolicy": _RETRIED_READS}]
    options: list[tuple[str, Any]] = [
        ("grpc.service_config", json.dumps(config)),
        ("grpc.keepalive_time_ms", 20_000),
        ("grpc.keepalive_timeout_ms", 5_000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
        ("grpc.max_receive_message_length", MOST_RECEIVED),
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 1_000),
        ("grpc.enable_http_proxy", 0),
    ]
    return grpc.aio.insecure_channel(f"dns:///{target}", options=options)


class Peer:
    """Another service, as this one calls it."""

    def __init__(self, audience: str, signer: InternalSigner) -> None:
        self._audience = audience
        self._signer = signer

    def metadata(self, extra: Iterable[tuple[str, str]] = ()) -> tuple[tuple[str, str], ...]:
        return (("authorization", f"Bearer {self._signer.token(self._audience)}"), *extra)

    async def call(self, method: Any, request: Any, *, timeout: float, extra: Iterable[tuple[str, str]] = ()) -> Any:
        """Call a unary (or client-streaming) method; `timeout` in seconds. Raises RemoteError, Unavailable,
        DeadlineExceeded."""
        try:
            return await method(request, timeout=timeout, metadata=self.metadata(extra))
        except grpc.aio.AioRpcError as error:
            raise named(error, self._audience) from error

    async def stream(
        self, method: Any, request: Any, *, timeout: float, extra: Iterable[tuple[str, str]] = ()
    ) -> AsyncIterator[Any]:
        """Iterate over the answers of a server-streaming method."""
        try:
            async for message in method(request, timeout=timeout, metadata=self.metadata(extra)):
                yield message
        except grpc.aio.AioRpcError as error:
            raise named(error, self._audience) from error


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
