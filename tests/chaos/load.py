"""The clients of a run: people who begin sessions all the time and see each of them through."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress

import aiohttp

from tests.chaos import scenarios, scripts
from tests.chaos.client import Client
from tests.chaos.journal import Journal
from tests.chaos.scenarios import Known, Stage

_CONNECTIONS = 400
_OVERRUN_SECONDS = 240.0
"""How often sessions are begun that run into their time limit, which takes more than a minute; the first at once."""
_WAYS = {
    "plain": 40,
    "pausing": 22,
    "cancelling": 18,
    "overspend": 8,
    "faint": 5,
    "broken": 3,
    "refused": 2,
    "begging": 1.2,
    "hoarding": 0.4,
    "poison": 0.8,
}
"""How often each way is gone, of their sum."""
_ONCE = ("pausing", "cancelling", "overspend", "faint", "broken", "begging", "poison", "hoarding")
"""What even a short run has."""


class Load:
    """`run` begins sessions, `finish` sees the last of them end; what clients are told goes into the journal."""

    def __init__(
        self,
        *,
        url: str,
        token: Callable[[str], str],
        rng: random.Random,
        journal: Journal,
        people: int,
        rate: float,
    ) -> None:
        """`token` gives a user's token; `rate` is how many sessions are begun a second."""
        self._url = url
        self._token = token
        self._rng = rng
        self._journal = journal
        self._people = people
        self._rate = rate
        self._begun = 0
        self._strangers = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._faults: list[BaseException] = []
        self._http: aiohttp.ClientSession | None = None
        self._stage = Stage(rng, self._friend)

    @property
    def begun(self) -> int:
        """How many journeys were begun; some ask for several sessions, and some for none that can be had."""
        return self._begun

    @property
    def sessions(self) -> int:
        """How many sessions clients know of."""
        return len(self._stage.sessions)

    async def run(self, stop: asyncio.Event, sessions: int | None) -> None:
        """Begin sessions until `stop`, or until so many were begun. Raises what a client could not make sense of."""
        self._http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=_CONNECTIONS))
        loop = asyncio.get_running_loop()
        overrun = loop.time()
        while not stop.is_set() and (sessions is None or self._begun < sessions) and not self._faults:
            if loop.time() >= overrun:
                overrun = loop.time() + _OVERRUN_SECONDS
                for stubborn in (True, False):
                    self._begin(self._through(scripts.overrun(self._prompt("overrun"), stubborn=stubborn)))
            self._begin(self._journey(self._way()))
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), self._rng.expovariate(self._rate))
        self._raise()

    async def finish(self, timeout: float) -> list[str]:
        """Wait until every journey is over and every session that clients know of has ended; what is paused is resumed.

        Returns the ids of those that have not ended within `timeout` seconds. Raises what a client could not make
        sense of.
        """
        try:
            async with asyncio.timeout(timeout):
                while self._tasks:
                    await asyncio.wait(self._tasks)
                await asyncio.gather(*(self._end(known) for known in self._stage.sessions.values()))
        except TimeoutError:
            pass
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            if self._http is not None:
                await self._http.close()
        self._raise()
        return [known.session_id for known in self._stage.sessions.values() if not known.ended]

    def _raise(self) -> None:
        if self._faults:
            raise self._faults[0]

    async def _end(self, known: Known) -> None:
        if not known.ended:
            await scenarios.end(self._stage, known)

    def _begin(self, journey: Awaitable[None]) -> None:
        task = asyncio.ensure_future(journey)
        self._begun += 1
        self._tasks.add(task)
        task.add_done_callback(self._over)

    def _over(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._faults.append(error)

    def _way(self) -> str:
        if self._begun <= 2 * len(_ONCE) and self._begun % 2:
            return _ONCE[(self._begun // 2) % len(_ONCE)]
        (way,) = self._rng.choices(list(_WAYS), weights=list(_WAYS.values()))
        return way

    async def _journey(self, way: str) -> None:
        rng, stage = self._rng, self._stage
        prompt = self._prompt(way)
        match way:
            case "plain":
                await self._through(scripts.plain(prompt, rng))
            case "pausing":
                await scenarios.pausing(stage, self._somebody(), scripts.plain(prompt, rng, pace=2.0))
            case "cancelling":
                await scenarios.cancelling(stage, self._somebody(), scripts.plain(prompt, rng))
            case "overspend":
                await self._through(scripts.overspend(prompt, rng, rng.choice(("finish", "fail"))))
            case "faint":
                await self._through(scripts.plain(prompt, rng, faint=1))
            case "broken":
                await self._through(scripts.plain(prompt, rng, broken=True))
            case "poison":
                await self._through(scripts.poison(prompt))
            case "refused":
                await scenarios.refused(self._somebody(), prompt)
            case "begging":
                await scenarios.begging(stage, self._stranger(), lambda: self._prompt(way))
            case "hoarding":
                await scenarios.hoarding(stage, self._stranger(), lambda: self._prompt(way))

    async def _through(self, body: dict[str, object]) -> None:
        await scenarios.run_through(self._stage, self._somebody(), body)

    def _prompt(self, way: str) -> str:
        """Unlike any other, so that a session can be traced to the request that made it."""
        return f"A rehearsal, {way}, {self._rng.getrandbits(64):016x}"

    def _somebody(self) -> Client:
        return self._client(f"person-{self._rng.randrange(self._people)}")

    def _stranger(self) -> Client:
        """Somebody who was never here."""
        self._strangers += 1
        return self._client(f"stranger-{self._strangers}")

    def _friend(self, client: Client) -> Client:
        others = [name for n in range(self._people + 1) if (name := f"person-{n}") != client.person]
        return self._client(self._rng.choice(others))

    def _client(self, person: str) -> Client:
        assert self._http is not None
        return Client(self._http, self._url, person, self._token, self._rng, self._journal)
