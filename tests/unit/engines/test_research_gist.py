"""The one sentence of a document that says best what it contributes."""

from __future__ import annotations

import pytest

from worker.engines.research.gist import SIGNS, WEIGHTS, Gist, gist_of
from worker.engines.text.sentences import split_sentences
from worker.engines.text.terms import Analyzer

PAPER = (
    "Batteries age faster when they are charged in the cold. "
    "However, existing chargers do not know the temperature of the cell. "
    "We propose a charging method that estimates the cell temperature from its impedance and slows down in the cold. "
    "Specifically, the impedance is measured at three frequencies. "
    "Experiments with 40 cells show that they last 20 percent longer."
)


def gist(text: str, title: str = "") -> Gist | None:
    return gist_of(text, title, split_sentences(text), Analyzer())


def test_the_sentence_that_offers_something_is_the_gist() -> None:
    found = gist(PAPER, "Charging by Impedance in the Cold")
    assert found is not None
    assert found.quote.startswith("We propose a charging method")
    assert PAPER[found.start : found.end] == found.quote


def test_the_title_is_no_gist_and_a_label_no_part_of_one() -> None:
    title = "Slow charging in the cold protects batteries"
    text = f"{title}.\n\nCONCLUSIONS: We show that slow charging in the cold protects batteries from ageing early."
    found = gist(text, title)
    assert found is not None
    assert found.quote.startswith("We show that")


def test_an_abstract_speaks_for_a_long_document() -> None:
    body = " ".join(f"We propose method {i} for charging batteries in the cold with impedance." for i in range(99))
    text = (
        "Introduction\n\n" + body + "\n\nAbstract\n\nBatteries age in the cold. Chargers do not know it. "
        "We present a charger that measures the impedance of the cell.\n\nReferences\n\nNobody said anything here."
    )
    found = gist(text)
    assert found is not None
    assert found.quote == "We present a charger that measures the impedance of the cell."


def test_nothing_to_quote_gives_none() -> None:
    assert gist("") is None
    assert gist("Figure 1\n\n1 2 3 4\n") is None


@pytest.mark.parametrize(
    "poor",
    [
        "For the farmed goose as a food, see Goose.",
        "See also the farming of geese and goose feathers.",
        "This article is about the farmed goose.",
        "Main article: The farming of the goose in Europe.",
        "The farming of the goose redirects here.",
        "Also we propose a new method for farming geese on grass.",
        "And that is a new model of the farmed goose.",
        "However, the farmed goose is seldom kept on grass.",
    ],
)
def test_what_goes_on_or_points_elsewhere_is_the_gist_only_where_there_is_no_other(poor: str) -> None:
    plain = "Birds of many kinds were watched on three lakes."
    for text in (f"{poor} {plain}", f"{plain} {poor}"):
        found = gist(text, "The farmed goose")
        assert found is not None
        assert found.quote == plain
    alone = gist(poor, "Farming")
    assert alone is not None
    assert alone.quote == poor


@pytest.mark.parametrize("opening", ["So-called farmed geese", "However, we propose that farmed geese", "Orchards"])
def test_an_opening_that_only_looks_like_one_counts_in_full(opening: str) -> None:
    best = f"{opening} grow faster on grass than in a barn."
    found = gist(f"Birds of many kinds were watched on three lakes. {best}", "Farmed geese and orchards on grass")
    assert found is not None
    assert found.quote == best


def test_every_sign_has_a_weight() -> None:
    assert set(WEIGHTS) == set(SIGNS)
