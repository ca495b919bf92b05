"""`python -m eval.simulation`: coverage of intervals and false positives of tests, measured.

    python -m eval.simulation [--runs 2000] [--seed 1] [--only describe trend …] [--json FILE] [--processes 2]

Ends with 1 where something that is claimed does not hold.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from eval.report import Table
from eval.simulation.measuring import chosen_cases, measure
from eval.simulation.trials import Row, limit_of


def table_of(rows: Sequence[Row]) -> Table:
    """The measured table: a line for each quantity of a kind of data, what was found by the size of the data."""
    lines: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        lines.setdefault((row.case, row.quantity), []).append(row)
    cells = []
    for (case, quantity), found in lines.items():
        known = [row for row in found if row.found is not None and row.std_error is not None and row.z is not None]
        cells.append(
            [
                case,
                quantity,
                found[0].kind,
                f"{found[0].nominal:.2f}",
                " · ".join(f"{row.n}: {row.found:.3f}" for row in known),
                " · ".join(f"{row.std_error:.3f}" for row in known),
                " · ".join(f"{row.z:+.1f}" for row in known),
                _together([row.verdict for row in found]),
            ]
        )
    heads = ["data", "quantity", "measured", "nominal", "found by n", "std. error", "z", "verdict"]
    return Table("Coverage and false positives", heads, cells)


def _together(verdicts: Sequence[str]) -> str:
    return verdicts[0] if len(set(verdicts)) == 1 else " · ".join(verdicts)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m eval.simulation", description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=2000, help="data sets per case (costly cases do a part of them)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write the rows there")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="cases whose label holds one of these")
    parser.add_argument("--processes", type=int, default=min(2, os.cpu_count() or 1))
    given = parser.parse_args()
    cases = chosen_cases(given.only)
    if not cases:
        parser.error("no case has such a name")
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    started = time.monotonic()
    rows = measure(cases, given.runs, given.seed, given.processes)
    print(table_of(rows).text())
    off = [row for row in rows if row.verdict == "OFF"]
    seconds = time.monotonic() - started
    print(f"\n{len(rows)} rows, limit |z| = {limit_of(len(rows)):.2f}, {len(off)} off, {seconds:.0f} s.")
    if given.json:
        given.json.write_text(json.dumps([row.as_json() for row in rows], indent=2) + "\n")
    if off:
        sys.exit(1)


if __name__ == "__main__":
    main()
