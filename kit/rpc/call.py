"""What a servicer knows of the call it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from google.protobuf.message import Message
from sqlalchemy import Connection

from kit.auth.grants import Grant
from kit.auth.principal import Principal
from kit.db.idempotency import Ticket
from kit.errors import Unauthorized
from kit.levels import Level

T = TypeVar("T")


@dataclass(slots=True)
class Call:
    """One call: who makes it, with which headers, and what the answer's headers will be."""

    method: str
    request_id: str
    level: Level
    metadata: Mapping[str, str]
    _principal: Principal | None = None
    caller: str = ""
    """The calling service, for internal methods."""
    grant: Grant | None = None
    """The verified session grant of a worker's call, if it carried one."""
    idempotency_key: str = ""
    ticket: Ticket | None = None
    location: str = ""
    """Becomes `Location`; set it together with the answer."""
    status: int = 0
    """The HTTP status of success where it is not that of the method's rule, such as 304."""
    headers: dict[str, str] = field(default_factory=dict)
    """Further response headers, lower case, e.g. `content-disposition`; they leave with the first message."""

    @property
    def principal(self) -> Principal:
        """The signed-in user. Raises Unauthorized where there is none."""
        if self._principal is None:
            raise Unauthorized()
        return self._principal

    @property
    def user_id(self) -> str:
        """Of the signed-in user; "" where there is none."""
        return self._principal.user_id if self._principal is not None else ""

    def recorder(self, answer: Callable[[T], Message]) -> Callable[[Connection, T], None]:
        """How a use case records its outcome for the client's idempotency key, inside its own transaction."""
        ticket = self.ticket
        if ticket is None:
            return lambda _connection, _outcome: None

        def record(connection: Connection, outcome: T) -> None:
            message = answer(outcome)
            ticket.record(connection, message.SerializeToString(), self.location)

        return record
