"""Operators, by the command line: what failed is seen, requeued once, and both its owner and its history tell."""

from __future__ import annotations

import asyncio

import pytest

from cli.main import run_command
from tests.support.rest import People
from tests.support.signals import Signals
from tests.support.stack import RunningStack

Said = pytest.CaptureFixture[str]


async def prsm(stack: RunningStack, said: Said, *words: str) -> tuple[int, list[str]]:
    """Run `prsm sessions …` in a thread of its own; the status and all lines."""
    arguments = ["sessions", *words, "--data-dir", str(stack.data.root)]
    said.readouterr()
    status = await asyncio.to_thread(run_command, arguments)
    out, err = said.readouterr()
    return status, (out + err).splitlines()


async def test_a_failed_session_is_seen_and_requeued(stack: RunningStack, people: People, capsys: Said) -> None:
    owner = people.new()
    await owner.add_document("Salt", "Rivers carry salt into the sea.")
    inputs = {
        "documents": [{"title": "Rain", "text": "Rain is fresh."}],
        "datasets": [{"name": "s", "csv": "a,b\n1,2\n"}],
    }
    failed = await owner.create(
        "Why is the sea salt?", preferences={"engine": "signal"}, metadata={"for": "ada"}, inputs=inputs
    )
    url, token = stack.nats()
    async with await Signals.connect(url, token) as signals:
        await signals.send(failed, "fail", code="unusable_input", message="It has no text", retryable=False)
        async for _ in owner.events(failed):
            pass
        status, lines = await prsm(stack, capsys, "failed", "--code", "unusable_input", "--within", "1h")
        (line,) = [line for line in lines if failed in line]
        assert status == 0
        assert f"{owner.user} signal unusable_input" in line
        assert "(1 attempts, not ours): It has no text" in line
        assert (await prsm(stack, capsys, "attention"))[0] == 0
        status, (successor,) = await prsm(stack, capsys, "requeue", failed)
        assert status == 0
        assert await prsm(stack, capsys, "requeue", failed) == (0, [successor])
        old, new = await owner.session(failed), await owner.session(successor)
        for name in ("prompt", "inputs", "preferences", "budget", "metadata"):
            assert new[name] == old[name], name
        assert [len(new["inputs"][kind]) for kind in inputs] == [1, 1]
        assert (await owner.session(failed))["status"] == "failed"
        for session_id, detail in ((failed, {"successor": successor}), (successor, {"predecessor": failed})):
            timeline = (await owner.get(f"/sessions/{session_id}/history"))["timeline"]
            assert [row["detail"] for row in timeline if row["type"] == "session.requeued"] == [detail]
        await signals.send(successor, "complete", result={"title": "Salt"})
        async for event in owner.events(successor):
            last = event.type
        assert last == "session.completed"
    status, lines = await prsm(stack, capsys, "requeue", successor)
    line = (
        "prsm sessions: session refused: The session is completed: only failed and timed-out sessions can be requeued"
    )
    assert (status, lines) == (2, [line])
