"""What is refused, and how."""

from __future__ import annotations

from collections.abc import Awaitable

import pytest

from kit.errors import PrsmError


async def refused(call: Awaitable[object]) -> PrsmError:
    """The named error that a call ends with."""
    with pytest.raises(PrsmError) as caught:
        await call
    return caught.value


def fields(error: PrsmError) -> list[str]:
    """The fields that a validation error names."""
    assert error.name == "VALIDATION_ERROR"
    assert error.details is not None
    return [fault["field"] for fault in error.details["fields"]]
