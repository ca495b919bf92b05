"""What the tests of operators have in common."""

from __future__ import annotations

from typing import Any

from prsm.session.v1 import admin_pb2
from tests.integration.session.stand import Stand, wpb

apb = admin_pb2


async def failed(stand: Stand, user: str = "ada", *, ours: bool = True, code: str = "boom", **fields: Any) -> str:
    session_id = await stand.create(user, **fields)
    claim = await stand.started()
    await stand.stage(claim.lease, "read", document_read=1)
    await stand.work(
        "Fail", wpb.FailRequest(lease=claim.lease, code=code, message="It broke", stage="think", ours=ours)
    )
    return session_id


async def listed(stand: Stand, **fields: Any) -> list[str]:
    found = await stand.operate("ListFailedSessions", apb.ListFailedSessionsRequest(**fields))
    return [session.session_id for session in found.sessions]


async def requeued(stand: Stand, session_id: str) -> str:
    return str((await stand.operate("RequeueSession", apb.RequeueSessionRequest(session_id=session_id))).session_id)
