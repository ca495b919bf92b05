"""Who a share is for: a user, an email address or a team.

A recipient is written `user:ID`, `email:ADDRESS` or `team:NAME`; without one of these prefixes it is an email address
where it has an `@`, else a user id. Each stands for one principal, and a signed-in user for several: their id, their
verified address, their teams.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kit.auth.principal import Principal
from kit.errors import Fault

_EMAIL = re.compile(r"[^\s@]+@[^\s@]+")
_LONGEST_EMAIL = 254  # RFC 5321, 4.5.3.1.3, without the angle brackets
_LONGEST_NAME = 255
_KINDS = ("user", "email", "team")


@dataclass(frozen=True, slots=True)
class Recipient:
    """`shown` is the recipient as it was sent, normalised; `principal` what it stands for, always with its prefix."""

    shown: str
    principal: str


class InvalidRecipient(ValueError):
    """The message says what is wrong."""


def parse(text: str) -> Recipient:
    """Read one recipient. Raises InvalidRecipient."""
    stripped = text.strip()
    head, colon, tail = stripped.partition(":")
    prefixed = bool(colon) and head.lower() in _KINDS
    if prefixed:
        kind, name = head.lower(), tail.strip()
    else:
        kind, name = "email" if "@" in stripped else "user", stripped
    if not name:
        raise InvalidRecipient(f"must name a {kind} after the prefix" if prefixed else "must not be blank")
    if not name.isprintable():
        raise InvalidRecipient("must not hold control characters")
    if kind == "email":
        name = name.lower()
        if not _EMAIL.fullmatch(name) or len(name) > _LONGEST_EMAIL:
            raise InvalidRecipient("is no email address; write user:ID for a user id with an @ in it")
    elif len(name) > _LONGEST_NAME:
        raise InvalidRecipient(f"must have at most {_LONGEST_NAME} characters")
    return Recipient(f"{kind}:{name}" if prefixed else name, f"{kind}:{name}")


def form_faults(texts: Sequence[str]) -> list[Fault]:
    """A fault for each that is no recipient; one without any character is refused before."""
    faults = []
    for index, text in enumerate(texts):
        try:
            if text:
                parse(text)
        except InvalidRecipient as error:
            faults.append(Fault(f"recipients[{index}]", str(error)))
    return faults


def parse_all(texts: Sequence[str], *, owner: str, sharer: Principal) -> tuple[list[Recipient], list[Fault]]:
    """The recipients without repeats, in order, and a fault for each that cannot be one.

    Nobody shares with themselves: an own share would outlive the one that it was made by. Raises InvalidRecipient for
    a text that `form_faults` finds fault with.
    """
    own = {f"user:{sharer.user_id}", f"email:{sharer.email}"}
    found: dict[str, Recipient] = {}
    faults = []
    for index, text in enumerate(texts):
        recipient = parse(text)
        if recipient.principal == f"user:{owner}":
            faults.append(Fault(f"recipients[{index}]", "owns the session already"))
        elif recipient.principal in own:
            faults.append(Fault(f"recipients[{index}]", "is yourself"))
        else:
            found.setdefault(recipient.principal, recipient)
    return list(found.values()), faults


def principals_of(principal: Principal) -> list[str]:
    """Everything that a signed-in user may have been named as."""
    found = [f"user:{principal.user_id}"]
    if principal.email:
        found.append(f"email:{principal.email}")
    return [*found, *(f"team:{team}" for team in _names(principal.teams))]


def _names(teams: Iterable[str]) -> list[str]:
    # A team that no share can name is none.
    return [team.strip() for team in teams if team.strip() and team.isprintable()]
