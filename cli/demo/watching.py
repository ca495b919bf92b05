"""Following a session to its end, with a bar on a terminal and a line for each stage elsewhere."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from types import TracebackType
from typing import Self

import aiohttp
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from cli.demo.rest import RestApi

_TERMINAL = frozenset({"completed", "failed", "cancelled", "timeout"})
_PAUSE = 0.5


class ProgressLine:
    """Shows how far a session is."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._said = ""
        self._bar = Progress(
            TextColumn("{task.fields[stage]:<24}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("session", total=100, stage="queued")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def show(self, status: str, stage: str, progress: int) -> None:
        label = stage if status == "running" and stage else status
        self._bar.update(self._task, completed=progress, stage=label)
        if not self._console.is_terminal and label != self._said:
            self._said = label
            self._console.print(f"  {progress:>3} %  {label}")


async def follow(api: RestApi, session_id: str, line: ProgressLine) -> str:
    """Show progress until the session has ended; its last status. Raises Refused."""
    last_id = ""
    path = f"/api/v1/sessions/{session_id}"
    while True:
        try:
            async with aclosing(api.events(f"{path}/events", last_id)) as events:
                async for event in events:
                    last_id = event.id or last_id
                    if "status" not in event.data:
                        break  # The stream says why it ends; what follows finds the same.
                    status = str(event.data["status"])
                    line.show(status, str(event.data.get("current_stage", "")), int(event.data.get("progress", 0)))
                    if status in _TERMINAL:
                        return status
        except (aiohttp.ClientError, TimeoutError):
            pass  # The stream was cut; the session itself says below where it stands.
        session = await api.get(path)
        if session["status"] in _TERMINAL:
            line.show(session["status"], session["current_stage"], session["progress"])
            return str(session["status"])
        await asyncio.sleep(_PAUSE)
