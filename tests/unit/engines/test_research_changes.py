"""Questions for how something changed, and statements of the way it went."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.engines.fakes import Context, Library, run_engine
from worker.engines.base import Job
from worker.engines.research.changes import Changes
from worker.engines.research.engine import ResearchEngine
from worker.engines.text.terms import Analyzer


def met(prompt: str, sentence: str) -> bool:
    analyzer = Analyzer()
    return bool(Changes.of(prompt, analyzer).met(sentence, analyzer.terms(sentence), analyzer))


@pytest.mark.parametrize(
    ("prompt", "sentence"),
    [
        ("How did the cover of moss change between 1990 and 2020?", "The cover of moss fell by 7 % from 1990 to 2020."),
        ("How has moss cover changed since 1990?", "Since 1990 moss cover has declined."),
        ("Does moss grow on slate, and how does its growth vary with rain?", "Growth rises with rain."),
        ("How does shade affect moss?", "Moss in shade shrank to a half."),
        ("Has the bog changed?", "The bog warmed."),
        ("How has the wind speed changed?", "Records show an increase of the wind speed."),
        ("How has the wind speed changed?", "Since 1990, winds at the fen were down by 7 %."),
        ("How does growth change with age?", "Age lowers growth."),
    ],
)  # fmt: skip
def test_a_direction_meets_a_question_for_change(prompt: str, sentence: str) -> None:
    assert met(prompt, sentence)


@pytest.mark.parametrize(
    ("prompt", "sentence"),
    [
        ("How did the cover of moss change between 1990 and 2020?", "The cover of moss was mapped in 1990 and 2020."),
        ("How did the cover of moss change between 1990 and 2020?", "The price of slate fell by 7 %."),
        ("How did the cover of moss change between 1990 and 2020?", "Moss has a green cover by 2020."),
        ("What is climate change?", "The climate of the fen warmed."),
        ("How fast is climate change in the fen?", "The climate of the fen warmed."),
        ("Is moss a plant?", "Moss declined."),
        ("How has the wind speed changed?", "The loss of sand grows with wind speed."),
        ("How has the wind speed changed?", "At this wind speed, the loss of sand grew by 7 %."),
    ],
)  # fmt: skip
def test_nothing_else_does(prompt: str, sentence: str) -> None:
    assert not met(prompt, sentence)


def test_words_of_direction_are_known_in_english_alone() -> None:
    assert Changes.of("Wie hat sich das Moos verändert?", Analyzer("de")).subjects == {}


async def result_for(told: str) -> dict[str, Any]:
    sources = Library()
    sources.add("fen", f"Black slate holds more water than pale slate. {told}", "Notes from a fen")
    sources.add("hut", "Huts are built of wood in the hills.", "Huts")
    sources.add("road", "Roads to the hills are narrow.", "Roads")
    prompt = "Does black slate hold more water than pale slate, and how did moss cover change between 1990 and 2020?"
    return await run_engine(ResearchEngine(), Context(Job("s", "research", prompt), sources))


async def test_a_question_for_change_is_told_as_answered_by_a_decline() -> None:
    result = await result_for("Moss cover declined by 7 % between 1990 and 2020.")
    assert [facet["status"] for facet in result["facets"]] != []
    assert {facet["label"]: facet["status"] for facet in result["facets"]}[
        "How did moss cover change between 1990 and 2020?"
    ] != "open"
    assert [gap for gap in result["gaps"] if gap["kind"] in ("missing_terms", "open_facet")] == []


async def test_a_question_for_change_stays_open_where_nothing_went_any_way() -> None:
    result = await result_for("Moss cover was mapped by students with pens.")
    assert [gap["kind"] for gap in result["gaps"]].count("open_facet") == 1
