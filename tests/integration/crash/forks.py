"""Processes that are cheap to begin and to kill: forked from one that has imported everything and started nothing.

Run as a module it is that process: for each line of JSON on its standard input it forks, and tells in a line how the
child ended. The child does its job on an event loop of its own and writes what it came to into a file. What is made at
first use (validation rules, SQL) is made before: an order with `first` is done without a fork.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import json
import os
import sys
from pathlib import Path
from typing import Any

from tests.support.stack import ROOT

_PATIENCE = 60.0


class Died(Exception):
    """A process that ended by a signal or with a status; the text has what it last said."""

    def __init__(self, signal: int, said: str) -> None:
        super().__init__(f"ended with {signal}: {said[-2000:]}")
        self.signal = signal


class Forks:
    """Does jobs in processes of their own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._turn = asyncio.Lock()
        self._count = 0

    async def __aenter__(self) -> Forks:
        self._log = (self._folder / "server.log").open("w")
        self._server = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            __name__,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=self._log,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "gen")])},
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server.stdin is not None
        self._server.stdin.close()
        await self._server.wait()
        self._log.close()

    async def do(self, job: str, **given: Any) -> Any:
        """What the coroutine function `module:name` returns, as JSON. Raises Died."""
        ended = await self._order(job, given, first=False)
        if ended["signal"] or ended["status"]:
            raise Died(ended["signal"] or ended["status"], ended["log"].read_text())
        return json.loads(ended["answer"].read_text())

    async def warm_up(self, job: str, **given: Any) -> None:
        """Do a job in the process that the others are forked from. It must leave no thread."""
        await self._order(job, given, first=True)

    async def _order(self, job: str, given: dict[str, Any], *, first: bool) -> dict[str, Any]:
        async with self._turn:
            self._count += 1
            answer, log = self._folder / f"answer-{self._count}.json", self._folder / f"log-{self._count}"
            order = {"job": job, "given": given, "answer": str(answer), "log": str(log), "first": first}
            assert self._server.stdin is not None
            assert self._server.stdout is not None
            self._server.stdin.write(json.dumps(order).encode() + b"\n")
            line = await asyncio.wait_for(self._server.stdout.readline(), _PATIENCE)
        assert line, (self._folder / "server.log").read_text()[-3000:]
        ended = json.loads(line)
        return {**ended, "answer": answer, "log": log}


def _do(order: dict[str, Any]) -> None:
    module, _, name = order["job"].partition(":")
    value = asyncio.run(getattr(importlib.import_module(module), name)(**order["given"]))
    Path(order["answer"]).write_text(json.dumps(value))


def _child(order: dict[str, Any]) -> None:
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT)
    os.dup2(log, 1)
    os.dup2(log, 2)
    _do(order)


def _serve() -> None:
    answers = os.fdopen(os.dup(1), "w")
    # Whatever is logged here is nobody's answer.
    os.dup2(2, 1)
    for line in sys.stdin:
        order = json.loads(line)
        if order["first"]:
            _do(order)
            # What is collected in a child is copied there.
            gc.freeze()
            answers.write(json.dumps({"signal": 0, "status": 0}) + "\n")
            answers.flush()
            continue
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                _child(order)
                status = 0
            except BaseException:
                sys.excepthook(*sys.exc_info())
            finally:
                sys.stderr.flush()
                os._exit(status)
        _, ended = os.waitpid(pid, 0)
        told = {
            "signal": os.WTERMSIG(ended) if os.WIFSIGNALED(ended) else 0,
            "status": os.waitstatus_to_exitcode(ended),
        }
        answers.write(json.dumps(told) + "\n")
        answers.flush()


if __name__ == "__main__":
    _serve()
