"""Message → command → message."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from kit.db.idempotency import IdempotencyStore, Replay
from kit.errors import Fault
from kit.paging import Page, page_of
from kit.rpc.call import Call
from kit.rpc.pipeline import fingerprint_of
from kit.times import Clock
from prsm.collab.v1 import access_pb2, collab_pb2
from services.collab import convert
from services.collab.domain import Comment, CommentType, Share
from services.collab.ports import Gate, Record
from services.collab.usecases.add_comment import AddComment
from services.collab.usecases.check_access import CheckAccess
from services.collab.usecases.delete_comment import DeleteComment
from services.collab.usecases.list_comments import ListComments
from services.collab.usecases.list_shared import ListShared
from services.collab.usecases.list_shares import ListShares
from services.collab.usecases.open_share import OpenShare
from services.collab.usecases.revoke_share import RevokeShare
from services.collab.usecases.share_session import ShareSession
from services.collab.usecases.update_comment import UpdateComment

OWN_IDEMPOTENCY = frozenset({"prsm.collab.v1.CollabService/ShareSession"})
"""Methods that handle their keys themselves: see `kit.runtime.Runtime.serve`."""


class ShareAnswers:
    """The answer to ShareSession, given again to a request that is repeated with its key.

    What is stored for the key must not hold the URL, for that is a secret; it is made again from the share's id.
    """

    def __init__(self, store: IdempotencyStore, gate: Gate, url: Callable[[str], str]) -> None:
        """`url` makes a share's URL from its id."""
        self._store = store
        self._gate = gate
        self._url = url

    async def once(
        self, call: Call, request: collab_pb2.ShareSessionRequest, share: Callable[[Record], Awaitable[Share]]
    ) -> collab_pb2.ShareSessionResponse:
        """Raises IdempotencyKeyReused, IdempotencyKeyInUse, and what `share` raises."""
        if not call.idempotency_key:
            return self._whole(call, convert.shared_message(await share(_unrecorded)))
        principal, fingerprint = call.principal.user_id, fingerprint_of(call.method, request)
        begun = await self._store.begin(principal, call.method, call.idempotency_key, fingerprint)
        if isinstance(begun, Replay):
            # Who shared it may have lost the right to since.
            await self._gate.require(call.principal, request.session_id, call.level)
            return self._whole(call, collab_pb2.ShareSessionResponse.FromString(begun.response))
        call.ticket = begun
        async with self._store.held(begun):
            made = await share(call.recorder(convert.shared_message))
        return self._whole(call, convert.shared_message(made))

    def _whole(self, call: Call, message: collab_pb2.ShareSessionResponse) -> collab_pb2.ShareSessionResponse:
        message.share_url = self._url(message.share_id)
        call.location = f"/api/v1/sessions/{message.session_id}/shares/{message.share_id}"
        return message


def _unrecorded(_connection: Connection, _share: Share) -> None:
    """Without a key there is nothing to repeat."""


