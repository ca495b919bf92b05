"""Message → command → message, for the other services."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from kit.auth.grants import Grant
from kit.errors import Forbidden
from kit.rpc.call import Call
from prsm.library.v1 import internal_pb2
from services.library.convert import inputs, works
from services.library.convert.documents import hit_message
from services.library.usecases.describe_documents import DescribeDocuments
from services.library.usecases.discard_inputs import DiscardInputs
from services.library.usecases.gather_works import GatherWorks
from services.library.usecases.prepare_inputs import PrepareInputs
from services.library.usecases.read_content import ReadContent
from services.library.usecases.search_passages import SearchPassages


class LibraryInternalServicer:
    """`prsm.library.v1.LibraryInternalService`."""

    def __init__(
        self,
        *,
        prepare: PrepareInputs,
        discard: DiscardInputs,
        search: SearchPassages,
        describe: DescribeDocuments,
        read: ReadContent,
        gather: GatherWorks,
        connectors: Sequence[str],
    ) -> None:
        """`connectors` are the names of those that are enabled."""
        self._prepare = prepare
        self._discard = discard
        self._search = search
        self._describe = describe
        self._read = read
        self._gather = gather
        self._connectors = connectors

    async def PrepareInputs(
        self, request: internal_pb2.PrepareInputsRequest, call: Call
    ) -> internal_pb2.PrepareInputsResponse:
        return inputs.prepared_message(await self._prepare(inputs.inputs_of(request)), self._connectors)

    async def DiscardInputs(
        self, request: internal_pb2.DiscardInputsRequest, call: Call
    ) -> internal_pb2.DiscardInputsResponse:
        await self._discard(request.session_id, request.owner)
        return internal_pb2.DiscardInputsResponse()

    async def SearchPassages(
        self, request: internal_pb2.SearchPassagesRequest, call: Call
    ) -> internal_pb2.SearchPassagesResponse:
        hits = await self._search(
            _granted(call),
            request.query,
            limit=request.limit,
            document_ids=request.document_ids,
            passages=request.passages,
        )
        return internal_pb2.SearchPassagesResponse(hits=[hit_message(hit) for hit in hits])

    async def DescribeDocuments(
        self, request: internal_pb2.DescribeDocumentsRequest, call: Call
    ) -> AsyncIterator[internal_pb2.DescribeDocumentsResponse]:
        async for page in self._describe(_granted(call), request.document_ids):
            for message in inputs.describe_messages(page):
                yield message

    async def GatherWorks(
        self, request: internal_pb2.GatherWorksRequest, call: Call
    ) -> AsyncIterator[internal_pb2.GatherWorksResponse]:
        for message in works.gathered_messages(await self._gather(_granted(call), works.wanted_of(request))):
            yield message

    async def ReadContent(
        self, request: internal_pb2.ReadContentRequest, call: Call
    ) -> AsyncIterator[internal_pb2.ReadContentResponse]:
        raw = request.form == internal_pb2.ReadContentRequest.FORM_RAW
        name, data = await self._read(_granted(call), request.document_id, raw=raw)
        for message in inputs.content_messages(name, data):
            yield message


def _granted(call: Call) -> Grant:
    """The session's grant. Raises Forbidden where the call carries none."""
    if call.grant is None:
        raise Forbidden("This needs a session's grant")
    return call.grant
