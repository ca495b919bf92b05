"""When does everything work again? A client that asks once, and takes nothing but the answer it should get."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Self

import aiohttp

from tests.chaos.client import Client
from tests.chaos.journal import Journal
from tests.chaos.stack import ChaosStack

_PAUSE = 0.05
_USER = "prober"
_BODY = {
    "session_type": "analysis",
    "inputs": {"datasets": [{"name": "one.csv", "csv": "x,y\n1,2\n"}]},
    "budget": {"limit": "2.00"},
    "preferences": {"engine": "rehearsal", "analysis": {"stages": [{"name": "look", "seconds": 0.1, "use": {}}]}},
}


class Probe:
    """Recovered means: every part answers its own probe, then a session is created and read, each at the first try.

    What it asks for stands in the journal as everybody's."""

    def __init__(self, stack: ChaosStack, rng: random.Random, journal: Journal) -> None:
        self._stack = stack
        self._rng = rng
        self._journal = journal
        self._last = ""

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession()
        self._client = Client(self._http, self._stack.url, _USER, self._stack.token, self._rng, self._journal)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.close()

    async def recovered(self, timeout: float) -> None:
        """Return as soon as everything works. Raises AssertionError when it does not within `timeout` seconds."""
        until = time.monotonic() + timeout
        while True:
            ill = await self._stack.unhealthy()
            if not ill and await self._served():
                return
            if time.monotonic() > until:
                what = f"not healthy: {', '.join(ill)}" if ill else f"a client is told {self._last}"
                raise AssertionError(f"not recovered after {timeout:g} s: {what}\n{self._stack.report(ill)}")
            await asyncio.sleep(_PAUSE)

    async def _served(self) -> bool:
        body = {"prompt": f"Does it work? {self._rng.getrandbits(64):016x}", **_BODY}
        created = await self._client.once("create", "POST", "/sessions", body=body, key=self._client.key())
        if created is None or created.status != 201:
            self._last = f"{created} when it creates"
            return False
        session = str(created.body["session_id"])
        read = await self._client.once("get", "GET", f"/sessions/{session}", session=session)
        self._last = f"{read} when it reads"
        return read is not None and read.status == 200
