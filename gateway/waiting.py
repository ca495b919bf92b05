"""Requests that come while a service is being started again wait for it, instead of being refused."""

from __future__ import annotations

import asyncio
from typing import Final

import grpc

from kit.errors import Unavailable

MOST: Final = 1000
"""Requests that wait at a time; what comes beyond them is refused at once."""


class Waiting:
    """For all channels of a process."""

    def __init__(self, seconds: float, most: int = MOST) -> None:
        """Each request waits for up to so many seconds; 0: not at all."""
        self._seconds = seconds
        self._most = most
        self._count = 0

    async def ready(self, channel: grpc.aio.Channel) -> None:
        """Return when the channel has a connection. Nothing was sent until then, so a change may wait as well as a
        read. Raises Unavailable when there is none in time, or too many wait already."""
        if not self._seconds or channel.get_state(try_to_connect=True) is grpc.ChannelConnectivity.READY:
            return
        if self._count >= self._most:
            raise Unavailable()
        self._count += 1
        try:
            async with asyncio.timeout(self._seconds):
                await channel.channel_ready()
        except TimeoutError:
            raise Unavailable() from None
        finally:
            self._count -= 1
