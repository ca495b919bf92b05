"""Ending a streamed file that cannot be finished so that nobody takes it for a whole one.

Envoy's transcoder ends an answer that has begun in order, whatever the status that comes at its end. It breaks one off
only when a message is none that it can read, so that is what it is sent last.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_TRANSCODED: Final = "x-envoy-original-path"
"""What Envoy's transcoder adds to a call that was an HTTP request."""

UNREADABLE: Final = b"\x0f"
"""No message at all: its first field has a wire type that there is not."""


def must_break(metadata: Mapping[str, str | bytes]) -> bool:
    """Whether a call came through a transcoder that a failure in the middle has to be told in this way."""
    return _TRANSCODED in metadata
