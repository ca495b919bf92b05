"""Readers through both edges while the service and the gateway are killed: everything once, in order."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import aclosing

import aiohttp
import pytest

from bench.processes import part
from tests.support.rest import API, Api, People
from tests.support.stack import PARKED, RunningStack

_PAUSE = 0.05
_SECONDS = 120.0


class Follower:
    """Reads a session's events over as many connections as it takes."""

    def __init__(self, api: Api, session_id: str) -> None:
        self._api = api
        self._session_id = session_id
        self.ids: list[int] = []
        self.types: list[str] = []
        self.connections = 0

    async def run(self) -> None:
        while "session.cancelled" not in self.types:
            self.connections += 1
            try:
                after = self.ids[-1] if self.ids else None
                async with aclosing(self._api.events(self._session_id, after=after)) as events:
                    async for event in events:
                        if event.id is not None:
                            self.ids.append(event.id)
                            self.types.append(event.type)
            except (aiohttp.ClientError, AssertionError):
                # Refused or broken off: what a client does then is to come back with the id of its last event.
                await asyncio.sleep(_PAUSE)

    async def until(self, comments: int) -> None:
        while self.types.count("comment.added") < comments:  # noqa: ASYNC110  # told by nobody
            await asyncio.sleep(_PAUSE)


async def patiently(api: Api, path: str, key: str, body: dict[str, str]) -> None:
    """Send it until it was done, always with the same key."""
    while True:
        try:
            answer = await api.send("POST", API + path, body=body, headers={"Idempotency-Key": key})
            if answer.status in (200, 201):
                return
            assert answer.status in (500, 502, 503, 504), answer.text
        except aiohttp.ClientError:
            pass
        await asyncio.sleep(_PAUSE)


@pytest.mark.parametrize("module", ["services.session", "gateway"])
async def test_readers_over_a_kill(
    stack: RunningStack, fronted: RunningStack, people: People, client: aiohttp.ClientSession, module: str
) -> None:
    ada = people.new()
    document = await ada.add_document("Notes", "Salt marshes bury carbon.")
    session_id = await ada.create(preferences={"engine": PARKED}, inputs={"documents": [{"document_id": document}]})
    path = f"/sessions/{session_id}"
    followers = [Follower(Api(client, each.url, ada.token, ada.user), session_id) for each in (stack, fronted)]
    async with asyncio.timeout(_SECONDS), asyncio.TaskGroup() as tasks:
        for follower in followers:
            tasks.create_task(follower.run())
        await patiently(ada, f"{path}/comments", "before", {"content": "before"})
        for follower in followers:
            await follower.until(1)
        before = [follower.connections for follower in followers]
        os.kill(part(stack.process.pid, module), signal.SIGKILL)
        await patiently(ada, f"{path}/comments", "after", {"content": "after"})
        for follower in followers:
            await follower.until(2)
        await patiently(ada, f"{path}/cancel", "end", {})
    timeline = (await ada.get(f"{path}/history"))["timeline"]
    told = [event["seq"] for event in timeline]
    for follower in followers:
        assert follower.ids == told[: len(follower.ids)] == list(range(1, len(follower.ids) + 1))
        assert follower.types[-1] == "session.cancelled"
    # Envoy is not the gateway: only the reader whose way was cut had to come back.
    came_back = [follower.connections > once for follower, once in zip(followers, before, strict=True)]
    assert came_back == [True, module == "services.session"]
