"""The guided job from beginning to end."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from cli.demo.exporting import Exporter
from cli.demo.job import DemoJob
from cli.demo.report import show_results
from cli.demo.rest import RestApi
from cli.demo.uploading import Uploaded, Uploader
from cli.demo.watching import ProgressLine, follow
from cli.errors import Refused
from cli.stack.datadir import DataDir
from cli.tokens import mint

DEMO_USER = "demo"
_TOKEN_SECONDS = 4 * 3600
_NAMED = 10


@dataclass(frozen=True, slots=True)
class Done:
    """What a finished tour leaves: its session, what that worked on as REST names it, and why the report is missing.

    `problem` is empty when the report was written.
    """

    session_id: str
    inputs: dict[str, Any]
    problem: str


async def tour(data: DataDir, url: str, job: DemoJob, *, out: Path | None, console: Console | None = None) -> Done:
    """Upload, run a session, show what it found, write the exports. Raises Refused when there are no results."""
    console = console or Console()
    token = mint(data, DEMO_USER, name="Demo", email="demo@example.org", ttl=_TOKEN_SECONDS)
    async with RestApi(url, token) as api:
        body = await _request_of(api, data, job, console)
        created = await api.post("/api/v1/sessions", body)
        session_id = str(created["session_id"])
        estimate = created["cost_estimate"]
        console.print(
            f"Session {session_id} ({job.session_type}), estimated {estimate['amount']} {estimate['currency']}",
            highlight=False,
            soft_wrap=True,
        )
        with ProgressLine(console) as line:
            status = await follow(api, session_id, line)
        path = f"/api/v1/sessions/{session_id}"
        if status != "completed":
            details = (await api.get(path)).get("error_details") or {}
            raise Refused(f"the session ended as {status}: {details.get('message', 'no reason given')}", code=1)
        results, metrics = await asyncio.gather(api.get(f"{path}/results"), api.get(f"{path}/metrics"))
        show_results(console, results, metrics)
        try:
            await Exporter(api).export(session_id, out or data.root / "reports", console)
        except Refused as refusal:
            return Done(session_id, body["inputs"], f"the report was not written: {refusal}")
    return Done(session_id, body["inputs"], "")


async def _request_of(api: RestApi, data: DataDir, job: DemoJob, console: Console) -> dict[str, Any]:
    uploader = Uploader(api, data.root / "uploads.json")
    inputs: dict[str, Any] = {}
    if job.documents:
        with console.status(f"Reading {counted(len(job.documents), 'document')}"):
            uploaded = await uploader.upload(job.documents)
        _say_uploaded(console, uploaded, "document")
        _say_left_out(console, job.left_out)
        inputs["documents"] = [{"document_id": found} for found in uploaded.ids]
    if job.dataset is not None:
        uploaded = await uploader.upload([job.dataset])
        _say_uploaded(console, uploaded, "data set")
        inputs["datasets"] = [{"document_id": found} for found in uploaded.ids]
    return {"prompt": job.prompt, "session_type": job.session_type, "inputs": inputs}


def _say_uploaded(console: Console, uploaded: Uploaded, what: str) -> None:
    known = f", {uploaded.known} already there" if uploaded.known else ""
    console.print(f"Library: {counted(uploaded.stored, what)} stored{known}", highlight=False)
    for name, reason in uploaded.unreadable:
        console.print(f"  left out {name}: {reason}", markup=False, highlight=False)
    if not uploaded.ids:
        raise Refused("none of the files could be read", code=1)


def _say_left_out(console: Console, names: tuple[str, ...]) -> None:
    if names:
        shown = ", ".join(names[:_NAMED]) + (", …" if len(names) > _NAMED else "")
        what = counted(len(names), "file")
        console.print(f"  left out {what} of other kinds: {shown}", markup=False, highlight=False, soft_wrap=True)


def counted(count: int, what: str) -> str:
    """A count with its noun: `1 document`, `2 documents`."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
