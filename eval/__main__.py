"""`python -m eval --data FOLDER`: the parts of the evaluation, each on the running product.

    python -m eval --data FOLDER [--parts retrieval evidence …] [--sessions 200] [--seed 1] [--dense] [--json FILE]

Ends with 1 when a part saw something that must not be (a quote that is not at its offsets, say).
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import sys
import tempfile
from pathlib import Path

from bench.processes import machine
from eval.options import Options
from eval.product import running_product
from eval.report import Report

PARTS = ("retrieval", "documents", "evidence", "gist", "unanswerable", "citations", "strd", "tables", "finished")


async def evaluate(data: Path, parts: list[str], options: Options) -> list[Report]:
    """Each part on a product of its own, so that none sees the work of another."""
    reports: list[Report] = []
    for part in parts:
        settings = {"PRSM_LIBRARY_DENSE": "true"} if options.dense else {}
        with tempfile.TemporaryDirectory(prefix="prsm-eval-") as folder:
            async with running_product(Path(folder) / "data", settings=settings) as product:
                report = await importlib.import_module(f"eval.{part}").measure(product, data, options)
        print(report.text(), flush=True)
        print(flush=True)
        reports.append(report)
    return reports


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m eval", description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with the collections (docs/evaluation.md)")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--sessions", type=int, default=200, help="most sessions of a sample")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dense", action="store_true", help="with the dense part of retrieval")
    parser.add_argument("--json", type=Path, help="write the figures there")
    given = parser.parse_args()
    if not given.data.is_dir():
        parser.error(f"{given.data} is no folder: make eval DATA=folder")
    print(f"On {machine()}.\n", flush=True)
    options = Options(given.sessions, given.seed, given.dense)
    reports = asyncio.run(evaluate(given.data, given.parts, options))
    if given.json:
        given.json.write_text(json.dumps([report.as_json() for report in reports], indent=2) + "\n")
    problems = [f"{report.part}: {problem}" for report in reports for problem in report.problems]
    if problems:
        sys.exit("\n".join(["", "These must not be:", *problems]))


if __name__ == "__main__":
    main()
