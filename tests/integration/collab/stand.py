"""Collab as the tests call it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from kit.db.database import Database
from kit.db.outbox import Outbox
from kit.ids import RandomIds
from kit.rpc.sessions import SessionDirectory
from kit.times import ManualClock
from prsm.collab.v1 import access_pb2, access_pb2_grpc, collab_pb2, collab_pb2_grpc
from prsm.events.v1 import events_pb2
from prsm.results.v1 import artifacts_pb2_grpc
from prsm.session.v1 import internal_pb2_grpc
from services.collab.app import assemble
from services.collab.clients import ResultsReferencePoints
from services.collab.servicer import OWN_IDEMPOTENCY
from services.collab.settings import CollabSettings
from services.collab.tables import KIT
from tests.integration.collab.neighbours import Known, Neighbours
from tests.support.serving import Identities, Served, answer, idempotency_store

URL = "https://prsm.test/api/v1/shared"
USERS: dict[str, dict[str, Any]] = {
    "olga": {"email": "olga@x.org", "email_verified": True, "name": "Olga"},
    "bob": {"email": "Bob@X.org", "email_verified": True, "name": "Bob"},
    "carol": {"teams": ["lab"]},
    "mallory": {"email": "bob@x.org", "email_verified": False, "teams": ["other"]},
}
"""Claims beside the subject. Olga owns the session; mallory's address is not verified."""


class Stand:
    """A served collab, its database, its clock and its neighbours."""

    def __init__(self, db: Database, folder: Path) -> None:
        self.db = db
        self.clock = ManualClock()
        self.ids = RandomIds(self.clock)
        self.identities = Identities(folder, self.clock, ["session", "results", "collab", "library", "worker"])
        self.neighbours = Neighbours()
        self.session_id = self.ids.new()
        self.neighbours.sessions[self.session_id] = Known(owner="olga")
        given = {
            "database_url": "unused",
            "nats_url": "unused",
            "listen": "unused",
            **self.identities.settings("collab"),
        }
        targets = {"session_target": "unused", "results_target": "unused", "share_url_base": URL}
        self.settings = CollabSettings.model_validate({**given, **targets})

    async def start(self) -> None:
        channel = await self.neighbours.start()
        self._neighbours_channel = channel
        peer = self.identities.peer
        store = idempotency_store(self.db, KIT, self.clock, self.ids)
        services = assemble(
            self.settings,
            db=self.db,
            outbox=Outbox(KIT),
            idempotency=store,
            sessions=SessionDirectory(internal_pb2_grpc.SessionInternalServiceStub(channel), peer("collab", "session")),
            references=ResultsReferencePoints(
                artifacts_pb2_grpc.ArtifactServiceStub(channel), peer("collab", "results")
            ),
            clock=self.clock,
            ids=self.ids,
        )
        pipeline = self.identities.pipeline("collab", store=store, ids=self.ids, own_idempotency=OWN_IDEMPOTENCY)
        self._served = await Served.start(pipeline, services)
        self.collab = collab_pb2_grpc.CollabServiceStub(self._served.channel)
        self.access = access_pb2_grpc.AccessServiceStub(self._served.channel)

    async def stop(self) -> None:
        await self._served.stop()
        await self._neighbours_channel.close()
        await self.neighbours.stop()

    async def call(self, user: str, method: str, request: Any, *, key: str = "", **claims: Any) -> Any:
        """Call a public method as a user."""
        metadata = self.identities.user_metadata(user, **{**USERS.get(user, {}), **claims})
        if key:
            metadata += (("idempotency-key", key),)
        return await answer(getattr(self.collab, method)(request, metadata=metadata, timeout=60))

    async def share(
        self,
        recipients: list[str],
        permissions: str = "view",
        *,
        by: str = "olga",
        session_id: str = "",
        message: str = "",
        expiration: str = "",
        key: str = "",
    ) -> collab_pb2.ShareSessionResponse:
        request = collab_pb2.ShareSessionRequest(
            session_id=session_id or self.session_id,
            recipients=recipients,
            permissions=permissions,
            message=message,
            expiration=expiration,
        )
        made: collab_pb2.ShareSessionResponse = await self.call(by, "ShareSession", request, key=key)
        return made

    async def shares(self, by: str = "olga", **paging: Any) -> collab_pb2.ListSharesResponse:
        request = collab_pb2.ListSharesRequest(session_id=self.session_id, **paging)
        found: collab_pb2.ListSharesResponse = await self.call(by, "ListShares", request)
        return found

    async def revoke(self, share_id: str, by: str = "olga", session_id: str = "") -> collab_pb2.Share:
        request = collab_pb2.RevokeShareRequest(session_id=session_id or self.session_id, share_id=share_id)
        found: collab_pb2.Share = await self.call(by, "RevokeShare", request)
        return found

    async def open(self, token: str, by: str, **claims: Any) -> collab_pb2.OpenShareResponse:
        request = collab_pb2.OpenShareRequest(token=token)
        found: collab_pb2.OpenShareResponse = await self.call(by, "OpenShare", request, **claims)
        return found

    async def comment(
        self, content: str = "Well said", by: str = "olga", *, key: str = "", **fields: Any
    ) -> collab_pb2.Comment:
        request = collab_pb2.AddCommentRequest(**{"session_id": self.session_id, "content": content, **fields})
        made: collab_pb2.Comment = await self.call(by, "AddComment", request, key=key)
        return made

    async def comments(self, by: str = "olga", **filters: Any) -> collab_pb2.ListCommentsResponse:
        request = collab_pb2.ListCommentsRequest(session_id=self.session_id, **filters)
        found: collab_pb2.ListCommentsResponse = await self.call(by, "ListComments", request)
        return found

    async def update(self, comment_id: str, by: str = "olga", **fields: Any) -> collab_pb2.Comment:
        request = collab_pb2.UpdateCommentRequest(session_id=self.session_id, comment_id=comment_id, **fields)
        found: collab_pb2.Comment = await self.call(by, "UpdateComment", request)
        return found

    async def delete(self, comment_id: str, by: str = "olga") -> collab_pb2.DeleteCommentResponse:
        request = collab_pb2.DeleteCommentRequest(session_id=self.session_id, comment_id=comment_id)
        found: collab_pb2.DeleteCommentResponse = await self.call(by, "DeleteComment", request)
        return found

    async def check(
        self, user: str, *, email: str = "", teams: tuple[str, ...] = (), session_id: str = ""
    ) -> access_pb2.Grant:
        """What another service is told of a user."""
        principal = access_pb2.Principal(user_id=user, email=email, teams=teams)
        request = access_pb2.CheckAccessRequest(session_id=session_id or self.session_id, principal=principal)
        peer = self.identities.peer("session", "collab")
        grant: access_pb2.Grant = (await peer.call(self.access.CheckAccess, request, timeout=60)).grant
        return grant

    async def events(self) -> list[events_pb2.CollabChanged]:
        """All events so far, in order."""

        def stored(conn: Connection) -> list[bytes]:
            return list(conn.execute(select(KIT.outbox.c.payload).order_by(KIT.outbox.c.id)).scalars())

        return [events_pb2.CollabChanged.FromString(payload) for payload in await self.db.read(stored)]


def token_of(share: collab_pb2.ShareSessionResponse) -> str:
    assert share.share_url.startswith(URL + "/")
    return share.share_url.removeprefix(URL + "/")
