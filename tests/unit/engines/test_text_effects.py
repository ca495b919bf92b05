"""What a sentence says does what to what, and which sentences say the opposite."""

from __future__ import annotations

import pytest

from worker.engines.text.effects import acting_stems, effect_of, opposite, speaks_of
from worker.engines.text.terms import Analyzer

REDUCES = "We conclude that shade reduces the growth of Sphagnum moss."


def contradict(left: str, right: str) -> bool:
    analyzer = Analyzer()
    effects = effect_of(left, analyzer), effect_of(right, analyzer)
    assert opposite(*effects) == opposite(*reversed(effects))
    return opposite(*effects)


@pytest.mark.parametrize(
    "other",
    [
        "In 30 plots, shade increased the growth of Sphagnum moss by 8 % over one summer.",
        "Shade increases Sphagnum growth.",
        "The growth of Sphagnum moss was increased by shade.",
    ],
)
def test_opposite_effects_of_the_same_on_the_same_contradict(other: str) -> None:
    assert contradict(REDUCES, other)


@pytest.mark.parametrize(
    "other",
    [
        "Across 50 trials, shade reduced Sphagnum growth by 10% on average.",
        "Light increases the growth of Sphagnum moss.",
        "Shade removal increases the growth of Sphagnum moss.",
        "Shade increases the growth of tomatoes.",
        "Shade increases the decline in growth of Sphagnum moss.",
        "Shade increases the moisture of Sphagnum moss.",
        "We asked whether shade increases the growth of Sphagnum moss.",
        "Shade does not increase the growth of Sphagnum moss.",
        "Shade increases the growth of Sphagnum moss less than water does.",
        "Sphagnum moss was grown under shade for two years in 40 plots.",
        "It increases the growth of Sphagnum moss.",
    ],
)
def test_other_effects_do_not_contradict(other: str) -> None:
    assert not contradict(REDUCES, other)


def test_under_circumstances_of_their_own_both_may_hold() -> None:
    dry, wet = "Shade reduces moss growth in dry bogs.", "Shade increases moss growth in wet forests."
    assert not contradict(dry, wet)
    assert contradict(dry, "Shade increases moss growth.")


def test_other_languages_state_no_effect() -> None:
    assert effect_of(REDUCES, Analyzer("de")) is None


@pytest.mark.parametrize(
    ("prompt", "acting"),
    [
        ("Does light increase growth of Sphagnum moss?", ("light",)),
        ("In bogs, can green light reduce moss growth?", ("green", "light")),
        ("Moss growth is reduced by shade in summer.", ("shade",)),
        ("Moss growth can be cut by a third by shade.", ("shade",)),
        ("Which factors increase moss growth?", ()),
        ("How tall is moss?", ()),
    ],
)
def test_what_a_prompt_says_acts(prompt: str, acting: tuple[str, ...]) -> None:
    assert acting_stems(prompt, Analyzer()) == acting


def test_what_acts_may_be_named_by_its_initials() -> None:
    assert speaks_of(("cognit", "behavior", "therapi"), {"cbt", "sleep"})
    assert not speaks_of(("light",), {"l", "shade"})
