"""Session and collab as the other services ask them: who owns a session, and who may see it."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TypeVar

from kit.access import Access, Shared, Shares, Standing, require
from kit.auth.principal import Principal
from kit.errors import DeadlineExceeded, Unavailable
from kit.ids import is_uuid
from kit.levels import Level
from kit.rpc.client import Peer
from prsm.collab.v1 import access_pb2, access_pb2_grpc
from prsm.session.v1 import internal_pb2, internal_pb2_grpc, session_pb2

_STANDING = {
    access_pb2.Grant.STANDING_STRANGER: Standing.STRANGER,
    access_pb2.Grant.STANDING_FORMER: Standing.FORMER,
    access_pb2.Grant.STANDING_CURRENT: Standing.CURRENT,
}
_TERMINAL = frozenset({"completed", "failed", "cancelled", "timeout"})
_CACHED = 10_000
V = TypeVar("V")


class CollabShares:
    """Asks collab, with a deadline of 300 ms for each of its replicas that is asked."""

    def __init__(self, stub: access_pb2_grpc.AccessServiceAsyncStub, peer: Peer, *, deadline: float = 0.3) -> None:
        self._stub = stub
        self._peer = peer
        self._deadline = deadline

    async def check(self, session_id: str, principal: Principal) -> Shared:
        request = access_pb2.CheckAccessRequest(session_id=session_id, principal=principal_message(principal))
        try:
            answer = await self._peer.read(self._stub.CheckAccess, request, timeout=self._deadline)
        except DeadlineExceeded as error:
            # Away or too slow is the same to who asks.
            raise Unavailable() from error
        return shared_of(answer.grant)


def principal_message(principal: Principal) -> access_pb2.Principal:
    return access_pb2.Principal(user_id=principal.user_id, email=principal.email, teams=principal.teams)


def shared_of(grant: access_pb2.Grant) -> Shared:
    standing = _STANDING.get(grant.standing, Standing.STRANGER)
    return Shared(standing, Level(int(grant.level)), grant.expires_at_us)


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """What another service may know of a session. `created_at` is in microseconds, `progress` from 0 to 100."""

    session_id: str
    owner: str
    status: str
    session_type: str
    prompt: str
    created_at: int
    result_epoch: int
    result_hash: str
    stages: tuple[str, ...]
    citation_style: str
    language: str
    progress: int

    @property
    def has_ended(self) -> bool:
        """Then nothing of it changes any more."""
        return self.status in _TERMINAL


class SessionDirectory:
    """Asks session; remembers owners, and terminal sessions whole, for neither ever changes."""

    def __init__(
        self, stub: internal_pb2_grpc.SessionInternalServiceAsyncStub, peer: Peer, *, deadline: float = 1.0
    ) -> None:
        self._stub = stub
        self._peer = peer
        self._deadline = deadline
        self._owners: OrderedDict[str, str] = OrderedDict()
        self._ended: OrderedDict[str, SessionFacts] = OrderedDict()

    async def find(self, session_id: str) -> SessionFacts | None:
        """The session's present state, or None where there is no such session."""
        if not is_uuid(session_id):
            return None
        ended = self._ended.get(session_id)
        if ended is not None:
            return ended
        request = internal_pb2.LookUpSessionRequest(session_id=session_id)
        answer = await self._peer.read(self._stub.LookUpSession, request, timeout=self._deadline)
        if not answer.found:
            return None
        facts = SessionFacts(
            session_id=session_id,
            owner=answer.owner,
            status=session_pb2.Session.Status.Name(answer.status),
            session_type=session_pb2.Session.Type.Name(answer.session_type),
            prompt=answer.prompt,
            created_at=answer.created_at.ToMicroseconds(),
            result_epoch=answer.result_epoch,
            result_hash=answer.result_hash,
            stages=tuple(answer.stages),
            citation_style=answer.citation_style,
            language=answer.language,
            progress=answer.progress,
        )
        _remember(self._owners, session_id, facts.owner)
        if facts.has_ended:
            _remember(self._ended, session_id, facts)
        return facts

    async def owner(self, session_id: str) -> str | None:
        known = self._owners.get(session_id)
        if known is not None:
            return known
        facts = await self.find(session_id)
        return facts.owner if facts else None


class SessionGate:
    """The access decision of a service that does not own sessions."""

    def __init__(self, directory: SessionDirectory, shares: Shares) -> None:
        self._directory = directory
        self._shares = shares

    async def require(self, principal: Principal, session_id: str, needed: Level) -> Access:
        """Raises SessionNotFound, SessionNotAccessible, Unavailable."""
        owner = await self._directory.owner(session_id)
        return await require(self._shares, principal, session_id, owner, needed)


def _remember(cache: OrderedDict[str, V], key: str, value: V) -> None:
    cache[key] = value
    if len(cache) > _CACHED:
        cache.popitem(last=False)
