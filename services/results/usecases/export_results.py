"""ExportResults: the results as a file, with what was gathered on request."""

from __future__ import annotations

from typing import Any, cast

import orjson

from kit.auth.principal import Principal
from services.results.domain import EXPORT_FORMATS
from services.results.errors import InvalidExportFormat
from services.results.ports import Execution, Renderer, Sessions
from services.results.rendering.protocol import RenderRequest
from services.results.rendering.rendition import Format, Rendition
from services.results.usecases.load_result import LoadResult


class ExportResults:
    def __init__(self, load: LoadResult, sessions: Sessions, renderer: Renderer) -> None:
        self._load = load
        self._sessions = sessions
        self._renderer = renderer

    async def __call__(self, principal: Principal, session_id: str, format: str, *, raw_data: bool) -> Rendition:
        """Raises InvalidExportFormat, and what LoadResult and the renderer raise."""
        if format not in EXPORT_FORMATS:
            raise InvalidExportFormat(details={"format": format[:64], "formats": list(EXPORT_FORMATS)})
        loaded = await self._load(principal, session_id)
        execution = await self._sessions.execution(session_id)
        return await self._renderer.render(
            RenderRequest(
                format=cast("Format", format),
                document=loaded.document,
                session_id=session_id,
                metadata=execution.metadata,
                citation_style=loaded.pointer.citation_style,
                language=loaded.pointer.language,
                raw_data=gathered(loaded.document, execution) if raw_data else None,
            )
        )


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
