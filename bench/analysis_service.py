"""A large table through the whole product: uploaded, analysed by a prompt alone, read again.

Run by `python -m bench.analysis --through-the-product ROWS`: the embedded stack on SQLite with one worker, its limits
on uploads raised, and the same table as CSV and as Parquet. Seconds are wall-clock time as a client sees it; the
largest resident sets are what the kernel says, of the library, of the worker and of the largest computing process.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from bench import processes, targets

PROMPT = "What drives m0, and how does it differ between the levels of group?"
_GRANT = "100000000.00"
_DEADLINE = 3_600.0
_BREATH = 0.5
_MB = 1e6


@dataclass(slots=True)
class Passage:
    """One table's way. `problem` says what went wrong, or is empty."""

    name: str
    megabytes: float
    upload: float = 0.0
    analysis: float = 0.0
    peaks: dict[str, float] = field(default_factory=dict)
    tasks: list[str] = field(default_factory=list)
    stages: dict[str, float] = field(default_factory=dict)
    worst_mean: float = float("nan")
    """How far the furthest of the reported means is from numpy's, in standard errors."""
    problem: str = ""


async def run(folder: Path, files: Sequence[Path], megabytes: int) -> list[Passage]:
    """Each file in turn through one stack in `folder`; uploads may have that many 10^6 bytes."""
    port = targets.free_port()
    env = {
        "PRSM_LIBRARY_UPLOAD_MB": str(megabytes),
        "PRSM_GATEWAY_MAX_UPLOAD": str(megabytes * 1_000_000),
        "PRSM_LOG_LEVEL": "warning",
    }
    data = folder / "data"
    command = [sys.executable, "-m", "cli.main", "up", "--data-dir", str(data), "--port", str(port)]
    served = await targets.Served.start([*command, "--workers", "1", "--initial-grant", _GRANT], port, env)
    try:
        bearer = await asyncio.to_thread(targets.token, data, "analyst")
        return [await _pass(served, bearer, path, path.stat().st_size / _MB) for path in files]
    finally:
        await served.stop()


async def _pass(served: targets.Served, bearer: str, path: Path, megabytes: float) -> Passage:
    found = Passage(path.name, megabytes)
    began = time.perf_counter()
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_DEADLINE)) as http:
        form = aiohttp.FormData()
        with path.open("rb") as file:
            form.add_field("file", file, filename=path.name, content_type="application/octet-stream")
            url = f"http://127.0.0.1:{served.port}/api/v1/documents/upload"
            async with http.post(url, headers={"Authorization": f"Bearer {bearer}"}, data=form) as answer:
                said = json.loads(await answer.read())
                if answer.status not in (200, 201):
                    found.problem = f"upload: {answer.status} {json.dumps(said)[:500]}"
                    return found
    found.upload = time.perf_counter() - began
    document = _document_id(said)
    began = time.perf_counter()
    body = {"prompt": PROMPT, "session_type": "analysis", "inputs": {"datasets": [{"document_id": document}]}}
    made = await asyncio.to_thread(targets.post, served.port, "/api/v1/sessions", body, bearer)
    await _finished(served, bearer, str(made["session_id"]), found, began)
    found.analysis = time.perf_counter() - began
    if not found.problem:
        results = await asyncio.to_thread(_get, served.port, f"/api/v1/sessions/{made['session_id']}/results", bearer)
        _check(results, path, found)
    return found


async def _finished(served: targets.Served, bearer: str, session: str, found: Passage, began: float) -> None:
    """Waits for the end, noting peaks of memory and when stages changed on the way."""
    stage = ""
    while time.perf_counter() - began < _DEADLINE:
        state = await asyncio.to_thread(_get, served.port, f"/api/v1/sessions/{session}", bearer)
        for name, peak in _peaks(served.pid).items():
            found.peaks[name] = max(peak, found.peaks.get(name, 0.0))
        if (now := str(state.get("current_stage") or "")) != stage:
            stage = now
            found.stages[stage] = time.perf_counter() - began
        if state["status"] in ("completed", "failed", "cancelled", "timeout"):
            if state["status"] != "completed":
                found.problem = f"{state['status']}: {json.dumps(state.get('error') or state)[:600]}"
            return
        await asyncio.sleep(_BREATH)
    found.problem = f"not done after {_DEADLINE:g} s"


def _peaks(pid: int) -> dict[str, float]:
    """Largest resident sets so far, 10^6 bytes: parts by name, and the largest process below the worker."""
    found: dict[str, float] = {}
    for child, command in processes.descendants(pid).items():
        part = next((name for name in ("library", "worker", "gateway") if command.endswith(f"-m {_MODULES[name]}")), "")
        peak = processes.peak(child)
        if part:
            found[part] = max(found.get(part, 0.0), peak)
            if part == "worker":
                below = [processes.peak(inner) for inner in processes.descendants(child)]
                found["computing"] = max([found.get("computing", 0.0), *below])
    return {name: size / _MB for name, size in found.items()}


_MODULES = {"library": "services.library", "worker": "worker", "gateway": "gateway"}


def _get(port: int, path: str, bearer: str) -> dict[str, Any]:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Authorization": f"Bearer {bearer}"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        found: dict[str, Any] = json.load(answer)
        return found


def _document_id(said: Any) -> str:
    documents = said["documents"] if isinstance(said, dict) and "documents" in said else [said]
    return str(documents[0]["document_id"])


def _check(results: Any, path: Path, found: Passage) -> None:
    """Means that the analysis reports beside numpy's of the file, as pandas reads it."""
    import pandas as pd

    entries = (results.get("results") or results).get("analysis") or []
    found.tasks = [entry["kind"] for entry in entries]
    frame = pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)
    off = []
    for entry in entries:
        for column in entry["result"].get("columns", []) if entry["kind"] == "describe" else []:
            if column.get("mean") is not None:
                values = frame[column["name"]].to_numpy()
                off.append(abs(column["mean"] - float(values.mean())) / (float(values.std()) / len(values) ** 0.5))
    found.worst_mean = max(off, default=float("nan"))
    if not off:
        found.problem = "no mean was reported"
