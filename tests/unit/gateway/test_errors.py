"""What clients are told about calls that never reached a service's own error handling."""

from __future__ import annotations

from pathlib import Path

import grpc
import orjson
import pytest

from gateway.errors import ErrorPages
from gateway.json_codec import Schema
from kit.times import ManualClock

ROOT = Path(__file__).resolve().parent.parent.parent.parent


@pytest.fixture(scope="module")
def pages() -> ErrorPages:
    schema = Schema.from_bytes((ROOT / "gen" / "descriptors.binpb").read_bytes())
    return ErrorPages(schema.reasons(), ManualClock())


@pytest.mark.parametrize("code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED])
def test_a_service_that_ends_with_the_call_under_way_is_away(pages: ErrorPages, code: grpc.StatusCode) -> None:
    """A server whose grace is over cancels what is left, and says nothing else."""
    answer = pages.of_call(code, (), "r1")
    assert isinstance(answer.body, bytes)
    assert (answer.status, orjson.loads(answer.body)["error"]) == (503, "unavailable")
    assert answer.headers["Retry-After"].isdecimal()
