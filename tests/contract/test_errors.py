"""Every status and error code of every endpoint, and the one shape that all errors have."""

from __future__ import annotations

import pytest

from tests.contract.assertions import assert_error
from tests.contract.calls import call, given
from tests.contract.table import Endpoint, ErrorCase, load
from tests.contract.world import World

TABLE = load()
CASES = [
    pytest.param(endpoint, case, id=f"{endpoint.name}-{case.title}")
    for endpoint in TABLE.endpoints
    for case in endpoint.errors
]


@pytest.mark.parametrize(("endpoint", "case"), CASES)
async def test_error(world: World, endpoint: Endpoint, case: ErrorCase) -> None:
    made = await given(world, case.given or endpoint.given)
    answer = await call(world, endpoint, made, case=case)
    assert_error(answer, case.code, case.error)
    if case.names:
        assert case.names in answer.fields, answer.text
    for name in case.details:
        assert name in answer.body["details"], answer.text
