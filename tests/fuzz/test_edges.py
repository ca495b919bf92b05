"""A bounded part of `make fuzz`: both edges keep what the description says, for good requests and for bad ones.

Every operation is sent its examples, then the boundaries of every field and parameter from inside and from outside,
then short chains of calls that use what earlier ones made. All of Schemathesis's checks are on. Boundaries and chains
go through the gateway here, and through both in `make fuzz`; what the contract's table says of each field always goes
through both.
"""

from __future__ import annotations

import asyncio

import pytest

from tests.fuzz.fuzzing import Effort, fuzz
from tests.support.stack import RunningStack

EFFORTS = {
    "gateway": Effort(phases=("examples", "coverage", "stateful"), examples=3, seed=20260102),
    "envoy": Effort(phases=("examples",), examples=3, seed=20260102),
}


@pytest.mark.timeout(600)
async def test_no_finding_at_either_edge(stack: RunningStack, fronted: RunningStack) -> None:
    edges = (stack, fronted)
    outcomes = await asyncio.gather(*(fuzz(edge, EFFORTS[edge.edge], user=f"fuzz-{edge.edge}") for edge in edges))
    for edge, outcome in zip(edges, outcomes, strict=True):
        assert not outcome.failed, f"{edge.edge}:\n{outcome.output[-20_000:]}"
        # It is only a proof when it was tried.
        assert "selected / " in outcome.output
        for phase in EFFORTS[edge.edge].phases:
            assert f"✅ {phase.title()}" in outcome.output.partition("SUMMARY")[2]
