from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.engines.text.sentences import in_one_case, split_sentences


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


OLD = (
    "moss walls lower the indoor temperature of barns. dr. j. smith measured it in fig. 3 of the report. "
    "they lacked vitamin c. the crew fell ill."
)
OLD_CUT = [
    "moss walls lower the indoor temperature of barns.",
    "dr. j. smith measured it in fig. 3 of the report.",
    "they lacked vitamin c.",
    "the crew fell ill.",
]


@pytest.mark.parametrize(("text", "expected"), [(OLD, OLD_CUT), (OLD.upper(), [part.upper() for part in OLD_CUT])])
def test_a_text_of_one_case_is_cut_at_its_stops(text: str, expected: list[str]) -> None:
    assert cut(text) == expected
    assert not any(part.marked for part in split_sentences(text))


def test_a_run_of_words_without_a_stop_is_cut_into_pieces_of_words() -> None:
    text = " ".join(f"word{chr(97 + number % 26)}" for number in range(130))
    assert [len(part.split()) for part in cut(text)] == [40, 40, 50]
    assert [part.start for part in split_sentences(text, pieces=False)] == [0]
    assert len(cut(text.capitalize().replace("wordb", "Wordb"))) == 1, "with capitals only a stop ends a sentence"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("moss and barns", True),
        ("MOSS AND BARNS", True),
        ("Moss and barns", False),
        ("苔と納屋", False),
        ("", False),
        ("12.5", False),
    ],
)
def test_texts_of_one_case(text: str, expected: bool) -> None:
    assert in_one_case(text) is expected


def test_a_short_line_alone_is_a_heading_in_a_text_of_one_case() -> None:
    text = "results\n\nmoss walls lower the temperature\nof barns in summer\n\nreferences\n\nsmith j. moss walls. 1990."
    assert [part.section for part in split_sentences(text)] == ["results", "references", "references"]


@pytest.mark.parametrize("text", ["「苔は水を好む。」", "湖水变暖，", 'He said "stop."', "湖水夏天变暖" * 6])
def test_what_ends_as_a_sentence_or_is_long_is_no_heading(text: str) -> None:
    assert cut(f"{text}\n\nThe lake is cold.")[0] == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("यह पहला वाक्य है। यह दूसरा है।", ["यह पहला वाक्य है।", "यह दूसरा है।"]),
        ("هل هذا صحيح؟ نعم هو كذلك.", ["هل هذا صحيح؟", "نعم هو كذلك."]),
        ("یہ پہلا جملہ ہے۔ یہ دوسرا ہے۔", ["یہ پہلا جملہ ہے۔", "یہ دوسرا ہے۔"]),
    ],
)
def test_stops_of_other_scripts(text: str, expected: list[str]) -> None:
    assert cut(text) == expected


def test_a_long_paragraph_is_read_line_by_line() -> None:
    class Counted(str):
        copied = 0

        def __getitem__(self, key: object) -> str:
            found = super().__getitem__(key)  # type: ignore[index]
            Counted.copied += len(found)
            return found

    text = Counted("the quick brown fox jumps over\n" * 2000)
    split_sentences(text)
    assert Counted.copied < 20 * len(text), "what stands before a line is not copied for each line"
