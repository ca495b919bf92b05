from __future__ import annotations

import math
import random
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from services.library.index.library_index import MAX_HITS, IndexHit, LibraryIndex, analyse
from services.library.index.scoring import Weights
from services.library.index.segment import AnalysedDocument
from services.library.index.snapshot import SnapshotInvalid, dump, load
from services.library.index.terms import Analyzer
from services.library.passages import Passage, split

TEXTS = {
    "bog": ("Bogs and Peat", "Peat is made of moss. Bogs keep carbon for thousands of years."),
    "fen": ("Fens", "Fens are fed by ground water. They hold less peat than bogs."),
    "oak": ("Oak Woods", "Oaks grow on dry ground. Their acorns feed jays."),
}


def prepared(document_id: str, title: str, text: str) -> AnalysedDocument:
    return analyse(Analyzer(), document_id, title, text, split(text))


def indexed(texts: dict[str, tuple[str, str]] = TEXTS, weights: Weights | None = None) -> LibraryIndex:
    index = LibraryIndex(weights=weights)
    index.apply([prepared(key, *value) for key, value in texts.items()], revision=1)
    return index


def ids(hits: list[IndexHit]) -> list[str]:
    return [hit.document_id for hit in hits]


def test_terms_are_folded_stemmed_and_without_stop_words() -> None:
    terms = Analyzer().terms
    assert terms("The Studies of CAFÉS weren't studying the café’s 3.5 µg") == terms("study cafe study cafe 3.5 μg")
    assert terms("whose and therefore") == []
    assert terms("TGF-β1 binding") == ["tgf", "β1", "bind"]
    assert terms("苔の庭 x") == ["苔の", "の庭", "x"]
    assert terms("x" * 65) == []


def test_the_best_document_comes_first_with_its_place() -> None:
    hits = indexed().search("peat in bogs")
    assert ids(hits) == ["bog", "fen"]
    text = TEXTS["bog"][1]
    assert text[hits[0].start : hits[0].end] == text
    assert hits[0].score > hits[1].score > 0
    assert hits[0].page is None


def test_nothing_is_found_for_nothing() -> None:
    assert indexed().search("whales") == []
    assert indexed().search("the of and") == []
    assert indexed().search("") == []
    assert LibraryIndex().search("peat") == []
    assert indexed().search("peat", limit=0) == []


def test_bm25_by_hand() -> None:
    texts = {"a": ("", "peat peat moss"), "b": ("", "peat water water water"), "c": ("", "sand")}
    weights = Weights(k1=1.2, b=0.75, title=0.0, passage=0.0)
    hits = indexed(texts, weights).search("peat peat")
    average = (3 + 4 + 1) / 3
    idf = math.log(1 + (3 - 2 + 0.5) / (2 + 0.5))

    def expected(frequency: int, length: int) -> float:
        return 2 * idf * frequency * 2.2 / (frequency + 1.2 * (0.25 + 0.75 * length / average))

    assert ids(hits) == ["a", "b"]
    assert [hit.score for hit in hits] == pytest.approx([expected(2, 3), expected(1, 4)])


def test_repeated_query_words_count() -> None:
    texts = {"moss": ("", "moss moss"), "peat": ("", "peat peat"), "sand": ("", "sand")}
    assert ids(indexed(texts).search("moss peat peat")) == ["peat", "moss"]
    assert ids(indexed(texts).search("moss moss peat")) == ["moss", "peat"]


def test_title_words_find_and_weigh_more() -> None:
    texts = {
        "named": ("Heather", "It is purple."),
        "told": ("", "Heather blooms late on this moor."),
        "none": ("", "Sand."),
    }
    hits = indexed(texts).search("heather")
    assert ids(hits) == ["named", "told"]
    assert (hits[0].start, hits[0].end) == (0, len("It is purple."))


def test_a_title_that_the_text_repeats_counts_once() -> None:
    again = {"a": ("Peat burns", "Peat burns slowly.")}
    assert indexed(again).search("peat") == indexed({"a": ("", "Peat burns slowly.")}).search("peat")


