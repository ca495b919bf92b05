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


LAKE = "冷水比温水溶解更多的气体。\n\n湖水在夏天变暖。\n\n酸碱度也随之下降。"


@pytest.mark.parametrize(
    ("prompt", "text", "first", "labels"),
    [
        ("冷水溶解更多的气体吗？", LAKE, "冷水比温水溶解更多的气体。", ["冷水溶解更多", "气体"]),
        ("酸碱度下降了吗？", LAKE, "酸碱度也随之下降。", []),
        (
            "冷たい水は空気を溶かすか？",
            "冷たい水は空気を溶かす。",
            "冷たい水は空気を溶かす。",
            ["冷たい水", "空気", "溶かす"],
        ),
        ("Does cold brine hold gas?", "Cold brine holds gas.\n\nMoss is green.", "Cold brine holds gas.", []),
    ],
)
async def test_short_paragraphs_answer_in_any_script(prompt: str, text: str, first: str, labels: list[str]) -> None:
    sources = Library()
    sources.add("a", text, "v1")
    result = await run_engine(ResearchEngine(), asked(prompt, sources))
    assert result["answered"]
    assert result["key_findings"][0]["text"] == first
    assert [facet["label"] for facet in result["facets"][1:]] == labels
    assert not [gap for gap in result["gaps"] if gap["kind"] == "missing_terms"]


async def test_what_is_missing_is_told_in_words_and_not_in_characters() -> None:
    sources = Library()
    sources.add("a", LAKE, "v1")
    result = await run_engine(ResearchEngine(), asked("湖水在火山爆发后变暖了吗？", sources))
    told = [gap["terms"] for gap in result["gaps"] if gap["kind"] == "missing_terms"]
    assert told
    assert all(len(word) > 1 for words in told for word in words)
    assert any("火山爆发" in word for words in told for word in words)
