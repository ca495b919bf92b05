"""Statements in nearly the same words that are of different things."""

from __future__ import annotations

import pytest

from worker.engines.text.particulars import particulars, same_particulars
from worker.engines.text.terms import Analyzer


def same(left: str, right: str, language: str = "en", *, rounded: bool = False) -> bool:
    one, other = (particulars(text, Analyzer(language)) for text in (left, right))
    assert same_particulars(one, other, rounded=rounded) is same_particulars(other, one, rounded=rounded)
    return same_particulars(one, other, rounded=rounded)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("In plot 64.0 the moss grew by 14.0 mm.", "In plot 1064.0 the moss grew by 14.0 mm."),
        ("The moss took up 12 mg of salt.", "The moss took up 12 g of salt."),
        ("The moss took up 12 % more salt.", "The moss took up more salt."),
        ("Moss grew at -3 °C in the hut.", "Moss grew at 3 °C in the hut."),
        ("Two of the plots dried out.", "Three of the plots dried out."),
        ("Moss in the Black Fen dries in spring.", "Moss in the fen dries in spring."),
        ("Moss of the fen (沼) dries in spring.", "Moss of the fen dries in spring."),
        ("Ulmia lost its moss in the dry year.", "Torvia lost its moss in the dry year."),
        ("The moss did not grow in shade.", "The moss did grow in shade."),
        ("The pH of the bog rises with CO2.", "The pH of the bog rises with N2O."),
    ],
)
def test_what_differs_in_a_particular_is_not_the_same(left: str, right: str) -> None:
    assert not same(left, right)
    assert not same(left, right, rounded=True)
    assert same(left, left)
    assert same(right, right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Moss grew by 7 % in 1990.", "In 1990, moss grew by 7 per cent."),
        ("The bog holds 1,200 plants.", "The bog holds 1200 plants."),
        ("Shade slows the growth of moss.", "The growth of moss is slowed by shade."),
        ("In the Black Fen moss dries.", "Moss dries in the Black Fen."),
        ("Moss grew by 20 to 30 %.", "Moss grew by 20 % to 30 %."),
    ],
)
def test_other_words_for_the_same_particulars(left: str, right: str) -> None:
    assert same(left, right)


def test_a_rounded_number_is_the_same_where_that_is_asked_for() -> None:
    assert same("Moss grew by 12 %.", "Moss grew by 12.1 %.", rounded=True)
    assert not same("Moss grew by 12 %.", "Moss grew by 12.1 %.")
    assert not same("Moss grew by 12 %.", "Moss grew by 12.6 %.", rounded=True)


def test_denials_are_known_in_other_languages() -> None:
    assert not same("Das Moos wächst nicht im Schatten.", "Das Moos wächst im Schatten.", "de")
