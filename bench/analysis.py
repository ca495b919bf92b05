"""Analysis by size: `python -m bench.analysis [--rows 1000 …] [--columns 10 50]`.

Tables made from a seed are read, profiled, described, correlated, modelled and compared by the product's own code in a
process of its own, beside plain pandas and numpy at the same tasks in another. Seconds of wall-clock time, and the
largest resident set. Each process has ten minutes; it sends no traffic.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from bench.processes import machine

ROWS = (1_000, 10_000, 100_000, 1_000_000)
COLUMNS = (10, 50)
STEPS = ("read", "profile", "describe", "correlation", "regression", "compare_groups")
_SEED = 7
_BLOCK = 20_000
_SECONDS = 600.0
_LABELS = ("day", "group", "flag")


def write_table(path: Path, rows: int, columns: int) -> None:
    """A CSV file of measurements that go together a little, and three columns of other kinds."""
    import numpy as np

    rng = np.random.Generator(np.random.PCG64(_SEED))
    measures = columns - len(_LABELS)
    with path.open("w") as file:
        file.write(",".join([*(f"m{k}" for k in range(measures)), *_LABELS]) + "\n")
        for start in range(0, rows, _BLOCK):
            n = min(_BLOCK, rows - start)
            common = rng.normal(size=(n, 1))
            values = common * np.arange(measures) / measures + rng.normal(size=(n, measures))
            days = (np.datetime64("2000-01-01") + rng.integers(0, 9_000, n)).astype(str)
            groups, flags = rng.integers(0, 4, n), rng.integers(0, 2, n)
            pattern = ",".join(["%.4f"] * measures)
            for row, day, group, flag in zip(values.tolist(), days, groups.tolist(), flags.tolist(), strict=True):
                file.write(pattern % tuple(row))
                file.write(f",{day},{'abcd'[group]},{('no', 'yes')[flag]}\n")


def product(path: str) -> dict[str, float]:
    """Seconds of each step by the product."""
    from worker.engines.analysis.compute import compute
    from worker.engines.analysis.engine import LIBRARIES
    from worker.engines.analysis.planning import Planned
    from worker.engines.analysis.reading.bulk import read_file
    from worker.engines.analysis.tasks.task import Task

    for module in LIBRARIES:  # As computing processes have them loaded.
        import_module(module)
    began = perf_counter()
    table = read_file("t", path).table
    seconds = {"read": perf_counter() - began}
    asked: dict[str, dict[str, Any]] = {
        "profile": {},
        "describe": {},
        "correlation": {},
        "regression": {"formula": "m0 ~ m1 + m2 + m3 + m4 + group"},
        "compare_groups": {"response": "m1", "group": "group"},
    }
    for kind, arguments in asked.items():
        began = perf_counter()
        compute(table, Planned(Task(kind, arguments, kind, 0), 0, "measured", asked=True))
        seconds[kind] = perf_counter() - began
    return seconds


def plain(path: str) -> dict[str, float]:
    """Seconds of each step by pandas and numpy alone."""
    import numpy as np
    import pandas as pd

    began = perf_counter()
    frame = pd.read_csv(path, parse_dates=["day"])
    seconds = {"read": perf_counter() - began}
    numbers = frame.select_dtypes("number")

    def profile() -> None:
        frame.isna().sum()
        frame.nunique()
        frame.duplicated().sum()

    def correlation() -> None:
        some = numbers.iloc[:, :30]
        some.corr()
        some.corr(method="spearman")

    def regression() -> None:
        groups = pd.get_dummies(frame["group"], drop_first=True, dtype=float)
        design = np.column_stack([np.ones(len(frame)), frame[["m1", "m2", "m3", "m4"]], groups])
        np.linalg.lstsq(design, frame["m0"].to_numpy(), rcond=None)

    def compare_groups() -> None:
        frame.groupby("group")["m1"].agg(["count", "mean", "std", "median"])

    steps = (profile, numbers.describe, correlation, regression, compare_groups)
    for name, step in zip(STEPS[1:], steps, strict=True):
        began = perf_counter()
        step()
        seconds[name] = perf_counter() - began
    return seconds


def measured(who: str, path: Path) -> dict[str, float]:
    """Seconds of each step, and `peak` in 10^6 bytes, of a process that does nothing else."""
    command = [sys.executable, "-m", "bench.analysis", "--child", who, str(path)]
    # As computing processes have it.
    threads = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), "1")
    threads |= {"MALLOC_ARENA_MAX": "2", "MALLOC_MMAP_THRESHOLD_": "262144", "ARROW_DEFAULT_MEMORY_POOL": "system"}
    done = subprocess.run(command, env={**os.environ, **threads}, capture_output=True, timeout=_SECONDS, check=False)
    if done.returncode:
        raise SystemExit(f"{who}: {done.stderr.decode()[-2_000:]}")
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _child(who: str, path: str) -> None:
    seconds = {"product": product, "plain": plain}[who](path)
    status = Path("/proc/self/status").read_text().splitlines()
    peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM:")) * 1_024 / 1e6
    print(json.dumps({**seconds, "peak": peak}))


def _through_the_product(rows: int, columns: int) -> None:
    """Print one line a file."""
    import pandas as pd

    from bench.analysis_service import run

    with TemporaryDirectory(prefix="prsm-bench-", ignore_cleanup_errors=True) as folder:
        files = [Path(folder) / "table.csv", Path(folder) / "table.parquet"]
        write_table(files[0], rows, columns)
        pd.read_csv(files[0], parse_dates=["day"]).to_parquet(files[1])
        megabytes = max(50, -(-max(file.stat().st_size for file in files) // 1_000_000) + 1)
        parts = ("library", "worker", "computing")
        print(f"| file | MB | upload | analysis | {' | '.join(f'{part} MB' for part in parts)} | tasks | problem |")
        print("|" + "---|" * (len(parts) + 6))
        for found in asyncio.run(run(Path(folder), files, megabytes)):
            peaks = " | ".join(f"{found.peaks.get(part, 0.0):.0f}" for part in parts)
            times = f"{found.upload:.1f} | {found.analysis:.1f}"
            print(
                f"| {found.name} | {found.megabytes:.0f} | {times} | {peaks} | {len(found.tasks)} | {found.problem} |"
            )


def main() -> None:
    """Print one line a size and side."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=ROWS)
    parser.add_argument("--columns", type=int, nargs="+", default=COLUMNS)
    parser.add_argument("--child", nargs=2, metavar=("SIDE", "PATH"), help=argparse.SUPPRESS)
    parser.add_argument("--through-the-product", type=int, metavar="ROWS", help="one table by upload and prompt")
    asked = parser.parse_args()
    if asked.child:
        _child(*asked.child)
        return
    print(machine())
    if asked.through_the_product:
        _through_the_product(asked.through_the_product, max(asked.columns))
        return
    with TemporaryDirectory(prefix="prsm-bench-") as folder:
        path = Path(folder) / "table.csv"
        print("| rows | columns | MB | side | " + " | ".join(STEPS) + " | peak MB |")
        print("|" + "---|" * (len(STEPS) + 5))
        for rows in asked.rows:
            for columns in asked.columns:
                write_table(path, rows, columns)
                for side in ("product", "plain"):
                    found = measured(side, path)
                    times = " | ".join(f"{found[step]:.2f}" for step in STEPS)
                    size = path.stat().st_size / 1e6
                    print(f"| {rows:,} | {columns} | {size:.1f} | {side} | {times} | {found['peak']:.0f} |", flush=True)


if __name__ == "__main__":
    main()
