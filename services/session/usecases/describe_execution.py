"""DescribeExecution: how a session came to its results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.session.domain import HistoryRow
from services.session.ports import History
from services.session.usecases.get_session_history import read_history
from services.session.usecases.get_session_metrics import GetSessionMetrics, Metrics
from services.session.usecases.unit import SessionUnit


@dataclass(frozen=True, slots=True)
class Execution:
    metrics: Metrics
    history: Sequence[HistoryRow]


class DescribeExecution:
    def __init__(self, unit: SessionUnit, metrics: GetSessionMetrics, history: History) -> None:
        self._unit = unit
        self._metrics = metrics
        self._history = history

    async def __call__(self, session_id: str) -> Execution:
        """Raises SessionNotFound."""
        metrics = await self._metrics.measure(session_id)
        return Execution(metrics, await read_history(self._unit.db, self._history, session_id))
