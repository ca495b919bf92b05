"""The listed differences between the edges, both sides of each; everything else is the same at both."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import aiohttp
import pytest
import yaml

from kit.auth.keys import create_key, write_jwks
from tests.edges import test_process
from tests.edges.conftest import Opened
from tests.support.processes import ROOT
from tests.support.things.stack import Keys

THINGS = "/api/v1/things"
LISTED = yaml.load(Path(__file__).with_name("differences.yaml").read_text(), yaml.CSafeLoader)


def test_each_is_described_and_proven() -> None:
    described = (ROOT / "docs" / "edges.md").read_text()
    proofs = {**globals(), **vars(test_process)}
    for name, difference in LISTED.items():
        assert difference.keys() == {"gateway", "envoy", "reason"}
        assert f"`{name}`" in described
        assert f"test_{name.replace('-', '_')}" in proofs, name
    rows = [line for line in described.partition("# What differs")[2].splitlines() if line.startswith("| `")]
    assert len(rows) == len(LISTED)


@pytest.mark.parametrize("text", ['{"count":"7"}', '{"weight":"1.5"}', '{"status":1}'])
async def test_numbers_as_text(client: aiohttp.ClientSession, edge_name: str, text: str) -> None:
    async with client.post(THINGS, data=text, headers={"Content-Type": "application/json"}) as response:
        assert response.status == {"gateway": 201, "envoy": 400}[edge_name]


@pytest.mark.parametrize(
    ("line", "gateway", "envoy"),
    [("QUERY /health", 405, 400), ("GET /health#a", 200, 400), ("CONNECT elsewhere:80", 404, 401)],
)
async def test_unusual_http(edge: str, edge_name: str, line: str, gateway: int, envoy: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(edge.rpartition(":")[2]))
    writer.write(f"{line} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    async with asyncio.timeout(60):
        assert int((await reader.readline()).split(b" ")[1]) == {"gateway": gateway, "envoy": envoy}[edge_name]
    writer.close()


async def test_moments_of_its_own(client: aiohttp.ClientSession, edge_name: str) -> None:
    told = []
    for _ in range(4):
        async with client.get("/api/v1/nope") as response:
            told.append((await response.json())["timestamp"])
    assert any("." in moment for moment in told) == (edge_name == "gateway"), told


async def test_keys_in_a_file(opened: Opened, keys: Keys, edge_name: str, tmp_path: Path) -> None:
    other = Keys(create_key(tmp_path / "other.json", "other"), tmp_path / "users.jwks")
    other.jwks.write_bytes(keys.jwks.read_bytes())
    async with opened(user_jwks=str(other.jwks)) as client:
        async with client.get(f"{THINGS}/a") as response:
            assert response.status == 200
        fresh = tmp_path / "users.new"
        write_jwks(fresh, [keys.key, other.key])
        os.replace(fresh, other.jwks)

        async def is_known() -> bool:
            async with client.get(f"{THINGS}/a", headers={"Authorization": f"Bearer {other.token()}"}) as response:
                return response.status == 200

        if edge_name == "envoy":
            assert not await is_known()
            return
        async with asyncio.timeout(60):
            while not await is_known():
                pass  # Each look is a request of its own; the file is read at most once a second.
