"""Tables of what happened to the requests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tests.multihost.faults import CALM, Phase
from tests.multihost.requests import Record

_HEAD = ("requests", "failed once", "mended", "failed twice", "slowest s")
OTHER = "before and after"


def tables(records: Sequence[Record], phases: Sequence[Phase]) -> str:
    """By phase, with the recovery of each, and by operation."""
    by_phase = [(phase.name, [r for r in records if phase.began <= r.began < phase.ended], phase) for phase in phases]
    inside = {id(record) for _, some, _ in by_phase for record in some}
    rows = [[name, *_counts(some), *_recovery(phase, some)] for name, some, phase in by_phase]
    rows.append([OTHER, *_counts([r for r in records if id(r) not in inside]), "", ""])
    rows.append(["all", *_counts(records), "", ""])
    operations = sorted({record.operation for record in records})
    lines = [[name, *_counts([r for r in records if r.operation == name])] for name in operations]
    return "\n".join(
        [
            *_aligned(["phase", *_HEAD, "disturbed s", "healthy s"], rows),
            "disturbed: from the fault to the last request that failed at first; healthy: from the repair until every",
            "program answered its probe",
            "",
            *_aligned(["operation", *_HEAD], lines),
        ]
    )


def failures(records: Iterable[Record]) -> list[str]:
    """The requests that a retry did not mend."""
    return [f"{r.operation}: {r.first}; then {r.second}" for r in records if r.second]


def causes(records: Iterable[Record], phases: Sequence[Phase]) -> list[str]:
    """Why requests failed at first, how often, by phase."""
    counted: dict[tuple[str, str, str], int] = {}
    for record in records:
        if record.first:
            name = next((p.name for p in phases if p.began <= record.began < p.ended), OTHER)
            key = (name, record.operation, record.first)
            counted[key] = counted.get(key, 0) + 1
    return [f"{count} x {name}: {operation}: {first}" for (name, operation, first), count in counted.items()]


def _counts(records: Sequence[Record]) -> list[str]:
    once = [record for record in records if record.first]
    twice = [record for record in once if record.second]
    slowest = max((record.seconds for record in records), default=0.0)
    return [str(len(records)), str(len(once)), str(len(once) - len(twice)), str(len(twice)), f"{slowest:.1f}"]


def _recovery(phase: Phase, records: Sequence[Record]) -> list[str]:
    if phase.name == CALM:
        return ["", ""]
    last = max((record.began for record in records if record.first), default=phase.began)
    return [f"{last - phase.began:.1f}", f"{phase.healthy - phase.mended:.1f}"]


def _aligned(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    return [_line(row, widths) for row in [head, *rows]]


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    name, *figures = (f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True))
    return "  ".join([f"{name.strip():<{widths[0]}}", *figures])
