from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import pytest

from services.library.index import feedback
from services.library.index.codes import coded, cosines, decoded, lengths_of
from services.library.index.latent import FEWEST, learn
from services.library.index.library_index import IndexHit, LibraryIndex, analyse
from services.library.index.phrases import phrases_of
from services.library.index.scoring import Scorer, Weights
from services.library.index.segment import AnalysedDocument
from services.library.index.sense import sense_of
from services.library.index.snapshot import dump, load
from services.library.index.terms import Analyzer
from services.library.index.variants import with_variants
from services.library.passages import split
from worker.engines.text import directions

SUBJECTS = {
    "peat": ["peat", "bog", "moss", "carbon", "mire", "sphagnum", "fen", "drainage"],
    "star": ["star", "galaxy", "nebula", "telescope", "orbit", "comet", "dust", "light"],
    "bread": ["bread", "flour", "yeast", "dough", "oven", "crust", "salt", "knead"],
}


def prepared(document_id: str, title: str, text: str) -> AnalysedDocument:
    return analyse(Analyzer(), document_id, title, text, split(text))


def written(count: int = 90) -> dict[str, AnalysedDocument]:
    """Documents of six words each on one of three subjects, and a word of their own."""
    chance = random.Random(5)
    subjects = list(SUBJECTS.values())
    return {
        f"d{number:03}": prepared(
            f"d{number:03}", "", " ".join([*chance.sample(subjects[number % 3], 6), f"only{chr(97 + number % 26)}x"])
        )
        for number in range(count)
    }


def indexed(documents: Sequence[AnalysedDocument], *, model: bool = True) -> LibraryIndex:
    index = LibraryIndex()
    index.apply(documents, revision=1)
    if model:
        index.learn()
    return index


def ids(hits: Sequence[IndexHit]) -> list[str]:
    return [hit.document_id for hit in hits]


def test_words_with_numbers_are_found_by_their_parts_and_joined() -> None:
    terms = Analyzer().terms
    assert terms("IL6 and CD28") == ["il6", "il", "cd28", "cd", "28"]
    assert terms("GATA-3") == ["gata", "3", "gata3"]
    assert terms("well-known") == terms("well known")


def test_codes_lie_in_their_range_and_multiply_exactly_in_any_company() -> None:
    chance = np.random.default_rng(2)
    rows = coded(chance.standard_normal((300, 384)).astype(np.float32))
    assert rows.dtype == np.int8
    assert (np.abs(rows.astype(int)).max(axis=1) == 127).all()
    query = rows[7]
    together = cosines(rows, lengths_of(rows), query)
    alone = [float(cosines(rows[n : n + 1], lengths_of(rows[n : n + 1]), query)[0]) for n in range(300)]
    assert together.tolist() == alone
    exact = rows.astype(int) @ query.astype(int)
    lengths = np.sqrt((rows.astype(int) ** 2).sum(axis=1))
    assert together == pytest.approx(exact / (lengths * lengths[7]))
    assert np.linalg.norm(decoded(rows), axis=1) == pytest.approx(np.ones(300))


def test_a_row_of_zeros_is_near_to_nothing() -> None:
    rows = np.zeros((2, 4), dtype=np.int8)
    assert cosines(rows, lengths_of(rows), coded(np.ones((1, 4), dtype=np.float32))[0]).tolist() == [0.0, 0.0]


def test_a_small_library_has_no_model_and_loses_it_when_it_shrinks() -> None:
    documents = written(FEWEST)
    index = indexed(list(documents.values()))
    model = index.state.model
    assert model is not None
    assert not index.due()
    index.apply(deletes=["d000"], revision=2)
    assert learn(index.state.views) is None
    index.learn()
    assert index.state.model is None
    assert all(view.segment.latent_documents.shape[1] == 0 for view in index.state.views)


def test_a_model_is_due_when_the_library_grew_by_a_quarter_and_overdue_when_it_doubled() -> None:
    documents = list(written(130).values())
    index = indexed(documents[:60], model=False)
    assert index.overdue()
    index.learn()
    index.apply(documents[60:75], revision=2)
    assert not index.due()
    index.apply(documents[75:76], revision=3)
    assert index.due()
    assert not index.overdue()
    index.apply(documents[76:121], revision=4)
    assert index.overdue()


def test_the_model_finds_what_shares_the_subject_and_no_word() -> None:
    documents = written()
    without = prepared("other", "", "moss mire sphagnum fen")
    index = indexed([*documents.values(), without])
    assert "other" not in ids(indexed([*documents.values(), without], model=False).search("carbon", limit=5))
    hits = index.search("carbon", limit=1000)
    assert "other" in ids(hits)
    assert all(int(document_id[1:]) % 3 == 0 for document_id in ids(hits)[:10] if document_id != "other")


