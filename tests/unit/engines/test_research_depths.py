"""The depths as the documentation states them, and as billing holds for them."""

from __future__ import annotations

import re
from dataclasses import astuple
from pathlib import Path

import pytest

from services.billing import pricing
from worker.engines.research.settings import DEPTHS

PAGE = Path(__file__).parents[3] / "docs" / "research.md"


@pytest.mark.parametrize("name", DEPTHS)
def test_what_is_held_covers_what_a_depth_allows(name: str) -> None:
    depth, held = DEPTHS[name], pricing.DEPTHS[name]
    assert depth.facets <= held.searches
    assert max(depth.passages_per_search, 3 * depth.documents) <= held.passages_per_search
    assert depth.documents <= held.documents
    assert held.usual_documents == depth.documents


def test_the_page_states_the_depths() -> None:
    rows = re.findall(r"^\| (quick|standard|deep) \|((?: \d+ \|)+)$", PAGE.read_text(), re.MULTILINE)
    stated = {name: [int(cell) for cell in cells.split("|") if cell.strip()] for name, cells in rows}
    assert stated == {name: list(astuple(depth)[1:]) for name, depth in DEPTHS.items()}


def test_deeper_is_broader_in_every_way() -> None:
    for less, more in (("quick", "standard"), ("standard", "deep")):
        assert all(a < b for a, b in zip(astuple(DEPTHS[less])[1:], astuple(DEPTHS[more])[1:], strict=True))
