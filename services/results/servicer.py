"""Message → command → message, for users."""

from __future__ import annotations

from collections.abc import AsyncIterator

from google.api.httpbody_pb2 import HttpBody

from kit.rpc.call import Call
from prsm.results.v1 import results_pb2
from services.results import convert
from services.results.delivery import handed_out
from services.results.large.fields import Parts
from services.results.usecases.export_results import ExportResults
from services.results.usecases.read_results import ReadResults


class ResultsServicer:
    """`prsm.results.v1.ResultsService`."""

    def __init__(self, read: ReadResults, export: ExportResults) -> None:
        self._read = read
        self._export = export

    async def ReadResults(self, request: results_pb2.ReadResultsRequest, call: Call) -> AsyncIterator[HttpBody]:
        wanted = request.include_metadata if request.HasField("include_metadata") else True
        offer = await self._read(
            call.principal,
            request.session_id,
            request.format,
            include_metadata=wanted,
            citation_style=request.citation_style,
            language=request.language,
            parts=_parts(request),
        )
        async for body in handed_out(offer, call, request.format or "json"):
            yield body

    async def GetResults(self, request: results_pb2.GetResultsRequest, call: Call) -> results_pb2.GetResultsResponse:
        wanted = request.include_metadata if request.HasField("include_metadata") else True
        offer = await self._read(
            call.principal, request.session_id, "json", include_metadata=wanted, parts=_parts(request)
        )
        return await convert.results_message(await offer.fetch())

    async def ExportResults(self, request: results_pb2.ExportResultsRequest, call: Call) -> AsyncIterator[HttpBody]:
        offer = await self._export(
            call.principal,
            request.session_id,
            request.format,
            raw_data=request.include_raw_data,
            include_metadata=request.include_metadata if request.HasField("include_metadata") else True,
            citation_style=request.citation_style,
            language=request.language,
        )
        async for body in handed_out(offer, call, request.format, is_file=True):
            yield body


def _parts(request: results_pb2.ReadResultsRequest | results_pb2.GetResultsRequest) -> Parts:
    return Parts(request.fields, request.limit if request.HasField("limit") else None, request.cursor)
