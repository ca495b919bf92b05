"""SearchDocuments: the caller's documents, or their passages, ranked for a query."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from time import perf_counter

from kit.errors import ValidationError
from services.library.holdings import Hit
from services.library.metrics import SEARCHES
from services.library.ports import Indexes
from services.library.quoting import Quoter

_MOST_BYTES = 900 * 1024
"""Of an answer, which must stay below 1 MiB."""


class SearchDocuments:
    def __init__(self, indexes: Indexes, quoter: Quoter) -> None:
        self._indexes = indexes
        self._quoter = quoter

    async def __call__(
        self, owner: str, query: str, *, limit: int, document_ids: Sequence[str], passages: bool
    ) -> list[Hit]:
        """Best first. Empty `document_ids` are all; ids that are not the caller's find nothing."""
        if not query.strip():
            raise ValidationError.of("query", "must not be blank")
        index = await self._indexes.of_library(owner)
        only = set(document_ids) or None
        began = perf_counter()
        found = await asyncio.to_thread(index.search, query, limit=limit, document_ids=only, passages=passages)
        SEARCHES.labels("user").observe(perf_counter() - began)
        return await self._quoter.hits(found, most_bytes=_MOST_BYTES)
