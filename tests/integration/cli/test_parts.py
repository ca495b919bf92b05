"""One supervised process: what is beyond help is ended and started again."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from cli.errors import Refused
from cli.stack import nats
from cli.stack.part import Part, PartSpec, Patience, Tier
from tests.integration.cli.conftest import until

SLEEP = (sys.executable, "-S", "-c", "import time; time.sleep(600)")
STUBBORN = (
    *(sys.executable, "-S", "-c"),
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)",
)


@pytest.mark.parametrize("program", [SLEEP, STUBBORN])
async def test_a_part_that_is_beyond_help_is_started_again(tmp_path: Path, program: tuple[str, ...]) -> None:
    log = tmp_path / "part.log"
    log.touch()
    asked = asyncio.Queue[bool]()
    said: list[str] = []

    async def beyond_help() -> bool:
        return await asked.get()

    async def probe() -> bool:
        return program is SLEEP or log.stat().st_size > 0

    patience = Patience(first_backoff=0.01, help_pause=0.01, help_grace=0.2)
    spec = PartSpec("broker", Tier.BROKER, program, dict(os.environ), probe, beyond_help=beyond_help)
    lock = os.open(tmp_path, os.O_RDONLY)
    part = Part(spec, log=log, lock=lock, say=said.append, patience=patience)
    try:
        part.start()
        await part.healthy()
        first = part.pid
        asked.put_nowait(False)
        asked.put_nowait(True)
        await until(lambda: part.pid not in (first, None))
        assert said[0] == "broker cannot go on; ending it"
        assert "broker ended with SIG" in said[1]
    finally:
        await part.kill()
        os.close(lock)


async def test_a_part_that_cannot_be_started_just_now_is_started_later(tmp_path: Path) -> None:
    async def probe() -> bool:
        return True

    folder = tmp_path / "logs"
    said: list[str] = []
    patience = Patience(longest_backoff=0, startup_attempts=1_000_000)
    lock = os.open(tmp_path, os.O_RDONLY)
    spec = PartSpec("service", Tier.SERVICE, SLEEP, dict(os.environ), probe)
    part = Part(spec, log=folder / "part.log", lock=lock, say=said.append, patience=patience)
    try:
        part.start()
        await until(lambda: len(said) > 1_100)
        assert set(said) == {"service cannot be started (No such file or directory); trying again in 0 s"}
        folder.mkdir()
        await part.healthy()
    finally:
        await part.kill()
        os.close(lock)


async def test_a_part_that_can_never_be_started_is_refused(tmp_path: Path) -> None:
    async def probe() -> bool:
        return False

    lock = os.open(tmp_path, os.O_RDONLY)
    spec = PartSpec("service", Tier.SERVICE, SLEEP, dict(os.environ), probe)
    log = tmp_path / "logs" / "part.log"
    part = Part(spec, log=log, lock=lock, say=lambda _: None, patience=Patience(first_backoff=0.01))
    try:
        part.start()
        with pytest.raises(Refused, match="service does not start: No such file or directory"):
            await part.healthy()
    finally:
        await part.kill()
        os.close(lock)


@pytest.mark.parametrize(
    "greeting",
    [b"", b'INFO {"jetstr', b"INFO []\r\n", b"INFO " + b"x" * 100_000, b"HTTP/1.1 400\r\n"],
    ids=["nothing", "cut off", "another form", "too long", "another protocol"],
)
async def test_what_is_no_greeting_is_no_broker(greeting: bytes) -> None:
    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        assert await nats.answers(server.sockets[0].getsockname()[1]) is False


@pytest.mark.parametrize(
    ("answer", "stuck"),
    [
        ('200 OK\r\n\r\n{"status":"ok"}', False),
        ('503 Service Unavailable\r\n\r\n{"status":"unavailable","error":"JetStream not available"}', False),
        (
            '503 Service Unavailable\r\n\r\n{"error":"JetStream stream \'$G > S\' write error: x"}',
            True,
        ),
        ("", False),
    ],
)
async def test_a_broker_whose_store_failed_is_stuck(answer: str, stuck: bool) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"GET /healthz HTTP/1.")
        if answer:
            writer.write(f"HTTP/1.1 {answer}".encode())
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        assert await nats.stuck(port) is stuck
    assert await nats.stuck(port) is False
