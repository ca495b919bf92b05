"""Fetching the stored texts of documents."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from worker.engines.base import Sources


async def texts_of(sources: Sources, document_ids: Sequence[str]) -> list[str | None]:
    """The stored texts, in order; None for a document that is gone since it was found (a `LookupError`)."""
    return list(await asyncio.gather(*(_text(sources, document_id) for document_id in document_ids)))


async def _text(sources: Sources, document_id: str) -> str | None:
    try:
        return await sources.text(document_id)
    except LookupError:
        return None
