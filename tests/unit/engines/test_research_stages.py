from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from tests.unit.engines.fakes import Context, Library, record
from worker.engines.base import Hit, Job
from worker.engines.research import calibration, confidence, gather, plan, screen, synthesise
from worker.engines.research.citations import Bibliography, csl_item, csl_name
from worker.engines.research.model import Candidate, Claim, Passage, Statement
from worker.engines.research.settings import Settings
from worker.engines.research.signals import Signals, signals_of, strengths_of
from worker.engines.research.themes import by_phrase
from worker.engines.text.terms import Analyzer


def hit(document_id: str, quote: str, start: int = 0) -> Hit:
    return Hit(document_id, document_id, 1.0, quote, None, start, start + len(quote))


def statement(text: str, document_id: str = "d1", start: int = 0, **fields: Any) -> Statement:
    values: dict[str, Any] = {
        "id": f"{document_id}-{start}",
        "document_id": document_id,
        "start": start,
        "end": start + len(text),
        "page": None,
        "quote": text,
        "text": text,
        "score": 0.8,
        "relevance": 0.8,
        "coverage": 0.8,
        "context": 0.8,
        "stems": (),
        "facets": (),
        "in_form": False,
    }
    return Statement(**{**values, **fields})


def claim(text: str, document_id: str = "d1", start: int = 0, **fields: Any) -> Claim:
    return Claim(f"claim-{document_id}-{start}", statement(text, document_id, start, **fields), ())


def candidate(document_id: str, title: str = "", **fields: Any) -> Candidate:
    values: dict[str, Any] = {
        "relevance": 1.0,
        "coverage": 0.8,
        "stems": ("sleep",),
        "passages": (Passage(0, 9, None),),
    }
    card = fields.pop("card", {})
    return Candidate(record=record(document_id, "text", title, **card), **{**values, **fields})


PLAN = plan.plan_of("sleep memory", Settings.of(Job("s", "research", "sleep memory")))


def test_fusion_is_by_reciprocal_rank() -> None:
    found = [[hit("a", "sleep"), hit("a", "memory", 10), hit("b", "sleep memory")], [hit("b", "sleep memory")]]
    records = {key: record(key, "text") for key in ("a", "b")}
    candidates, weights = gather.fuse(found, records, PLAN, "en", {})
    best = 3 / 61
    assert {item.document_id: item.relevance for item in candidates} == {
        "a": round(2 / 61 / best, 6),
        "b": round((2 / 62 + 1 / 61) / best, 6),
    }
    assert [item.document_id for item in candidates] == ["b", "a"]
    assert candidates[0].coverage == 1.0
    assert candidates[1].coverage == pytest.approx(weights["sleep"] / sum(weights.values()), abs=1e-6)
    assert candidates[1].stems == ("sleep", "memori")
    assert [passage.start for passage in candidates[1].passages] == [0, 10]


def test_hits_of_documents_without_text_are_ignored() -> None:
    candidates, _ = gather.fuse([[hit("gone", "sleep"), hit("a", "sleep")]], {"a": record("a", "text")}, PLAN, "en", {})
    assert [item.document_id for item in candidates] == ["a"]


async def test_documents_named_without_text_are_reported() -> None:
    sources = Library()
    sources.add("a", "Sleep helps memory.")
    sources.add("empty", "")
    context = Context(Job("s", "research", "sleep memory", documents=("a", "empty", "unknown")), sources)
    context.outputs["plan"] = await plan.run(context)
    await gather.run(context)
    left_out = next(entry for entry in context.decisions if entry["decision"] == "sources left out")
    assert [item["document_id"] for item in left_out["excluded"]] == ["empty", "unknown"]


