"""Decisions stay within what one answer can hold, and say what they left out."""

from __future__ import annotations

import json

from services.session.decisions import LARGEST, LARGEST_TOGETHER, MOST, Decision, bounded


def test_small_ones_stay_as_they_are() -> None:
    decision = Decision("kept", "Because", ["other"], [{"document_id": "d1", "score": 0.5}])
    assert bounded([decision]) == [decision]


def test_a_long_list_is_cut_and_counted() -> None:
    things = [{"document_id": f"d{number}", "why": "x" * 100} for number in range(1000)]
    (cut,) = bounded([Decision("left out", "Too far", (), things)])
    assert cut.excluded == things[: len(cut.excluded)]
    assert len(cut.excluded) + cut.left_unsaid == 1000
    assert LARGEST - 200 < len(json.dumps(cut.excluded)) < LARGEST + 4000


def test_together_they_are_bounded() -> None:
    things = [{"document_id": f"d{number}", "why": "x" * 100} for number in range(200)]
    kept = bounded([Decision("left out", "y" * 9000, (), things)] * (MOST + 20))
    assert len(kept) == MOST
    assert (
        sum(len(json.dumps(decision.excluded, separators=(",", ":"))) for decision in kept) <= LARGEST_TOGETHER + 2000
    )
    assert kept[-1].excluded == []
    assert kept[-1].left_unsaid == 200
