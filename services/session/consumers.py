"""Events of other services that session listens to."""

from __future__ import annotations

from kit.bus.connection import Bus
from kit.bus.consumer import Consumer, Received
from services.session.convert.events import collab_event_of
from services.session.usecases.record_collab_event import RecordCollabEvent


def collab_consumer(bus: Bus, record: RecordCollabEvent) -> Consumer:
    """Shares and comments become part of the history."""

    async def handle(received: Received) -> None:
        await record(collab_event_of(received.payload))

    return Consumer(bus, durable="session-collab", subjects=["prsm.events.collab.>"], handler=handle)