def test_screening_gives_each_document_one_reason() -> None:
    candidates = [
        candidate("kept"),
        candidate("weak", coverage=0.05),
        candidate("weaker than the best", coverage=0.2),
        candidate("silent", passages=()),
        candidate("second"),
        candidate("third"),
    ]
    kept, excluded = screen.screen(candidates, PLAN, max_documents=2)
    assert [item.document_id for item in kept] == ["kept", "second"]
    assert {item.document_id: item.reason for item in excluded} == {
        "weak": "too little of what was asked: only “sleep”",
        "weaker than the best": "too little of what was asked: only “sleep”",
        "silent": "the searches found no passage of it",
        "third": "ranked below the 2 documents that are read",
    }


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ({"doi": "10.1/X"}, {"doi": "https://doi.org/10.1/x"}, True),
        ({"year": 2001, "authors": ("A. Berg",)}, {"year": 2001, "authors": ("A. Berg",)}, True),
        ({"year": 2001, "authors": ("A. Berg",)}, {"year": 2002, "authors": ("A. Berg",)}, False),
        ({"year": 2001}, {"year": 2001}, False),
    ],
)
def test_copies_of_a_work_are_recognised(left: dict[str, Any], right: dict[str, Any], same: bool) -> None:
    title = "The Long History of Sleep"
    kept, _ = screen.screen([candidate("a", title, card=left), candidate("b", title, card=right)], PLAN, 9)
    assert len(kept) == (1 if same else 2)


def test_a_short_title_does_not_make_two_works_one() -> None:
    card = {"year": 2001, "authors": ("A. Berg",)}
    kept, _ = screen.screen([candidate("a", "Notes", card=card), candidate("b", "Notes", card=card)], PLAN, 9)
    assert len(kept) == 2


def test_opposite_statements_are_never_merged() -> None:
    told = [
        statement("Sleep helps the memory of pupils.", "a"),
        statement("Sleep does not help the memory of pupils.", "b"),
    ]
    assert len(synthesise.merge(told, Analyzer())) == 2
    same = [statement("Sleep helps the memory of pupils.", "a"), statement("Sleep helps memory of the pupils.", "b")]
    (one,) = synthesise.merge(same, Analyzer())
    assert one.documents == ("a", "b")


def test_key_findings_are_spread_over_documents() -> None:
    told = [claim(f"Sleep stage {number} matters for memory.", "a", number * 50, score=0.9) for number in range(5)]
    told += [
        claim("Naps restore attention in pilots.", "b", score=0.5),
        claim("Caffeine delays sleep.", "c", score=0.4),
    ]
    chosen = synthesise.key_findings(told, Analyzer(), 4, "facet-prompt")
    assert sorted(item.statement.document_id for item in chosen) == ["a", "a", "b", "c"]


def test_themes_are_phrases_that_claims_of_two_documents_share() -> None:
    told = [
        claim("During sleep the working memory recovers.", "a"),
        claim("Naps extend the working memory of pilots.", "b"),
        claim("A heavy dinner delays sleep.", "a", 90),
    ]
    themes = by_phrase(told, ("sleep",), Analyzer(), themes=3, limit=5)
    assert [(theme.heading, len(theme.claims)) for theme in themes] == [("Working memory", 2), ("Further evidence", 1)]


SURE = Signals(strength=0.8, lead=0.5, apart=0.6, first=1.0)


def sure(claims: list[Claim], likely: float = 0.8, **changes: Any) -> confidence.Confidence:
    settings: dict[str, Any] = {"answered": True, "checked": 4, "failed": 0, "partial": False, "form_required": False}
    return confidence.of_answer(claims, likely, SURE, **{**settings, **changes})


def test_confidence_follows_its_formula() -> None:
    one = claim("Sleep helps.", coverage=0.5, context=0.6, stems=("sleep",))
    found = sure([one])
    assert found.score == 0.8
    assert found.parts == {**SURE.as_json(), "probability": 0.8, "verification": 1.0, "conflict": 0.0}
    assert sure([one], failed=1).score == pytest.approx(0.6)
    assert sure([one], partial=True).score == pytest.approx(0.72)
    assert sure([one], form_required=True).score == pytest.approx(0.48)
    assert sure([replace(one, conflicts=("other",))]).score == pytest.approx(0.6)
    assert sure([one], 0.3, answered=False).score == pytest.approx(0.06)
    assert sure([one], 0.9, answered=False).score == 0.1
    assert sure([], answered=False, checked=0).score == 0


