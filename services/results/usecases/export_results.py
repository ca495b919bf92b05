"""ExportResults: the results as a file, with what was gathered on request."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from typing import Any

import orjson

from kit.auth.principal import Principal
from services.results.domain import EXPORT_FORMATS
from services.results.errors import unknown_export_format
from services.results.large.flow import Flow
from services.results.ports import Execution, Offer, Order, Renderer, Sessions
from services.results.rendering.protocol import RenderRequest
from services.results.rendering.rendition import Rendition
from services.results.usecases.citation_styles import CitationStyles, order_of_style
from services.results.usecases.export_parts import archive, json_export, shown_raw
from services.results.usecases.load_result import LoadResult
from services.results.usecases.read_parts import ReadParts

_BARE = "without metadata"


class ExportResults:
    def __init__(
        self, load: LoadResult, sessions: Sessions, renderer: Renderer, styles: CitationStyles, parts: ReadParts
    ) -> None:
        self._load = load
        self._parts = parts
        self._sessions = sessions
        self._renderer = renderer
        self._styles = styles

    async def __call__(
        self,
        principal: Principal,
        session_id: str,
        format: str,
        *,
        raw_data: bool,
        include_metadata: bool = True,
        citation_style: str = "",
        language: str = "",
    ) -> Offer:
        """Raises InvalidExportFormat, ValidationError for an unknown style or language, and what LoadResult raises."""
        if format not in EXPORT_FORMATS:
            raise unknown_export_format(format)
        found = await self._load.pointer(principal, session_id)
        request = await order_of_style(self._styles, principal, found.pointer, format, citation_style, language)
        # What was gathered holds how the session ran, too.
        digest = await self._sessions.execution_digest(session_id) if include_metadata or raw_data else ""
        extra = "" if include_metadata or not raw_data else _BARE
        order = Order(request, found.result.hash, execution=digest, raw_data=raw_data, extra=extra)

        async def gather() -> RenderRequest:
            document = await self._parts.of_report(found)
            if not digest:
                return replace(request, document=document)
            execution = await self._sessions.execution(session_id)
            raw: bytes | None = None
            if raw_data and await self._parts.is_large(found):
                raw = shown_raw(execution)
            elif raw_data:
                raw = await asyncio.to_thread(gathered, document, execution)
            metadata = execution.metadata if include_metadata else None
            return replace(request, document=document, metadata=metadata, raw_data=raw)

        report = partial(self._renderer.render, order, gather, partial(self._parts.ready, found))

        async def in_parts() -> Rendition | Flow:
            if not await self._parts.is_large(found) or (format != "json" and not raw_data):
                return await report()
            stored = await self._parts.stored(found)
            execution = await self._sessions.execution(session_id)
            metadata = execution.metadata if include_metadata else None
            if format == "json":
                return json_export(stored, session_id, metadata, execution if raw_data else None)
            return await archive(stored, session_id, metadata, report)

        return Offer(self._renderer.tag(order), in_parts)


def gathered(document: bytes, execution: Execution) -> bytes:
    """What was gathered on the way, as JSON: passages, screening, decisions, usage."""
    source: dict[str, Any] = orjson.loads(document)
    passages = [
        {"citation": citation.get("id"), "document_id": citation.get("document_id"), **passage}
        for citation in source.get("citations") or []
        for passage in citation.get("passages") or []
    ]
    screening = source.get("screening")
    excluded = screening.get("excluded") if isinstance(screening, dict) else None
    return orjson.dumps(
        {
            "passages": passages,
            "screening": excluded if isinstance(excluded, list) else [],
            "decisions": execution.decisions,
            "usage": execution.usage,
        },
        option=orjson.OPT_SORT_KEYS,
    )
