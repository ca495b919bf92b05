"""Sessions' events → settlements."""

from __future__ import annotations

from kit.bus.connection import Bus
from kit.bus.consumer import Consumer, Received
from services.billing import convert
from services.billing.usecases.apply_settlement import ApplySettlement

DURABLE = "billing-settlements"
# Only an end settles; every other event of a session would be work for nothing.
SUBJECTS = tuple(f"prsm.events.session.{end}" for end in ("completed", "failed", "cancelled", "timeout"))


class SessionEvents:
    """Handles one event: those that settle nothing pass."""

    def __init__(self, apply: ApplySettlement) -> None:
        self._apply = apply

    async def __call__(self, received: Received) -> None:
        event = convert.settlement_of(received.payload)
        if event is not None:
            await self._apply(event)


def session_consumer(bus: Bus, apply: ApplySettlement) -> Consumer:
    return Consumer(bus, durable=DURABLE, subjects=SUBJECTS, of_sessions=True, handler=SessionEvents(apply))
