"""A server that speaks the chat protocol of language models, answering as tests want: streams of server-sent events."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

_DATA = re.compile(r"-----\s(\S+)\s-----\n(.*)\n-----\s\1\s-----", re.DOTALL)
_PIECE = 24


@dataclass
class Reply:
    """One answer. `text` is streamed in pieces; with `raw` or another `status` the body is sent as it is."""

    text: str = ""
    usage: tuple[int, int] | None = (100, 20)
    finish: str | None = "stop"
    refusal: str | None = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "text/event-stream"
    raw: bytes | None = None
    cut: bool = False
    """The connection is broken off before the end."""
    error: str | None = None
    """An error object in the middle of the stream."""
    hold: asyncio.Event | None = None
    """Waited for after the first piece."""


@dataclass
class ModelServer:
    """Answers from the front of `replies`, then as `answer` says."""

    replies: list[Reply] = field(default_factory=list)
    answer: Callable[[dict[str, Any]], Reply] = lambda _request: Reply("{}")
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    holding: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when an answer is under way that is held."""
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a client left before its answer had ended."""
    url: str = ""

    async def completions(self, request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        self.requests.append(asked)
        self.headers.append(dict(request.headers))
        reply = self.replies.pop(0) if self.replies else self.answer(asked)
        if reply.raw is not None or reply.status != 200:
            body = reply.raw or json.dumps({"error": {"message": "said by the endpoint", "code": "x"}}).encode()
            kind = "application/json" if reply.status != 200 else reply.content_type
            return web.Response(status=reply.status, body=body, content_type=kind, headers=reply.headers)
        response = web.StreamResponse(headers={"Content-Type": reply.content_type, **reply.headers})
        await response.prepare(request)
        try:
            async for event in self._events(reply):
                await response.write(b"data: " + event + b"\n\n")
            if reply.cut:
                assert request.transport is not None
                request.transport.close()
            else:
                await response.write_eof()
        except (ConnectionError, asyncio.CancelledError):
            self.gone.set()
            raise
        return response

    async def _events(self, reply: Reply) -> AsyncIterator[bytes]:
        yield _chunk(delta={"role": "assistant", "content": ""})
        for number, start in enumerate(range(0, len(reply.text), _PIECE)):
            yield _chunk(delta={"content": reply.text[start : start + _PIECE]})
            if number == 0 and reply.hold is not None:
                self.holding.set()
                await reply.hold.wait()
        if reply.error is not None:
            yield json.dumps({"error": {"message": reply.error}}).encode()
        if reply.refusal is not None:
            yield _chunk(delta={"refusal": reply.refusal})
        if reply.cut:
            return
        if reply.finish is not None:
            yield _chunk(finish=reply.finish)
        if reply.usage is not None:
            tokens_in, tokens_out = reply.usage
            usage = {
                "prompt_tokens": tokens_in,
                "completion_tokens": tokens_out,
                "total_tokens": tokens_in + tokens_out,
            }
            yield _chunk(usage=usage, choices=[])
        yield b"[DONE]"


def _chunk(delta: Mapping[str, Any] | None = None, finish: str | None = None, **fields: Any) -> bytes:
    choices = [{"index": 0, "delta": delta or {}, "finish_reason": finish}]
    chunk = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": choices}
    return json.dumps({**chunk, **fields}).encode()


def data_of(request: Mapping[str, Any]) -> Any:
    """The JSON that stands between the marks of a request's user message."""
    found = _DATA.search(request["messages"][1]["content"])
    assert found is not None
    return json.loads(found.group(2))


def prose(request: Mapping[str, Any], change: Callable[[str], str] = lambda quote: quote) -> Reply:
    """An answer of the form that a write-up asks for: each quote, changed, as a sentence that cites it."""
    data = data_of(request)
    quotes = {item["id"]: item["quote"] for item in data["evidence"]}

    def told(ids: Sequence[str]) -> list[dict[str, Any]]:
        return [{"sentence": change(quotes[name]), "evidence": [name]} for name in ids]

    answer = {
        "summary": told(data["summary"][:5]),
        "sections": [{"section": item["section"], "sentences": told(item["evidence"])} for item in data["sections"]],
    }
    return Reply(json.dumps(answer), usage=(1500, 400))


@asynccontextmanager
async def model_server() -> AsyncIterator[ModelServer]:
    """One on a free port; its `url` is a base URL."""
    server = ModelServer()
    app = web.Application()
    app.router.add_post("/v1/chat/completions", server.completions)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    server.url = f"http://{host}:{port}/v1"
    try:
        yield server
    finally:
        await runner.cleanup()
