"""What reading a dataset found and decided."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from worker.engines.analysis.table import Table


@dataclass(frozen=True, slots=True)
class Problem:
    """A fault of the data. `line` counts the file's lines from 1 (for JSON: the rows)."""

    line: int
    issue: str
    column: str | None = None
    effect: str = "kept"
    """`row left out`, `line left out` (no row of data), `cell read as missing` or `kept`."""

    def as_json(self) -> dict[str, Any]:
        place = {} if self.column is None else {"column": self.column}
        return {"line": self.line, **place, "issue": self.issue, "effect": self.effect}


@dataclass(frozen=True, slots=True)
class Decision:
    """A guess and why it was made, in the shape that a session's history keeps."""

    decision: str
    reason: str
    alternatives: tuple[str, ...] = ()
    excluded: tuple[dict[str, Any], ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {
            "decision": self.decision,
            "reason": self.reason,
            "alternatives": list(self.alternatives),
            "excluded": [dict(item) for item in self.excluded],
        }


@dataclass(slots=True)
class Notes:
    """Collects problems and decisions while a dataset is read."""

    problems: list[Problem] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)

    def decide(self, decision: str, reason: str, *alternatives: str, override: str = "") -> None:
        """Note a guess; `override` is the field of `preferences.analysis.read` that changes it."""
        how = f"; read.{override} changes it" if override else ""
        self.decisions.append(Decision(decision, reason + how, alternatives))

    def problem(self, line: int, issue: str, effect: str, column: str | None = None) -> None:
        self.problems.append(Problem(line, issue, column, effect))


@dataclass(frozen=True, slots=True)
class ReadResult:
    """A table with everything that reading it found and decided."""

    table: Table
    problems: tuple[Problem, ...]
    decisions: tuple[Decision, ...]

    @property
    def rows_left_out(self) -> int:
        return sum(1 for problem in self.problems if problem.effect == "row left out")
