"""Files with a length and a tag: both edges pass both on, and answer 304 without a body on a connection that lasts."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from yarl import URL

from tests.support.things.backend import FILE
from tests.support.things.stack import Keys

KEPT = "/api/v1/things/kept/export?format=pdf"


class Line:
    """One connection, read as it comes: a byte too many after an answer is seen in the next one."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, token: str) -> None:
        self._reader = reader
        self._writer = writer
        self._token = token

    async def head(self, *more: str) -> tuple[int, dict[str, str]]:
        lines = [f"GET {KEPT} HTTP/1.1", "Host: edge", f"Authorization: Bearer {self._token}", *more]
        self._writer.write("\r\n".join([*lines, "", ""]).encode())
        status, *fields = (await self._reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
        named = (field.split(":", 1) for field in fields)
        return int(status.split()[1]), {name.lower(): value.strip() for name, value in named}

    async def body(self, size: int) -> bytes:
        return await self._reader.readexactly(size)


async def test_lengths_and_tags_cross_and_304_has_no_body(edge: str, keys: Keys) -> None:
    url = URL(edge)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    line = Line(reader, writer, keys.token())
    async with asyncio.timeout(60):
        status, headers = await line.head()
        assert status == 200
        assert headers["content-length"] == str(len(FILE))
        assert "transfer-encoding" not in headers
        assert (headers["etag"], headers["accept-ranges"]) == ('"f1"', "none")
        assert headers["content-disposition"] == 'attachment; filename="kept.pdf"'
        assert headers["cache-control"] == "private, no-cache"
        assert await line.body(len(FILE)) == FILE
        for _ in range(2):
            status, headers = await line.head('If-None-Match: "f1"')
            assert (status, headers["etag"], headers["cache-control"]) == (304, '"f1"', "private, no-cache")
            assert not {"content-length", "content-type", "transfer-encoding"} & headers.keys(), headers
        status, headers = await line.head('If-None-Match: "f0"')
        assert status == 200
        assert await line.body(len(FILE)) == FILE
    writer.close()


@pytest.mark.parametrize("thing", ["breaks", "cut"])
async def test_a_file_that_cannot_be_finished_does_not_look_whole(edge: str, keys: Keys, thing: str) -> None:
    """Neither one of unknown length, nor one that says its length and would be waited for."""
    headers = {"Authorization": f"Bearer {keys.token()}"}
    timeout = aiohttp.ClientTimeout(20)
    async with (
        aiohttp.ClientSession(edge, headers=headers, timeout=timeout) as client,
        client.get(f"/api/v1/things/{thing}/export?format=pdf") as response,
    ):
        assert response.status == 200
        assert response.headers.get("Content-Length") == (str(len(FILE)) if thing == "cut" else None)
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()
