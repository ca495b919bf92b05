"""The clients of a run: they ask until they know, and write down all that they are told."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
from aiohttp import web

from tests.chaos.client import Client
from tests.chaos.journal import Journal, requests_of

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def _client(journal: Journal, handler: Handler) -> AsyncIterator[Client]:
    """A client of a server that answers everything by `handler`."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    try:
        async with aiohttp.ClientSession() as http:
            url = f"http://{host}:{port}"
            rng, pauses = random.Random(1), (0.001, 0.01)
            yield Client(http, url, "ada", lambda user: f"token of {user}", rng, journal, pauses=pauses)
    finally:
        await runner.cleanup()
        journal.close()


async def test_the_same_key_until_there_is_a_definite_answer(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    undecided = [(503, "unavailable"), (500, "internal"), (401, "unauthorized"), (429, "rate_limited")]
    undecided += [(409, "idempotency_key_in_use"), (504, "deadline_exceeded")]
    keys = []

    async def answer(request: web.Request) -> web.StreamResponse:
        keys.append(request.headers["Idempotency-Key"])
        assert request.headers["Authorization"] == "Bearer token of ada"
        if len(keys) == 1:
            assert request.transport is not None
            request.transport.close()
        if len(keys) <= 1 + len(undecided):
            status, error = undecided[len(keys) - 2]
            return web.json_response({"error": error}, status=status)
        return web.json_response({"session_id": "s1", "status": "cancelled"})

    async with _client(journal, answer) as client:
        found = await client.post("cancel", "/sessions/s1/cancel", {"reason": "x"}, session="s1")
    assert found.done
    assert len(keys) == 2 + len(undecided)
    assert len(set(keys)) == 1
    (request,) = requests_of(journal)
    assert (request.operation, request.session, request.key) == ("cancel", "s1", keys[0])
    assert [entry["status"] for entry in request.told] == [*(status for status, _ in undecided), 200]
    assert len(request.sent) == len(keys)
    assert request.known
    assert [entry["body"] for entry in request.answered] == [{"session_id": "s1", "status": "cancelled"}]


async def test_a_refusal_is_the_last_word(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")

    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.json_response({"error": "session_quota_exceeded"}, status=429)

    async with _client(journal, answer) as client:
        found = await client.post("create", "/sessions", {"prompt": "x"})
    assert found.status == 429
    (request,) = requests_of(journal)
    assert request.refused


async def test_a_stream_goes_on_after_its_last_event(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    resumed = []

    async def answer(request: web.Request) -> web.StreamResponse:
        resumed.append(request.headers.get("Last-Event-ID"))
        if len(resumed) == 2:
            return web.json_response({"error": "unavailable"}, status=503)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b": keep-alive\nretry: 2000\n\n")
        first = 1 if len(resumed) == 1 else 3
        for number in (first, first + 1):
            status = "completed" if number == 4 else "running"
            data = json.dumps({"seq": number, "status": status})
            await response.write(f"id: {number}\nevent: session.{status}\ndata: {data}\n\n".encode())
        await response.write(b'event: progress\ndata: {"status": "running", "progress": 3}\n\n')
        return response

    async with _client(journal, answer) as client:
        assert await client.watch("s1") == 4
    assert resumed == [None, "2", "2"]
    assert [entry["id"] for entry in journal if entry.kind == "heard"] == [1, 2, 3, 4]


async def test_a_stream_that_is_refused_is_not_asked_for_again(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")

    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.json_response({"error": "session_not_found"}, status=404)

    async with _client(journal, answer) as client:
        assert await client.watch("s1") == 0
    assert [entry.kind for entry in journal] == ["watch", "refused"]