def test_the_probability_is_the_logistic_of_the_signals() -> None:
    nothing, half = Signals(), Signals(**dict.fromkeys(Signals().as_json(), 0.5))
    all_of_it = Signals(**dict.fromkeys(Signals().as_json(), 1.0))
    assert calibration.probability(nothing) == pytest.approx(1 / (1 + math.exp(-calibration.INTERCEPT)), abs=1e-4)
    assert calibration.probability(nothing) < 0.05
    assert calibration.probability(all_of_it) > 0.9
    for name, weight in calibration.WEIGHTS.as_json().items():
        more = calibration.probability(replace(half, **{name: 0.9}))
        assert (more > calibration.probability(half)) == (weight > 0)


def test_confidence_of_a_finding_is_its_own_or_that_of_its_question() -> None:
    alone = claim("Sleep helps.", facets=("f1",))
    assert confidence.of_finding(alone, SURE, {}) == calibration.probability(SURE)
    assert confidence.of_finding(alone, SURE, {"f1": 0.6, "f2": 0.9}) == 0.6
    disputed = replace(alone, conflicts=("x",))
    assert confidence.of_finding(disputed, SURE, {}) == pytest.approx(calibration.probability(SURE) / 2, abs=1e-4)


def test_signals_are_measured_against_documents_that_do_not_say_the_same() -> None:
    head = replace(claim("Sleep helps.", coverage=0.8, context=1.0), echoes=(statement("Sleep helps.", "d2"),))
    own = head.statement.document_id
    found = [("other", 0.5), (own, 0.75), ("d2", 0.75), ("agrees", 0.95), *((f"x{n}", 0.25) for n in range(4))]
    signals = signals_of(head, found, {own: 0.4})
    assert (signals.strength, signals.lead, signals.first) == (0.9, 0.5, 0.5)
    assert signals.apart == pytest.approx(2 / 3, abs=1e-6)
    assert signals_of(head, found, strengths_of([replace(head.statement, coverage=1.0)])).strength == 1.0
    assert signals_of(head, [(own, 0.3), ("other", 0.5)], {}).lead == 0
    assert signals_of(None, found, {}) == Signals()


@pytest.mark.parametrize(
    ("author", "name"),
    [
        ("Chen, Mei", {"family": "Chen", "given": "Mei"}),
        ("Mei Ling Chen", {"family": "Chen", "given": "Mei Ling"}),
        ("Ludwig van der Berg", {"family": "van der Berg", "given": "Ludwig"}),
        ("Plato", {"literal": "Plato"}),
        ("World Health Organization", {"literal": "World Health Organization"}),
        ("Chen,", {"literal": "Chen"}),
    ],
)
def test_names(author: str, name: dict[str, str]) -> None:
    assert csl_name(author) == name


def test_csl_types() -> None:
    assert csl_item("c", record("d", "t", "T", doi="10.1/x", url="https://x.org"))["type"] == "article-journal"
    assert csl_item("c", record("d", "t", "T", url="https://x.org")) == {
        "id": "c",
        "type": "webpage",
        "title": "T",
        "URL": "https://x.org",
    }


def test_markers_are_places_in_the_list_of_citations() -> None:
    records = {key: record(key, "text") for key in ("a", "b")}
    books = Bibliography(records, {"a": "hash-a", "b": "hash-b"})
    first, second = statement("One.", "a", 50), statement("Two.", "b")
    assert books.marker([first]) == "[1]"
    assert books.marker([second, first]) == "[2][1]"
    assert books.marker([statement("Three.", "a", 7)]) == "[1]"
    listed = books.as_json()
    assert [item["document_id"] for item in listed] == ["a", "b"]
    assert [passage["start"] for passage in listed[0]["passages"]] == [7, 50]


@pytest.mark.parametrize(
    "other",
    [
        "In plot 1064 the moss of the northern bog grew by 14 mm in the second year.",
        "In plot 64 the moss of the northern bog grew by 14 cm in the second year.",
        "In plot 64 the moss of the Ulmia bog grew by 14 mm in the second year.",
    ],
)
def test_other_numbers_units_and_names_are_other_statements(other: str) -> None:
    told = "In plot 64 the moss of the northern bog grew by 14 mm in the second year."
    statements = [statement(told), statement(other, "d2"), statement(told, "d3")]
    claims = synthesise.merge(statements, Analyzer())
    assert [(item.statement.text, item.documents) for item in claims] == [(told, ("d1", "d3")), (other, ("d2",))]
