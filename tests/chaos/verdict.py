"""What a check comes to."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

LOST, DUPLICATED, STALE, OTHER = "lost", "duplicated", "stale", "other"


@dataclass(frozen=True, slots=True)
class Problem:
    """A fact that must not be: its class, which rule it breaks, and what it is about."""

    kind: str
    rule: str
    subject: str
    detail: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.rule}: {self.subject}: {self.detail}"


@dataclass(slots=True)
class Verdict:
    """`checked` counts by rule how many facts were looked at."""

    checked: Counter[str] = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)

    def expect(self, good: bool, kind: str, rule: str, subject: str, detail: object = "") -> bool:
        """Count a fact, and what is wrong with it; whether it is good."""
        self.checked[rule] += 1
        if not good:
            self.problems.append(Problem(kind, rule, subject, str(detail)[:400]))
        return good

    def _count(self, kind: str) -> int:
        return sum(problem.kind == kind for problem in self.problems)

    @property
    def lost(self) -> int:
        return self._count(LOST)

    @property
    def duplicated(self) -> int:
        return self._count(DUPLICATED)

    @property
    def stale(self) -> int:
        return self._count(STALE)

    @property
    def ok(self) -> bool:
        return not self.problems

    @property
    def rules(self) -> set[str]:
        """The rules that are broken."""
        return {problem.rule for problem in self.problems}
