"""The pages that describe the API, made when the first of them is asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from gateway.openapi import HEADERS, PATHS, etag_of, served

Page = Callable[[str], Awaitable[web.Response]]


def pages(descriptors: bytes) -> dict[str, Page]:
    """The pages by path. A contract that cannot be described raises ValueError when one is asked for."""
    return {path: _page(descriptors, path) for path in PATHS}


def _page(descriptors: bytes, path: str) -> Page:
    async def page(_request_id: str) -> web.Response:
        content_type, body = (await asyncio.to_thread(served, descriptors))[path]
        headers = {**HEADERS, "Content-Type": content_type, "ETag": etag_of(body)}
        return web.Response(body=body, headers=headers)

    return page


def is_unchanged(headers: Mapping[str, str], response: web.Response) -> bool:
    """Whether the client has this answer already (RFC 9110, 13.1.2)."""
    tag = response.headers.get("ETag")
    given = headers.get("If-None-Match")
    if tag is None or given is None:
        return False
    known = {one.strip().removeprefix("W/") for one in given.split(",")}
    return tag in known or "*" in known
