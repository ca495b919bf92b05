"""The library's guarded fetching, as full texts need it."""

from __future__ import annotations

from services.library.connectors.fulltext import Fetched, FetchingFailed
from services.library.fetching.fetch import Fetcher, FetchFailed, FetchRefused


class GuardedFetching:
    """Behind `fulltext.Fetching`."""

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher

    async def fetch(self, url: str, *, most_bytes: int, seconds: float) -> Fetched:
        """Raises FetchingFailed."""
        try:
            return await self._fetcher.fetch(url, most_bytes=most_bytes, seconds=seconds)
        except (FetchRefused, FetchFailed) as error:
            raise FetchingFailed(error.reason) from error
