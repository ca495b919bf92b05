"""A careful client: a deadline on every request, the same key for every try of it, and all of it in the journal."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp

from tests.chaos.journal import Journal
from tests.support.sse import StreamEvent, events_of

API = "/api/v1"
DEADLINE = 10.0
"""Seconds for one try; shorter than what the gateway waits, so some answers come too late."""
SILENCE = 40.0
"""Seconds after which a stream that says nothing, not even that it lives, is given up."""
ENDED = frozenset({"completed", "failed", "cancelled", "timeout"})
_UNDECIDED = frozenset({401, 408, 425})
"""Not the last word: a token ends when clocks jump, and a new one is taken for each try."""
_UNDECIDED_ERRORS = frozenset({"idempotency_key_in_use", "rate_limited"})
_KEPT = (
    "session_id", "status", "refund_amount", "progress", "current_stage", "comment_id", "content", "share_id",
    "permissions", "error", "total_count", "available", "held", "details",
)  # fmt: skip
"""Fields of a body that the journal keeps as they are."""

Digest = Callable[[Any], Any]
"""What the journal keeps of a body beside them."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The last word on a request."""

    status: int
    body: Any

    @property
    def done(self) -> bool:
        return 200 <= self.status < 300


class Client:
    """The API as one user sees it; `token` gives a fresh one."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        url: str,
        person: str,
        token: Callable[[str], str],
        rng: random.Random,
        journal: Journal,
        *,
        pauses: tuple[float, float] = (0.1, 3.0),
    ) -> None:
        """`pauses` are the first and the longest one between two tries, in seconds."""
        self.person = person
        self._http = http
        self._url = url.rstrip("/") + API
        self._token = token
        self._rng = rng
        self._journal = journal
        self._first_pause, self._longest_pause = pauses

    def key(self) -> str:
        """One that was never used."""
        return f"{self.person}-{self._rng.getrandbits(64):016x}"

    async def get(
        self, operation: str, path: str, *, session: str = "", digest: Digest | None = None, **query: str
    ) -> Answer:
        """Try until the answer is a definite one."""
        return await self.send(operation, "GET", path, session=session, query=query, digest=digest)

    async def post(self, operation: str, path: str, body: Any = None, *, session: str = "", key: str = "") -> Answer:
        """The same with an idempotency key, one of its own unless given."""
        return await self.send(operation, "POST", path, body=body, session=session, key=key or self.key())

    async def send(
        self,
        operation: str,
        method: str,
        path: str,
        *,
        body: Any = None,
        query: Mapping[str, str] | None = None,
        session: str = "",
        key: str = "",
        digest: Digest | None = None,
    ) -> Answer:
        number = self._journal.request()
        self._journal.write(
            "asked", request=number, person=self.person, operation=operation, session=session, key=key, body=body
        )
        known = False
        try:
            pause = self._first_pause
            while True:
                answer, after = await self._try(number, method, path, body, query, key, digest)
                if answer is not None and _definite(answer):
                    known = True
                    return answer
                await asyncio.sleep(max(min(after, self._longest_pause), pause * self._rng.uniform(0.5, 1.0)))
                pause = min(2 * pause, self._longest_pause)
        finally:
            self._journal.write("ended", request=number, known=known)

    async def once(
        self, operation: str, method: str, path: str, *, body: Any = None, session: str = "", key: str = ""
    ) -> Answer | None:
        """Try a single time; None without an answer."""
        number = self._journal.request()
        self._journal.write(
            "asked", request=number, person=self.person, operation=operation, session=session, key=key, body=body
        )
        answer, _ = await self._try(number, method, path, body, None, key, None)
        self._journal.write("ended", request=number, known=answer is not None and _definite(answer))
        return answer

    async def _try(
        self,
        number: str,
        method: str,
        path: str,
        body: Any,
        query: Mapping[str, str] | None,
        key: str,
        digest: Digest | None,
    ) -> tuple[Answer | None, float]:
        """The answer, if there was one, and how long it asks to wait."""
        headers = {"Authorization": f"Bearer {self._token(self.person)}"}
        data = None if body is None else json.dumps(body).encode()
        if data is not None:
            headers["Content-Type"] = "application/json"
        if key:
            headers["Idempotency-Key"] = key
        self._journal.write("sent", request=number)
        try:
            timeout = aiohttp.ClientTimeout(total=DEADLINE)
            async with self._http.request(
                method, self._url + path, data=data, params=query, headers=headers, timeout=timeout
            ) as response:
                content = await response.read()
                status, after = response.status, _seconds(response.headers.get("Retry-After", ""))
            found = json.loads(content) if content else None
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            self._journal.write("lost", request=number, cause=repr(error)[:160])
            return None, 0.0
        told: dict[str, Any] = {"request": number, "status": status, "body": _kept(found)}
        if key and 200 <= status < 300:
            told["hash"] = hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()
        if digest is not None and 200 <= status < 300:
            told["digest"] = digest(found)
        self._journal.write("told", **told)
        return Answer(status, found), after

    async def watch(
        self, session: str, *, after: int = 0, heed: Callable[[StreamEvent], None] | None = None, breaks: float = 0.0
    ) -> int:
        """Hear a session's events until the server ends the stream of an ended session, going on after the last one
        wherever it breaks before. `breaks` is the chance with which the client itself hangs up after an event.

        Returns the last event's id; 0 when the stream is refused.
        """
        watcher = self._journal.request()
        last, ended, pause = after, after > 0, self._first_pause
        while True:
            self._journal.write("watch", watcher=watcher, session=session, person=self.person, after=last)
            try:
                async with self._stream(session, last) as response:
                    if response.status != 200:
                        answer = Answer(response.status, json.loads(await response.read()))
                        self._journal.write("refused", watcher=watcher, session=session, status=answer.status)
                        if _definite(answer):
                            return 0
                        raise aiohttp.ClientError(f"status {response.status}")
                    hung_up = False
                    async for event in events_of(response):
                        pause = self._first_pause
                        if event is None or event.id is None:
                            continue
                        self._journal.write(
                            "heard", watcher=watcher, session=session, id=event.id, type=event.type, data=event.data
                        )
                        last, ended = event.id, event.data.get("status") in ENDED
                        if heed is not None:
                            heed(event)
                        hung_up = breaks > 0 and self._rng.random() < breaks
                        if hung_up:
                            break
                    if ended and not hung_up:
                        return last
            except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
                self._journal.write("broken", watcher=watcher, session=session, cause=repr(error)[:160])
            await asyncio.sleep(pause * self._rng.uniform(0.5, 1.0))
            pause = min(2 * pause, self._longest_pause)

    def _stream(self, session: str, last: int) -> Any:
        headers = {"Authorization": f"Bearer {self._token(self.person)}", "Accept": "text/event-stream"}
        if last:
            headers["Last-Event-ID"] = str(last)
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=DEADLINE, sock_read=SILENCE)
        return self._http.get(f"{self._url}/sessions/{session}/events", headers=headers, timeout=timeout)


def _definite(answer: Answer) -> bool:
    if answer.done:
        return True
    error = answer.body.get("error", "") if isinstance(answer.body, dict) else ""
    return 400 <= answer.status < 500 and answer.status not in _UNDECIDED and error not in _UNDECIDED_ERRORS


def _kept(body: Any) -> dict[str, Any]:
    return {name: body[name] for name in _KEPT if name in body} if isinstance(body, dict) else {}


def _seconds(text: str) -> float:
    return float(text) if text.isdecimal() else 0.0


def ids_of(rows: Sequence[Mapping[str, Any]], *names: str) -> list[list[Any]]:
    """Some fields of each row."""
    return [[row.get(name) for name in names] for row in rows]
