"""SearchPassages: a worker's search in what its session's grant covers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from time import perf_counter

from kit.auth.grants import Grant
from services.library.granted import GrantedDocuments
from services.library.holdings import Hit
from services.library.index.library_index import IndexHit
from services.library.metrics import SEARCHES
from services.library.ports import Indexes
from services.library.quoting import Quoter

_MOST_BYTES = 3 * 1024 * 1024
"""Of an answer: a thousand passages fit, and what gRPC takes in one message is not reached."""


class SearchPassages:
    def __init__(self, indexes: Indexes, quoter: Quoter, granted: GrantedDocuments) -> None:
        self._indexes = indexes
        self._quoter = quoter
        self._granted = granted

    async def __call__(
        self, grant: Grant, query: str, *, limit: int, document_ids: Sequence[str], passages: bool
    ) -> list[Hit]:
        """Best first. Where the grant names documents, they are ranked among themselves alone, so that the same
        inputs give the same hits whatever else the library holds. What was gathered for the session is ranked among
        them, or among the library."""
        if grant.documents:
            index = await self._indexes.of_documents(grant.documents)
        else:
            index = await self._indexes.of_library(grant.owner)
        gathered = await self._granted.gathered(grant)
        works = await self._indexes.of_documents(gathered) if gathered else None
        only = set(document_ids) or None

        def searched() -> list[IndexHit]:
            whole = index
            if works is not None:
                # CPU-bound too: the works' vectors are made anew, by the model of what they are put beside.
                whole = index.beside(works) if index.documents else works
            return whole.search(query, limit=limit, document_ids=only, passages=passages, varied=passages)

        began = perf_counter()
        found = await asyncio.to_thread(searched)
        SEARCHES.labels("worker").observe(perf_counter() - began)
        # What the session was given it keeps, deleted or not.
        return await self._quoter.hits(found, most_bytes=_MOST_BYTES, deleted=bool(grant.documents))
