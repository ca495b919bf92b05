"""The one sentence of a document that says best what it contributes."""

from __future__ import annotations

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


def test_every_sign_has_a_weight() -> None:
    assert set(WEIGHTS) == set(SIGNS)
