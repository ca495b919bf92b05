"""What the broker says of a stream, and of the messages in it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import StreamInfo
from nats.js.errors import APIError, NotFoundError

from kit.times import parse_rfc3339

_TIMEOUT = 5.0


@dataclass(frozen=True, slots=True)
class StreamView:
    """A stream at one moment."""

    created: str
    """When it was made: another one of the same name has another moment."""
    first_seq: int
    """The lowest number that it still has; one more than the last for an empty one."""
    last_seq: int
    """The highest number that it ever gave."""
    deleted: int
    """How many messages between the two are gone."""
    leader: str
    """The server that answers for it."""
    max_age: int
    """After how many microseconds it lets go of a message; 0 for never."""
    bounded: bool
    """Whether it lets go of messages for want of room, too."""
    at: int
    """The broker's clock."""

    @property
    def empty(self) -> bool:
        return self.first_seq > self.last_seq


async def view(client: Client, stream: str) -> StreamView:
    """Raises NotFoundError without such a stream."""
    said = await _info(client, stream, {})
    at = str(said["ts"])
    info = StreamInfo.from_response(said)
    config, state = info.config, info.state
    return StreamView(
        created=str(info.created),
        first_seq=state.first_seq,
        last_seq=state.last_seq,
        deleted=state.num_deleted or 0,
        leader=(info.cluster.leader or "") if info.cluster else "",
        max_age=round((config.max_age or 0) * 1_000_000),
        bounded=(config.max_msgs or -1) > 0 or (config.max_bytes or -1) > 0,
        at=parse_rfc3339(at),
    )


async def deleted(client: Client, stream: str) -> list[int]:
    """The numbers of the messages that are gone from between others, ascending."""
    said = await _info(client, stream, {"deleted_details": True})
    return sorted(said["state"].get("deleted") or [])


async def event_under(js: JetStreamContext, stream: str, seq: int) -> str | None:
    """The id of the event that the stream keeps under a number; None if there is nothing."""
    try:
        message = await js.get_msg(stream, seq)
    except NotFoundError:
        return None
    return str((message.headers or {}).get("ce-id", ""))


async def _info(client: Client, stream: str, question: dict[str, Any]) -> dict[str, Any]:
    # The library's own call knows neither the broker's clock nor the list of what was deleted.
    answer = await client.request(f"$JS.API.STREAM.INFO.{stream}", json.dumps(question).encode(), timeout=_TIMEOUT)
    said: dict[str, Any] = json.loads(answer.data)
    if "error" in said:
        APIError.from_error(said["error"])
    return said
