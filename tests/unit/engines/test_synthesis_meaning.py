"""Which findings are taken to say the same: on labelled pairs, and the parts that decide."""

from __future__ import annotations

import pytest

from tests.unit.engines.meaning_pairs import DIFFERENT, JUDGE, LEARN, OPPOSED, SAME, Pair
from worker.engines.synthesis.meaning import CONFLICTS, Reading, Relation, readings, relation
from worker.engines.synthesis.quantities import Quantity, agree, quantities
from worker.engines.text.directions import acting_verb
from worker.engines.text.terms import Analyzer


def judged(pairs: tuple[Pair, ...]) -> list[tuple[str, str]]:
    """(expected, found) for each pair; stems are weighed over the sentences of all pairs, as over those of sessions."""
    texts = sorted({text for _, *pair in LEARN + JUDGE for text in pair})
    read = dict(zip(texts, readings(texts, Analyzer()), strict=True))
    return [(expected, verdict(read[left], read[right])) for expected, left, right in pairs]


def verdict(left: Reading, right: Reading) -> str:
    found = relation(left, right)
    assert relation(right, left) is found, "the same both ways round"
    return OPPOSED if found in CONFLICTS else SAME if found is Relation.SAME else DIFFERENT


def between(left: str, right: str, language: str = "en") -> Relation:
    one, other = readings([left, right], Analyzer(language))
    return relation(one, other)


@pytest.mark.parametrize(("name", "pairs"), [("learn", LEARN), ("judge", JUDGE)])
def test_precision_and_recall_on_labelled_pairs(name: str, pairs: tuple[Pair, ...]) -> None:
    outcomes = judged(pairs)
    for kind in (SAME, OPPOSED):
        hits = sum(expected == found == kind for expected, found in outcomes)
        said = sum(found == kind for _, found in outcomes)
        meant = sum(expected == kind for expected, _ in outcomes)
        print(f"{name}, {len(pairs)} pairs, {kind}: precision {hits}/{said}, recall {hits}/{meant}")
        # What is said must be right; what is put in quite other words may be missed.
        assert hits == said
        assert hits >= 0.8 * meant


def test_what_acts_and_what_is_acted_upon_is_told_apart_in_both_voices() -> None:
    assert (
        between("Trees cool city streets.", "City streets cool trees.") is not Relation.DIFFERENT
    )  # no verb of change
    assert between("Rain increases soil erosion.", "Soil erosion increases rain.") is Relation.DIFFERENT
    assert between("Rain increases soil erosion.", "Soil erosion is increased by rain.") is Relation.SAME
    assert between("Rain increases soil erosion.", "Soil erosion is strongly reduced by rain.") is Relation.DIRECTION
    passive = acting_verb("Soil erosion is strongly reduced by rain.")
    assert passive is not None
    assert (passive.word, passive.passive) == ("reduced", True)
    assert acting_verb("The risk was lower with aspirin.") is None


@pytest.mark.parametrize(
    ("left", "right", "found"),
    [
        ("The yield rose by 12 %.", "The yield rose by 12.1 percent.", Relation.SAME),
        ("The yield of maize rose by 12 %.", "The yield of maize rose by 31 %.", Relation.QUANTITY),
        (
            "Maize yields better than wheat in dry years.",
            "Wheat yields better than maize in dry years.",
            Relation.DIFFERENT,
        ),
        (
            "Maize yields better than wheat in dry years.",
            "In dry years, maize yields better than wheat.",
            Relation.SAME,
        ),
        (
            "Cells stored at 100 % charge and 45 °C lost 21.4 % of their capacity.",
            "Cells stored at 50 % charge and 25 °C lost 3.1 % of their capacity.",
            Relation.DIFFERENT,
        ),
        (
            "Cells stored at 100 % charge lost 21.4 % of their capacity.",
            "Cells stored at 50 % charge lost 3.1 % of their capacity.",
            Relation.DIFFERENT,
        ),
        (
            "Cells stored at 45 °C lost 21 % of their capacity.",
            "Cells stored at 45 °C lost 3 % of their capacity.",
            Relation.QUANTITY,
        ),
        (
            "Cells stored for 6 weeks lost 21 % of their capacity.",
            "Cells stored at 25 °C lost 3 % of their capacity.",
            Relation.DIFFERENT,
        ),
        (
            "In 200 adults the drug cut the risk of stroke by 12 %.",
            "In 900 adults the drug cut the risk of stroke by 3 %.",
            Relation.QUANTITY,
        ),
        ("The yield of maize rose in 1990.", "The yield of maize rose in 2010.", Relation.DIFFERENT),
        ("The yield of maize does not rise.", "The yield of maize falls.", Relation.DIFFERENT),
        ("Yields rise, but prices fall.", "Yields fall, but prices rise.", Relation.DIFFERENT),
    ],
)
def test_amounts_years_and_two_sides(left: str, right: str, found: Relation) -> None:
    assert between(left, right) is found


def test_statistics_are_no_amounts() -> None:
    text = "Recall improved by 8.5 % (95 % CI [3.1, 12.0], p = 0.01, n = 240) between 1990 and 2005."
    assert quantities(text) == frozenset({Quantity(8.5, "%")})
    assert quantities("About one third of 1,200 samples; three samples failed.") >= {Quantity(1200, "sample")}
    assert agree(frozenset({Quantity(1, "m")}), frozenset({Quantity(1, "kg")})) is None


def test_a_language_without_known_denials_joins_the_very_same_words_only() -> None:
    assert between("Sø og land er varme.", "Sø og land er varme.", "da") is Relation.SAME
    assert between("Søen er ikke blevet varmere her.", "Søen er blevet varmere her.", "da") is Relation.DIFFERENT
    assert between(
        "Der Wald speichert Kohlenstoff im Boden.", "Der Wald speichert keinen Kohlenstoff im Boden.", "de"
    ) in (CONFLICTS)


def test_a_longer_statement_is_not_made_by_the_source_of_a_shorter_one() -> None:
    short = "Oxygen is more soluble in cold water than in warm water."
    longer = "Oxygen is more soluble in cold water than in warm water, and in the Sea of Ulm it fell by 7 %."
    assert between(short, longer) is Relation.DIFFERENT
    assert between(short, "In cold water oxygen is more soluble than in warm water.") is Relation.SAME
