from __future__ import annotations

import math

import pytest

from worker.engines.text.bm25 import BM25, CollectionStatistics
from worker.engines.text.identifiers import content_id, text_sha256
from worker.engines.text.polarity import opposed, stance
from worker.engines.text.similarity import cosine, jaccard, near_identical, tfidf
from worker.engines.text.terms import Analyzer
from worker.engines.text.wording import count, listed, quoted, shortened, title_of, were


def test_statistics_and_inverse_document_frequency() -> None:
    statistics = CollectionStatistics.of([["a", "a", "b"], ["a"], ["c", "d"]])
    assert (statistics.units, statistics.mean_length) == (3, 2.0)
    assert statistics.idf("a") == pytest.approx(math.log(1 + (3 - 2 + 0.5) / (2 + 0.5)))
    assert statistics.idf("missing") == pytest.approx(math.log(1 + 3.5 / 0.5))


def test_bm25_follows_its_formula() -> None:
    scorer = BM25(mean_length=4.0, k1=1.2, b=0.75)
    norm = 1.2 * (1 - 0.75 + 0.75 * 8 / 4)
    expected = 2.0 * 3 * 2.2 / (3 + norm) + 0.5 * 1 * 2.2 / (1 + norm)
    assert scorer.score({"a": 2.0, "b": 0.5, "c": 9.0}, {"a": 3, "b": 1}, 8) == pytest.approx(expected)


def test_tfidf_vectors_have_unit_length() -> None:
    statistics = CollectionStatistics.of([["a", "b"], ["b", "c"], ["d"]])
    vector = tfidf(["a", "b", "b"], statistics)
    assert sum(weight**2 for weight in vector.values()) == pytest.approx(1)
    assert cosine(vector, vector) == pytest.approx(1)
    assert cosine(vector, tfidf(["d"], statistics)) == 0
    assert tfidf([], statistics) == {}


def test_near_identical_needs_nearly_all_words() -> None:
    base = frozenset("abcdefghij")
    assert near_identical(base, base | {"x"})
    assert near_identical(frozenset("abcdefg"), base)
    assert not near_identical(frozenset("abc"), base)
    assert not near_identical(base, frozenset("abcdeuvwxy"))
    assert not near_identical(frozenset(), frozenset())
    assert jaccard(frozenset("ab"), frozenset("bc")) == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("Sleep increases the retention of new words.", "Sleep decreases the retention of new words.", True),
        ("Sleep increases the retention of new words.", "Sleep does not increase the retention of new words.", True),
        ("Sleep affects the retention of words.", "Sleep does not affect the retention of words.", True),
        ("Sleep does not reduce the retention of words.", "Sleep increases the retention of words.", False),
        ("Sleep increases the retention of new words.", "Coffee decreases the heart rate of old dogs.", False),
        ("Sleep increases the retention of words.", "Sleep increases retention, but reduces words.", False),
        ("Sleep increases the retention of words.", "Sleep increases the retention of new words.", False),
    ],
)
def test_opposition(left: str, right: str, expected: bool) -> None:
    analyzer = Analyzer()
    assert opposed(stance(left, analyzer), stance(right, analyzer)) is expected
    assert opposed(stance(right, analyzer), stance(left, analyzer)) is expected


def test_identifiers_depend_on_every_part() -> None:
    assert content_id("claim", "a", "b") == content_id("claim", "a", "b")
    assert len({content_id("claim", *parts) for parts in [("a", "b"), ("ab", ""), ("", "ab"), ("b", "a")]}) == 4
    assert content_id("claim", "a").startswith("claim-")
    assert text_sha256("é") == "4a99557e4033c3539de2eb65472017cad5f9557f7a0625a09f1c3f6e2ba69c4c"


def test_wording() -> None:
    assert [count(number, "document") for number in (0, 1, 2, 11)] == [
        "no documents",
        "one document",
        "two documents",
        "11 documents",
    ]
    assert [were(number) for number in (0, 1, 2)] == ["none was", "one was", "two were"]
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert quoted(["a", "b"], "or") == "“a” or “b”"
    assert title_of("what is memory?  Say more.") == "What is memory?"
    assert title_of("Summarise the work on memory. Then stop.") == "Summarise the work on memory"
    assert len(title_of("word " * 100)) <= 162
    asked = (
        "How does the rate depend on wind speed, and does the solubility in the Aegean, the South China Sea and the Red"
    )
    assert title_of(f"{asked} Sea change?") == f"{asked} Sea change?"
    assert title_of("What did Dr. Smith say of aspirin vs. rest?") == "What did Dr. Smith say of aspirin vs. rest?"


@pytest.mark.parametrize(
    ("line", "most", "kept"),
    [
        ("It fell in the Aegean, the Red Sea and the Baltic", 27, "It fell in the Aegean …"),
        ("It fell in the whole of the Baltic", 23, "It fell in the whole …"),
        ("Was es kostet und was die Wärme der Gewässer bringt", 40, "Was es kostet und was die Wärme …"),
        ("One two three", 7, "One two …"),
        ("Onetwothree", 7, "Onetwot …"),
        ("One two", 7, "One two"),
    ],
)
def test_a_line_is_cut_where_nothing_is_left_open(line: str, most: int, kept: str) -> None:
    assert shortened(line, most) == kept