@pytest.mark.parametrize("passages", [False, True])
def test_however_it_grew_a_learnt_index_is_as_one_built_afresh(passages: bool) -> None:
    documents = written(120)
    grown = LibraryIndex()
    for begin in range(0, 120, 17):
        grown.apply(list(documents.values())[begin : begin + 17], revision=begin)
    grown.apply([documents["d005"]], ["d011", "d030"], revision=200)
    grown.learn()
    left = [document for key, document in documents.items() if key not in {"d011", "d030"}]
    random.Random(1).shuffle(left)
    fresh = indexed(left)
    reloaded = load(dump(grown))
    assert len(grown.state.views) > 1
    # Two neighbours of a document that is there, and of one that is gone.
    segment = fresh.state.views[0].segment
    quoted = " ".join(segment.term_at(int(number)).decode() for number in segment.body_terms[:2])
    for query in ("peat carbon", f'"{quoted}"', "telescope onlyax", "yeast oven crust moss", "drain"):
        expected = fresh.search(query, passages=passages, limit=100)
        assert expected
        assert grown.search(query, passages=passages, limit=100) == expected
        assert reloaded.search(query, passages=passages, limit=100) == expected


def test_what_comes_after_the_learning_is_folded_in() -> None:
    index = indexed(list(written().values()))
    index.apply([prepared("late", "", "moss mire sphagnum fen")], revision=2)
    assert "late" in ids(index.search("carbon", limit=1000))


def test_two_indexes_as_one_share_the_model_of_the_first() -> None:
    index = indexed(list(written().values()))
    both = index.beside(indexed([prepared("late", "", "moss mire sphagnum fen")], model=False))
    assert "late" in ids(both.search("carbon", limit=1000))


def test_two_indexes_as_one_are_ranked_by_an_encoder_only_where_both_are() -> None:
    towards = np.array([1.0, 0.0], dtype=np.float32)
    far, near = (coded(np.array([row], dtype=np.float32)) for row in ([0.0, 1.0], [1.0, 0.1]))
    encoded, other = LibraryIndex(encode=lambda query: towards), LibraryIndex(encode=lambda query: towards)
    encoded.apply([prepared("a", "", "peat"), prepared("b", "", "sand")], revision=1)
    encoded.attach({"a": far, "b": near})
    other.apply([prepared("c", "", "peat")], revision=1)
    other.attach({"c": far})
    assert ids(encoded.beside(other).search("peat")) == ["b", "a", "c"]
    assert ids(encoded.beside(LibraryIndex(other.state.views)).search("peat")) == ["a", "c"]


def test_what_is_quoted_counts_where_it_stands_side_by_side() -> None:
    texts = {
        "apart": "Methane came from the bog and its emission was low.",
        "swapped": "The emission methane had came from the low bog.",
        "beside": "From the low bog came its methane emissions alone.",
        "headed": "From the low bog gas came, it was measured there.",
    }
    index = indexed([prepared(key, "Methane emission" if key == "headed" else "", text) for key, text in texts.items()])
    plain = {hit.document_id: hit.score for hit in index.search("methane emission")}
    quoted = {hit.document_id: hit.score for hit in index.search("“methane emission”")}
    assert {key for key in plain if quoted[key] > plain[key]} == {"beside", "headed"}
    assert quoted["apart"] == plain["apart"]
    assert ids(index.search('"methane of the emission" "light', passages=True))[0] == "beside"
    analyzer = Analyzer()
    assert phrases_of('"GATA-3 binding" and "the" «bog moss» "bog moss"', analyzer) == [
        ("gata", "3", "bind"),
        ("bog", "moss"),
    ]
    assert phrases_of(" ".join(f'"peat bog {number}"' for number in range(99)), analyzer)[8:] == []


def test_variants_are_words_with_the_same_beginning_and_never_outweigh_theirs() -> None:
    index = indexed([prepared("a", "", "inhibitor"), prepared("b", "", "inhibition"), prepared("c", "", "inhale")])
    scorer = Scorer(index.state.views, Weights())
    weighed = with_variants(scorer, {"inhibitor": 1.0})
    assert set(weighed) == {"inhibitor", "inhibit"}
    assert 0 < weighed["inhibit"] < 0.15
    assert ids(index.search("inhibitor")) == ["a", "b"]
    assert with_variants(scorer, {"inha": 1.0}) == {"inha": 1.0}


def test_feedback_brings_the_words_of_the_first_documents() -> None:
    index = indexed(list(written().values()), model=False)
    scorer = Scorer(index.state.views, Weights())
    first = feedback.Found(0, 0, 1.0)
    added = feedback.expansion(scorer, [first])
    assert sum(added.values()) == pytest.approx(1.0)
    segment = index.state.views[0].segment
    numbers, counts = feedback.document_terms(segment, 0)
    assert set(added) == {segment.term_at(number).decode() for number in numbers.tolist()}
    assert counts.tolist() == [1.0] * len(numbers)


