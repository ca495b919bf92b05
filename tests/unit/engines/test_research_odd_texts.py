"""Texts that are no ordinary prose: of one case, empty, endless, of signs alone."""

from __future__ import annotations

import pytest

from tests.unit.engines.fakes import Context, Library, run_engine
from tests.unit.engines.sample import library
from worker.engines.base import Job
from worker.engines.research.engine import ResearchEngine

LOWER = {
    "a": "moss walls lower the indoor temperature of barns. hay keeps longer in such barns. cows rest more in summer.",
    "b": "compact memories have flexible capacities a digital data storage system with random access is described",
    "c": "reed beds slow the current near the bank. eels hide in them. herons hunt there at dawn.",
}


def asked(prompt: str, sources: Library) -> Context:
    return Context(Job("session", "research", prompt), sources)


@pytest.mark.parametrize("shout", [False, True])
async def test_a_library_in_one_case_can_answer(shout: bool) -> None:
    sources = Library()
    for key, text in LOWER.items():
        sources.add(key, text.upper() if shout else text, f"record {key}")
    result = await run_engine(ResearchEngine(), asked("Do moss walls lower the temperature of barns?", sources))
    assert result["answered"]
    assert result["key_findings"][0]["text"].lower() == "moss walls lower the indoor temperature of barns."
    result = await run_engine(ResearchEngine(), asked("Digital data storage with random access", sources))
    assert result["citations"][0]["document_id"] == "b"


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n\t\f ",
        "word",
        "x" * 200_000,
        "1 2 3 4 5 6 7 8 9. " * 500,
        "😀 " * 300,
        "سلام دنیا " * 50,
        "\u200f\u202e. ! ?",
        "\x00." * 99,
    ],
)
async def test_odd_texts_are_read_without_harm(text: str) -> None:
    sources = library()
    sources.add("odd", text, "")
    for prompt in (
        "How does spaced practice affect long-term retention?",
        "Summarise these documents",
        "word",
        "😀",
        "٣",
    ):
        result = await run_engine(ResearchEngine(), asked(prompt, sources))
        assert 0 <= result["confidence_score"] <= 1
