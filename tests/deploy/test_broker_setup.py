"""The job before the scaler: on a real broker it makes just the consumers that the scaler asks for."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import nats
import pytest

from deploy.checks.environment import variables
from deploy.checks.model import Release, name_of
from tests.support.nats import NatsServer

_SECONDS = 60


async def _prepare(environment: dict[str, str]) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "worker.prepare", env={**os.environ, **environment}, stderr=asyncio.subprocess.PIPE
    )
    _, errors = await asyncio.wait_for(process.communicate(), _SECONDS)
    return process.returncode, errors.decode()


def _environment(release: Release, url: str, folder: Path) -> dict[str, str]:
    """The job's own environment, with this broker's address and a token that it does not ask for."""
    (container,) = [c for c in release.containers("Job") if name_of(c.workload) == "broker-setup"]
    assert container.spec["command"][-2:] == ["-m", "worker.prepare"]
    known, faults = variables(release, container)
    assert faults == []
    token = folder / "token"
    token.write_text("any\n")
    own = {"PRSM_WORKER_NATS_URL": url, "PRSM_WORKER_NATS_TOKEN_FILE": str(token)}
    assert own.keys() <= {variable.name for variable in known}
    return {**{variable.name: variable.value for variable in known}, **own}


async def test_the_scalers_consumers_are_made_and_may_be_made_again(
    releases: dict[str, Release], tmp_path: Path
) -> None:
    (scaled,) = releases["production"].of("ScaledObject")
    wanted = {(t["metadata"]["stream"], t["metadata"]["consumer"]) for t in scaled["spec"]["triggers"]}
    server = NatsServer(tmp_path)
    await server.start()
    try:
        environment = _environment(releases["base"], server.url, tmp_path)
        for _ in range(2):
            assert await _prepare(environment) == (0, "")
        client = await nats.connect(server.url)
        try:
            js = client.jetstream()
            streams = {stream for stream, _ in wanted}
            made = {(stream, info.name) for stream in streams for info in await js.consumers_info(stream)}
        finally:
            await client.close()
    finally:
        await server.stop()
    assert made == wanted


@pytest.mark.parametrize(
    ("name", "value"), [("PRSM_WORKER_NATS_CA", "/nowhere/ca.crt"), ("PRSM_WORKER_ENGINES", '["x"]')]
)
async def test_what_cannot_be_done_is_one_line(
    releases: dict[str, Release], tmp_path: Path, name: str, value: str
) -> None:
    environment = _environment(releases["base"], "nats://127.0.0.1:9", tmp_path)
    status, errors = await _prepare({**environment, name: value})
    assert status == 2
    assert len(errors.splitlines()) == 1
