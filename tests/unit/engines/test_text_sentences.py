from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.engines.text.sentences import split_sentences


def cut(text: str) -> list[str]:
    return [text[part.start : part.end] for part in split_sentences(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One thing. Another thing.", ["One thing.", "Another thing."]),
        ("Dr. Smith et al. found it in Fig. 3. It held.", ["Dr. Smith et al. found it in Fig. 3.", "It held."]),
        ("It rose by 3.5 per cent. It fell.", ["It rose by 3.5 per cent.", "It fell."]),
        ("Foods, e.g. bread, i.e. loaves. They keep.", ["Foods, e.g. bread, i.e. loaves.", "They keep."]),
        ("Written by J. Smith in May. It sold.", ["Written by J. Smith in May.", "It sold."]),
        ("They lacked vitamin C. The crew fell ill.", ["They lacked vitamin C.", "The crew fell ill."]),
        ("Is it so? Yes! It is.", ["Is it so?", "Yes!", "It is."]),
        ('He said "Stop." Then he left.', ['He said "Stop."', "Then he left."]),
        ("Computers grew fast.[12] The firm grew.", ["Computers grew fast.[12]", "The firm grew."]),
        ("Flour, yeast, etc. The rest follows.", ["Flour, yeast, etc.", "The rest follows."]),
        ("It stops. mRNA goes on. p. 4 does not.", ["It stops.", "mRNA goes on. p. 4 does not."]),
        ("Shown in detail.It is clear. See Node.js here.", ["Shown in detail.", "It is clear.", "See Node.js here."]),
        ("これは文です。次の文です。", ["これは文です。", "次の文です。"]),
        ("1. First point here.\n2. Second point here.", ["First point here.", "Second point here."]),
        ("A wrapped\nsentence goes on. And ends\nhere.", ["A wrapped\nsentence goes on.", "And ends\nhere."]),
    ],
)
def test_sentence_boundaries(text: str, expected: list[str]) -> None:
    assert cut(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "# Markdown heading\n\nThe first sentence.",
        "A Title of the Work\n\nThe first sentence.",
        "Underlined\n==========\nThe first sentence.",
        "2.1 Numbered Heading\nThe first sentence.",
        "An Unmarked Heading\nThe first sentence.",
        "| a | b |\n| 1 | 2 |\n\nThe first sentence.",
    ],
)
def test_headings_and_tables_are_no_sentences(text: str) -> None:
    assert cut(text) == ["The first sentence."]


def test_a_sentence_knows_its_section_and_paragraph() -> None:
    text = "# One\n\nFirst here. Second here.\n\nThird here.\n\n## References\n\nFourth here."
    parts = split_sentences(text)
    assert [part.section for part in parts] == ["One", "One", "One", "References"]
    assert parts[0].block == parts[1].block != parts[2].block


def test_a_page_break_ends_a_sentence() -> None:
    assert cut("It began. it goes on\fand on.") == ["It began. it goes on", "and on."]


@given(st.text(alphabet="aB1 .?!\n\f\t#|-[]()\"'e.gé。文", max_size=200))
def test_sentences_stand_in_order_without_overlap(text: str) -> None:
    parts = split_sentences(text)
    end = 0
    for part in parts:
        assert end <= part.start < part.end <= len(text)
        assert text[part.start : part.end] == text[part.start : part.end].strip()
        end = part.end
