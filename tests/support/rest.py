"""A client of the REST API for tests: it sends what it is told and shows all of the answer."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from multidict import CIMultiDictProxy

from tests.support.sse import StreamEvent, events_of
from tests.support.stack import RunningStack

JSON = Any
API = "/api/v1"
PATIENCE = 60.0
"""Seconds within which anything that a test waits for has happened."""
_POLL = 0.02
TERMINAL = frozenset({"completed", "failed", "cancelled", "timeout"})


@dataclass(frozen=True)
class Answer:
    """A response, read to its end."""

    method: str
    path: str
    status: int
    headers: CIMultiDictProxy[str] = field(repr=False)
    content: bytes

    @property
    def body(self) -> JSON:
        """The JSON of the body."""
        return json.loads(self.content)

    @property
    def text(self) -> str:
        return self.content.decode()

    @property
    def media_type(self) -> str:
        return self.headers.get("Content-Type", "").partition(";")[0].strip()

    def expect(self, status: int) -> JSON:
        """The JSON of an answer that must have this status."""
        assert self.status == status, f"{self.method} {self.path}: {self.status} instead of {status}: {self.text[:600]}"
        return self.body

    @property
    def fields(self) -> list[str]:
        """The fields that a validation error names."""
        return [fault["field"] for fault in self.body["details"]["fields"]]


class Api:
    """The API as one user sees it. `user` is their id."""

    def __init__(self, client: aiohttp.ClientSession, url: str, token: str, user: str) -> None:
        self._client = client
        self._url = url
        self.user = user
        self.token = token

    async def send(
        self,
        method: str,
        path: str,
        *,
        body: JSON = None,
        raw: bytes | aiohttp.FormData | AsyncIterator[bytes] | None = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send `body` as JSON, or `raw` as it is. A header that is empty is left out."""
        data: Any = raw
        given = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        if body is not None:
            data = json.dumps(body).encode()
            given["Content-Type"] = "application/json"
        given |= headers or {}
        kept = {name: value for name, value in given.items() if value}
        async with self._client.request(
            method, self._url + path, data=data, params=query, headers=kept, allow_redirects=False
        ) as response:
            return Answer(method, path, response.status, response.headers, await response.read())

    async def get(self, path: str, **query: str) -> JSON:
        return (await self.send("GET", API + path, query=query)).expect(200)

    async def post(self, path: str, body: JSON = None, *, status: int = 200) -> JSON:
        return (await self.send("POST", API + path, body=body)).expect(status)

    async def create(self, prompt: str = "How is carbon dioxide taken up by the ocean?", **body: JSON) -> str:
        """Create a session and return its id."""
        answer = await self.post("/sessions", {"prompt": prompt, **body}, status=201)
        return str(answer["session_id"])

    async def add_document(self, title: str, text: str) -> str:
        answer = await self.post("/documents", {"title": title, "text": text}, status=201)
        return str(answer["document_id"])

    async def share(self, session_id: str, recipient: str, permissions: str = "view", **body: JSON) -> JSON:
        request = {"recipients": [recipient], "permissions": permissions, **body}
        return await self.post(f"/sessions/{session_id}/share", request, status=201)

    async def session(self, session_id: str) -> JSON:
        return await self.get(f"/sessions/{session_id}")

    async def settled_balance(self, session_id: str) -> JSON:
        """The balance once an ended session's hold is settled, which happens a moment after its last event."""
        async with asyncio.timeout(PATIENCE):
            while True:
                ledger = await self.get("/billing/transactions", session_id=session_id)
                if {"capture", "release"} & {transaction["kind"] for transaction in ledger["transactions"]}:
                    return await self.get("/billing/balance")
                await asyncio.sleep(_POLL)

    async def events(self, session_id: str, *, after: int | None = None) -> AsyncGenerator[StreamEvent, None]:
        """The session's event stream, from its beginning or after an event, until the server ends it."""
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "text/event-stream"}
        if after is not None:
            headers["Last-Event-ID"] = str(after)
        path = f"{API}/sessions/{session_id}/events"
        async with asyncio.timeout(3 * PATIENCE), self._client.get(self._url + path, headers=headers) as response:
            assert response.status == 200, await response.text()
            assert response.content_type == "text/event-stream"
            async for event in events_of(response):
                if event is not None:
                    yield event

    async def until(
        self, session_id: str, reached: Callable[[StreamEvent], bool], *, patience: float = PATIENCE
    ) -> StreamEvent:
        """The first event of the stream that `reached` accepts; an AssertionError when there is none within `patience`
        seconds."""
        seen: list[str] = []
        try:
            async with asyncio.timeout(patience), aclosing(self.events(session_id)) as events:
                async for event in events:
                    if reached(event):
                        return event
                    seen.append(f"{event.type}:{event.data['status']}")
        except TimeoutError:
            pass
        raise AssertionError(f"session {session_id} did not get there: {seen}, {await self.session(session_id)}")

    async def until_status(self, session_id: str, status: str) -> JSON:
        """The session once its status is this one; an AssertionError when it ends otherwise."""

        def reached(event: StreamEvent) -> bool:
            now = event.data["status"]
            assert now == status or now not in TERMINAL, f"{session_id} is {now}, not {status}: {event.data}"
            return bool(now == status)

        found = await self.session(session_id)
        if found["status"] != status:
            await self.until(session_id, reached)
            found = await self.session(session_id)
        assert found["status"] == status, found
        return found


_NUMBERS = itertools.count(1)


class People:
    """Makes users, each new to the stack."""

    def __init__(self, stack: RunningStack, client: aiohttp.ClientSession) -> None:
        self._stack = stack
        self._client = client

    def new(self, user: str = "", **claims: Any) -> Api:
        """A user nobody was before; `claims` are those of `RunningStack.token`."""
        return self.known(user or f"user-{next(_NUMBERS)}", **claims)

    def known(self, user: str, **claims: Any) -> Api:
        """A user by id, signed in with these claims."""
        return self.with_token(self._stack.token(user, **claims), user)

    def with_token(self, token: str, user: str = "") -> Api:
        return Api(self._client, self._stack.url, token, user)
