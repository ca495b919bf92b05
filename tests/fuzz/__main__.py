"""Try both edges against the API's description for as long as is wanted.

python -m tests.fuzz [--edge gateway|envoy|both] [--seconds N] [--examples N] [--seed N]
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import sys
import tempfile
from pathlib import Path

from tests.fuzz.fuzzing import Effort, fuzz
from tests.support.stack import behind_envoy, running_stack


async def main(edges: list[str], effort: Effort) -> int:
    """0 when nothing was found at any edge."""
    failed = False
    with tempfile.TemporaryDirectory(prefix="prsm-fuzz-") as folder:
        async with running_stack(Path(folder)) as stack, behind_envoy(stack, Path(folder)) as fronted:
            for edge in (each for each in (stack, fronted) if each.edge in edges):
                print(f"{edge.edge}: {edge.url}, seed {effort.seed}", flush=True)
                outcome = await fuzz(edge, effort, user=f"fuzz-{edge.edge}")
                print(outcome.output, flush=True)
                failed |= outcome.failed
    return int(failed)


def _arguments() -> tuple[list[str], Effort]:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--edge", choices=("gateway", "envoy", "both"), default="both")
    parser.add_argument("--seconds", type=int, default=300, help="for each edge; fuzzing goes on until then")
    parser.add_argument("--examples", type=int, default=100, help="at most so many of each kind for an operation")
    parser.add_argument("--seed", type=int, default=None, help="the same seed tries the same; otherwise a new one")
    given = parser.parse_args()
    edges = ["gateway", "envoy"] if given.edge == "both" else [given.edge]
    seed = given.seed if given.seed is not None else secrets.randbelow(2**31)
    return edges, Effort(examples=given.examples, seconds=given.seconds, seed=seed)


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*_arguments())))