def test_headings_find_the_passages_below_them() -> None:
    text = "# Lichen\n\nThey grow on bark.\n\n# Moss\n\nIt grows on stone."
    index = indexed({"a": ("", text)})
    (hit,) = index.search("lichen", passages=True)
    assert text[hit.start : hit.end] == "They grow on bark."


LONG = "\n\n".join(f"# Part {n}\n\nWater and sand. {'Heather blooms. ' * n}" for n in range(1, 6))


def test_one_hit_a_document_unless_passages() -> None:
    index = indexed({"long": ("", LONG), "short": ("", "Heather.")})
    assert sorted(ids(index.search("heather"))) == ["long", "short"]
    hits = index.search("heather", passages=True)
    assert Counter(ids(hits)) == {"long": 5, "short": 1}
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    best = next(hit for hit in index.search("heather") if hit.document_id == "long")
    assert best.start == next(hit.start for hit in hits if hit.document_id == "long")


def test_a_restriction_limits_hits_and_not_statistics() -> None:
    index = indexed()
    every = {hit.document_id: hit for hit in index.search("peat bogs")}
    assert index.search("peat bogs", document_ids=["fen", "unknown"]) == [every["fen"]]
    assert index.search("peat bogs", document_ids=[]) == []
    assert ids(index.search("peat bogs", document_ids=["fen"], passages=True)) == ["fen"]


def test_ties_go_by_id_also_at_the_limit() -> None:
    texts = {f"d{n:02}": ("", "peat") for n in range(20)}
    keys = list(texts)
    random.Random(5).shuffle(keys)
    index = LibraryIndex()
    for key in keys:
        index.apply([prepared(key, *texts[key])], revision=1)
    assert ids(index.search("peat", limit=7)) == [f"d{n:02}" for n in range(7)]


def test_the_limit_has_a_limit() -> None:
    index = indexed({f"{n:04}": ("", "peat") for n in range(MAX_HITS + 5)})
    assert len(index.search("peat", limit=MAX_HITS + 5)) == MAX_HITS


def test_the_last_of_one_id_wins_and_a_delete_wins_over_it() -> None:
    index = LibraryIndex()
    index.apply([prepared("a", "", "peat"), prepared("a", "", "sand")], revision=1)
    assert index.documents == 1
    assert ids(index.search("sand")) == ["a"]
    index.apply([prepared("a", "", "clay")], ["a", "never there"], revision=2)
    assert index.documents == index.passages == 0
    assert index.revision == 2


def test_a_document_without_passages_is_only_taken_out() -> None:
    index = indexed()
    index.apply([AnalysedDocument("bog", ["peat"], [])], revision=2)
    assert ids(index.search("peat bogs")) == ["fen"]


def test_counts_beyond_a_byte_saturate() -> None:
    index = indexed({"a": ("", "peat " * 150 + ". " + "peat " * 150), "b": ("", "sand")})
    assert ids(index.search("peat")) == ["a"]


def test_readers_keep_the_state_they_took() -> None:
    index = indexed()
    state = index.state
    index.apply(deletes=["bog"], revision=9)
    assert state.revision == 1
    assert sum(view.live_documents for view in state.views) == 3
    assert index.documents == 2


def test_a_segment_that_deletes_have_shrunk_is_merged_also_in_the_middle() -> None:
    index = LibraryIndex()
    texts = {f"d{number:02}": ("", f"peat {number}") for number in range(28)}
    for revision, keys in enumerate((list(texts)[:20], list(texts)[20:26], list(texts)[26:])):
        index.apply([prepared(key, *texts[key]) for key in keys], revision=revision)
    index.apply(deletes=[f"d{number:02}" for number in range(9)], revision=9)
    sizes = [view.live_passages for view in index.state.views]
    assert all(left >= 2 * right for left, right in pairwise(sizes))
    assert sum(sizes) == 19


VOCABULARY = ["peat", "bog", "moss", "fen", "water", "sand", "oak", "jay", "acorn", "carbon"]
TEXT = st.lists(st.sampled_from([*VOCABULARY, "# Head\n\n", ".", "\n\n"]), min_size=1, max_size=30).map(" ".join)


