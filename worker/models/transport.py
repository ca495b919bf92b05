"""The connection below the `openai` package: what may leave, and what may come in."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from typing import cast

import httpx2

_SENT = frozenset({"host", "content-type", "content-length", "accept", "connection"})
_TOLD = ("retry-after",)
"""What is taken of an answer that is none."""
_BYTES_PER_TOKEN = 1024
"""A chunk of a stream has some hundred bytes around one token."""
_FRAME = 64 * 1024
_STREAM = "text/event-stream"


class WrongAnswer(httpx2.TransportError):
    """The answer is not one that is read on."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Transport(httpx2.AsyncBaseTransport):
    """Sends our own headers only, and bounds what it reads: `text/event-stream`, not compressed, so many bytes; of any
    other answer the status alone.

    The package would add headers from the process's environment and about its platform.
    """

    def __init__(self, key: str, authorities: str, most_tokens: int) -> None:
        """`authorities` is a PEM file of those that the endpoint's certificate needs; "" for the usual ones."""
        self._key = key
        self._most = most_tokens * _BYTES_PER_TOKEN + _FRAME
        verify = ssl.create_default_context(cafile=authorities) if authorities else True
        self._inner = httpx2.AsyncHTTPTransport(verify=verify, trust_env=False)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        headers = {name: value for name, value in request.headers.items() if name.lower() in _SENT}
        headers["accept"] = _STREAM
        headers["accept-encoding"] = "identity"
        headers["user-agent"] = "prsm-worker"
        if self._key:
            headers["authorization"] = f"Bearer {self._key}"
        request.headers = httpx2.Headers(headers)
        response = await self._inner.handle_async_request(request)
        if not response.is_success:
            # What it says is not read: it may quote the key, be endless, or be small until it is unpacked.
            await response.aclose()
            said = {name: response.headers[name] for name in _TOLD if name in response.headers}
            return httpx2.Response(response.status_code, headers=said)
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != _STREAM or response.headers.get("content-encoding", "identity").lower() != "identity":
            await response.aclose()
            raise WrongAnswer("protocol", "The endpoint did not answer with a stream of events")
        response.stream = _Bounded(cast(httpx2.AsyncByteStream, response.stream), self._most)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


class _Bounded(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream, most: int) -> None:
        self._stream = stream
        self._left = most

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._stream:
            self._left -= len(part)
            if self._left < 0:
                raise WrongAnswer("too_large", "The endpoint's answer was larger than it can be")
            yield part

    async def aclose(self) -> None:
        await self._stream.aclose()
