"""The whole product for tests: `prsm up` on free ports with a data directory of its own and engines that tests lead."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cli.stack.datadir import DataDir
from cli.stack.environment import SERVICES
from cli.stack.keys import USER_AUDIENCE, USER_ISSUER, load_user_key
from deploy.envoy.settings import EdgeSettings
from kit.auth.internal import InternalSigner
from kit.auth.keys import load_key
from kit.auth.tokens import TokenRules, mint
from kit.rpc.client import Peer
from kit.times import SystemClock
from tests.support.envoy import running_envoy

ROOT = Path(__file__).resolve().parent.parent.parent
START_SECONDS = 90.0
STOP_SECONDS = 60.0
LAST_LINES = 15

PARKED = "parked"
"""An engine that sessions may ask for and no worker offers: its sessions stay queued."""
MANUAL = "manual"
"""An engine whose sessions only a test claims, as a worker of its own."""
UNPAUSABLE = "manual-unpausable"
"""The same, for sessions that cannot be paused."""
GLOSSARY = "glossary"
"""The engine of the example worker that speaks gRPC."""
CONCORDANCE = "concordance"
"""The engine of the example package."""
GATED = "gated"
"""The same, which waits until a test opens a gate."""
GATED_ONCE = "gated-once"
"""The same, declared as one that cannot be paused."""
_TYPES = ["research", "analysis", "synthesis"]
_ENGINES = {
    PARKED: {"types": _TYPES},
    MANUAL: {"types": _TYPES},
    UNPAUSABLE: {"types": _TYPES, "pausable": False},
    GLOSSARY: {"types": ["research"]},
    CONCORDANCE: {"types": ["research"]},
    GATED: {"types": ["research"]},
    GATED_ONCE: {"types": ["research"], "pausable": False},
}

SETTINGS: Mapping[str, str] = {
    "PRSM_GATEWAY_RATE_LIMIT": "100000",
    "PRSM_GATEWAY_RATE_BURST": "100000",
    "PRSM_SESSION_TEST_ENGINES": "true",
    "PRSM_SESSION_ENGINES": json.dumps(_ENGINES),
    "PRSM_SESSION_SWEEP_SECONDS": "0.2",
    "PRSM_SESSION_HEARTBEAT_SECONDS": "0.25",
    "PRSM_SESSION_OWNER_CAP": "64",
    "PRSM_WORKER_TEST_ENGINES": "true",
    "PRSM_WORKER_CONCURRENCY": "12",
    "PRSM_WORKER_POLL_SECONDS": "0.5",
    "PRSM_WORKER_PRELOAD": "[]",
    "PRSM_RESULTS_WARM_AFTER_SECONDS": "100000",
    "PRSM_LIBRARY_PARSER_PROCESSES": "1",
}
"""What the parts are told: test engines, short intervals, room for many sessions at a time, and that nothing is loaded
ahead that a test may never ask for."""


@dataclass(frozen=True)
class RunningStack:
    """A stack that said that it is ready."""

    url: str
    """Where the REST API answers."""
    edge: str
    """What answers there: `gateway` or `envoy`."""
    data: DataDir
    endpoints: Mapping[str, str]
    process: asyncio.subprocess.Process = field(repr=False)

    @property
    def rules(self) -> TokenRules:
        """What user tokens must be here."""
        return TokenRules(issuer=USER_ISSUER, audience=USER_AUDIENCE)

    def token(
        self,
        user: str,
        *,
        email: str = "",
        name: str = "",
        teams: Sequence[str] = (),
        scope: str = "",
        ttl: int = 3600,
        rules: TokenRules | None = None,
    ) -> str:
        """A token signed with the stack's own key; `ttl` in seconds, below 0 for one that has ended."""
        claims: dict[str, object] = {"sub": user}
        if email:
            claims |= {"email": email, "email_verified": True}
        if name:
            claims["name"] = name
        if teams:
            claims["teams"] = list(teams)
        if scope:
            claims["scope"] = scope
        return mint(load_user_key(self.data), rules or self.rules, SystemClock(), ttl=ttl, claims=claims)

    def peer(self, service: str, *, caller: str = "worker") -> Peer:
        """Call `service` as another part of the stack would."""
        return Peer(service, InternalSigner(load_key(self.data.internal_key(caller)), caller, SystemClock()))

    def edge_settings(self, **changes: Any) -> EdgeSettings:
        """Settings of an Envoy before the same services."""
        given = {
            "port": 0,
            "admin_port": 0,
            "descriptors": ROOT / "gen" / "descriptors.binpb",
            "backends": {name: self.endpoints[name] for name in SERVICES},
            "health_check_seconds": 0,
            "user_issuer": USER_ISSUER,
            "user_audience": USER_AUDIENCE,
            "user_jwks": self.data.user_jwks,
            "rate_limit": 100_000,
            "rate_burst": 100_000,
            "concurrency": 1,
        }
        return EdgeSettings.model_validate(given | changes)

    def nats(self) -> tuple[str, str]:
        """URL and token of the broker."""
        return f"nats://{self.endpoints['nats']}", self.data.nats_token.read_text().strip()


