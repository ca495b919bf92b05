"""A child process is waited for to its end, however much it wrote that nobody read."""

from __future__ import annotations

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE

from kit.reaping import reap

# More than the pipe (64 KiB) and asyncio's buffer (twice its limit of 64 KiB) hold: asyncio has stopped reading when
# all of it is written.
_FLOOD = (
    "import sys; out = sys.stdout.buffer; out.write(b'x' * 196609); out.flush(); "
    "print('full', file=sys.stderr, flush=True); sys.stdin.read()"
)


async def test_a_killed_process_whose_output_nobody_read_is_waited_for() -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", _FLOOD, stdin=PIPE, stdout=PIPE, stderr=PIPE)
    assert process.stderr is not None
    assert await process.stderr.readline() == b"full\n"
    process.kill()
    async with asyncio.timeout(60):
        assert await reap(process) == -signal.SIGKILL


async def test_one_without_pipes_is_waited_for() -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", "raise SystemExit(3)")
    assert await reap(process) == 3
