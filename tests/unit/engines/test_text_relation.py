"""Whether a sentence supports a statement or contradicts it."""

from __future__ import annotations

import pytest

from worker.engines.text.relation import relation
from worker.engines.text.terms import Analyzer


@pytest.mark.parametrize(
    ("statement", "sentence", "kind"),
    [
        (
            "Iron supplements increase the risk of infection in children.",
            "Iron supplements increased the risk of infection in children under five.",
            "supports",
        ),
        (
            "Radioiodine treatment increases thyroid volume.",
            "After radioiodine treatment the thyroid volume was reduced by half.",
            "contradicts",
        ),
        (
            "There is no association between erythromycin use and stenosis in infants.",
            "Erythromycin use was strongly associated with stenosis in infants.",
            "contradicts",
        ),
        (
            "Does massage improve sleep after surgery?",
            "Massage had no effect on sleep after surgery.",
            "contradicts",
        ),
        (
            "Iron supplements increase the risk of infection in children.",
            "Reading aloud to children at home was measured with a questionnaire.",
            "mentions",
        ),
        # With the same number on both sides the words of direction may belong to something else: no verdict.
        (
            "Radioiodine treatment increases thyroid volume by 40%.",
            "After radioiodine treatment the thyroid volume was reduced by 40%.",
            "mentions",
        ),
    ],
)
def test_what_a_sentence_does_to_a_statement(statement: str, sentence: str, kind: str) -> None:
    found = relation(statement, sentence)
    assert found.kind == kind
    assert (found.certainty > 0) == (kind != "mentions")
    assert found.reason


def test_loss_of_a_thing_that_does_the_opposite_is_no_contradiction() -> None:
    found = relation("PinX raises blood sugar in mice.", "Loss of PinX lowers blood sugar in mice.")
    assert found.kind != "contradicts"


def test_other_languages_only_mention() -> None:
    found = relation("Tee senkt den Blutdruck.", "Tee erhöht den Blutdruck.", Analyzer("de"))
    assert found.kind == "mentions"


@pytest.mark.parametrize(
    "sentence", ["We examined whether tea lowers blood pressure.", "To test if tea lowers pressure."]
)
def test_what_was_to_be_found_out_supports_nothing(sentence: str) -> None:
    assert relation("Tea lowers blood pressure.", sentence).kind == "mentions"


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("Does shade reduce the growth of moss?", "Moss was grown under shade for two years in 40 plots."),
        ("Does light increase growth of moss?", "In 30 plots, shade increased the growth of moss by 8 %."),
        ("Does light reduce growth of moss?", "In 30 plots, shade increased the growth of moss by 8 %."),
    ],
)
def test_a_setting_or_another_cause_is_only_a_mention(statement: str, sentence: str) -> None:
    assert relation(statement, sentence).kind == "mentions"


def test_what_raises_still_supports() -> None:
    assert relation("Does light increase moss growth?", "Moss growth was raised by light.").kind == "supports"
