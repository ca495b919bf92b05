"""What people do all the time: ask, watch, pause, cancel, read, export, share, comment."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.multihost.layout import PARKED
from tests.multihost.process import ROOT
from tests.multihost.requests import ENDED, LONG_DEADLINE, Client, Unmended
from tests.support.sse import StreamEvent

ARTICLES = sorted((ROOT / "samples" / "library").glob("*.md"))[:4]
TABLE = ROOT / "samples" / "data" / "mauna_loa_co2_annual.csv"
SESSION_SECONDS = 120.0
"""Within which a session ends, a worker lost on the way included."""
_QUICK = {"depth": "quick", "seed": 20}
_OCEAN = "How does the ocean take up carbon dioxide, and what limits it?"
_POLL = 0.2
_PACE = 0.35
_AT_ONCE = 8
"""Small requests of one person that may be under way at a time."""
_FORMATS = ("markdown", "json", "docx", "pdf")


@dataclass(slots=True)
class Conducted:
    """A session as its owner remembers it."""

    session_id: str
    ends: str
    """The status it must end with."""
    events: list[StreamEvent] = field(default_factory=list)
    comments: int = 0
    pauses: int = 0
    attempts: int = 0
    """How often a worker took it up; known at the end."""

    @property
    def taken_over(self) -> bool:
        """Whether a worker lost it: every other attempt but the first follows a pause."""
        return self.attempts > 1 + self.pauses


class Person:
    """Goes from one journey to the next."""

    def __init__(self, client: Client, friend: str, period: float) -> None:
        self.client = client
        self.friend = friend
        self.sessions: list[Conducted] = []
        self.documents = 0
        self._period = period
        self._numbers = itertools.count()

    async def arrive(self) -> None:
        """Upload a library."""
        boundary = "a-boundary-that-is-in-no-file"
        await self._upload(boundary, ARTICLES)

    async def go(self, leaving: asyncio.Event) -> None:
        """Until it is time to leave; what was begun is ended."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._conducting(leaving))
            tasks.create_task(self._reading(leaving))
            tasks.create_task(self._waiting(leaving))

    async def _conducting(self, leaving: asyncio.Event) -> None:
        """One session after the other, `period` seconds from beginning to beginning at least."""
        ways = (self._research, self._pausing, self._analysis, self._cancelling)
        for way in itertools.cycle(ways):
            if leaving.is_set():
                return
            pace = asyncio.create_task(asyncio.sleep(self._period))
            await _on_record(way())
            await pace

    async def _reading(self, leaving: asyncio.Event) -> None:
        """Small requests at a steady pace, whether the earlier ones are answered yet or not, up to a bound."""
        ways = itertools.cycle((self._list, self._balance, self._search, self._note))
        under_way: set[asyncio.Task[None]] = set()
        async with asyncio.TaskGroup() as tasks:
            while not leaving.is_set():
                if len(under_way) < _AT_ONCE:
                    task = tasks.create_task(_on_record(next(ways)()))
                    under_way.add(task)
                    task.add_done_callback(under_way.discard)
                await asyncio.sleep(_PACE)

    async def _list(self) -> None:
        await self.client.get("list", "/sessions", limit="5")

    async def _balance(self) -> None:
        await self.client.get("balance", "/billing/balance")

    async def _search(self) -> None:
        hits = await self.client.post("search", "/documents/search", {"query": "ocean carbon", "limit": 3})
        assert hits.body["hits"], "nothing was found in a library that has it"

    async def _note(self) -> None:
        title = f"Note {next(self._numbers)} of {self.client.user}"
        await self.client.post("document", "/documents", {"title": title, "text": f"{title}."}, expect=(201,))
        self.documents += 1

    async def _upload(self, boundary: str, files: Sequence[Path]) -> None:
        parts = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{path.name}"\r\n\r\n'.encode()
            + path.read_bytes()
            + b"\r\n"
            for path in files
        ]
        raw = b"".join([*parts, f"--{boundary}--\r\n".encode()])
        kind = f"multipart/form-data; boundary={boundary}"
        await self.client.send(
            "upload", "POST", "/documents/upload", raw=raw, media_type=kind, expect=(201,), deadline=LONG_DEADLINE
        )
        self.documents += len(files)

    async def _create(self, ends: str, **body: Any) -> Conducted:
        answer = await self.client.post("create", "/sessions", {"prompt": _OCEAN, **body}, expect=(201,))
        made = Conducted(answer.body["session_id"], ends)
        self.sessions.append(made)
        return made

    async def _watch(self, session: Conducted, *, seconds: float | None = SESSION_SECONDS) -> None:
        """To its end."""
        async with asyncio.timeout(seconds):
            async for event in self.client.events(session.session_id):
                session.events.append(event)

    async def _research(self) -> None:
        """Watched to its end, then read, exported, shared and commented on."""
        session = await self._create("completed", preferences=_QUICK)
        await self._watch(session)
        await self._read(session)
        path = f"/sessions/{session.session_id}"
        share = {"recipients": [self.friend], "permissions": "edit"}
        await self.client.post("share", f"{path}/share", share, expect=(201,))
        await self.client.post("comment", f"{path}/comments", {"content": "To be checked."}, expect=(201,))
        session.comments += 1

    async def _analysis(self) -> None:
        """Of a table in the request itself; polled instead of watched."""
        datasets = [{"name": TABLE.name, "csv": TABLE.read_text()}]
        session = await self._create("completed", session_type="analysis", inputs={"datasets": datasets})
        await self._until(session, ENDED)
        await self._read(session)

    async def _pausing(self) -> None:
        session = await self._create("completed", preferences=_QUICK)
        path = f"/sessions/{session.session_id}"
        await self._until(session, ENDED | {"running"})
        paused = await self.client.post("pause", f"{path}/pause", expect=(200, 400))
        if paused.status == 200:
            assert paused.body["status"] == "paused"
            session.pauses += 1
            await self._until(session, frozenset({"paused"}))
            resumed = await self.client.post("resume", f"{path}/resume")
            assert resumed.body["status"] == "queued"
        else:
            # It was quicker, or its worker has just been lost.
            assert paused.body["error"] == "session_cannot_be_paused", paused.content
        await self._watch(session)

    async def _cancelling(self) -> None:
        """One that nobody works on; the hold comes back whole."""
        session = await self._create("cancelled", preferences={"engine": PARKED})
        found = (await self.client.get("status", f"/sessions/{session.session_id}")).body
        assert found["status"] == "queued"
        await self._cancel(session)

    async def _waiting(self, leaving: asyncio.Event) -> None:
        """The same, watched all the time: its stream lives through everything that happens."""
        session = await self._create("cancelled", preferences={"engine": PARKED})
        watching = asyncio.create_task(self._watch(session, seconds=None))
        await asyncio.wait([watching, asyncio.create_task(leaving.wait())], return_when=asyncio.FIRST_COMPLETED)
        await self._cancel(session)
        async with asyncio.timeout(SESSION_SECONDS):
            await watching

    async def _cancel(self, session: Conducted) -> None:
        body = {"reason": "not needed any more"}
        answer = await self.client.post("cancel", f"/sessions/{session.session_id}/cancel", body)
        assert answer.body["status"] == "cancelled"

    async def _until(self, session: Conducted, statuses: frozenset[str]) -> None:
        async with asyncio.timeout(SESSION_SECONDS):
            while True:
                answer = await self.client.get("status", f"/sessions/{session.session_id}")
                if answer.body["status"] in statuses:
                    return
                await asyncio.sleep(_POLL)

    async def _read(self, session: Conducted) -> None:
        path = f"/sessions/{session.session_id}"
        results = (await self.client.get("results", f"{path}/results")).body
        assert results["summary"], "results say nothing"
        kind = _FORMATS[len(self.sessions) % len(_FORMATS)]
        export = await self.client.get("export", f"{path}/export", deadline=LONG_DEADLINE, format=kind)
        assert len(export.content) > 100
        await self.client.get("metrics", f"{path}/metrics")
        await self.client.get("history", f"{path}/history")


async def _on_record(requests: Awaitable[None]) -> None:
    """A request that was not mended is on record already; everything else goes on."""
    with suppress(Unmended):
        await requests
