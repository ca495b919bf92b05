"""The guided job's client, against a server that answers as the API does."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import BodyPartReader, web
from rich.console import Console

from cli.demo.exporting import Exporter
from cli.demo.rest import RestApi, ServerEvent
from cli.demo.uploading import Uploader
from cli.demo.watching import ProgressLine, follow
from cli.errors import Refused
from tests.support.nats import free_port


@dataclass
class Server:
    """A library in memory, and event streams as they are put into `streams`, one a request."""

    documents: dict[str, str] = field(default_factory=dict)
    uploads: list[list[str]] = field(default_factory=list)
    streams: list[bytes] = field(default_factory=list)
    resumed: list[str] = field(default_factory=list)
    sessions: list[dict[str, Any]] = field(default_factory=list)
    exports: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    """Status and headers of the answers to exports, one a request; then they succeed."""
    url: str = ""

    def app(self) -> web.Application:
        app = web.Application()
        app.add_routes(
            [
                web.get("/api/v1/documents", self.list),
                web.post("/api/v1/documents/upload", self.upload),
                web.get("/api/v1/sessions/s1", self.session),
                web.get("/api/v1/sessions/s1/events", self.events),
                web.get("/api/v1/sessions/s1/export", self.export),
                web.get("/api/v1/refused", self.refused),
            ]
        )
        return app

    async def list(self, request: web.Request) -> web.Response:
        cursor = int(request.query.get("cursor", "0"))
        page = sorted(self.documents)[cursor : cursor + 2]
        body: dict[str, Any] = {"documents": [{"document_id": found} for found in page]}
        if cursor + 2 < len(self.documents):
            body["next_cursor"] = str(cursor + 2)
        return web.json_response(body)

    async def upload(self, request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "Bearer token"
        cards, names = [], []
        async for part in await request.multipart():
            assert isinstance(part, BodyPartReader)
            names.append(str(part.filename))
            if await part.read() == b"bad":
                cards.append({"document_id": "x", "status": "unreadable", "problems": ["it is no text"]})
                continue
            document_id = f"d{len(self.documents)}"
            self.documents[document_id] = names[-1]
            cards.append({"document_id": document_id, "status": "ready", "problems": []})
        self.uploads.append(names)
        if [card["status"] for card in cards] == ["unreadable"]:
            return web.json_response({"error": "document_unreadable", "message": cards[0]["problems"][0]}, status=400)
        return web.json_response(cards[0] if len(cards) == 1 else {"documents": cards}, status=201)

    async def session(self, request: web.Request) -> web.Response:
        return web.json_response(self.sessions.pop(0))

    async def events(self, request: web.Request) -> web.Response:
        self.resumed.append(request.headers.get("Last-Event-ID", ""))
        return web.Response(body=self.streams.pop(0), content_type="text/event-stream")

    async def export(self, request: web.Request) -> web.Response:
        if self.exports:
            status, headers = self.exports.pop(0)
            body = {"error": "unavailable", "message": "No renderer is free"}
            return web.json_response(body, status=status, headers=headers)
        return web.Response(body=request.query["format"].encode())

    async def refused(self, request: web.Request) -> web.Response:
        return web.json_response({"error": "x", "message": "Not today"}, status=402)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    runner = web.AppRunner(made.app())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


@pytest.fixture
async def api(server: Server) -> AsyncIterator[RestApi]:
    async with RestApi(server.url, "token") as opened:
        yield opened


def frame(seq: int, status: str, stage: str = "", progress: int = 0) -> bytes:
    data = json.dumps({"status": status, "current_stage": stage, "progress": progress})
    return f"id: {seq}\nevent: session.{status}\ndata: {data}\n\n".encode()


async def test_events_are_read_as_the_standard_says(server: Server, api: RestApi) -> None:
    server.streams = [b': hello\n\nid: 1\ndata: {"a":\ndata: 1}\n\nevent: progress\ndata:{"b":2}\n\nid: 3\ndata: {}']
    async with aclosing(api.events("/api/v1/sessions/s1/events", "")) as events:
        seen = [event async for event in events]
    # The last one is cut off and so was never sent.
    assert seen == [ServerEvent("1", {"a": 1}), ServerEvent("", {"b": 2})]


async def test_a_long_event_is_read_whole(server: Server, api: RestApi) -> None:
    server.streams = [b'data: {"a": "' + b"x" * 1_000_000 + b'"}\n\n']
    async with aclosing(api.events("/api/v1/sessions/s1/events", "")) as events:
        (event,) = [event async for event in events]
    assert len(event.data["a"]) == 1_000_000


async def test_a_cut_stream_is_taken_up_where_it_ended(server: Server, api: RestApi) -> None:
    server.streams = [
        frame(1, "queued") + frame(2, "running", "plan", 5),
        b'event: error\ndata: {"error": "unavailable"}\n\n',
        frame(3, "running", "read", 50) + frame(4, "completed", "write", 100),
    ]
    server.sessions = [{"status": "running", "current_stage": "plan", "progress": 5}] * 2
    text = io.StringIO()
    with ProgressLine(Console(file=text, width=80)) as line:
        assert await follow(api, "s1", line) == "completed"
    assert server.resumed == ["", "2", "2"]
    assert [line.split()[2] for line in text.getvalue().splitlines()] == ["queued", "plan", "read", "completed"]


async def test_a_session_that_ended_meanwhile_is_noticed(server: Server, api: RestApi) -> None:
    server.streams = [b""]
    server.sessions = [{"status": "failed", "current_stage": "read", "progress": 40}]
    with ProgressLine(Console(file=io.StringIO())) as line:
        assert await follow(api, "s1", line) == "failed"


async def test_each_content_is_uploaded_once(server: Server, api: RestApi, tmp_path: Path) -> None:
    files = []
    for name, text in (("a.md", "A"), ("b.md", "B"), ("same.md", "A"), ("bad.pdf", "bad")):
        (tmp_path / name).write_text(text)
        files.append(tmp_path / name)
    uploader = Uploader(api, tmp_path / "uploads.json")
    first = await uploader.upload(files)
    assert (first.ids, first.stored, first.known) == (["d0", "d1"], 2, 0)
    assert first.unreadable == [("bad.pdf", "it is no text")]
    (tmp_path / "c.md").write_text("C")
    second = await uploader.upload([*files[:3], tmp_path / "c.md"])
    assert (second.ids, second.stored, second.known) == (["d0", "d1", "d2"], 1, 2)
    assert server.uploads[1:] == [["c.md"]]
    # What was deleted from the library meanwhile comes back.
    del server.documents["d0"]
    third = await uploader.upload(files[:1])
    assert third.stored == 1


async def test_a_file_that_is_unreadable_is_left_out_also_when_it_comes_alone(
    server: Server, api: RestApi, tmp_path: Path
) -> None:
    files = []
    for name, text in (("a.md", "A"), ("bad.pdf", "bad")):
        (tmp_path / name).write_text(text)
        files.append(tmp_path / name)
    uploader = Uploader(api, tmp_path / "uploads.json")
    await uploader.upload(files)
    again = await uploader.upload(files)
    assert server.uploads[1:] == [["bad.pdf"]]
    assert (again.ids, again.known) == (["d0"], 1)
    assert again.unreadable == [("bad.pdf", "it is no text")]


async def test_all_pages_of_the_library_are_seen(server: Server, api: RestApi) -> None:
    server.documents = {f"d{n}": "" for n in range(5)}
    assert await api.document_ids() == {"d0", "d1", "d2", "d3", "d4"}


async def test_a_refusal_is_told_with_the_servers_own_words(api: RestApi) -> None:
    with pytest.raises(Refused, match="GET /api/v1/refused answered 402: Not today") as refused:
        await api.get("/api/v1/refused")
    assert refused.value.code == 1


class Waiting:
    """A clock that only waiting moves on."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    def now(self) -> float:
        return sum(self.waits)

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)


