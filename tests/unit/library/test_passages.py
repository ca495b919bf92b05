from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.library.domain import Span
from services.library.passages import MAX_WORDS, MIN_WORDS, TARGET_WORDS, Passage, split, split_dataset
from services.library.sentences import sentences

SENTENCE = "The heather keeps the water in the upper layer of the moor."


def quoted(text: str) -> list[str]:
    return [text[passage.start : passage.end] for passage in split(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("See Fig. 3 and Smith et al. (2004). Next.", ["See Fig. 3 and Smith et al. (2004).", "Next."]),
        ("As shown by Ng et al. We differ.", ["As shown by Ng et al.", "We differ."]),
        ("It was J. R. Ewing. He left.", ["It was J. R. Ewing.", "He left."]),
        ("About 3.5 of e.g. iron. Done.", ["About 3.5 of e.g. iron.", "Done."]),
        ('He said "stop." Then (he left.) Now.', ['He said "stop."', "Then (he left.)", "Now."]),
        ("Wait... what? Yes.", ["Wait... what?", "Yes."]),
        ("苔は水を好む。土は要らない。", ["苔は水を好む。", "土は要らない。"]),
        ("काई पानी रखती है। पानी ठंडा है।", ["काई पानी रखती है।", "पानी ठंडा है।"]),
        ("هل الماء بارد؟ نعم.", ["هل الماء بارد؟", "نعم."]),
        ("  spaced  ", ["spaced"]),
        ("", []),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert [text[start:end] for start, end in sentences(text, 0, len(text))] == expected


def test_passages_are_whole_sentences_of_the_target_length() -> None:
    text = " ".join([SENTENCE] * 60)
    for quote in quoted(text):
        assert quote.startswith("The heather")
        assert quote.endswith("moor.")
        assert MIN_WORDS <= len(quote.split()) <= MAX_WORDS
    assert all(len(quote.split()) >= TARGET_WORDS for quote in quoted(text)[:-1])


def test_short_paragraphs_of_one_section_go_together() -> None:
    assert quoted(f"{SENTENCE}\n\n{SENTENCE}") == [f"{SENTENCE}\n\n{SENTENCE}"]


def test_headings_divide_and_stay_beside() -> None:
    text = f"The Moor\n\n1 Water\n\n{SENTENCE}\n\n## Fire ##\nIt burns.\n\nAfterword"
    passages = split(text)
    assert [text[p.start : p.end] for p in passages] == [SENTENCE, "It burns.\n\nAfterword"]
    headings = [text[slice(*p.heading)] if p.heading else None for p in passages]
    assert headings == ["The Moor\n\n1 Water", "## Fire ##"]


def test_a_heading_over_nothing_is_found_itself() -> None:
    text = f"{SENTENCE}\n\n# Open questions"
    assert quoted(text) == [SENTENCE, "# Open questions"]


@pytest.mark.parametrize(
    "text",
    [
        "冷水比温水溶解更多的气体。\n\n湖水在1990年至2020年间变暖。\n\n酸碱度也随之下降。",
        "「苔は水を好む。」\n\nMoss holds water!\n\n土は要らない？",
        "काई पानी रखती है।\n\nपानी ठंडा है।",
        "الماء بارد؟\n\nنعم.",
        "Cold brine holds gas.\n\nWarm brine lets it go.",
    ],
)
def test_a_short_paragraph_that_ends_as_a_sentence_is_no_heading(text: str) -> None:
    assert quoted(text) == [text]
    assert quoted(f"# 湖\n\n{text}") == [text]


def test_a_long_line_without_spaces_is_no_heading() -> None:
    text = "湖水在夏天变暖而溶解的气体随之减少所以鱼类需要在更深的水层里寻找食物\n\n湖水很冷。"
    assert quoted(text) == [text]
    assert quoted("湖水的温度\n\n湖水很冷。") == ["湖水很冷。"]


def test_a_sentence_without_end_is_cut_between_words() -> None:
    quotes = quoted("word " * 450)
    assert [len(quote.split()) for quote in quotes] == [200, 200, 50]
    assert all(quote == quote.strip() for quote in quotes)


def test_the_page_is_that_of_the_beginning() -> None:
    text = " ".join([SENTENCE] * 30)
    middle = text.index("The", len(text) // 2)
    pages = [Span(1, 0, middle - 1), Span(2, middle, len(text))]
    passages = split(text, pages)
    assert [p.page for p in passages] == [1 if p.start < middle else 2 for p in passages]
    assert {p.page for p in passages} == {1, 2}
    assert all(p.page is None for p in split(text))


def test_a_dataset_is_its_head() -> None:
    text = "species,height\n" + "hazel,4\n" * 1000
    (passage,) = split_dataset(text)
    head = text[passage.start : passage.end]
    assert head.startswith("species,height\nhazel,4\n")
    assert head.endswith("hazel,4")
    assert len(head) <= 2000
    assert split_dataset("a,b", [Span(1, 0, 3)]) == [Passage(0, 3, 1)]
    assert split_dataset(" \n ") == []
    assert split_dataset("x" * 5000) == [Passage(0, 2000)]


WORDS = st.sampled_from(
    ["peat", "A bog.", "Water!", "# Title", "\n", "\n\n", " ", "\t", "-", "苔。", "x" * 50, "3.5", "Dr."]
)


@settings(max_examples=300)
@given(st.lists(WORDS, max_size=400).map(" ".join))
def test_passages_cover_the_text_in_order_without_overlap(text: str) -> None:
    position = 0
    kept: set[int] = set()
    for passage in split(text):
        assert position <= passage.start < passage.end <= len(text)
        position = passage.end
        quote = text[passage.start : passage.end]
        assert quote == quote.strip()
        kept.update(range(passage.start, passage.end))
        if passage.heading:
            kept.update(range(*passage.heading))
    assert all(text[index].isspace() for index in set(range(len(text))) - kept)