class GrownIndex(RuleBasedStateMachine):
    """However an index came about, it finds what one built afresh finds, to the last bit."""

    def __init__(self) -> None:
        super().__init__()
        self.index = LibraryIndex()
        self.texts: dict[str, tuple[str, str]] = {}
        self.revision = 0

    @rule(changes=st.dictionaries(st.integers(0, 30), st.tuples(TEXT, TEXT), max_size=8))
    def put(self, changes: dict[int, tuple[str, str]]) -> None:
        named = {f"d{number:02}": texts for number, texts in changes.items()}
        self.revision += 1
        documents = [prepared(key, *texts) for key, texts in named.items()]
        self.index.apply(documents, revision=self.revision)
        self.texts |= named
        for document in documents:
            if not document.passages:
                del self.texts[document.document_id]

    @rule(numbers=st.sets(st.integers(0, 30), max_size=5))
    def delete(self, numbers: set[int]) -> None:
        gone = {f"d{number:02}" for number in numbers}
        self.revision += 1
        self.index.apply(deletes=gone, revision=self.revision)
        self.texts = {key: texts for key, texts in self.texts.items() if key not in gone}

    @rule()
    def reload(self) -> None:
        self.index = load(dump(self.index))

    @invariant()
    def as_built_afresh(self) -> None:
        fresh = indexed(self.texts)
        assert self.index.documents == fresh.documents == len(self.texts)
        assert self.index.revision == self.revision
        sizes = [view.live_passages for view in self.index.state.views]
        assert all(left >= 2 * right for left, right in pairwise(sizes))
        for passages in (False, True):
            for query in ("peat bog bog", "acorn", "moss water carbon head"):
                assert self.index.search(query, passages=passages) == fresh.search(query, passages=passages)


GrownIndex.TestCase.settings = settings(max_examples=40, stateful_step_count=12, deadline=None)
test_grown_index = GrownIndex.TestCase


def test_a_snapshot_holds_everything() -> None:
    index = indexed()
    index.apply([prepared("new", "Title", LONG)], ["oak"], revision=7)
    again = load(dump(index))
    assert again.revision == 7
    assert again.nbytes == index.nbytes
    for query in ("peat", "heather title", "oak"):
        assert again.search(query) == index.search(query)
    again.apply(deletes=["bog"], revision=8)
    assert "bog" not in ids(again.search("peat"))


@pytest.mark.parametrize("damage", ["nothing", "cut", "flipped", "other version", "other analysis"])
def test_a_damaged_snapshot_is_refused(damage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if damage == "other analysis":
        monkeypatch.setattr("services.library.index.snapshot.ANALYSIS", "klingon/3")
    data = dump(indexed())
    monkeypatch.undo()
    middle = len(data) // 2
    data = {
        "nothing": b"",
        "cut": data[:-10],
        "flipped": data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :],
        "other version": data.replace(b"prsm-index-2", b"prsm-index-0", 1),
    }.get(damage, data)
    with pytest.raises(SnapshotInvalid):
        load(data)


def test_a_large_library_is_searched_like_a_small_one() -> None:
    chance = np.random.default_rng(3)
    letters = np.array(list("bcdfghjklmnpqrtv"))
    words = ["".join(letters[[number >> 8, number >> 4 & 15, number & 15]]) for number in range(3000)]
    ranks = 1 / np.arange(1, 3001)
    drawn = chance.choice(3000, size=(4000, 40), p=ranks / ranks.sum())
    analysed = []
    for number, row in enumerate(drawn):
        text = " ".join(words[each] for each in row)
        analysed.append(analyse(Analyzer(), f"{number:05}", "", text, [Passage(0, len(text))]))
    index = LibraryIndex()
    for start in range(0, 4000, 500):
        index.apply(analysed[start : start + 500], revision=start)
    holding = [f"{number:05}" for number in range(4000) if 700 in drawn[number]]
    assert sorted(ids(index.search(words[700], limit=1000))) == holding
    assert index.nbytes < 250 * index.documents + 40 * 4000 * 12
