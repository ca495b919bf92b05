"""aiohttp's low-level server, with the documented error JSON also for what is not even HTTP."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Any, Final

from aiohttp import web

from gateway.errors import ErrorPages
from gateway.headers import REQUEST_ID
from kit.errors import ValidationError

# Room for a large token in a header, and for a long query in the request line; as much as Envoy has.
_LONGEST_LINE: Final = 32 * 1024
_KEEPALIVE_SECONDS: Final = 75.0
# How long an unread body is still taken in after its answer, so that the client gets to read that answer.
_LINGER_SECONDS: Final = 5.0
# Bytes that the kernel takes for a client that does not read, beside what is on its way; without it some megabytes.
_UNSENT: Final = 128 * 1024

Answer = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class GatewayServer(web.Server):
    """Handlers are cancelled when their client leaves, or has taken nothing for so many seconds of what was sent."""

    def __init__(self, answer: Answer, *, errors: ErrorPages, new_id: Callable[[], str], client_seconds: float) -> None:
        super().__init__(answer, handler_cancellation=True)
        self._errors = errors
        self._new_id = new_id
        self._client_ms = max(round(client_seconds * 1000), 1)

    def __call__(self) -> web.RequestHandler:
        """The protocol of a new connection."""
        return _Connection(self, self._unreadable, self._client_ms)

    def _unreadable(self) -> web.Response:
        request_id = self._new_id()
        response = self._errors.of(ValidationError.of("request", "is not HTTP that can be read"), request_id)
        response.headers[REQUEST_ID] = request_id
        return response


class _Connection(web.RequestHandler):
    __slots__ = ("_client_ms", "_unreadable")

    def __init__(self, server: web.Server, unreadable: Callable[[], web.Response], client_ms: int) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            keepalive_timeout=_KEEPALIVE_SECONDS,
            access_log=None,  # type: ignore[arg-type]  # None turns it off; the annotation forgets it
            max_line_size=_LONGEST_LINE,
            max_field_size=_LONGEST_LINE,
            lingering_time=_LINGER_SECONDS,
            auto_decompress=False,
        )
        self._unreadable = unreadable
        self._client_ms = client_ms

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        sock = transport.get_extra_info("socket")
        # A client that vanished without a word, or stays and does not read: the kernel ends its connection.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, self._client_ms)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT)

    def handle_error(self, request: web.BaseRequest, *_args: Any, **_kwargs: Any) -> web.StreamResponse:
        """Answer what the parser refused, and close the connection."""
        if request.writer.output_size > 0:
            raise ConnectionError("an answer was already under way")
        response = self._unreadable()
        response.force_close()
        return response
