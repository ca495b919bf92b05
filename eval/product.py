"""The product itself, started for an evaluation, and people who use it over its REST API."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from cli.stack.datadir import DataDir
from cli.stack.keys import USER_AUDIENCE, USER_ISSUER, load_user_key
from kit.auth.tokens import TokenRules, mint
from kit.times import SystemClock

JSON = dict[str, Any]
_START_SECONDS = 120.0
_STOP_SECONDS = 20.0
_CALL_SECONDS = 300.0
_SESSION_SECONDS = 900.0
_LOOK_SECONDS = 0.1
_BATCH = 5_000
_TERMINAL = frozenset(("completed", "failed", "cancelled", "timeout"))
_SETTINGS = {
    "PRSM_BILLING_SESSION_QUOTA": "100000000",
    "PRSM_SESSION_OWNER_CAP": "64",
    "PRSM_GATEWAY_RATE_LIMIT": "0",
    "PRSM_LOG_LEVEL": "warning",
    "PRSM_WORKER_CONCURRENCY": "2",
}


class Unexpected(Exception):
    """An answer that is not what was asked for."""


@dataclass(frozen=True, slots=True)
class Product:
    """A running stack."""

    url: str
    data: DataDir
    http: aiohttp.ClientSession

    def person(self, user: str) -> Person:
        """Somebody with a library and a balance of their own."""
        rules = TokenRules(issuer=USER_ISSUER, audience=USER_AUDIENCE)
        token = mint(load_user_key(self.data), rules, SystemClock(), ttl=12 * 3600, claims={"sub": user})
        return Person(self, user, token)


@dataclass(frozen=True, slots=True)
class Person:
    """What one user does. Every method raises Unexpected for an error answer."""

    product: Product
    user: str
    token: str

    async def call(self, method: str, path: str, **arguments: Any) -> bytes:
        """The body of a 2xx answer."""
        headers = {"Authorization": f"Bearer {self.token}", **arguments.pop("headers", {})}
        url = f"{self.product.url}/api/v1{path}"
        async with self.product.http.request(method, url, headers=headers, **arguments) as answer:
            body = await answer.read()
            if answer.status // 100 != 2:
                raise Unexpected(f"{method} {path}: {answer.status} {body[:500].decode(errors='replace')}")
            return body

    async def ask(self, method: str, path: str, body: object = None) -> JSON:
        """The same with JSON both ways."""
        found: JSON = orjson.loads(await self.call(method, path, json=body))
        return found

    async def batch(self, documents: Sequence[Mapping[str, Any]]) -> list[JSON]:
        """Store `{title, text, external_id?}` objects; one answer each, in order."""
        answers: list[JSON] = []
        for begin in range(0, len(documents), _BATCH):
            lines = b"\n".join(map(orjson.dumps, documents[begin : begin + _BATCH]))
            body = await self.call(
                "POST", "/documents/batch", data=lines, headers={"Content-Type": "application/x-ndjson"}
            )
            answers += [orjson.loads(line) for line in body.splitlines() if line.strip()]
        return answers

    async def upload(self, path: Path) -> tuple[int, JSON]:
        """Send one file; status and answer, also of a refusal."""
        form = aiohttp.FormData()
        form.add_field(
            "file",
            await asyncio.to_thread(path.read_bytes),
            filename=path.name,
            content_type="application/octet-stream",
        )
        url = f"{self.product.url}/api/v1/documents/upload"
        headers = {"Authorization": f"Bearer {self.token}"}
        async with self.product.http.post(url, headers=headers, data=form) as answer:
            return answer.status, orjson.loads(await answer.read())

    async def search(self, query: str, *, limit: int = 20, passages: bool = False) -> list[JSON]:
        """Hits, best first."""
        body = {"query": query, "limit": limit, "passages": passages}
        hits: list[JSON] = (await self.ask("POST", "/documents/search", body))["hits"]
        return hits

    async def text(self, document_id: str) -> str:
        """The stored text."""
        return (await self.call("GET", f"/documents/{document_id}/text")).decode()

    async def begin(self, body: Mapping[str, Any]) -> str:
        """Create a session; its id."""
        return str((await self.ask("POST", "/sessions", dict(body)))["session_id"])

    async def finished(self, session_id: str) -> JSON:
        """The session once it has ended. Raises Unexpected unless it completed."""
        async with asyncio.timeout(_SESSION_SECONDS):
            while True:
                session = await self.ask("GET", f"/sessions/{session_id}")
                if session["status"] in _TERMINAL:
                    break
                await asyncio.sleep(_LOOK_SECONDS)
        if session["status"] != "completed":
            raise Unexpected(f"session {session_id}: {session['status']} {session.get('error_details')}")
        return session

    async def results(self, body: Mapping[str, Any]) -> JSON:
        """Create a session, wait for its end and give the answer of its results path."""
        session_id = await self.begin(body)
        await self.finished(session_id)
        return await self.ask("GET", f"/sessions/{session_id}/results")


async def gathered(people: Iterable[Any], most: int = 8) -> list[Any]:
    """The values of coroutines in their order, so many at a time."""
    gate = asyncio.Semaphore(most)

    async def one(work: Any) -> Any:
        async with gate:
            return await work

    return await asyncio.gather(*(one(each) for each in people))


@asynccontextmanager
async def running_product(
    folder: Path, *, workers: int = 2, settings: Mapping[str, str] | None = None
) -> AsyncIterator[Product]:
    """`prsm up` on a free port with `folder` as its data directory; ended, by its id, when the block ends."""
    command = ["up", "--data-dir", str(folder), "--port", "0", "--workers", str(workers)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PRSM_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "cli.main", *command, "--initial-grant", "100000000.00"),
        env={**environment, **_SETTINGS, **(settings or {})},
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        url = await _ready(process)
        timeout = aiohttp.ClientTimeout(total=_CALL_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=64)) as http:
            yield Product(url, DataDir(folder), http)
    finally:
        await _stop(process)


async def _ready(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(_START_SECONDS):
        while line := await process.stdout.readline():
            if line.startswith(b"ready:"):
                return line.decode().removeprefix("ready:").strip()
    raise SystemExit("the product did not start; its log is above")


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        await asyncio.wait_for(process.wait(), _STOP_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
