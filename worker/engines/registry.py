"""Which engines a worker offers, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from worker.engines.base import Engine


def _research() -> Engine:
    from worker.engines.research.engine import ResearchEngine

    return ResearchEngine()


def _analysis() -> Engine:
    from worker.engines.analysis.engine import AnalysisEngine

    return AnalysisEngine()


def _synthesis() -> Engine:
    from worker.engines.synthesis.engine import SynthesisEngine

    return SynthesisEngine()


# Loaded on first use: the analysis engine's imports cost seconds of CPU that a research worker need not pay.
BUILT_IN: Mapping[str, Callable[[], Engine]] = {
    "research": _research,
    "analysis": _analysis,
    "synthesis": _synthesis,
}
