"""A small client of the REST API."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import aiohttp

from cli.errors import Refused

JSON = Any
"""A JSON value as `json.loads` gives it."""
_CALL = aiohttp.ClientTimeout(total=60)
_UPLOAD = aiohttp.ClientTimeout(total=600)
_STREAM = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=60)
_PAGE = 100
_LONGEST_EVENT = 4 * 1024 * 1024


class Answered(Refused):
    """An error answer of the API; `error` is its name, `reason` its message, `retry_after` in seconds."""

    def __init__(self, message: str, *, status: int, error: str, reason: str, retry_after: float = 0.0) -> None:
        super().__init__(message, code=1)
        self.status = status
        self.error = error
        self.reason = reason
        self.retry_after = retry_after


class Unreachable(Refused):
    """Nothing answers."""


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One Server-Sent Event; `id` is "" where the stream gave none."""

    id: str
    data: dict[str, JSON]


class RestApi:
    """Use it as an async context manager. Its calls raise Refused with the API's own message."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._token = token
        self._client: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._client = aiohttp.ClientSession(
            base_url=self._url, headers={"Authorization": f"Bearer {self._token}"}, timeout=_CALL
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._client is not None:
            await self._client.close()

    async def get(self, path: str, **query: str) -> JSON:
        return json.loads(await self._send("GET", path, params=query))

    async def post(self, path: str, body: JSON) -> JSON:
        return json.loads(await self._send("POST", path, json=body))

    async def download(self, path: str, **query: str) -> bytes:
        return await self._send("GET", path, params=query, timeout=_UPLOAD)

    async def upload(self, files: list[tuple[str, bytes]]) -> list[dict[str, JSON]]:
        """Store files, given as name and content; their cards, in order."""
        form = aiohttp.FormData(quote_fields=False)
        for name, content in files:
            form.add_field("file", content, filename=name)
        answer = json.loads(await self._send("POST", "/api/v1/documents/upload", data=form, timeout=_UPLOAD))
        return list(answer["documents"]) if "documents" in answer else [answer]

    async def document_ids(self) -> set[str]:
        """Ids of all documents in the caller's library."""
        found: set[str] = set()
        query = {"limit": str(_PAGE)}
        while True:
            page = await self.get("/api/v1/documents", **query)
            found.update(card["document_id"] for card in page["documents"])
            if not page.get("next_cursor"):
                return found
            query = {"limit": str(_PAGE), "cursor": page["next_cursor"]}

    async def events(self, path: str, last_id: str) -> AsyncGenerator[ServerEvent]:
        """Events after `last_id` ("" for all), until the server ends the stream."""
        headers = {"Accept": "text/event-stream", **({"Last-Event-ID": last_id} if last_id else {})}
        options = {"headers": headers, "timeout": _STREAM, "read_bufsize": _LONGEST_EVENT}
        async with self._request("GET", path, **options) as response:
            await _check(response)
            event_id, data = "", [""]
            async for raw in response.content:
                line = raw.decode().rstrip("\r\n")
                field, _, value = line.partition(":")
                value = value.removeprefix(" ")
                if field == "id":
                    event_id = value
                elif field == "data":
                    data.append(value)
                elif not line and len(data) > 1:
                    yield ServerEvent(event_id, json.loads("\n".join(data)))
                    event_id, data = "", [""]

    async def _send(self, method: str, path: str, **options: Any) -> bytes:
        try:
            async with self._request(method, path, **options) as response:
                await _check(response)
                return await response.read()
        except (TimeoutError, aiohttp.ClientConnectionError) as error:
            raise Unreachable(f"no stack answers at {self._url}: start it with prsm up", code=1) from error

    def _request(self, method: str, path: str, **options: Any) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        assert self._client is not None, "use it as a context manager"
        return self._client.request(method, path, **options)


async def _check(response: aiohttp.ClientResponse) -> None:
    if response.ok:
        return
    body = await response.text()
    try:
        answer = json.loads(body)
        error, reason = str(answer["error"]), str(answer["message"])
    except (ValueError, KeyError, TypeError):
        error, reason = "", body[:200] or str(response.reason)
    message = f"{response.method} {response.url.path} answered {response.status}: {reason}"
    wait = response.headers.get("Retry-After", "")
    raise Answered(
        message,
        status=response.status,
        error=error,
        reason=reason,
        retry_after=float(wait) if wait.isascii() and wait.isdigit() else 0.0,
    )
