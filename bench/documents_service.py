"""Exports through the running product: `python -m bench.documents --parts service`.

The whole stack on SQLite with one worker; research sessions over a small library; then, for each session, a GET, the
first export in each format, and the same again. Milliseconds as a client on the same machine sees them, on connections
that stay open.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

import aiohttp

from bench import documents_report, targets

_PROMPT = "How much carbon do coastal wetlands bury each square metre and year, and what limits it?"
_DEADLINE = 120.0
_BREATH = 0.2
_AGAIN = 5
_ENDED = frozenset({"completed", "failed", "cancelled", "timeout"})


async def run(folder: Path, rounds: int) -> None:
    """Print a line for each kind of request."""
    port = targets.free_port()
    command = [sys.executable, "-m", "cli.main", "up", "--data-dir", str(folder / "data"), "--port", str(port)]
    env = {"PRSM_GATEWAY_RATE_LIMIT": "0", "PRSM_BILLING_SESSION_QUOTA": "1000000", "PRSM_LOG_LEVEL": "warning"}
    served = await targets.Served.start([*command, "--workers", "1", "--initial-grant", "100000000.00"], port, env)
    try:
        bearer = await asyncio.to_thread(targets.token, folder / "data", "reader")
        timeout = aiohttp.ClientTimeout(total=_DEADLINE)
        headers = {"Authorization": f"Bearer {bearer}"}
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}", headers=headers, timeout=timeout) as http:
            await _Measurement(http).run(rounds)
    finally:
        await served.stop()


class _Measurement:
    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http
        self._times: dict[str, list[float]] = {}
        self._sizes: dict[str, int] = {}

    async def run(self, rounds: int) -> None:
        for number in range(2):
            for document in documents_report.source_texts(number):
                await self._ask("POST", "/api/v1/documents", json=document)
        sessions = [await self._session() for _ in range(rounds + 1)]
        # The first one warms what serves the others: connections, caches, rendering processes.
        await self._of(sessions[0])
        self._times.clear()
        for session in sessions[1:]:
            await self._of(session)
        print("| request | least | median | kB |\n|---|---:|---:|---:|")
        for name, times in self._times.items():
            cells = (min(times) * 1e3, statistics.median(times) * 1e3, self._sizes[name] / 1e3)
            print(f"| {name} | {cells[0]:.1f} | {cells[1]:.1f} | {cells[2]:.0f} |")
        print(f"\n{rounds} sessions.")

    async def _of(self, session: str) -> None:
        path = f"/api/v1/sessions/{session}"
        for _ in range(_AGAIN):
            await self._timed("GET session", path)
        await self._timed("results as JSON, first", f"{path}/results")
        for _ in range(_AGAIN):
            await self._timed("results as JSON, again", f"{path}/results")
        for format in ("pdf", "docx", "markdown", "json"):
            export = f"{path}/export?format={format}"
            etag = await self._timed(f"export as {format}, first", export)
            for _ in range(_AGAIN):
                await self._timed(f"export as {format}, again", export)
            if etag is not None:
                await self._timed(f"export as {format}, not modified", export, {"If-None-Match": etag})
        await self._timed("export as pdf with raw data, first", f"{path}/export?format=pdf&include_raw_data=true")

    async def _timed(self, name: str, path: str, headers: dict[str, str] | None = None) -> str | None:
        """One request; its `ETag`."""
        began = perf_counter()
        async with self._http.get(path, headers=headers) as answer:
            body = await answer.read()
            if answer.status not in (200, 304):
                raise SystemExit(f"{path}: {answer.status} {body[:300].decode(errors='replace')}")
        self._times.setdefault(name, []).append(perf_counter() - began)
        self._sizes[name] = len(body)
        return answer.headers.get("ETag")

    async def _session(self) -> str:
        """A finished session's id."""
        made = await self._ask("POST", "/api/v1/sessions", json={"prompt": _PROMPT, "session_type": "research"})
        session = str(made["session_id"])
        async with asyncio.timeout(_DEADLINE):
            while True:
                state = await self._ask("GET", f"/api/v1/sessions/{session}")
                if state["status"] in _ENDED:
                    break
                await asyncio.sleep(_BREATH)
        if state["status"] != "completed":
            raise SystemExit(f"session {session}: {state['status']}")
        return session

    async def _ask(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        async with self._http.request(method, path, **arguments) as answer:
            if answer.status // 100 != 2:
                raise SystemExit(f"{method} {path}: {answer.status} {(await answer.text())[:300]}")
            found: dict[str, Any] = await answer.json()
            return found