@asynccontextmanager
async def running_stack(
    folder: Path,
    *,
    workers: int = 2,
    settings: Mapping[str, str] | None = None,
    arguments: Sequence[str] = (),
) -> AsyncIterator[RunningStack]:
    """Start `prsm up` in `folder`, wait until it is ready, and see at the end that SIGTERM stops it in order."""
    data = DataDir(folder / "data")
    said = folder / "stderr.log"
    command = ["up", "--data-dir", str(data.root), "--port", "0", "--workers", str(workers), *arguments]
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PRSM_")},
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'gen'}",
        **SETTINGS,
        **(settings or {}),
    }
    with said.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            # Whatever ends the tests, the stack does not outlive them.
            *(sys.executable, "-I", "-S", str(ROOT / "cli" / "child.py"), str(os.getpid())),
            *(sys.executable, "-m", "cli.main", *command),
            cwd=ROOT,
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
        )
    try:
        url = await _ready(process, data, said)
        yield RunningStack(url, "gateway", data, data.read_endpoints(), process)
        await _stopped(process, data, said)
    finally:
        if process.returncode is None:
            # The parts die with it: the kernel sees to that.
            process.kill()
            await process.wait()


@asynccontextmanager
async def behind_envoy(stack: RunningStack, folder: Path) -> AsyncIterator[RunningStack]:
    """The same stack seen through the real Envoy, transcoding by the rendered configuration."""
    async with running_envoy(stack.edge_settings(), folder) as edge:
        yield replace(stack, url=edge.url, edge="envoy")


async def _ready(process: asyncio.subprocess.Process, data: DataDir, said: Path) -> str:
    assert process.stdout is not None
    try:
        async with asyncio.timeout(START_SECONDS):
            line = (await process.stdout.readline()).decode().strip()
    except TimeoutError:
        raise AssertionError(f"not ready after {START_SECONDS:g} s\n{report(data, said)}") from None
    assert line.startswith("ready: http://"), f"it said {line!r}\n{report(data, said)}"
    return line.removeprefix("ready: ")


async def _stopped(process: asyncio.subprocess.Process, data: DataDir, said: Path) -> None:
    assert process.returncode is None, f"ended by itself with {process.returncode}\n{report(data, said)}"
    process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(STOP_SECONDS):
            status = await process.wait()
    except TimeoutError:
        raise AssertionError(f"still there {STOP_SECONDS:g} s after SIGTERM\n{report(data, said)}") from None
    assert status == 0, f"exit status {status} after SIGTERM\n{report(data, said)}"


def report(data: DataDir, said: Path) -> str:
    """The last lines of everything that was logged."""
    parts = []
    for log in [said, *sorted(data.logs.glob("*.log"))]:
        lines = log.read_text(errors="replace").splitlines()[-LAST_LINES:]
        parts.append("\n".join([f"--- {log.name}", *lines]))
    return "\n".join(parts)