def exporter(api: RestApi, waiting: Waiting) -> Exporter:
    return Exporter(api, clock=waiting.now, sleep=waiting.sleep)


async def test_a_report_is_asked_for_again_when_the_renderer_is_busy(
    server: Server, api: RestApi, tmp_path: Path
) -> None:
    server.exports = [(503, {"Retry-After": "7"}), (500, {}), (503, {"Retry-After": "soon"})]
    waiting = Waiting()
    await exporter(api, waiting).export("s1", tmp_path / "out", Console(file=io.StringIO()))
    assert waiting.waits == [7.0, 2.0, 4.0]
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == {
        "s1.pdf": b"pdf",
        "s1.docx": b"docx",
    }


async def test_a_report_that_cannot_be_made_is_given_up_after_a_minute(
    server: Server, api: RestApi, tmp_path: Path
) -> None:
    server.exports = [(503, {})] * 100
    waiting = Waiting()
    with pytest.raises(Refused, match="answered 503: No renderer is free"):
        await exporter(api, waiting).export("s1", tmp_path, Console(file=io.StringIO()))
    assert waiting.waits == [1.0, 2.0, 4.0, 8.0, 15.0, 15.0, 15.0]


async def test_a_report_that_is_refused_is_not_asked_for_again(server: Server, api: RestApi, tmp_path: Path) -> None:
    server.exports = [(404, {})]
    waiting = Waiting()
    with pytest.raises(Refused, match="answered 404"):
        await exporter(api, waiting).export("s1", tmp_path, Console(file=io.StringIO()))
    assert waiting.waits == []


async def test_a_report_waits_for_a_gateway_that_comes_back(tmp_path: Path) -> None:
    waiting = Waiting()
    async with RestApi(f"http://127.0.0.1:{free_port()}", "token") as nobody:
        with pytest.raises(Refused, match="no stack answers"):
            await exporter(nobody, waiting).export("s1", tmp_path, Console(file=io.StringIO()))
    assert len(waiting.waits) == 7
