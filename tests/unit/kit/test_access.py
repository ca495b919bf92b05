"""Who may do what with a session, and what those are told who may not."""

from __future__ import annotations

import pytest

from kit.access import Access, Shared, Standing, decide
from kit.errors import PrsmError, SessionNotAccessible, SessionNotFound
from kit.levels import Level


def test_enough_is_enough() -> None:
    assert decide(Shared(Standing.CURRENT, Level.EDIT, 7), Level.VIEW) == Access(Level.EDIT, 7)
    assert decide(Shared(Standing.CURRENT, Level.EDIT), Level.EDIT) == Access(Level.EDIT)


@pytest.mark.parametrize(
    ("has", "needed", "message"),
    [
        (Level.EDIT, Level.COLLABORATE, "This needs the level collaborate; you have edit"),
        (Level.VIEW, Level.EDIT, "This needs the level edit; you have view"),
        (Level.COLLABORATE, Level.OWNER, "This is for the session's owner; you have collaborate"),
    ],
)
def test_who_has_too_low_a_level_is_told_which_one_is_needed(has: Level, needed: Level, message: str) -> None:
    with pytest.raises(SessionNotAccessible) as refused:
        decide(Shared(Standing.CURRENT, has), needed)
    assert refused.value.message == message


@pytest.mark.parametrize("needed", [Level.VIEW, Level.COLLABORATE, Level.OWNER])
@pytest.mark.parametrize(
    ("shared", "error"),
    [
        (Shared(Standing.STRANGER), SessionNotFound),
        (Shared(Standing.STRANGER, Level.EDIT), SessionNotFound),
        (Shared(Standing.FORMER), SessionNotAccessible),
        (Shared(Standing.FORMER, Level.EDIT), SessionNotAccessible),
        (Shared(Standing.CURRENT), SessionNotAccessible),
    ],
)
def test_who_has_no_access_is_told_nothing(shared: Shared, error: type[PrsmError], needed: Level) -> None:
    with pytest.raises(error) as refused:
        decide(shared, needed)
    assert (refused.value.message, refused.value.details) == (None, None)
