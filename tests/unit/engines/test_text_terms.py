from __future__ import annotations

import pytest

from worker.engines.text.phrases import phrases
from worker.engines.text.terms import Analyzer, fold, words


def test_words_keep_offsets_decimals_and_apostrophes() -> None:
    text = "The reader's 3.5 long-term aims, №1."
    found = words(text)
    assert [word.text for word in found] == ["The", "reader's", "3.5", "long", "term", "aims", "1"]
    assert all(text[word.start : word.end] == word.text for word in found)


@pytest.mark.parametrize(
    ("word", "folded"), [("Memory’s", "memory"), ("ＤＮＡ", "dna"), ("STRASSE", "strasse"), ("ﬁne", "fine")]
)
def test_folding(word: str, folded: str) -> None:
    assert fold(word) == folded


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("learning", "learners learn"),
        ("emissions", "emitted"),
        ("reduction", "reduces"),
        ("absorption", "absorbed"),
        ("growth", "grew"),
        ("children", "child"),
        ("takes up", "uptake"),
        ("consumption", "consumes"),
    ],
)
def test_words_of_one_family_share_a_stem(left: str, right: str) -> None:
    analyzer = Analyzer()
    assert set(analyzer.terms(left)) & set(analyzer.terms(right))


def test_function_words_are_no_terms() -> None:
    assert Analyzer().terms("What is it that we have been told about the sea?") == Analyzer().terms("told sea")


def test_languages_have_their_own_stems_and_function_words() -> None:
    assert Analyzer("de-AT").terms("die Häuser und das Haus") == ["haus", "haus"]
    assert Analyzer("xx").terms("Plain words") == ["plain", "words"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("記憶", ["記憶"]),
        ("冷水溶解更多的二氧化碳吗？", ["冷水", "水溶", "溶解", "解更", "更多", "二氧", "氧化", "化碳"]),
        ("苔は水を好む。", ["苔", "水", "好", "む"]),
        ("エネルギーとCO2浓度", ["エネルギー", "co2", "浓度"]),
        ("为什么湖水变暖了", ["湖水", "水变", "变暖"]),
    ],
)
def test_scripts_without_spaces_come_in_pairs_between_particles(text: str, expected: list[str]) -> None:
    assert Analyzer("zh").terms(text) == expected
    assert all(text[word.start : word.end] == word.text for word in Analyzer("zh").content_words(text))


def test_surfaces_stand_beside_their_stems() -> None:
    text = "Plants take up carbon."
    found = Analyzer().surfaces(text)
    assert [(folded, text[word.start : word.end]) for _, folded, word in found] == [
        ("plants", "Plants"),
        ("uptake", "take up"),
        ("carbon", "carbon"),
    ]


def test_phrases_name_things_and_not_authors_or_generalities() -> None:
    found = [surface for _, surface in phrases("In the Southern Ocean slow mixing limits storage.", Analyzer())]
    assert "Southern Ocean" in found
    assert "slow mixing" in found
    named = [
        surface
        for _, surface in phrases("Martin and Fitzwater (1988) found significantly different results.", Analyzer())
    ]
    assert named == []
