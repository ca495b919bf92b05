"""`prsm up` with the real services."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from rich.console import Console

from cli.demo.job import DemoJob
from cli.demo.next_steps import next_steps
from cli.demo.tour import tour
from cli.stack.datadir import DataDir
from tests.integration.cli.conftest import ROOT, StackProcess, running


@pytest.fixture(scope="module")
async def up(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[StackProcess]:
    async with running(tmp_path_factory.mktemp("up") / "data", "--initial-grant", "25.00") as started:
        yield started


async def prsm(*words: object) -> tuple[int, str, str]:
    """Run a command to its end: status, output, error output."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli.main", *map(str, words)),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(120):
        out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def balance(up: StackProcess, user: str) -> str:
    _, token, _ = await prsm("token", "--data-dir", up.folder, "--user", user)
    url = f"http://127.0.0.1:{up.port}/api/v1/billing/balance"
    async with aiohttp.ClientSession() as client, client.get(url, headers={"X-API-Key": token.strip()}) as response:
        assert response.status == 200, await response.text()
        return str((await response.json())["available"])


async def test_every_part_is_a_process_of_its_own(up: StackProcess) -> None:
    lines = " ".join(up.seen.values())
    for module in ("session", "results", "collab", "billing", "library"):
        assert f"-m services.{module} " in lines
    for program in ("-m worker ", "-m gateway ", "nats-server -c "):
        assert program in lines


async def test_it_tells_how_far_the_start_has_come(up: StackProcess) -> None:
    parts = {"session", "results", "collab", "billing", "library", "nats", "worker-1", "gateway"}
    assert await up.said() == f"prsm: starting; logs are in {up.folder / 'logs'}\n"
    assert await up.said() == "prsm: the databases are up to date\n"
    assert {await up.said() for _ in parts} == {f"prsm: {part} is up\n" for part in parts}


async def test_a_new_user_starts_with_the_grant_and_is_credited(up: StackProcess) -> None:
    assert await balance(up, "ada") == "25.00"
    credit = await prsm("credit", "--data-dir", up.folder, "--user", "ada", "--amount", "5.50")
    assert credit == (0, "30.50 FTNS\n", "")
    assert await balance(up, "ada") == "30.50"


async def test_demo_does_a_session_from_upload_to_report(up: StackProcess, tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "tides.md").write_text(
        "# Tides\n\nThe gravitational pull of the Moon causes the tides of the ocean. "
        "Spring tides occur when the Sun and the Moon are aligned with the Earth.\n"
    )
    (docs / "moon.txt").write_text(
        "The Moon raises two tidal bulges on the Earth. The rotation of the Earth under the bulges "
        "gives most coasts two high tides a day.\n"
    )
    out = tmp_path / "reports"
    words = ("--docs", docs, "--prompt", "What causes the tides of the ocean?", "--out", out)
    status, said, err = await prsm("demo", "--data-dir", up.folder, *words)
    assert (status, err) == (0, ""), said
    assert "Library: 2 documents stored" in said
    assert "Key findings" in said
    assert "Confidence" in said
    assert "Cost" in said
    (pdf,) = out.glob("*.pdf")
    (docx,) = out.glob("*.docx")
    assert pdf.read_bytes().startswith(b"%PDF-")
    assert docx.read_bytes().startswith(b"PK")
    _, again, _ = await prsm("demo", "--data-dir", up.folder, *words)
    assert "Library: 0 documents stored, 2 already there" in again


async def test_a_report_that_cannot_be_written_is_said_and_the_next_steps_work(
    up: StackProcess, tmp_path: Path
) -> None:
    table = tmp_path / "t.csv"
    table.write_text("x,y\n1,2.1\n2,3.9\n3,6.2\n4,7.8\n5,10.1\n6,12.2\n")
    in_the_way = tmp_path / "file"
    in_the_way.touch()
    data, job = DataDir(up.folder), DemoJob.of(docs=None, data=table, prompt="")
    url = f"http://127.0.0.1:{up.port}"
    done = await tour(data, url, job, out=in_the_way, console=Console(file=io.StringIO()))
    assert done.problem.startswith(f"the report was not written: the report cannot be written to {in_the_way}")
    script = "set -e\n" + next_steps(data, url, job, done).partition("# your own files")[0].partition(":\n")[2]
    shell = await asyncio.create_subprocess_exec(
        *(
            "sh",
            "-c",
            script.replace("curl -s", "curl -sS --fail-with-body").replace("report.pdf", str(tmp_path / "r")),
        ),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        answers = (await shell.communicate())[0].decode().splitlines()
    assert shell.returncode == 0, answers
    status, _, created = (json.loads(line) for line in answers if line.startswith("{"))
    assert status["status"] == "completed"
    assert created["status"] == "queued"
    assert (tmp_path / "r").read_bytes().startswith(b"%PDF-")


async def test_a_service_that_dies_comes_back_where_it_was(up: StackProcess) -> None:
    assert await balance(up, "bob") == "25.00"
    before = (up.folder / "endpoints.json").read_text()
    victim = up.pid_of("services.billing")
    os.kill(victim, signal.SIGKILL)
    assert (await up.said()).startswith("prsm: billing ended with SIGKILL; starting it again in ")

    async def answers() -> bool:
        try:
            return await balance(up, "bob") == "25.00"
        except AssertionError:
            return False

    async with asyncio.timeout(60):
        while not await answers():
            pass  # Each look is a request of its own.
    assert (up.folder / "endpoints.json").read_text() == before
