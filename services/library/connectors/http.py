"""Asking a service over HTTP: politely, again where that may help, and never without an end.

Answers are asked for without compression and read up to a size, so that none can fill the memory. Redirections are not
followed: the address of a service is a setting.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, TypeVar

from kit.times import SECOND, Clock, from_datetime
from services.library.connectors.connector import ConnectorFailed
from services.library.connectors.pacing import Backoff, Bucket, Draw, Sleep, TooLate

if TYPE_CHECKING:
    import aiohttp

T = TypeVar("T")
_CHUNK = 64 * 1024
_AGAIN = frozenset({408, 425, 429})
"""Beside every status from 500 on, what is asked again."""
_LONGEST_REST = 86_400.0
"""Seconds; who asks for more is asked again after a day all the same."""
JSON = frozenset({"application/json", "text/json"})
XML = frozenset({"application/atom+xml", "application/xml", "text/xml", "application/jats+xml"})


@dataclass(frozen=True, slots=True)
class Limits:
    """`seconds` of one attempt, `patience` of a request with all its attempts and pauses, the most `bytes` of an
    answer, how many `attempts`, and how many requests may be under way at a time."""

    seconds: float = 10.0
    patience: float = 30.0
    bytes: int = 8 * 1024 * 1024
    attempts: int = 4
    at_once: int = 3


class Unusable(Exception):
    """An answer that cannot be read; the text says what it is."""


class _Again(Exception):
    """An attempt failed in a way that another may not. `wait` is what the service asked for, in seconds."""

    def __init__(self, problem: str, wait: float | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.wait = wait


class Http:
    """Asks one service; one for each service in a process."""

    def __init__(
        self,
        bucket: Bucket,
        limits: Limits,
        *,
        clock: Clock,
        agent: str,
        sleep: Sleep = asyncio.sleep,
        draw: Draw = random.random,
    ) -> None:
        """`agent` is what the service is told about the caller."""
        self._bucket = bucket
        self._limits = limits
        self._clock = clock
        self._agent = agent
        self._sleep = sleep
        self._draw = draw
        self._turns = asyncio.Semaphore(limits.at_once)
        self._client: aiohttp.ClientSession | None = None

    async def get(self, url: str, params: Mapping[str, str], types: frozenset[str], read: Callable[[bytes], T]) -> T:
        """What `read` makes of the answer's body; it raises Unusable for one that it cannot read.

        Raises ConnectorFailed after as many attempts as the limits and the time allow.
        """
        until = self._now() + self._limits.patience
        backoff = Backoff(self._draw)
        for attempt in range(1, self._limits.attempts + 1):
            try:
                async with self._turns:
                    await self._bucket.turn(until)
                    return await self._attempt(url, params, types, read)
            except TooLate:
                raise ConnectorFailed("is asked as often as it allows already") from None
            except _Again as failure:
                pause = backoff.pause() if failure.wait is None else failure.wait
                if failure.wait is not None:
                    self._bucket.close(failure.wait)
                if attempt == self._limits.attempts or self._now() + pause > until:
                    raise ConnectorFailed(failure.problem) from failure
                if failure.wait is None:
                    await self._sleep(pause)
        raise AssertionError("an attempt returns or raises")

    async def close(self) -> None:
        """Let go of the connections."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def _attempt(
        self, url: str, params: Mapping[str, str], types: frozenset[str], read: Callable[[bytes], T]
    ) -> T:
        import aiohttp

        try:
            async with (
                asyncio.timeout(self._limits.seconds),
                self._session().get(url, params=params, allow_redirects=False) as answer,
            ):
                if answer.status in _AGAIN or answer.status >= 500:
                    wait = self._wait(answer.headers.get("Retry-After", ""))
                    raise _Again(_refusal(answer.status, wait), wait)
                if answer.status != 200:
                    raise ConnectorFailed(f"refuses the request (HTTP {answer.status})")
                if answer.content_type.lower() not in types:
                    raise ConnectorFailed(f"answers with {answer.content_type} instead of what was asked for")
                body = await self._body(answer)
        except TimeoutError:
            raise _Again("did not answer in time") from None
        except aiohttp.ClientPayloadError:
            raise _Again("breaks off in the middle of its answer") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _Again("cannot be reached") from error
        try:
            return await asyncio.to_thread(read, body)
        except Unusable as error:
            raise _Again(f"gives an answer that cannot be read ({error})") from error

    async def _body(self, answer: aiohttp.ClientResponse) -> bytes:
        if answer.headers.get("Content-Encoding", "identity").lower() not in ("identity", ""):
            raise ConnectorFailed("compresses its answer, which was not asked for")
        parts: list[bytes] = []
        size = 0
        async for part in answer.content.iter_chunked(_CHUNK):
            size += len(part)
            if size > self._limits.bytes:
                raise ConnectorFailed(f"answers with more than {self._limits.bytes:,} bytes")
            parts.append(part)
        return b"".join(parts)

    def _wait(self, header: str) -> float | None:
        """Seconds that `Retry-After` asks for, which is a number of them or a date (RFC 9110), a day at most; None
        without one."""
        value = header.strip()
        if value.isdecimal() and len(value) < 10:
            return min(float(value), _LONGEST_REST)
        try:
            moment = from_datetime(parsedate_to_datetime(value))
        except (TypeError, ValueError, OverflowError):
            return None
        return min(max(0.0, (moment - self._clock.now()) / SECOND), _LONGEST_REST)

    def _session(self) -> aiohttp.ClientSession:
        import aiohttp

        if self._client is None:
            self._client = aiohttp.ClientSession(
                headers={"User-Agent": self._agent, "Accept-Encoding": "identity"},
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                timeout=aiohttp.ClientTimeout(total=None),
            )
        return self._client

    def _now(self) -> float:
        return self._clock.monotonic() / SECOND


def _refusal(status: int, wait: float | None) -> str:
    if status == 429:
        return "allows no more requests for now" + (f" (for {wait:.0f} s)" if wait else "")
    return f"fails (HTTP {status})"
