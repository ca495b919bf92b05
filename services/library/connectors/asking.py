"""Asking several connectors at once: each within the same time, none twice for the same, and whatever fails told."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from services.library.connectors.connector import Connector, ConnectorFailed
from services.library.connectors.wording import words_of
from services.library.connectors.work import Work
from services.library.metrics import CONNECTOR_CALLS

log = structlog.get_logger("connectors")
_FORM = "1"
"""Of what is kept: a change of the works' form makes all that is kept unknown."""


class Answers(Protocol):
    """Answers kept for a time."""

    async def get(self, key: str) -> list[Work] | None:
        """None where there is none, or one that is too old."""
        ...

    async def put(self, key: str, works: Sequence[Work]) -> None: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """What a connector found, and what went wrong, in words for the session's reader; "" for nothing."""

    connector: str
    works: tuple[Work, ...] = ()
    problem: str = ""


class Asking:
    """Asks connectors."""

    def __init__(self, connectors: Mapping[str, Connector], answers: Answers, *, seconds: float) -> None:
        """Whoever has not answered after so many seconds is left out."""
        self._connectors = connectors
        self._answers = answers
        self._seconds = seconds

    @property
    def enabled(self) -> tuple[str, ...]:
        """Names of the connectors there are, sorted."""
        return tuple(sorted(self._connectors))

    def __getitem__(self, name: str) -> Connector:
        return self._connectors[name]

    async def __call__(self, names: Sequence[str], query: str, limit: int) -> list[Answer]:
        """What each connector answers, in the order of the names."""
        return list(await asyncio.gather(*(self._ask(name, query, limit) for name in names)))

    async def _ask(self, name: str, query: str, limit: int) -> Answer:
        connector = self._connectors.get(name)
        if connector is None:
            return Answer(name, problem="is not enabled here")
        words = words_of(query)
        if not words:
            return Answer(name)
        key = _key(connector, words, limit)
        kept = await self._answers.get(key)
        if kept is not None:
            CONNECTOR_CALLS.labels(name, "cached").inc()
            return Answer(name, tuple(kept))
        try:
            async with asyncio.timeout(self._seconds):
                works = await connector.search(query, limit)
        except TimeoutError:
            return _failed(name, (), f"did not answer within {self._seconds:g} s")
        except ConnectorFailed as failure:
            return _failed(name, failure.found, failure.problem)
        except Exception:
            # What strangers send may be wrong in ways that nobody thought of; the other connectors go on.
            log.exception("connector raised", connector=name)
            return _failed(name, (), "gives an answer that cannot be read")
        CONNECTOR_CALLS.labels(name, "answered").inc()
        await self._answers.put(key, works)
        return Answer(name, tuple(works))


def _failed(name: str, found: tuple[Work, ...], problem: str) -> Answer:
    CONNECTOR_CALLS.labels(name, "failed").inc()
    log.warning("connector failed", connector=name, problem=problem)
    return Answer(name, found, problem)


def _key(connector: Connector, words: Sequence[str], limit: int) -> str:
    said = "\n".join((_FORM, connector.name, connector.address, str(limit), *words))
    return hashlib.sha256(said.encode()).hexdigest()
