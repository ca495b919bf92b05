"""What a session's preferences mean for the research engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from worker.engines.base import Job

MAX_PASSAGES_PER_SEARCH = 1000
"""The most a library answers to one search."""


@dataclass(frozen=True, slots=True)
class Depth:
    """How broad a session is. All numbers are upper limits."""

    name: str
    facets: int
    passages_per_search: int
    documents: int
    """Documents read, unless `max_documents` says otherwise."""
    statements_per_document: int
    key_findings: int
    themes: int
    statements_per_theme: int


DEPTHS: Mapping[str, Depth] = {
    "quick": Depth("quick", 3, 40, 10, 4, 4, 2, 4),
    "standard": Depth("standard", 6, 120, 25, 6, 6, 4, 5),
    "deep": Depth("deep", 12, 300, 60, 10, 10, 7, 7),
}


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one session; `as_json` is what the result document shows of them."""

    depth: Depth
    max_documents: int
    passages_per_search: int
    language: str
    seed: int

    @classmethod
    def of(cls, job: Job) -> Settings:
        """Settings from a job's preferences; what is missing or of no use takes its default."""
        preferences = job.preferences
        depth = DEPTHS.get(str(preferences.get("depth") or "standard"), DEPTHS["standard"])
        documents = _whole(preferences.get("max_documents")) or depth.documents
        return cls(
            depth=depth,
            max_documents=documents,
            passages_per_search=min(MAX_PASSAGES_PER_SEARCH, max(depth.passages_per_search, 3 * documents)),
            language=str(preferences.get("language") or "en"),
            seed=_whole(preferences.get("seed")),
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "depth": self.depth.name,
            "max_documents": self.max_documents,
            "passages_per_search": self.passages_per_search,
            "language": self.language,
            "seed": self.seed,
        }


def _whole(value: object) -> int:
    """A whole number ≥ 0 from what JSON storage may have turned into a double; 0 for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        return 0
    return int(value)
