"""Message → command → message, for users."""

from __future__ import annotations

from collections.abc import AsyncIterator

from google.api.httpbody_pb2 import HttpBody

from kit.rpc.call import Call
from prsm.results.v1 import results_pb2
from services.results import convert
from services.results.rendering.filenames import content_disposition
from services.results.usecases.export_results import ExportResults
from services.results.usecases.read_results import ReadResults


class ResultsServicer:
    """`prsm.results.v1.ResultsService`."""

    def __init__(self, read: ReadResults, export: ExportResults) -> None:
        self._read = read
        self._export = export

    async def ReadResults(self, request: results_pb2.ReadResultsRequest, call: Call) -> AsyncIterator[HttpBody]:
        wanted = request.include_metadata if request.HasField("include_metadata") else True
        rendition = await self._read(call.principal, request.session_id, request.format, include_metadata=wanted)
        for body in convert.bodies(rendition):
            yield body

    async def GetResults(self, request: results_pb2.GetResultsRequest, call: Call) -> results_pb2.GetResultsResponse:
        wanted = request.include_metadata if request.HasField("include_metadata") else True
        rendition = await self._read(call.principal, request.session_id, "json", include_metadata=wanted)
        return convert.results_message(rendition.body)

    async def ExportResults(self, request: results_pb2.ExportResultsRequest, call: Call) -> AsyncIterator[HttpBody]:
        rendition = await self._export(
            call.principal, request.session_id, request.format, raw_data=request.include_raw_data
        )
        call.headers["content-disposition"] = content_disposition(rendition.filename)
        for body in convert.bodies(rendition):
            yield body
