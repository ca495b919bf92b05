"""What a worker gets wrong is refused by name, at the call that is wrong."""

from __future__ import annotations

import pytest

from kit.errors import PrsmError
from tests.integration.session.stand import STAGES, Stand, wpb


async def test_a_plan_and_a_checkpoint_must_be_usable_by_the_next_attempt(stand: Stand) -> None:
    await stand.create()
    claim = await stand.claim()
    assert claim is not None
    twice = [wpb.StagePlan(stage="read"), wpb.StagePlan(stage="read")]
    for stages in (twice, [wpb.StagePlan(weight=1)]):
        with pytest.raises(PrsmError) as error:
            await stand.work("Start", wpb.StartRequest(lease=claim.lease, stages=stages))
        assert error.value.name == "VALIDATION_ERROR"
    plan = [wpb.StagePlan(stage=stage) for stage in STAGES]
    await stand.work("Start", wpb.StartRequest(lease=claim.lease, stages=plan))
    await stand.begin(claim.lease, STAGES[0])
    # Without it nobody could take the stage's output over.
    with pytest.raises(PrsmError) as error:
        await stand.work("Checkpoint", wpb.CheckpointRequest(lease=claim.lease, stage=STAGES[0]))
    assert error.value.name == "VALIDATION_ERROR"
    assert await stand.checkpoint(claim.lease, STAGES[0]) == "GO_ON"
