"""What operators are shown, as messages."""

from __future__ import annotations

from collections.abc import Sequence

from kit.money import show
from kit.paging import Page, Position, next_cursor, page_of
from prsm.session.v1 import admin_pb2
from services.session.convert.sessions import set_time
from services.session.ports import Failed, FailedQuery, Overlong
from services.session.usecases.get_attention import Attention

_pb = admin_pb2
_MOST = 2**31 - 1


def query_of(request: admin_pb2.ListFailedSessionsRequest) -> tuple[FailedQuery, Page]:
    """Raises ValidationError for a cursor that was not answered."""
    since = request.since.seconds * 1_000_000 + request.since.nanos // 1000 if request.HasField("since") else None
    query = FailedQuery(request.code, request.ours if request.HasField("ours") else None, since)
    page = page_of(
        request.page if request.HasField("page") else None,
        request.limit if request.HasField("limit") else None,
        request.cursor,
    )
    return query, page


def failed_message(rows: Sequence[Failed], total: int, page: Page) -> admin_pb2.ListFailedSessionsResponse:
    last = Position(rows[-1].finished_at, rows[-1].session_id) if rows else None
    message = _pb.ListFailedSessionsResponse(
        total_count=min(total, _MOST), next_cursor=next_cursor(page, len(rows), last, total)
    )
    for row in rows:
        shown = message.sessions.add(
            session_id=row.session_id,
            owner=row.owner,
            session_type=row.session_type,
            engine=row.engine,
            status=row.status,
            code=row.code,
            message=row.message,
            stage=row.stage,
            ours=row.ours,
            attempts=row.attempts,
            failures=row.failures,
            charged=show(row.charged),
            successor=row.successor,
        )
        set_time(shown.created_at, row.created_at)
        set_time(shown.finished_at, row.finished_at)
    return message


def attention_message(found: Attention) -> admin_pb2.GetAttentionResponse:
    message = _pb.GetAttentionResponse()
    for target, waiting in (
        (message.unsettled, found.unsettled),
        (message.creations, found.creations),
        (message.paused, found.paused),
    ):
        _fill(target, waiting)
    for queue in found.queues:
        shown = message.queues.add(engine=queue.engine, queued=min(queue.queued, _MOST), in_hand=queue.in_hand)
        set_time(shown.since, queue.since)
    for code, count in found.failed.items():
        message.failed.add(code=code, count=min(count, _MOST))
    return message


def _fill(target: admin_pb2.Waiting, waiting: Overlong) -> None:
    target.SetInParent()
    target.count = min(waiting.count, _MOST)
    target.session_ids.extend(waiting.session_ids)
    if waiting.since is not None:
        set_time(target.since, waiting.since)
