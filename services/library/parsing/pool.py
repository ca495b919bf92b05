"""Parsing without risk: files are read by warm child processes that may be lost at any time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from types import TracebackType
from typing import Any, Self

from services.library.errors import DocumentUnreadable, UnreadableCause
from services.library.metrics import PARSED
from services.library.parsing.document import Kind, ParsedDocument, ParseLimits, too_large_file
from services.library.parsing.encoding import decode_certain
from services.library.parsing.kinds import named_kind
from services.library.parsing.plain import parse_text
from services.library.parsing.process import DEFAULT_COMMAND, ParserProcess, ProcessLost

_IN_PROCESS_BYTES = 256 * 1024
_FILES_PER_PROCESS = 200
_log = logging.getLogger(__name__)


class ParserPool:
    """`size` parser processes. Use as an async context manager within one event loop.

    A process that overruns its time, dies or answers nonsense is killed and replaced; the file is then
    named unreadable, and no other file is touched by it. Processes are replaced after some hundred
    files, so that what parsers leak stays bounded. `command` starts another program that speaks the
    protocol of :mod:`services.library.parsing.child`.
    """

    def __init__(
        self,
        *,
        size: int = 2,
        limits: ParseLimits | None = None,
        command: Sequence[str] = DEFAULT_COMMAND,
    ) -> None:
        self.limits = limits or ParseLimits()
        self._size = size
        self._command = tuple(command)
        self._idle: asyncio.Queue[ParserProcess | None] = asyncio.Queue()
        self._all: set[ParserProcess] = set()
        # Twice the processes: a thread may still be leaving a killed process while its place is taken.
        self._threads = ThreadPoolExecutor(max_workers=2 * size, thread_name_prefix="parser")
        self._closed = False
        self.busy = 0
        """Files being read by a process just now."""

    async def __aenter__(self) -> Self:
        for _ in range(self._size):
            self._idle.put_nowait(self._started())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def pids(self) -> frozenset[int]:
        """The processes there are."""
        return frozenset(process.pid for process in self._all)

    async def close(self) -> None:
        """Kill every process. Files being read raise DocumentUnreadable (`parser_failed`)."""
        self._closed = True
        self._idle.put_nowait(None)  # wakes who waits, one after the other
        processes = list(self._all)
        self._all.clear()
        for process in processes:
            process.kill()
        loop = asyncio.get_running_loop()
        await asyncio.gather(*(loop.run_in_executor(self._threads, each.reap) for each in processes))
        self._threads.shutdown(wait=True)

    async def parse(self, data: bytes, *, filename: str, content_type: str = "") -> ParsedDocument:
        """Read a file. Waits for a free process; the time limit counts from when it has one.

        Raises DocumentUnreadable with the cause. Cancelling it kills the process that reads the file.
        """
        if len(data) > self.limits.file_bytes:
            raise too_large_file(self.limits)
        if _is_simple_text(data, filename, content_type):
            return parse_text(data, filename, content_type, self.limits)
        process = await self._idle.get()
        if self._closed:
            self._idle.put_nowait(None)
            raise DocumentUnreadable(UnreadableCause.PARSER_FAILED)
        keep = False
        try:
            if process is None or not process.alive:
                self._discard(process)
                process = self._start()
            self.busy += 1
            began, outcome = perf_counter(), "lost"
            try:
                answer = await self._exchange(process, data, filename, content_type)
                outcome = "read" if "document" in answer else "unreadable"
            finally:
                self.busy -= 1
                PARSED.labels(outcome).observe(perf_counter() - began)
            keep = process.served < _FILES_PER_PROCESS
        finally:
            if not self._closed:
                if not keep:
                    self._discard(process)
                    process = self._started()
                self._idle.put_nowait(process)
        # Checking what came back takes time for a long one, which the event loop has not.
        return await asyncio.get_running_loop().run_in_executor(self._threads, _document, answer, filename)

    async def _exchange(self, process: ParserProcess, data: bytes, filename: str, content_type: str) -> dict[str, Any]:
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(self._threads, process.exchange, data, filename, content_type)
        try:
            async with asyncio.timeout(self.limits.seconds):
                return await work
        except TimeoutError as error:
            raise DocumentUnreadable(UnreadableCause.TIMEOUT) from error
        except ProcessLost as error:
            _log.warning("parser process lost", extra={"pid": process.pid})
            cause = UnreadableCause.MEMORY_LIMIT if error.exhausted else UnreadableCause.PARSER_FAILED
            raise DocumentUnreadable(cause) from error

    def _start(self) -> ParserProcess:
        process = ParserProcess(self._command, self.limits)
        self._all.add(process)
        return process

    def _started(self) -> ParserProcess | None:
        """A process, or None when there is none to be had now: then the next file tries again."""
        try:
            return self._start()
        except OSError:
            _log.exception("cannot start a parser process")
            return None

    def _discard(self, process: ParserProcess | None) -> None:
        if process is not None and process in self._all:
            self._all.remove(process)
            process.kill()
            self._threads.submit(process.reap)


def _is_simple_text(data: bytes, filename: str, content_type: str) -> bool:
    """Small plain text whose encoding is certain: nothing in it can do harm, no process is needed."""
    if len(data) > _IN_PROCESS_BYTES or named_kind(filename, content_type) is not Kind.TEXT:
        return False
    if data.startswith((b"%PDF-", b"PK\x03\x04", b"\xd0\xcf\x11\xe0")) or b"\0" in data:
        return False
    return bool(data.strip()) and decode_certain(data) is not None


def _document(answer: dict[str, Any], filename: str) -> ParsedDocument:
    try:
        if "document" in answer:
            return ParsedDocument.from_wire(answer["document"])
        cause = UnreadableCause(answer["cause"])
        detail = str(answer["detail"])
    except (KeyError, TypeError, ValueError) as error:
        raise DocumentUnreadable(UnreadableCause.PARSER_FAILED) from error
    if cause is UnreadableCause.PARSER_FAILED:
        _log.warning("parser raised", extra={"raised": answer.get("raised"), "suffix": filename[-8:]})
    raise DocumentUnreadable(cause, detail)
