from __future__ import annotations

import pytest

from worker.engines.base import Job
from worker.engines.research.parts import parts_of, speaks
from worker.engines.research.plan import plan_of
from worker.engines.research.settings import Settings


def kinds(prompt: str, depth: str = "deep") -> list[tuple[str, str]]:
    plan = plan_of(prompt, Settings.of(Job("s", "research", prompt, preferences={"depth": depth})))
    return [(facet.kind, facet.label) for facet in plan.facets[1:]]


@pytest.mark.parametrize(
    ("prompt", "parts"),
    [
        (
            "Is aspirin safer than clopidogrel in the elderly?",
            ["side aspirin", "side clopidogrel", "population elderly"],
        ),
        (
            "What is the difference between wheat and rye in droughts?",
            ["side wheat", "side rye", "population droughts"],
        ),
        ("Compare solar, wind and tidal power", ["side solar", "side wind", "side tidal power"]),
        ("Tailored letters versus phone calls", ["side Tailored letters", "side phone calls"]),
        ("effect of sleep on memory in children", ["intervention sleep", "outcome memory", "population children"]),
        (
            "Do statins reduce mortality among diabetics?",
            ["intervention statins", "outcome mortality", "population diabetics"],
        ),
        ("Pros and cons of remote work", ["subject remote work"]),
        ("What are the arguments for and against nuclear power?", ["subject nuclear power"]),
        ("What is spaced practice?", []),
        ("spaced practice", []),
    ],
)
def test_parts_are_what_the_wording_names(prompt: str, parts: list[str]) -> None:
    assert [f"{part.role} {part.text}" for part in parts_of(prompt)] == parts


def test_sides_of_a_comparison_are_searched_on_their_own() -> None:
    assert kinds("Is aspirin safer than clopidogrel in stroke?")[:3] == [
        ("side", "aspirin"),
        ("side", "clopidogrel"),
        ("population", "stroke"),
    ]


def test_for_and_against_are_two_searches() -> None:
    both = [("for", "For remote work"), ("against", "Against remote work")]
    assert kinds("Pros and cons of remote work") == both
    plan = plan_of("Pros and cons of remote work", Settings.of(Job("s", "research", "")))
    assert [term.word for term in plan.terms] == ["remote", "work"], "no source need say “pros”"


def test_a_list_names_topics_that_may_be_answered_one_by_one() -> None:
    assert kinds("sleep, exercise and diet") == [("topic", "sleep"), ("topic", "exercise"), ("topic", "diet")]
    assert {kind for kind, _ in kinds("How do sleep, exercise and diet differ in mice?")} == {"aspect"}


def test_two_questions_of_one_sentence_are_two() -> None:
    found = kinds("Does recall grow with age, and does spaced practice help retention?")
    assert found == [("question", "Does recall grow with age?"), ("question", "Does spaced practice help retention?")]


@pytest.mark.parametrize(
    ("kind", "sentence", "expected"),
    [
        ("for", "Remote work improves focus.", True),
        ("for", "Remote work is common.", False),
        ("against", "Remote work raises the risk of isolation.", True),
        ("against", "Remote work is common.", False),
        ("against", "Remote work had no clear benefit.", True),
        ("aspect", "Remote work is common.", True),
    ],
)
def test_a_side_is_spoken_to_by_a_word_that_takes_it(kind: str, sentence: str, expected: bool) -> None:
    assert speaks(kind, sentence) is expected
