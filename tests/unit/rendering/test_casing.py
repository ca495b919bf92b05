"""Titles whose case a style may change, and what of them it must not."""

from __future__ import annotations

import pytest

from services.results.rendering.citing.casing import english
from services.results.rendering.citing.references import format_references
from services.results.rendering.composing.report import plain
from services.results.rendering.document import ResultDocument


def _titled(title: str, style: str, **csl: str) -> str:
    """The title as a book's entry has it."""
    citation = {"id": "k", "title": title, "authors": ["Doe, J."], "year": 2001, "csl": {"type": "book", **csl}}
    works = ResultDocument.parse({"title": "t", "citations": [citation]}).citations
    entry = plain(format_references(works, [], {"k": "a"}, style=style, language="en").entries[0].inlines)
    return entry.removeprefix("Doe, J. 2001. ").removesuffix(".")


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("vapour pressure and boiling", "Vapour Pressure and Boiling"),
        ("pH and mRNA levels in the eLife of DNA", "pH and mRNA Levels in the eLife of DNA"),
        ("eLife", "eLife"),
        ("the β-decay and Δμ of ions", "The β-decay and Δμ of Ions"),
        ("mRNA, a history", "mRNA, a History"),
        ("a history of water: the steam", "A History of Water: The Steam"),
        ("the file notes.txt and its reader", "The File notes.txt and Its Reader"),
        ("why {x} and $y$ and \\z", "Why {X} and $y$ and \\z"),
    ],
)
def test_title_case(title: str, shown: str) -> None:
    assert _titled(title, "chicago") == shown


@pytest.mark.parametrize(
    ("title", "language"),
    [
        ("Über den Siedepunkt des Wassers", ""),
        ("le point d’ébullition de l’eau", ""),
        ("la ebullición del agua en la montaña", ""),
        ("о кипении воды", ""),
        ("größe kleiner Wassertropfen", ""),
        ("vapour pressure and boiling", "de"),
        ("η θάλασσα και το διοξείδιο του άνθρακα", ""),
        ("η θάλασσα και το διοξείδιο του άνθρακα", "en"),
        ("ο ρόλος του pH", "en"),
    ],
)
def test_other_languages_keep_their_case(title: str, language: str) -> None:
    assert _titled(title, "chicago", **({"language": language} if language else {})) == title


def test_a_language_that_is_told_wins() -> None:
    assert english("en-GB", "Über")
    assert not english("fr", "Of the water")
