"""Vectors for an index: those of passages from a process of their own, those of queries at once."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from kit.errors import Unavailable
from kit.reaping import reap
from services.library.dense.bert import Singles
from services.library.dense.child import LENGTH
from services.library.dense.encoder import Encoder, opened
from services.library.index.codes import Codes
from services.library.parsing.process import bare_environment

_SECONDS = 300.0
_ROOT = Path(__file__).resolve().parents[3]


class DenseEncoding:
    """Raises DenseMissing or ModelInvalid when made without a model: at the service's start, not at a search."""

    def __init__(self, folder: Path | None = None, *, seconds: float = _SECONDS) -> None:
        """`folder` holds a model; without it, the one of the extra is taken. `seconds` bounds one request."""
        self._folder = folder
        self._seconds = seconds
        self._encoder: Encoder = opened(folder)
        self._querying = threading.Lock()
        self._process: Process | None = None
        self._asking = asyncio.Lock()

    @property
    def name(self) -> str:
        return self._encoder.name

    def query(self, text: str) -> Singles:
        """The vector of a query. CPU-bound, tens of milliseconds."""
        with self._querying:
            return np.asarray(self._encoder.encode([text])[0], dtype=np.float32)

    async def passages(self, texts: Sequence[str]) -> Codes:
        """The rows of some passages, as few as a wait of seconds allows. Raises Unavailable when the process was lost;
        the next call starts another."""
        async with self._asking:
            process = await self._running()
            try:
                async with asyncio.timeout(self._seconds):
                    answer = await _exchanged(process, json.dumps(list(texts)).encode())
            except (TimeoutError, asyncio.IncompleteReadError, ConnectionError) as error:
                await self._ended()
                raise Unavailable("The encoder was lost.") from error
            except BaseException:
                await self._ended()  # or the answer to this would be read as that to the next
                raise
        return np.frombuffer(answer, dtype=np.int8).reshape(len(texts), self._encoder.width)

    async def close(self) -> None:
        """End the process. Who waits for an answer is told that it was lost."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
        # One at a time reads from it: what is under way sees its end first.
        async with self._asking:
            await self._ended()

    async def _running(self) -> Process:
        if self._process is None or self._process.returncode is not None:
            single = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "RAYON_NUM_THREADS"), "1")
            try:
                self._process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-m",
                    "services.library.dense.child",
                    str(os.getpid()),
                    str(self._folder or "-"),
                    stdin=PIPE,
                    stdout=PIPE,
                    cwd=_ROOT,
                    env={**bare_environment(), **single, "TOKENIZERS_PARALLELISM": "false"},
                )
            except OSError as error:
                # Memory, descriptors or processes are short for a while.
                raise Unavailable("The encoder cannot be started.") from error
        return self._process

    async def _ended(self) -> None:
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.kill()
            await reap(process)


async def _exchanged(process: Process, request: bytes) -> bytes:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(LENGTH.pack(len(request)) + request)
    await process.stdin.drain()
    (length,) = LENGTH.unpack(await process.stdout.readexactly(LENGTH.size))
    return await process.stdout.readexactly(length)
