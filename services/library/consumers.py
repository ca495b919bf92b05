"""Sessions' events → citations."""

from __future__ import annotations

from kit.bus.connection import Bus
from kit.bus.consumer import Consumer, Received
from services.library.convert.events import citations_of
from services.library.usecases.record_citations import RecordCitations

DURABLE = "library-citations"
SUBJECTS = ("prsm.events.session.completed",)


class SessionEvents:
    """Handles one event: those that cite nothing pass."""

    def __init__(self, record: RecordCitations) -> None:
        self._record = record

    async def __call__(self, received: Received) -> None:
        event = citations_of(received.payload)
        if event is not None:
            await self._record(event)


def session_consumer(bus: Bus, record: RecordCitations) -> Consumer:
    return Consumer(bus, durable=DURABLE, subjects=SUBJECTS, of_sessions=True, handler=SessionEvents(record))
