"""How `prsm up` asks a part whether it works."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from cli.stack.ports import HOST

_CHECK = "/grpc.health.v1.Health/Check"
# grpc.health.v1.HealthCheckResponse{status: SERVING}; written out, so that no generated code is loaded here.
_SERVING = b"\x08\x01"
_SECONDS = 1.0


def serving(port: int) -> Callable[[], Awaitable[bool]]:
    """A probe of the gRPC health service on `port`."""

    async def probe() -> bool:
        if not await _listens(port):
            return False
        import grpc  # Not needed before something listens, and by then the machine has time for it.

        async with grpc.aio.insecure_channel(f"{HOST}:{port}", options=[("grpc.enable_http_proxy", 0)]) as channel:
            try:
                check: Any = channel.unary_unary(_CHECK)
                answer: bytes = await check(b"", timeout=_SECONDS)
            except grpc.aio.AioRpcError:
                return False
        return answer == _SERVING

    return probe


def ready(port: int) -> Callable[[], Awaitable[bool]]:
    """A probe of the gateway's `/ready`."""

    async def probe() -> bool:
        try:
            async with asyncio.timeout(_SECONDS + 1):
                reader, writer = await asyncio.open_connection(HOST, port)
                try:
                    writer.write(f"GET /ready HTTP/1.1\r\nHost: {HOST}:{port}\r\nConnection: close\r\n\r\n".encode())
                    line = await reader.readline()
                finally:
                    writer.close()
        except (OSError, TimeoutError):
            return False
        return line.startswith(b"HTTP/1.1 200 ")

    return probe


async def _listens(port: int) -> bool:
    try:
        async with asyncio.timeout(_SECONDS):
            _, writer = await asyncio.open_connection(HOST, port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True
