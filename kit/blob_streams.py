"""Bytes on their way into an object store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

_GIVING_UP = 2.0


class Arriving:
    """Pieces on their way into the store. Only when they fail does it drop the parts it has; when nobody listens to
    its answer any more they stay for ever."""

    def __init__(self, pieces: AsyncIterator[bytes]) -> None:
        self._pieces = pieces
        self._ended = asyncio.Event()
        self.failed: BaseException | None = None

    async def pieces(self) -> AsyncIterator[bytes]:
        ended = asyncio.ensure_future(self._ended.wait())
        try:
            while True:
                piece = asyncio.ensure_future(anext(self._pieces, None))
                try:
                    await asyncio.wait({piece, ended}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    if not piece.done():
                        piece.cancel()
                        await asyncio.wait({piece})
                if ended.done():
                    await asyncio.gather(piece, return_exceptions=True)
                    raise TimeoutError
                if (data := await piece) is None:
                    return
                yield data
        except BaseException as error:
            if not self._ended.is_set():
                self.failed = error
            raise
        finally:
            ended.cancel()

    async def end(self, upload: asyncio.Future[Any]) -> None:
        """Let the store drop what it has of an upload that is not done."""
        self._ended.set()
        if not upload.done():
            await asyncio.wait({upload}, timeout=_GIVING_UP)
        upload.cancel()
        if upload.done() and not upload.cancelled():
            upload.exception()
