"""The positions of consumers in the stream of events."""

from __future__ import annotations

from collections.abc import Sequence

from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError

from kit.bus.names import EVENTS_STREAM

_OURS = {"prsm": "events"}
# An event that waits for its next attempt is pending, too. With few allowed, events that only a newer release can read
# would keep out all others; how much work is under way at a time the fetches bound.
_MOST_PENDING = 100_000


def durable(name: str, subjects: Sequence[str]) -> ConsumerConfig:
    """A position that begins at the oldest event there is."""
    return ConsumerConfig(
        durable_name=name,
        filter_subjects=list(subjects),
        deliver_policy=DeliverPolicy.ALL,
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=30,
        max_ack_pending=_MOST_PENDING,
        metadata=dict(_OURS),
    )


async def forget_positions(js: JetStreamContext) -> int:
    """Delete the positions of this product's consumers; how many there were. Each makes its own anew, at the beginning.

    For a stream that was set back: positions may be beyond it, and under numbers that were passed already lie other
    events now.
    """
    ours = [info.name for info in await js.consumers_info(EVENTS_STREAM) if _is_ours(info.config.metadata)]
    for name in ours:
        try:
            await js.delete_consumer(EVENTS_STREAM, name)
        except NotFoundError:
            pass  # Another relay that saw the same was faster.
    return len(ours)


def _is_ours(metadata: dict[str, str] | None) -> bool:
    return all((metadata or {}).get(key) == value for key, value in _OURS.items())
