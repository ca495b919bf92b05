"""One parser process, seen from the service: a blocking exchange over its pipes."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import IO, Any

import orjson

from services.library.parsing.document import ParseLimits
from services.library.parsing.frames import ANSWER, REQUEST

DEFAULT_COMMAND = (sys.executable, "-P", "-m", "services.library.parsing.child")


_OUT_OF_MEMORY_SIGNALS = frozenset((signal.SIGABRT, signal.SIGILL, signal.SIGTRAP))
_MUCH = 0.5


class ProcessLost(Exception):
    """The process ended, or answered something that is no answer.

    `exhausted` is set when it ended itself while it held more than half of the memory allowed: libraries that
    are no Python end the process when an allocation fails.
    """

    def __init__(self, *, exhausted: bool = False) -> None:
        super().__init__()
        self.exhausted = exhausted


class ParserProcess:
    """A running parser. Not thread-safe: one exchange at a time; :meth:`kill` may come from anywhere."""

    def __init__(self, command: Sequence[str], limits: ParseLimits) -> None:
        # Started by exec, without Python code between fork and exec: the service's process holds gRPC
        # threads that a forked copy must never run.
        self._process = subprocess.Popen(
            [*command, orjson.dumps(asdict(limits)).decode(), str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=bare_environment(),
            start_new_session=True,  # a terminal's Ctrl-C is for the service, which ends us in order
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._requests: IO[bytes] = self._process.stdin
        self._answers: IO[bytes] = self._process.stdout
        # Text costs at most 4 bytes a character, 6 when JSON escapes it; the rest is small.
        self._memory_bytes = limits.memory_bytes
        # A process is counted with the peak of the one that started it, until its own is higher.
        self._inherited_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        self._longest_answer = limits.characters * 6 + 16 * 1024 * 1024
        self.served = 0

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def exchange(self, data: bytes, filename: str, content_type: str) -> dict[str, Any]:
        """Send a file and wait for the answer. Blocks; raises ProcessLost when the process is gone."""
        header = orjson.dumps({"filename": filename, "content_type": content_type})
        answer = self._answer(header, data)
        if not isinstance(answer, dict):
            raise ProcessLost(exhausted=self._exhausted())
        self.served += 1
        return answer

    def _answer(self, header: bytes, data: bytes) -> object:
        """What the process answers; None when it is no answer at all."""
        try:
            self._requests.write(REQUEST.pack(len(header), len(data)))
            self._requests.write(header)
            self._requests.write(data)
            self._requests.flush()
            head = self._answers.read(ANSWER.size)
            if len(head) != ANSWER.size:
                return None
            (length,) = ANSWER.unpack(head)
            if length > self._longest_answer:
                return None
            body = self._answers.read(length)
            return orjson.loads(body) if len(body) == length else None
        except (OSError, ValueError):
            return None

    def _exhausted(self) -> bool:
        """End the process, if it has not ended itself, and tell whether it did so for want of memory."""
        try:
            os.kill(self.pid, signal.SIGKILL)  # not by Popen, which would take the exit status along
            _, status, usage = os.wait4(self.pid, 0)
        except (ChildProcessError, ProcessLookupError):
            return False  # whoever killed it has seen its end
        ended_by = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        much = max(self._inherited_bytes, int(_MUCH * self._memory_bytes))
        return ended_by in _OUT_OF_MEMORY_SIGNALS and usage.ru_maxrss * 1024 > much

    def kill(self) -> None:
        """End the process at once; a blocked exchange then raises ProcessLost."""
        self._process.kill()

    def reap(self) -> None:
        """After :meth:`kill`: wait for the end and close the pipes."""
        self._process.wait()
        for pipe in (self._requests, self._answers):
            try:
                pipe.close()
            except OSError:
                continue  # bytes left unsent to a process that is gone


def bare_environment() -> dict[str, str]:
    """What a child process needs to find its code; nothing of the service's own, where secrets may be."""
    return {
        "PYTHONPATH": os.pathsep.join(os.path.abspath(entry) for entry in sys.path),
        "PYTHONDONTWRITEBYTECODE": "1",
        "LANG": "C.UTF-8",
        "MALLOC_ARENA_MAX": "2",
    }
