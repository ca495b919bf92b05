"""A careful client: a deadline on every request, one retry after a short pause, and a record of how each went."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from tests.support.sse import StreamEvent, events_of

API = "/api/v1"
DEADLINE = 20.0
LONG_DEADLINE = 60.0
"""For uploads and exports, in seconds."""
SILENCE = 30.0
"""Seconds after which a stream that says nothing, not even that it lives, is given up."""
_PAUSE = 1.0
_LONGEST_PAUSE = 5.0
_IN_USE = "idempotency_key_in_use"


class Unmended(AssertionError):
    """A request that failed, and failed again."""


@dataclass(frozen=True, slots=True)
class Record:
    """One request: when it began (monotonic), how long it took with its retry, and what went wrong, "" for nothing."""

    operation: str
    began: float
    seconds: float
    first: str
    second: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    content: bytes
    retry_after: float = 0.0

    @property
    def body(self) -> Any:
        return json.loads(self.content)


@dataclass(slots=True)
class Journal:
    """Every request of a run."""

    records: list[Record] = field(default_factory=list)


class Client:
    """The API as one user sees it."""

    def __init__(self, http: aiohttp.ClientSession, url: str, user: str, token: str, journal: Journal) -> None:
        self.user = user
        self._http = http
        self._url = url + API
        self._token = token
        self._journal = journal

    async def get(self, operation: str, path: str, *, deadline: float = DEADLINE, **query: str) -> Answer:
        """Raises Unmended."""
        return await self.send(operation, "GET", path, query=query, deadline=deadline)

    async def post(self, operation: str, path: str, body: Any = None, *, expect: Collection[int] = (200,)) -> Answer:
        """With an Idempotency-Key, the same for the retry. Raises Unmended."""
        return await self.send(operation, "POST", path, body=body, expect=expect)

    async def send(
        self,
        operation: str,
        method: str,
        path: str,
        *,
        body: Any = None,
        raw: bytes | None = None,
        media_type: str = "application/json",
        query: Mapping[str, str] | None = None,
        expect: Collection[int] = (200,),
        deadline: float = DEADLINE,
    ) -> Answer:
        """Any answer with a status in `expect`. Raises Unmended."""
        headers = {"Authorization": f"Bearer {self._token}"}
        data = raw if body is None else json.dumps(body).encode()
        if data is not None:
            headers["Content-Type"] = media_type
        if method == "POST":
            headers["Idempotency-Key"] = uuid.uuid4().hex

        async def once() -> Answer:
            timeout = aiohttp.ClientTimeout(total=deadline)
            async with self._http.request(
                method, self._url + path, data=data, params=query, headers=headers, timeout=timeout
            ) as response:
                wait = float(response.headers.get("Retry-After", "0"))
                return Answer(response.status, await response.read(), wait)

        began = time.monotonic()
        answer, fault = await _tried(once, expect)
        if answer is not None and not fault:
            self._journal.records.append(Record(operation, began, time.monotonic() - began, ""))
            return answer
        again, second = None, "not tried again: the first answer is final"
        if answer is None or answer.status in (429, 500, 502, 503, 504) or _in_use(answer):
            await asyncio.sleep(min(answer.retry_after or _PAUSE, _LONGEST_PAUSE) if answer else _PAUSE)
            again, second = await _tried(once, expect)
        self._journal.records.append(Record(operation, began, time.monotonic() - began, fault, second))
        if again is None or second:
            raise Unmended(f"{operation} by {self.user}: {fault}; then {second}")
        return again

    async def events(self, session_id: str) -> AsyncIterator[StreamEvent]:
        """The whole stream of a session, to its end, taken up again after the last event wherever it breaks.

        Every time that it breaks counts as a failed request, which the next connection has to mend. Raises Unmended,
        AssertionError for an event that is missing or comes twice.
        """
        last = 0
        fault = ""
        while True:
            began = time.monotonic()
            heard = False
            try:
                async with self._stream(session_id, last) as response:
                    if response.status != 200:
                        raise _Broken(_wrong(response.status, await response.read()))
                    async for event in events_of(response):
                        if not heard:
                            heard = True
                            self._note("events", began, fault)
                        if event is None:
                            continue
                        if event.id is not None:
                            assert event.id == last + 1, f"event {event.id} of {session_id} came after {last}"
                            last = event.id
                        yield event
                        if event.data.get("status") in ENDED:
                            return
                raise _Broken("the stream ended before the session did")
            except (aiohttp.ClientError, OSError, TimeoutError, _Broken) as error:
                broken = _said(error)
                if not heard and fault:
                    self._note("events", began, fault, broken)
                    raise Unmended(f"events by {self.user}: {fault}; then {broken}") from error
                fault = broken
            await asyncio.sleep(_PAUSE)

    def _stream(self, session_id: str, last: int) -> Any:
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "text/event-stream"}
        if last:
            headers["Last-Event-ID"] = str(last)
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=DEADLINE, sock_read=SILENCE)
        return self._http.get(f"{self._url}/sessions/{session_id}/events", headers=headers, timeout=timeout)

    def _note(self, operation: str, began: float, first: str, second: str = "") -> None:
        self._journal.records.append(Record(operation, began, time.monotonic() - began, first, second))


ENDED = frozenset({"completed", "failed", "cancelled", "timeout"})


class _Broken(Exception):
    """A stream that gave no events, or no more."""


async def _tried(once: Any, expect: Collection[int]) -> tuple[Answer | None, str]:
    """The answer, if there was one, and what is wrong with it."""
    try:
        answer: Answer = await once()
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        return None, _said(error)
    if answer.status in expect:
        return answer, ""
    return answer, _wrong(answer.status, answer.content)


def _wrong(status: int, content: bytes) -> str:
    """A refusal without what differs from one to the next."""
    try:
        error = json.loads(content)
        return f"{status} {error['error']}: {error['message']}"
    except (ValueError, KeyError, TypeError):
        return f"{status} {content[:160].decode(errors='replace')}"


def _in_use(answer: Answer) -> bool:
    return answer.status == 409 and answer.body.get("error") == _IN_USE


def _said(error: BaseException) -> str:
    return str(error) if isinstance(error, _Broken) else repr(error)[:160]
