"""The harness as anybody would run it, under two minutes in all: both databases, every type of fault, all counts 0."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.damage import DAMAGES
from tests.chaos.damaged_journals import JOURNALS
from tests.chaos.schedule import EVERYWHERE, POSTGRESQL
from tests.chaos.stack import ROOT

_LONGEST = 420.0
_RULES = {
    rule for broken in (*(d.broken for d in DAMAGES), *(broken for _, broken in JOURNALS.values())) for rule in broken
}
"""Rules that are known to be broken by what they are for; a run must have something that each is held against."""

_BY_CHANCE = {"a hold without a session is void"}
"""It takes a creation that dies between its hold and its session, which a short run may do without. The kills of
tests/integration/crash always do it."""


def _verdict(folder: Path) -> dict[str, Any]:
    (written,) = folder.glob("*/verdict.json")
    found: dict[str, Any] = json.loads(written.read_text())
    return found


async def _episode(number: int, folder: Path) -> dict[str, Any]:
    """Run one of the two; its verdict."""
    arguments = ["--seconds", "40", "--seed", "11", "--rate", "0.8", "--folder", str(folder), "--keep"]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", str(ROOT / "cli" / "child.py"), str(os.getpid())),
        *(sys.executable, "-m", "tests.chaos", *arguments, "--episode", str(number)),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'gen'}"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(_LONGEST):
            output, _ = await process.communicate()
    except TimeoutError:
        process.send_signal(signal.SIGTERM)
        output, _ = await process.communicate()
        raise AssertionError(f"not over after {_LONGEST:g} s\n{output.decode()}") from None
    assert process.returncode == 0, output.decode()
    return _verdict(folder)


@pytest.mark.timeout(_LONGEST + 20)
async def test_nothing_is_lost_and_nothing_is_done_twice_whatever_breaks(tmp_path: Path) -> None:
    # Beside each other, as most of an episode is waiting.
    running = [_episode(number, tmp_path / str(number)) for number in (1, 2)]
    verdicts = await asyncio.gather(*running, return_exceptions=True)
    found = [verdict for verdict in verdicts if not isinstance(verdict, BaseException)]
    wrong = [verdict for verdict in verdicts if isinstance(verdict, BaseException)]
    assert not wrong, "\n".join(map(str, wrong))
    assert [verdict["counts"] for verdict in found] == [{"lost": 0, "duplicated": 0, "stale": 0, "problems": 0}] * 2
    episodes = [episode for verdict in found for episode in verdict["episodes"]]
    assert [episode["plan"]["database"] for episode in episodes] == ["sqlite", "postgresql"]
    happened = {fault["name"] for episode in episodes for fault in episode["faults"]}
    assert happened == {kind.name for kind in (*EVERYWHERE, *POSTGRESQL)}
    assert {rule for verdict in found for rule in verdict["checked"]} >= _RULES - _BY_CHANCE
    assert sum(episode["sessions"] for episode in episodes) >= 50
