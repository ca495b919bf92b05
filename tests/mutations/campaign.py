"""Mutated files through the real parser pool: what became of each, and what it did to the processes."""

from __future__ import annotations

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

from services.library.errors import DocumentUnreadable
from services.library.parsing.document import ParsedDocument, ParseLimits
from services.library.parsing.pool import ParserPool
from tests.mutations.mutate import mutated
from tests.mutations.seeds import Seed

_POOL_LOG = "services.library.parsing.pool"
_GRACE_SECONDS = 5.0
"""Beyond a file's limit: killing a process and taking note of it, on a busy machine."""


@dataclass(slots=True)
class Outcome:
    """Counts of what happened; `faults` are what must not happen, each with the file's number and name."""

    read: Counter[str] = field(default_factory=Counter)
    unreadable: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    raised: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    slowest: float = 0.0
    slowest_file: str = ""
    peak_bytes: int = 0
    seconds: float = 0.0
    files: int = 0


class _Lost(logging.Handler):
    """Counts what the pool says of processes lost and of parsers that raised."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__()
        self._outcome = outcome

    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage() == "parser process lost":
            self._outcome.lost += 1
        elif record.getMessage() == "parser raised":
            self._outcome.raised[f"{record.__dict__['raised']} {record.__dict__['suffix']}"] += 1


async def campaign(
    seeds: Sequence[Seed], *, files: int, seed: int, limits: ParseLimits, size: int = 2, keep: Path | None = None
) -> Outcome:
    """Read `files` mutated files, each made from `seed` and its number alone. What leaves a process lost, raises in
    a parser or is a fault is written into `keep`."""
    outcome = Outcome()
    handler = _Lost(outcome)
    log = logging.getLogger(_POOL_LOG)
    log.addHandler(handler)
    propagate, log.propagate = log.propagate, False
    began = perf_counter()
    numbers = iter(range(files))
    try:
        async with ParserPool(size=size, limits=limits) as pool:

            async def serve() -> None:
                for number in numbers:
                    chance = random.Random(f"{seed}/{number}")
                    name, data = mutated(seeds[number % len(seeds)], seeds, chance)
                    before = (outcome.lost, outcome.raised.total(), len(outcome.faults))
                    await _one(pool, outcome, number, name, data)
                    if keep is not None and before != (outcome.lost, outcome.raised.total(), len(outcome.faults)):
                        await asyncio.to_thread((keep / f"{number}-{name}").write_bytes, data)

            await asyncio.gather(*(serve() for _ in range(size)))
            if len(pool.pids) != size:
                outcome.faults.append(f"{len(pool.pids)} processes are there, not {size}")
            good = await pool.parse(b"a,b\n1,2\n", filename="good.csv")
            if good.text != "a,b\n1,2\n":
                outcome.faults.append("a good file is not read after all this")
    finally:
        log.removeHandler(handler)
        log.propagate = propagate
    outcome.seconds = perf_counter() - began
    return outcome


async def _one(pool: ParserPool, outcome: Outcome, number: int, name: str, data: bytes) -> None:
    began = perf_counter()
    try:
        document = await pool.parse(data, filename=name)
        outcome.read[document.kind.value] += 1
        outcome.faults += [f"{number} {name}: {fault}" for fault in _unsound(document, pool.limits)]
    except DocumentUnreadable as error:
        outcome.unreadable[error.cause.value] += 1
    except Exception as error:
        outcome.faults.append(f"{number} {name}: {type(error).__name__}: {error}")
    outcome.files += 1
    took = perf_counter() - began
    if took > outcome.slowest:
        outcome.slowest, outcome.slowest_file = took, f"{number} {name}"
    if took > pool.limits.seconds + _GRACE_SECONDS:
        outcome.faults.append(f"{number} {name}: took {took:.1f} s")
    peak = max((_peak(pid) for pid in pool.pids), default=0)
    outcome.peak_bytes = max(outcome.peak_bytes, peak)
    if peak > pool.limits.memory_bytes:
        outcome.faults.append(f"{number} {name}: a process has used {peak:,} bytes")


def _unsound(document: ParsedDocument, limits: ParseLimits) -> list[str]:
    """What is wrong with a document that was read: places outside its text, or more of it than is allowed."""
    places = [(span.start, span.end) for span in document.pages]
    places += [(table.start, table.end) for table in document.tables]
    places += [(work.start, work.end) for work in document.works]
    faults = [
        f"a place {place} outside the text" for place in places if not 0 <= place[0] <= place[1] <= len(document.text)
    ]
    if len(document.text) > limits.characters:
        faults.append("more characters than allowed")
    if len(document.pages) > limits.pages:
        faults.append("more pages than allowed")
    if not document.title:
        faults.append("no title")
    return faults


def _peak(pid: int) -> int:
    """The most memory that a process has held, in bytes; 0 once it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(found[0]) * 1024 if found else 0
