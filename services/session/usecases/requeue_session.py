"""RequeueSession: a new session in the place of one that failed, which itself stays as it ended."""

from __future__ import annotations

from collections.abc import Collection

from kit.auth.principal import Principal
from kit.errors import SessionNotFound
from services.session.domain import SUCCEED
from services.session.errors import SessionCannotBeRequeued
from services.session.usecases.create_session import CreateSession
from services.session.usecases.unit import SessionUnit


class RequeueSession:
    def __init__(self, unit: SessionUnit, create: CreateSession, engines: Collection[str]) -> None:
        """`engines` are those on offer."""
        self._unit = unit
        self._create = create
        self._engines = engines

    async def __call__(self, operator: Principal, session_id: str) -> str:
        """The id of the successor; the same one when asked again, also while it is being made.

        Raises SessionNotFound, SessionCannotBeRequeued, and whatever refuses a creation of its owner: the inputs, the
        balance, the quota.
        """
        session = await self._unit.find(session_id)
        if session is None:
            raise SessionNotFound()
        if session.successor:
            return session.successor
        SUCCEED.check(session.status)
        if session.engine not in self._engines:
            message = f"The engine {session.engine} is no longer offered here"
            raise SessionCannotBeRequeued(session.status.value, message)
        successor = await self._create.again(session, operator.user_id)
        self._unit.watchers.changed(session_id)
        return successor
