"""DescribeDocuments: the cards of the documents that a grant covers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from kit.auth.grants import Grant
from services.library.domain import Document
from services.library.granted import GrantedDocuments

PAGE = 200
"""Cards of one message."""


class DescribeDocuments:
    def __init__(self, granted: GrantedDocuments) -> None:
        self._granted = granted

    async def __call__(self, grant: Grant, document_ids: Sequence[str]) -> AsyncIterator[list[Document]]:
        """The named documents in the order of the ids; without ids all: the grant's documents in its order, or the
        library oldest first, then the grant's datasets."""
        if document_ids:
            wanted: Sequence[str] = document_ids
        else:
            wanted = (*grant.documents, *grant.datasets)
            if not grant.documents:
                async for page in self._library(grant):
                    yield [document for document in page if document.document_id not in grant.datasets]
        for begin in range(0, len(wanted), PAGE):
            yield await self._granted.many(grant, wanted[begin : begin + PAGE])

    async def _library(self, grant: Grant) -> AsyncIterator[list[Document]]:
        after = (0, "")
        while page := await self._granted.library(grant, after, PAGE):
            yield page
            after = (page[-1].created_at, page[-1].document_id)