@dataclass(frozen=True, slots=True)
class CollabServicer:
    """`prsm.collab.v1.CollabService`."""

    share_answers: ShareAnswers
    share_session: ShareSession
    list_shares: ListShares
    revoke_share: RevokeShare
    open_share: OpenShare
    add_comment: AddComment
    list_comments: ListComments
    update_comment: UpdateComment
    delete_comment: DeleteComment
    gate: Gate
    clock: Clock

    async def admit(self, session_id: str, call: Call) -> None:
        """Before an answer is given again."""
        await self.gate.require(call.principal, session_id, call.level)

    async def ShareSession(
        self, request: collab_pb2.ShareSessionRequest, call: Call
    ) -> collab_pb2.ShareSessionResponse:
        wanted = convert.new_share_of(request)
        return await self.share_answers.once(
            call, request, lambda record: self.share_session(call.principal, call.level, wanted, record)
        )

    def faults_ShareSession(self, request: collab_pb2.ShareSessionRequest) -> list[Fault]:
        return convert.share_faults(request)

    async def ListShares(self, request: collab_pb2.ListSharesRequest, call: Call) -> collab_pb2.ListSharesResponse:
        page = _page(request)
        listed, total = await self.list_shares(call.principal, call.level, request.session_id, page)
        return convert.shares_message(listed, total, page, self.clock.now())

    async def RevokeShare(self, request: collab_pb2.RevokeShareRequest, call: Call) -> collab_pb2.Share:
        share = await self.revoke_share(call.principal, call.level, request.session_id, request.share_id)
        return convert.share_message(share, self.clock.now())

    async def OpenShare(self, request: collab_pb2.OpenShareRequest, call: Call) -> collab_pb2.OpenShareResponse:
        share, card = await self.open_share(call.principal, request.token)
        return convert.opened_message(share, card)

    async def AddComment(self, request: collab_pb2.AddCommentRequest, call: Call) -> collab_pb2.Comment:
        def answer(comment: Comment) -> collab_pb2.Comment:
            call.location = f"/api/v1/sessions/{comment.session_id}/comments/{comment.comment_id}"
            return convert.comment_message(comment)

        wanted = convert.new_comment_of(request)
        return answer(await self.add_comment(call.principal, call.level, wanted, call.recorder(answer)))

    def faults_AddComment(self, request: collab_pb2.AddCommentRequest) -> list[Fault]:
        return convert.comment_faults(request)

    async def ListComments(
        self, request: collab_pb2.ListCommentsRequest, call: Call
    ) -> collab_pb2.ListCommentsResponse:
        page = _page(request)
        kind = CommentType(request.comment_type) if request.comment_type else None
        listed, total = await self.list_comments(call.principal, call.level, request.session_id, page, kind)
        return convert.comments_message(listed, total, page)

    async def UpdateComment(self, request: collab_pb2.UpdateCommentRequest, call: Call) -> collab_pb2.Comment:
        change = convert.comment_change_of(request)
        comment = await self.update_comment(call.principal, call.level, request.session_id, request.comment_id, change)
        return convert.comment_message(comment)

    def faults_UpdateComment(self, request: collab_pb2.UpdateCommentRequest) -> list[Fault]:
        return convert.change_faults(request)

    async def DeleteComment(
        self, request: collab_pb2.DeleteCommentRequest, call: Call
    ) -> collab_pb2.DeleteCommentResponse:
        await self.delete_comment(call.principal, call.level, request.session_id, request.comment_id)
        return collab_pb2.DeleteCommentResponse(comment_id=request.comment_id, deleted=True)


@dataclass(frozen=True, slots=True)
class AccessServicer:
    """`prsm.collab.v1.AccessService`."""

    check_access: CheckAccess
    list_shared: ListShared

    async def CheckAccess(self, request: access_pb2.CheckAccessRequest, call: Call) -> access_pb2.CheckAccessResponse:
        shared = await self.check_access.check(request.session_id, convert.principal_of(request.principal))
        return access_pb2.CheckAccessResponse(grant=convert.grant_message(shared))

    async def CheckAccessBulk(
        self, request: access_pb2.CheckAccessBulkRequest, call: Call
    ) -> access_pb2.CheckAccessBulkResponse:
        checks = [(check.session_id, convert.principal_of(check.principal)) for check in request.checks]
        answers = await self.check_access.check_all(checks)
        return access_pb2.CheckAccessBulkResponse(grants=[convert.grant_message(shared) for shared in answers])

    async def ListShared(self, request: access_pb2.ListSharedRequest, call: Call) -> access_pb2.ListSharedResponse:
        return access_pb2.ListSharedResponse(
            session_ids=await self.list_shared(convert.principal_of(request.principal))
        )


def _page(request: collab_pb2.ListSharesRequest | collab_pb2.ListCommentsRequest) -> Page:
    return page_of(
        request.page if request.HasField("page") else None,
        request.limit if request.HasField("limit") else None,
        request.cursor,
    )
