"""`preferences.analysis`, checked. Nothing heavy is imported, so that it can be checked without the engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kit.analysis_requests import MOST_TASKS as MAX_TASKS
from kit.analysis_requests import PATH, faults
from worker.engines.analysis.errors import invalid
from worker.engines.analysis.reading.overrides import ReadOptions, parse_read_options
from worker.engines.analysis.tasks.registry import KINDS

__all__ = ["MAX_TASKS", "PATH", "AnalysisOptions", "ReadOptions", "parse_options"]


@dataclass(frozen=True, slots=True)
class AnalysisOptions:
    """What the request asks for. `tasks` is None when they are to be chosen; a task is the name of a kind, which takes
    its arguments from the other fields, or an object with its own."""

    tasks: tuple[str | Mapping[str, Any], ...] | None = None
    target: str | None = None
    features: tuple[str, ...] = ()
    group_by: str | None = None
    time: str | None = None
    formula: str | None = None
    read: ReadOptions = field(default_factory=ReadOptions)


def parse_options(raw: Any) -> AnalysisOptions:
    """Options from `preferences.analysis` (absent or None: all defaults).

    Raises :class:`AnalysisError` naming the field at fault.
    """
    kinds = {kind: (takes.required, takes.optional) for kind, takes in KINDS.items()}
    for fault in faults(raw, kinds):
        raise invalid(fault.field, fault.issue)
    options: Mapping[str, Any] = raw or {}
    return AnalysisOptions(
        tasks=tuple(options.get("tasks") or ()) or None,
        target=options.get("target"),
        features=tuple(options.get("features") or ()),
        group_by=options.get("group_by"),
        time=options.get("time"),
        formula=options.get("formula"),
        read=parse_read_options(options.get("read")),
    )
