"""ReadResults and GetResults: the results as JSON from one serialiser, or as a rendered document."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import orjson

from kit.auth.principal import Principal
from kit.errors import ValidationError
from services.results.domain import READ_FORMATS
from services.results.errors import cure_of_case
from services.results.large.fields import Parts, read_asked
from services.results.large.flow import Flow
from services.results.ports import Offer, Order, Renderer, Sessions
from services.results.rendering.document import ResultDocument
from services.results.rendering.protocol import RenderRequest
from services.results.rendering.rendition import MEDIA_TYPES, Rendition
from services.results.rendering.serializer import results_json
from services.results.usecases.citation_styles import CitationStyles, order_of_style
from services.results.usecases.load_result import Loaded, LoadResult
from services.results.usecases.read_parts import ReadParts

ALL = Parts()


class ReadResults:
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
        include_metadata: bool,
        citation_style: str = "",
        language: str = "",
        parts: Parts = ALL,
    ) -> Offer:
        """Raises ValidationError for an unknown format, style or language or wrong `parts`, and what LoadResult
        raises."""
        chosen = format or "json"
        if chosen not in READ_FORMATS:
            cure = cure_of_case(chosen, READ_FORMATS)
            raise ValidationError.of("format", f"choose one of {', '.join(READ_FORMATS)}{cure}")
        asked = read_asked(parts, format=chosen)
        found = await self._load.pointer(principal, session_id)
        request = await order_of_style(self._styles, principal, found.pointer, chosen, citation_style, language)
        digest = await self._sessions.execution_digest(session_id) if include_metadata else ""
        order = Order(request, found.result.hash, execution=digest, extra=asked.extra)

        async def gather() -> RenderRequest:
            document = await self._parts.of_report(found)
            return replace(request, document=document, metadata=await self._metadata(session_id, digest))

        async def serialised() -> Rendition | Flow:
            metadata = await self._metadata(session_id, digest)
            if asked.anything or await self._parts.is_large(found):
                return await self._parts(found, asked, metadata)
            loaded = await self._load.document(found)
            media_type, extension = MEDIA_TYPES["json"]
            body = await asyncio.to_thread(serialise, loaded, metadata)
            return Rendition(media_type, f"results.{extension}", body)

        ready = partial(self._parts.ready, found)
        fetch = serialised if chosen == "json" else partial(self._renderer.render, order, gather, ready)
        return Offer(self._renderer.tag(order), fetch)

    async def _metadata(self, session_id: str, digest: str) -> Mapping[str, Any] | None:
        return (await self._sessions.execution(session_id)).metadata if digest else None


def serialise(loaded: Loaded, metadata: Mapping[str, Any] | None) -> bytes:
    """The JSON of the REST page."""
    document = ResultDocument.parse(orjson.loads(loaded.document))
    return results_json(document, metadata, loaded.pointer.session_id)
