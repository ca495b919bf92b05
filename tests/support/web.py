"""A web server that says, byte for byte, what a test wants it to say."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

Say = Callable[[asyncio.StreamWriter], Awaitable[None]]


class Web:
    """Paths and what they answer, on 127.0.0.1. `requests` are the heads of all requests, as they came."""

    def __init__(self) -> None:
        self.answers: dict[str, bytes | Say] = {}
        self.requests: list[str] = []
        self.port = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        await self._server.wait_closed()

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    def gives(self, path: str, body: bytes, *headers: str, status: str = "200 OK") -> str:
        """Let a path answer with a body; its URL."""
        lines = [f"HTTP/1.1 {status}", *headers]
        if not any(each.lower().startswith(("content-length", "transfer-encoding")) for each in headers):
            lines.append(f"Content-Length: {len(body)}")
        self.answers[path] = "\r\n".join([*lines, "", ""]).encode() + body
        return self.url(path)

    def redirects(self, path: str, location: str, status: str = "302 Found") -> str:
        return self.gives(path, b"", f"Location: {location}", status=status)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            self.requests.append(head)
            answer = self.answers.get(head.split(" ")[1], b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            if isinstance(answer, bytes):
                writer.write(answer)
            else:
                await answer(writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # whoever asked has gone
        finally:
            writer.close()
