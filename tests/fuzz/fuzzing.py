"""Schemathesis against a running edge, from the description that the edge itself serves."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.things import configured, things
from tests.support.stack import ROOT, RunningStack

CONFIG = Path(__file__).with_name("schemathesis.toml")
EDGE = "PRSM_FUZZ_EDGE"
"""The environment variable by which the hooks know which edge is tried."""
PHASES = ("examples", "coverage", "fuzzing", "stateful")


@dataclass(frozen=True)
class Effort:
    """How much is tried. `seconds` bounds fuzzing and stateful testing, which go on until then; None for one pass."""

    phases: Sequence[str] = PHASES
    examples: int = 10
    seconds: int | None = None
    seed: int | None = None


@dataclass(frozen=True)
class Outcome:
    """What Schemathesis said; `failed` when there is a finding."""

    failed: bool
    output: str


async def fuzz(stack: RunningStack, effort: Effort, *, user: str) -> Outcome:
    """Try one edge as a user nobody was before."""
    with tempfile.TemporaryDirectory(prefix="prsm-fuzz-") as folder:
        config = Path(folder) / "schemathesis.toml"
        config.write_text(f"{CONFIG.read_text()}\n{configured(await things(stack, user))}")
        return await _run(stack, effort, user, config)


async def _run(stack: RunningStack, effort: Effort, user: str, config: Path) -> Outcome:
    arguments = [
        *("--config-file", str(config), "run", f"{stack.url}/api/v1/openapi.json"),
        *("--header", f"Authorization: Bearer {stack.token(user, email=f'{user}@example.org', ttl=24 * 3600)}"),
        *("--phases", ",".join(effort.phases), "--max-examples", str(effort.examples)),
        # More than one thread makes Hypothesis fail now and then on Python 3.11.
        *("--workers", "1", "--no-color"),
    ]
    if effort.seconds is not None:
        arguments += ["--max-time", str(effort.seconds)]
    if effort.seed is not None:
        arguments += ["--seed", str(effort.seed)]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'gen'}", EDGE: stack.edge}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", *arguments),
        # What it keeps for a next run is of no use here.
        cwd=config.parent,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return Outcome(process.returncode != 0, output.decode(errors="replace"))
