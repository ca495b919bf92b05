from __future__ import annotations

import pytest

from tests.unit.engines.fakes import Context, Library
from worker.engines.base import Job
from worker.engines.research import plan
from worker.engines.research.coverage import coverage, importance
from worker.engines.research.intent import answer_form
from worker.engines.research.model import Plan, Term
from worker.engines.research.settings import DEPTHS, Settings


def plan_of(prompt: str, **preferences: object) -> Plan:
    return plan.plan_of(prompt, Settings.of(Job("s", "research", prompt, preferences=preferences)))


def test_terms_are_the_words_of_the_subject() -> None:
    found = plan_of("What is known about spaced repetition and retention of vocabulary, and about repetition?")
    assert [(term.word, term.weight) for term in found.terms] == [
        ("spaced", 1.0),
        ("repetition", 2.0),
        ("retention", 1.0),
        ("vocabulary", 1.0),
    ]


def test_weak_words_weigh_less_and_question_words_count_only_alone() -> None:
    assert {term.word: term.weight for term in plan_of("What is the effect of sleep?").terms} == {
        "effect": plan.WEAK_WEIGHT,
        "sleep": 1.0,
    }
    assert [term.word for term in plan_of("Which examples are possible?").terms] == ["examples", "possible"]
    assert [term.word for term in plan_of("How much is it?").terms] == ["is", "it"]


def test_the_dimension_of_a_quantity_is_no_term() -> None:
    assert [term.word for term in plan_of("How fast does sea level rise?").terms] == ["sea", "level", "rise"]


def test_the_first_facet_is_the_prompt_and_phrases_are_its_aspects() -> None:
    found = plan_of("How do spaced practice and long-term sleep loss act on memory?")
    assert [(facet.kind, facet.label) for facet in found.facets] == [
        ("prompt", "How do spaced practice and long-term sleep loss act on memory?"),
        ("aspect", "spaced practice"),
        ("aspect", "long-term sleep loss act"),
        ("aspect", "memory"),
    ]
    assert found.facets[1].query.startswith("spaced practice spaced practice How do")


def test_sub_questions_are_facets_and_follow_ups_keep_the_topic() -> None:
    found = plan_of("How does the ocean take up carbon, and what limits it? Why does it matter for the climate?")
    assert [(facet.kind, facet.label) for facet in found.facets[1:]] == [
        ("question", "How does the ocean take up carbon?"),
        ("question", "What limits it?"),
        ("question", "Why does it matter for the climate?"),
    ]
    assert found.facets[2].query == "What limits it? How does the ocean take up carbon?"


def test_depth_bounds_the_facets() -> None:
    prompt = "Compare sleep, food, sport, music, reading, travel, chess and gardening."
    assert len(plan_of(prompt, depth="quick").facets) == DEPTHS["quick"].facets
    assert len(plan_of(prompt, depth="standard").facets) == DEPTHS["standard"].facets
    assert len(plan_of(prompt, depth="deep").facets) == 9


def test_a_prompt_of_pages_keeps_its_most_repeated_terms() -> None:
    prompt = " ".join(f"alpha{number % 70:02}" for number in range(130)) + " alpha69"
    found = plan_of(prompt)
    assert len(found.terms) == plan.MAX_TERMS
    assert found.terms[0].word == "alpha00"
    assert all(len(facet.query) <= plan.MAX_QUERY for facet in found.facets)


@pytest.mark.parametrize(
    ("preferences", "expected"),
    [
        ({}, ("standard", 25, 120, "en", 0)),
        ({"depth": "quick", "seed": 7.0}, ("quick", 10, 40, "en", 7)),
        ({"depth": "deep", "max_documents": 5.0, "language": "de"}, ("deep", 5, 300, "de", 0)),
        ({"depth": "unheard of", "max_documents": -3, "seed": "x"}, ("standard", 25, 120, "en", 0)),
        ({"max_documents": 5000}, ("standard", 5000, 1000, "en", 0)),
    ],
)
def test_settings(preferences: dict[str, object], expected: tuple[object, ...]) -> None:
    settings = Settings.of(Job("s", "research", "x", preferences=preferences))
    assert tuple(
        settings.as_json()[name] for name in ("depth", "max_documents", "passages_per_search", "language", "seed")
    ) == (expected)


async def test_the_stage_says_how_it_read_the_prompt() -> None:
    context = Context(Job("s", "research", "Does sleep help memory?"), Library())
    output = await plan.run(context)
    assert [term["word"] for term in output["plan"]["terms"]] == ["sleep", "help", "memory"]
    assert (
        "three terms (sleep, help, memory) and searched from three sides: “Does sleep help memory?”; "
        "“sleep” (intervention); “memory” (outcome)" in context.decisions[0]["reason"]
    )
    assert context.steps == [(1, 1)]


def test_importance_and_coverage() -> None:
    terms = [Term("rare", "rare", 1.0), Term("common", "common", 1.0), Term("missing", "missing", 1.0)]
    weights = importance(terms, [{"common"}, {"common", "rare"}, {"common"}])
    assert weights["missing"] > weights["rare"] > weights["common"] > 0
    total = sum(weights.values())
    assert coverage({"rare", "other"}, weights) == pytest.approx(weights["rare"] / total, abs=1e-6)
    assert coverage({"rare"}, weights, among=["rare", "unknown"]) == 1.0
    assert coverage({"rare"}, {}) == 0.0


def test_coverage_of_a_long_prompt_is_full_at_eight_terms() -> None:
    weights = {f"t{number}": 1.0 for number in range(30)}
    assert coverage({f"t{number}" for number in range(4)}, weights) == 0.5
    assert coverage(weights, weights) == 1.0


@pytest.mark.parametrize(
    ("prompt", "name", "meets", "misses"),
    [
        ("What is spaced practice?", "definition", "Spaced practice is study in portions.", "We used spaced practice."),
        ("what are neurons", "definition", "A neuron is a cell.", "Ten neurons fired."),
        ("How much carbon is stored?", "quantity", "It holds 38,000 PgC.", "Martin (1990) measured it."),
        ("When was it founded?", "time", "It was founded in 1911.", "Martin (1990) founded it."),
        ("Why does ice melt?", "cause", "It melts because it is warm.", "Ice melts in May."),
    ],
)
def test_the_form_of_the_answer(prompt: str, name: str, meets: str, misses: str) -> None:
    form = answer_form(prompt)
    assert form is not None
    assert form.name == name
    assert form.met(meets)
    assert not form.met(misses)


@pytest.mark.parametrize("prompt", ["What is the effect of sleep on memory?", "Does sleep help?", "Memory and sleep"])
def test_other_prompts_ask_for_no_form(prompt: str) -> None:
    assert answer_form(prompt) is None
