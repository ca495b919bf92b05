"""The figures of a run: for the terminal, for docs/reliability.md, and as JSON."""

from __future__ import annotations

import asyncio
import math
import os
import platform
import sqlite3
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cli.version import version
from tests.chaos.run import Outcome
from tests.support.postgres import binaries

ROOT = Path(__file__).resolve().parent.parent.parent
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
_SHOWN = 40


async def versions() -> dict[str, str]:
    """What was run, on what."""
    nats = Path(sys.executable).parent / "nats-server"
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "product": version(),
        "Python": platform.python_version(),
        "NATS": (await _said(str(nats), "--version")).removeprefix("nats-server: "),
        "SQLite": sqlite3.sqlite_version,
        "PostgreSQL": (await _said(str(binaries() / "postgres"), "--version")).removeprefix("postgres (PostgreSQL) "),
        "kernel": f"{platform.system()} {platform.release()}",
        "machine": f"{os.cpu_count()} cores ({platform.machine()}), {memory:.0f} GiB",
    }


async def _said(*command: str) -> str:
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    return output.decode().strip()


def _duration(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds >= 120 else f"{seconds:.0f} seconds"


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the values does not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def recoveries(outcomes: Sequence[Outcome]) -> dict[str, list[float]]:
    """The seconds after each fault, by type."""
    found: dict[str, list[float]] = {}
    for outcome in outcomes:
        for fault in outcome.faults:
            found.setdefault(fault.name, []).append(fault.recovery)
    return found


def totals(outcomes: Sequence[Outcome]) -> tuple[Counter[str], Counter[str], Counter[str]]:
    """Operations, answers and what was checked, over all episodes."""
    operations, answers, checked = Counter[str](), Counter[str](), Counter[str]()
    for outcome in outcomes:
        operations += outcome.operations
        answers += outcome.answers
        if outcome.verdict is not None:
            checked += outcome.verdict.checked
    return operations, answers, checked


def counts(outcomes: Sequence[Outcome]) -> dict[str, int]:
    """Lost, duplicated and stale things, and all problems."""
    verdicts = [outcome.verdict for outcome in outcomes if outcome.verdict is not None]
    return {
        "lost": sum(verdict.lost for verdict in verdicts),
        "duplicated": sum(verdict.duplicated for verdict in verdicts),
        "stale": sum(verdict.stale for verdict in verdicts),
        "problems": sum(len(verdict.problems) for verdict in verdicts) + sum(len(o.wrong) for o in outcomes),
    }


def markdown(outcomes: Sequence[Outcome], about: Mapping[str, str], command: str) -> str:
    """The section that a run writes into the page."""
    operations, answers, checked = totals(outcomes)
    found = counts(outcomes)
    under_faults = sum(outcome.plan.seconds for outcome in outcomes)
    disks = ", ".join(sorted({outcome.disk for outcome in outcomes}))
    seeds = ", ".join(sorted({str(outcome.plan.seed) for outcome in outcomes}))
    lines = [
        f"Written by `{command}`.",
        "",
        *_table(["", ""], [[name, value] for name, value in about.items()]),
        "",
        *_table(
            ["lost", "duplicated", "stale", "problems of any kind"],
            [[str(found[name]) for name in ("lost", "duplicated", "stale", "problems")]],
        ),
        "",
        f"{sum(o.sessions for o in outcomes):,} sessions in {len(outcomes)} episodes, {_duration(under_faults)} "
        f"under faults, seed {seeds}. The full disk was: {disks}.",
        "",
        *_table(
            ["episode", "database", "sessions", "faults", "requests", "seconds in all", "ok"],
            [
                [
                    str(o.plan.number + 1),
                    o.plan.database,
                    f"{o.sessions:,}",
                    str(len(o.faults)),
                    f"{o.operations.total():,}",
                    f"{o.seconds:.0f}",
                    "yes" if o.ok else "no",
                ]
                for o in outcomes
            ],
        ),
        "",
        "Recovery, in seconds:",
        "",
        *_table(["fault", "times", "p50", "p99", "longest"], _recovery_rows(outcomes)),
        "",
        "What clients asked for, and how often each kind of answer came (a request may need several tries):",
        "",
        *_table(["operation", "requests"], [[name, f"{number:,}"] for name, number in operations.most_common()]),
        "",
        *_table(["answer", "times"], [[name, f"{number:,}"] for name, number in answers.most_common()]),
        "",
        "What was checked:",
        "",
        *_table(["", "times"], [[name, f"{number:,}"] for name, number in sorted(checked.items())]),
    ]
    return "\n".join(lines)


def _recovery_rows(outcomes: Sequence[Outcome]) -> list[list[str]]:
    found = recoveries(outcomes)
    rows = [(name, found[name]) for name in sorted(found)]
    if rows:
        rows.append(("all", [each for _, some in rows for each in some]))
    return [
        [name, str(len(some)), *(f"{percentile(some, share):.2f}" for share in (0.5, 0.99, 1.0))] for name, some in rows
    ]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    first = ["---", *["---:"] * (len(head) - 1)]
    return ["| " + " | ".join(cells) + " |" for cells in (head, first, *rows)]


def problems(outcomes: Sequence[Outcome]) -> list[str]:
    """Everything that went wrong, the first of each episode."""
    said: list[str] = []
    for outcome in outcomes:
        found = [str(problem) for problem in outcome.verdict.problems] if outcome.verdict is not None else []
        for each in [*outcome.wrong, *found][:_SHOWN]:
            said.append(f"{outcome.plan.name}: {each}")
        if len(found) > _SHOWN:
            said.append(f"{outcome.plan.name}: … and {len(found) - _SHOWN} more")
    return said


def as_json(outcomes: Sequence[Outcome], about: Mapping[str, str]) -> dict[str, Any]:
    """All of it, for programs."""
    operations, answers, checked = totals(outcomes)
    return {
        "versions": dict(about),
        "counts": counts(outcomes),
        "operations": dict(operations),
        "answers": dict(answers),
        "checked": dict(checked),
        "episodes": [
            {
                "plan": asdict(outcome.plan),
                "sessions": outcome.sessions,
                "disk": outcome.disk,
                "seconds": outcome.seconds,
                "faults": [asdict(fault) for fault in outcome.faults],
                "wrong": outcome.wrong,
                "problems": [str(p) for p in outcome.verdict.problems] if outcome.verdict is not None else None,
                "ok": outcome.ok,
            }
            for outcome in outcomes
        ],
    }


def write(page: Path, section: str) -> None:
    """Replace what stands between the page's markers. Raises ValueError when they are not there."""
    text = page.read_text()
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page} has no place for figures: it needs {BEGIN} and {END}")
    page.write_text(f"{head}{BEGIN}\n{section}\n{END}{tail}")
