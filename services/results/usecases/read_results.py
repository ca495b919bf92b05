"""ReadResults and GetResults: the results as JSON from one serialiser, or as a rendered document."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import orjson

from kit.auth.principal import Principal
from kit.errors import ValidationError
from services.results.domain import READ_FORMATS
from services.results.ports import Renderer, Sessions
from services.results.rendering.document import ResultDocument
from services.results.rendering.protocol import RenderRequest
from services.results.rendering.rendition import MEDIA_TYPES, Rendition
from services.results.rendering.serializer import results_json
from services.results.usecases.load_result import Loaded, LoadResult


class ReadResults:
    def __init__(self, load: LoadResult, sessions: Sessions, renderer: Renderer) -> None:
        self._load = load
        self._sessions = sessions
        self._renderer = renderer

    async def __call__(
        self, principal: Principal, session_id: str, format: str, *, include_metadata: bool
    ) -> Rendition:
        """Raises ValidationError for an unknown format, and what LoadResult and the renderer raise."""
        chosen = format or "json"
        if chosen not in READ_FORMATS:
            raise ValidationError.of("format", f"choose one of {', '.join(READ_FORMATS)}")
        loaded = await self._load(principal, session_id)
        metadata = (await self._sessions.execution(session_id)).metadata if include_metadata else None
        if chosen == "json":
            media_type, extension = MEDIA_TYPES["json"]
            body = await asyncio.to_thread(serialise, loaded, metadata)
            return Rendition(media_type, f"results.{extension}", body)
        return await self._renderer.render(
            RenderRequest(
                format="markdown" if chosen == "markdown" else "pdf",
                document=loaded.document,
                session_id=session_id,
                metadata=metadata,
                citation_style=loaded.pointer.citation_style,
                language=loaded.pointer.language,
            )
        )


def serialise(loaded: Loaded, metadata: Mapping[str, Any] | None) -> bytes:
    """The JSON of the REST page."""
    document = ResultDocument.parse(orjson.loads(loaded.document))
    return results_json(document, metadata, loaded.pointer.session_id)
