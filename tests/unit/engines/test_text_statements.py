from __future__ import annotations

import pytest

from worker.engines.text.statements import (
    display,
    is_back_matter,
    is_dependent,
    is_reference,
    is_statement,
    label_length,
    quality,
)


@pytest.mark.parametrize(
    "sentence",
    [
        "Spaced practice improves long-term retention.",
        "The ocean took up 1.9 ± 0.6 petagrams of carbon per year between 1990 and 2000.",
        "“Memory” is the name for several different abilities.",
        "mRNA carries the code from the nucleus to the ribosome.",
        "Martin and Fitzwater (1988) added iron to bottles of water and saw plankton grow.",
        "La mémoire à long terme dépend du sommeil.",
        "Cold brine dissolves gas.",
        "Brine holds gas.",
        "酸碱度也随之下降。",
        "湖水变暖了。",
        "冷たい水は溶かす。",
        "「苔は水を好む。」",
        "湖水在夏天变暖，溶解的气体减少，" * 10 + "鱼类更深。",
    ],
)
def test_whole_plain_sentences_are_statements(sentence: str) -> None:
    assert is_statement(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "",
        "Short pauses.",
        "Journal of Cold Water.",
        "Published online first.",
        "好。",
        "A. B. C. D.",
        "What is known about the spacing effect in schools?",
        "and therefore the effect is larger in adults.",
        "The list of the conditions that were tested is as follows:",
        "The sentence breaks off before it says anything…",
        "Figure 3 shows the learning curves of both groups.",
        "Copyright 2021 by the authors of this volume.",
        "All rights reserved by the publisher of the journal.",
        "The authors declare no conflict of interest whatsoever.",
        "This work was supported by a grant from the foundation.",
        "THE NUMBER OF DOCUMENTS READ IN EVERY SESSION IS GIVEN.",
        "x = y + z (1) a b c d 0.1 0.2 0.3 0.4 0.5.",
        "Smith, J., and Doe, A. (2001). A study of memory. Journal of Memory, 12(3), 45-67.",
        "Word " * 120 + "end.",
    ],
)
def test_fragments_questions_captions_and_boilerplate_are_not(sentence: str) -> None:
    assert not is_statement(sentence)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Wanninkhof, R. (1992). Wind speed and gas exchange. Journal of Geophysical Research, 97, 7373–7382.", True),
        ("In Proceedings of EMNLP, pages 1–8, Philadelphia, USA, 2002.", True),
        ("Wanninkhof (1992) proposed that the velocity grows with the square of the wind speed.", False),
    ],
)
def test_entries_of_reference_lists(line: str, expected: bool) -> None:
    assert is_reference(line) is expected


@pytest.mark.parametrize("heading", ["References", "7. Works cited", "FURTHER READING", "Acknowledgments", "Funding:"])
def test_back_matter_headings(heading: str) -> None:
    assert is_back_matter(heading)


@pytest.mark.parametrize("heading", ["Reference temperatures", "Results", "Sources of error", "Notes on method"])
def test_other_headings_are_no_back_matter(heading: str) -> None:
    assert not is_back_matter(heading)


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("This makes it slower.", True),
        ("However, the effect is small.", True),
        ("It was found that sleep helps.", False),
        ("These results show a large effect.", False),
        ("Italy exports wine.", False),
        ("Theory predicts it.", False),
    ],
)
def test_sentences_that_lean_on_the_one_before(sentence: str, expected: bool) -> None:
    assert is_dependent(sentence) is expected


def test_display_is_one_line_without_the_sources_own_reference_numbers() -> None:
    assert display("The firm\n  grew fast [3, 4] in the\u00ad\n west.[12]") == "The firm grew fast in the west."
    assert display("It ends.. Then an ellipsis...") == "It ends. Then an ellipsis..."


@pytest.mark.parametrize(
    ("sentence", "label"),
    [
        ("CONCLUSIONS AND RELEVANCE Aspirin lowers the risk.", "CONCLUSIONS AND RELEVANCE "),
        ("Results: The risk fell by half.", "Results: "),
        ("BACKGROUND: Obesity is common.", "BACKGROUND: "),
        ("Results of the trial are mixed.", ""),
        ("NASA measured it.", ""),
    ],
)
def test_labels_of_structured_abstracts(sentence: str, label: str) -> None:
    assert sentence[: label_length(sentence)] == label


def test_quality_prefers_findings_to_talk_about_the_text() -> None:
    finding = "The results show that spaced practice improves the retention of words."
    plain = "Spaced practice was used in three schools of the northern region."
    plan = "The purpose of this paper is to describe spaced practice in three schools."
    fragment = "A field trial over three years with two groups of pupils."
    assert quality(finding) > quality(plain) > quality(plan)
    assert quality(plain) > quality(fragment)


def test_in_a_text_of_one_case_a_statement_may_begin_anyhow_and_end_without_a_stop() -> None:
    bare = "a data storage system with capacity for random access is described"
    for sentence in (bare, bare.upper(), "moss walls lower the temperature."):
        assert is_statement(sentence, marked=False)
        assert not is_statement(sentence)
    for fragment in (
        "a data storage system with capacity for random access",
        "the crew fell ill",
        "what is known about the spacing effect in schools?",
        "the list of the conditions that were tested is as follows:",
        "copyright 2021 by the authors of this volume.",
    ):
        assert not is_statement(fragment, marked=False)


def test_a_word_among_capitals_is_no_label() -> None:
    assert label_length("RESULTS OF THE TRIAL ARE MIXED.") == 0
    assert label_length("RESULTS: THE TRIAL FAILED.") == len("RESULTS: ")
