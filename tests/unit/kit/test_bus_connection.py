from __future__ import annotations

import asyncio

import pytest

from kit.bus.connection import Bus


@pytest.mark.parametrize("kinds", ["other broker", "broker other broker"])
async def test_whatever_answers_in_between_the_broker_is_found_in_the_end(kinds: str) -> None:
    """At the address may be a broker that is just ending, or something else that has its port meanwhile."""
    coming, found = kinds.split(), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if coming.pop(0) == "other":
            writer.write(b"x" * 200_000)
        else:
            writer.write(b'INFO {"max_payload": 1048576}\r\n')
            while not (await reader.readline()).startswith(b"PING"):
                pass
            writer.write(b"PONG\r\n")
            if not coming:
                found.set()
                await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    bus = Bus(f"nats://127.0.0.1:{server.sockets[0].getsockname()[1]}", name="test")
    async with server:
        bus.start()
        try:
            async with asyncio.timeout(60):
                await found.wait()
                await bus.ready()
        finally:
            await bus.close()
