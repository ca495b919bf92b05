"""Writing a session's report to files."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from rich.console import Console

from cli.demo.rest import Answered, RestApi, Unreachable
from cli.errors import Refused

_KINDS = ("pdf", "docx")
_PATIENCE = 60.0
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 15.0


class Exporter:
    """Fetches reports; what passes by itself, such as a busy renderer, is tried again for `patience` seconds."""

    def __init__(
        self,
        api: RestApi,
        *,
        patience: float = _PATIENCE,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._api = api
        self._patience = patience
        self._clock = clock
        self._sleep = sleep

    async def export(self, session_id: str, folder: Path, console: Console) -> None:
        """Write PDF and DOCX into `folder`. Raises Refused."""
        deadline = self._clock() + self._patience
        for kind in _KINDS:
            content = await self._download(f"/api/v1/sessions/{session_id}/export", kind, deadline)
            target = folder / f"{session_id}.{kind}"
            await asyncio.to_thread(_write, target, content)
            console.print(f"Written {target}", highlight=False, soft_wrap=True, markup=False)

    async def _download(self, path: str, kind: str, deadline: float) -> bytes:
        pause = _FIRST_PAUSE
        while True:
            try:
                return await self._api.download(path, format=kind)
            except Answered as answered:
                if answered.status < 500 and answered.status != 429:
                    raise
                failure: Refused = answered
                wait = max(pause, answered.retry_after)
            except Unreachable as unreachable:
                failure, wait = unreachable, pause
            if self._clock() + wait > deadline:
                raise failure
            await self._sleep(wait)
            pause = min(2 * pause, _LONGEST_PAUSE)


def _write(target: Path, content: bytes) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    except OSError as error:
        raise Refused(f"the report cannot be written to {target}: {error.strerror}") from error
