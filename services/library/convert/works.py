"""Messages about works that connectors find."""

from __future__ import annotations

from collections.abc import Iterator

from prsm.library.v1 import internal_pb2
from services.library.convert.inputs import card_messages
from services.library.holdings import Gathered, GatheredWork, WorksWanted

_PAGE_BYTES = 1024 * 1024


def wanted_of(message: internal_pb2.GatherWorksRequest) -> WorksWanted:
    return WorksWanted(message.query, tuple(message.connectors), message.limit_each, message.full_text)


def gathered_messages(gathered: Gathered) -> Iterator[internal_pb2.GatherWorksResponse]:
    """The works, in messages of about 1 MiB at most, then what came of each connector."""
    page: list[internal_pb2.GatheredWork] = []
    size = 0
    for each in gathered.works:
        work = _work(each)
        if page and size + work.ByteSize() > _PAGE_BYTES:
            yield internal_pb2.GatherWorksResponse(works=page)
            page, size = [], 0
        page.append(work)
        size += work.ByteSize()
    if page:
        yield internal_pb2.GatherWorksResponse(works=page)
    asked = [
        internal_pb2.AskedConnector(connector=each.connector, found=each.found, held=each.held, problem=each.problem)
        for each in gathered.asked
    ]
    yield internal_pb2.GatherWorksResponse(asked=asked)


def _work(work: GatheredWork) -> internal_pb2.GatheredWork:
    # A work is no bibliography: its first card is all of it.
    card = next(card_messages(work.document))
    return internal_pb2.GatheredWork(card=card, connectors=work.connectors, full_text=work.full_text)
