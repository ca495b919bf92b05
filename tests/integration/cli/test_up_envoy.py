"""`prsm up --edge envoy`: the same stack behind Envoy."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from cli.stack.datadir import DataDir
from cli.stack.keys import USER_AUDIENCE, USER_ISSUER, load_user_key
from kit.auth.tokens import TokenRules, mint
from kit.times import SystemClock
from tests.integration.cli.conftest import ROOT, StackProcess, running

NOTE = "The Moon raises two tidal bulges on the Earth. Its gravity causes the tides of the ocean."


@pytest.fixture(scope="module")
async def up(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[StackProcess]:
    async with running(tmp_path_factory.mktemp("up") / "data", "--edge", "envoy") as started:
        yield started


@pytest.fixture
async def client(up: StackProcess) -> AsyncIterator[aiohttp.ClientSession]:
    """A signed-in user."""
    rules = TokenRules(USER_ISSUER, USER_AUDIENCE)
    token = mint(load_user_key(DataDir(up.folder)), rules, SystemClock(), ttl=600, claims={"sub": "ada"})
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(f"http://127.0.0.1:{up.port}", headers=headers) as session:
        yield session


async def test_a_session_from_its_creation_to_its_end(up: StackProcess, client: aiohttp.ClientSession) -> None:
    async with client.get("/ready") as response:
        assert set((await response.json())["services"].values()) == {"serving"}
    async with client.post("/api/v1/documents", json={"title": "Tides", "text": NOTE}) as response:
        assert response.status == 201
    body = {"prompt": "What causes the tides?", "preferences": {"depth": "quick"}}
    async with client.post("/api/v1/sessions", json=body) as response:
        assert response.status == 201
        path = response.headers["Location"]
    async with asyncio.timeout(60), client.get(f"{path}/events") as events:
        text = await events.text()
    assert "event: session.completed\n" in text
    async with client.get(path) as response:
        assert (await response.json())["status"] == "completed"


def test_envoy_is_there_instead_of_the_gateway(up: StackProcess) -> None:
    lines = " ".join(up.seen.values())
    assert "-m deploy.envoy " in lines
    assert "-m gateway" not in lines
    assert json.loads((up.folder / "endpoints.json").read_text())["gateway"] == f"http://127.0.0.1:{up.port}"
    assert '"GET /ready"' in (up.folder / "logs" / "envoy.log").read_text()


async def test_an_envoy_that_dies_comes_back(up: StackProcess, client: aiohttp.ClientSession) -> None:
    (victim,) = [pid for pid, line in up.parts().items() if "/envoy -c " in line]
    os.kill(victim, signal.SIGKILL)
    assert (await up.said("ended")).startswith("prsm: envoy ended with ")

    async def is_ready() -> bool:
        try:
            async with client.get("/ready") as response:
                return response.status == 200
        except aiohttp.ClientError:
            return False

    async with asyncio.timeout(60):
        while not await is_ready():
            pass  # Each look is a request of its own.


async def test_without_envoy_the_cure_is_named(tmp_path: Path) -> None:
    hidden = (
        "import sys; sys.modules['envoy'] = None; from cli.main import run_command; sys.exit(run_command(sys.argv[1:]))"
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", hidden, "up", "--edge", "envoy", "--data-dir", str(tmp_path / "data")),
        cwd=ROOT,
        env={**os.environ, "PATH": str(tmp_path)},
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        _, err = await process.communicate()
    assert process.returncode == 2
    assert err.decode().startswith("prsm up: envoy was not found: make dev installs it")
    assert not (tmp_path / "data").exists()
