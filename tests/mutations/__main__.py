"""`python -m tests.mutations`: mutated files of every kind through the real parser processes.

    python -m tests.mutations [--files 10000] [--seed 1] [--data FOLDER] [--size 2] [--seconds 20] [--keep FOLDER]

Ends with 1 when anything but a document or a named error came out, a bound was not held, or a process was not replaced.
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import sys
from pathlib import Path

from services.library.parsing.document import ParseLimits
from tests.mutations.campaign import Outcome, campaign
from tests.mutations.seeds import flat, of_folder, seeds


def main() -> int:
    """0 when nothing that must not happen did."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutations", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument(
        "--seed", type=int, default=None, help="the same seed makes the same files; otherwise a new one"
    )
    parser.add_argument("--data", type=Path, default=None, help="also mutate the files of this folder")
    parser.add_argument("--size", type=int, default=2, help="parser processes")
    parser.add_argument("--seconds", type=float, default=20.0, help="limit on reading one file")
    parser.add_argument("--keep", type=Path, default=None, help="folder for the files that made a parser fail")
    given = parser.parse_args()
    seed = given.seed if given.seed is not None else secrets.randbelow(2**31)
    originals = [*flat(seeds()), *(of_folder(given.data) if given.data else ())]
    if given.keep is not None:
        given.keep.mkdir(parents=True, exist_ok=True)
    print(f"{given.files:,} files from {len(originals)} originals, seed {seed}", flush=True)
    limits = ParseLimits(seconds=given.seconds)
    outcome = asyncio.run(
        campaign(originals, files=given.files, seed=seed, limits=limits, size=given.size, keep=given.keep)
    )
    _show(outcome)
    return int(bool(outcome.faults))


def _show(outcome: Outcome) -> None:
    print(f"read {outcome.read.total():,}: " + ", ".join(f"{kind} {n:,}" for kind, n in sorted(outcome.read.items())))
    causes = ", ".join(f"{cause} {n:,}" for cause, n in outcome.unreadable.most_common())
    print(f"unreadable {outcome.unreadable.total():,}: {causes}")
    print(f"processes lost and replaced: {outcome.lost}")
    print("parsers raised: " + (", ".join(f"{what} {n}" for what, n in outcome.raised.most_common(20)) or "never"))
    print(f"slowest {outcome.slowest:.1f} s ({outcome.slowest_file}); most memory {outcome.peak_bytes / 2**20:.0f} MiB")
    print(f"{outcome.files:,} files in {outcome.seconds:.0f} s; faults: {len(outcome.faults)}")
    for fault in outcome.faults[:50]:
        print(f"  {fault}")


if __name__ == "__main__":
    sys.exit(main())
