"""What can go wrong in an analysis, as named errors."""

from __future__ import annotations

from worker.engines.base import EngineError

INVALID_REQUEST = "analysis_invalid"
UNREADABLE = "dataset_unreadable"
TOO_LARGE = "dataset_too_large"
NO_DATASET = "dataset_missing"


class AnalysisError(EngineError):
    """A request or a dataset that cannot be worked with; the message names the place and shows the cure."""


class NotPossible(Exception):
    """The task is well formed, but this data cannot answer it; the message says why, as a whole sentence."""


def invalid(field: str, issue: str) -> AnalysisError:
    """The error for a fault at `field` (a path such as ``preferences.analysis.tasks[0].kind``)."""
    return AnalysisError(INVALID_REQUEST, f"{field}: {issue}")