def test_feedback_is_weighed_by_what_the_best_document_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    index = indexed(list(written().values()), model=False)
    scorer = Scorer(index.state.views, Weights())
    own = dict.fromkeys(feedback.expansion(scorer, [feedback.Found(0, 0, 1.0)]), 1.0)
    assert feedback.uncovered(scorer, own, feedback.Found(0, 0, 1.0)) == 0.0
    assert feedback.uncovered(scorer, {"yeast": 1.0, "nowhere": 1.0}, feedback.Found(0, 0, 1.0)) == 1.0
    query = "peat telescope yeast"
    expanded = index.search(query, limit=100)
    monkeypatch.setattr(feedback, "SHARE", 0.0)
    plain = index.search(query, limit=100)
    assert len(expanded) >= len(plain)
    assert [hit.score for hit in expanded] != [hit.score for hit in plain]


def test_near_duplicates_are_folded_and_the_head_varied_only_when_asked() -> None:
    words = [f"{left}{right}" for left in ("ka", "lo", "mi", "nu") for right in ("ba", "de", "fi", "go", "ru")]
    texts = {
        "a": ("peat " + " ".join(words)),
        "b": ("peat " + " ".join(words[:-1])),
        "c": ("peat " + " ".join(reversed(words)) + " more words here"),
    }
    index = indexed([prepared(key, "", text) for key, text in texts.items()])
    assert sorted(ids(index.search("peat", passages=True))) == ["a", "b", "c"]
    assert ids(index.search("peat", passages=True, varied=True)) == ["b", "c", "a"], "a copy is last"
    assert ids(index.search("peat", passages=True, varied=True, limit=2)) == ["b", "c"]
    twice = indexed([prepared("a", "", f"# One\n\n{texts['a']}\n\n# Two\n\n{texts['b']}\n")])
    assert len(twice.search("peat", passages=True)) == 2
    assert len(twice.search("peat", passages=True, varied=True)) == 1


@pytest.mark.parametrize(
    ("said", "other"),
    [
        ("reduces weight", "does not reduce weight"),
        ("reduces weight", "doesn’t reduce weight"),
        ("reduces weight", "raises weight"),
        ("reduces weight by 2 g", "reduces weight by 2 kg"),
        ("reduces weight by 2 g", "reduces weight by 3 g"),
        ("reduces weight by two grams", "reduces weight by three grams"),
        ("die Kur wirkt", "die Kur wirkt nicht"),
    ],
)
def test_passages_that_differ_in_a_number_or_a_denial_are_no_near_duplicates(said: str, other: str) -> None:
    words = " ".join(f"{left}{right}" for left in ("ka", "lo", "mi", "nu") for right in ("ba", "de", "fi", "go", "ru"))
    text = "# One\n\nPeat {} here {words}.\n\n# Two\n\nPeat {} here {words}.\n"
    index = indexed([prepared("a", "", text.format(said, other, words=words))])
    assert len(index.search("peat", passages=True, varied=True)) == 2
    index = indexed([prepared("a", "", text.format(said, said, words=words))])
    assert len(load(dump(index)).search("peat", passages=True, varied=True)) == 1


def test_not_is_the_same_however_it_is_written() -> None:
    assert sense_of("It didn’t rise by 1 %.") == sense_of("It did not rise by 1%.") != sense_of("It did rise by 1 %.")


def test_the_sense_of_a_passage_knows_what_points_and_denies_in_findings() -> None:
    told = directions.SIGNS.union(*directions.DENIALS_ELSEWHERE.values())
    assert [word for word in sorted(told) if sense_of(word) == sense_of("")] == []


def test_an_encoders_vectors_join_the_ranking() -> None:
    towards = np.array([1.0, 0.0], dtype=np.float32)
    index = LibraryIndex(encode=lambda query: towards)
    index.apply([prepared("a", "", "peat moss"), prepared("b", "", "peat bog"), prepared("c", "", "sand")], revision=1)
    wanted = index.unencoded(1)
    assert list(wanted) == ["a"]
    assert wanted["a"] == [(0, len("peat moss"))]
    codes = {"a": [[0.0, 1.0]], "b": [[1.0, 0.1]], "c": [[1.0, 0.2]]}
    index.attach({key: coded(np.array(rows, dtype=np.float32)) for key, rows in codes.items()})
    assert index.unencoded(10) == {}
    assert ids(index.search("peat")) == ["b", "c", "a"]
    again = load(dump(index, encoder="one"), encoder="one", encode=lambda query: towards)
    assert again.search("peat") == index.search("peat")
    assert list(load(dump(index, encoder="one"), encoder="two").unencoded(10)) == ["a", "b", "c"]
    index.apply([prepared("d", "", "peat fen")], ["a"], revision=2)
    assert list(index.unencoded(10)) == ["d"]
    assert ids(index.search("peat")) == ["b", "d"], "while one has no vector, nobody gains by one"
    index.attach({"d": coded(np.array([[1.0, 0.0]], dtype=np.float32))})
    assert ids(index.search("peat")) == ["d", "b", "c"]
