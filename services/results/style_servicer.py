"""Message → command → message, for citation styles."""

from __future__ import annotations

from kit.rpc.call import Call
from prsm.results.v1 import styles_pb2
from services.results.citing.domain import CitationStyle
from services.results.usecases.citation_styles import CitationStyles


class StyleServicer:
    """`prsm.results.v1.CitationStyleService`."""

    def __init__(self, styles: CitationStyles) -> None:
        self._styles = styles

    async def CreateCitationStyle(
        self, request: styles_pb2.CreateCitationStyleRequest, call: Call
    ) -> styles_pb2.CitationStyle:
        def answer(style: CitationStyle) -> styles_pb2.CitationStyle:
            call.location = f"/api/v1/citation-styles/{style.style_id}"
            return _message(style, whole=False)

        record = call.recorder(answer)
        return answer(await self._styles.create(call.principal.user_id, request.name, request.csl, record))

    async def ListCitationStyles(
        self, request: styles_pb2.ListCitationStylesRequest, call: Call
    ) -> styles_pb2.ListCitationStylesResponse:
        styles = await self._styles.list(call.principal.user_id)
        return styles_pb2.ListCitationStylesResponse(styles=[_message(style, whole=False) for style in styles])

    async def GetCitationStyle(
        self, request: styles_pb2.GetCitationStyleRequest, call: Call
    ) -> styles_pb2.CitationStyle:
        return _message(await self._styles.get(call.principal.user_id, request.style_id), whole=True)

    async def DeleteCitationStyle(
        self, request: styles_pb2.DeleteCitationStyleRequest, call: Call
    ) -> styles_pb2.DeleteCitationStyleResponse:
        await self._styles.delete(call.principal.user_id, request.style_id)
        return styles_pb2.DeleteCitationStyleResponse(style_id=request.style_id, deleted=True)


class StyleCheckServicer:
    """`prsm.results.v1.CitationStyleCheckService`."""

    def __init__(self, styles: CitationStyles) -> None:
        self._styles = styles

    async def UseCitationStyle(
        self, request: styles_pb2.UseCitationStyleRequest, call: Call
    ) -> styles_pb2.UseCitationStyleResponse:
        issue = await self._styles.use(request.owner, request.style, dry_run=request.dry_run)
        return styles_pb2.UseCitationStyleResponse(usable=not issue, issue=issue)


def _message(style: CitationStyle, *, whole: bool) -> styles_pb2.CitationStyle:
    message = styles_pb2.CitationStyle(
        style_id=style.style_id, title=style.title, kind=style.kind, source=style.source.value
    )
    if style.created_at is not None:
        # Milliseconds are the finest that leaves the platform.
        message.created_at.FromMicroseconds(style.created_at // 1000 * 1000)
    if whole and style.csl is not None:
        message.csl = style.csl
    return message
