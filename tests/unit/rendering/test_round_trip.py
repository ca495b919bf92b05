"""Whatever a result document says is found again in the text of the finished files; `python -m tests.roundtrip` does
this with many more documents."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.roundtrip.comparing import Finished, Item, items, lost
from tests.roundtrip.documents import documents
from tests.roundtrip.rendering import finished
from tests.unit.rendering.sample import metadata, sample


@settings(max_examples=8, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(documents(), st.sampled_from(["apa", "ieee", "nature"]), st.sampled_from(["en", "fr"]))
def test_nothing_of_a_random_document_is_lost(source: dict[str, Any], style: str, language: str) -> None:
    assert lost(source, finished(source, None, style=style, language=language)) == []


def test_nothing_of_a_whole_report_is_lost() -> None:
    source = sample()
    assert len(list(items(source))) > 60
    assert lost(source, finished(source, metadata(), style="apa", language="en")) == []


@pytest.mark.parametrize(
    ("text", "item", "page"),
    [
        ("Water boils at 99 degrees.", Item("claim", "Water boils at 100 degrees."), False),
        ("101.325", Item("number", "101.33", 101.33), False),
        ("6.02 × 10²³", Item("number", "6.11e23", 6.11e23), True),
        ("العربية لغة", Item("claim", "العربية اللغة"), True),
        ("किताब", Item("claim", "क़िताब घर"), True),
    ],
)
def test_what_is_missing_is_noticed(text: str, item: Item, page: bool) -> None:
    assert Finished(text, page=page).lacks(item)


@pytest.mark.parametrize(
    ("text", "item", "page"),
    [
        ("the e\ufb03-\ncient way", Item("claim", "The efficient way"), False),
        ("−1234.57 and 6.02 × 10²³", Item("number", "-1234.5678", -1234.5678), False),
        ("6.02 × 10²³", Item("number", "6.0221e23", 6.0221e23), False),
        ("4E2D and 6587", Item("claim", "中"), True),
        ("لغة 12 العربية", Item("claim", "العربية 12 لغة"), True),
        ("खखत", Item("claim", "खत"), True),
    ],
)
def test_what_is_there_is_found(text: str, item: Item, page: bool) -> None:
    assert not Finished(text, page=page).lacks(item)
