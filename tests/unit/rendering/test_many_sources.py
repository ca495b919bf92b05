"""A statement of many sources names the first of them and counts the rest."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from services.results.rendering.composing.compose import compose
from services.results.rendering.composing.report import Report, plain
from services.results.rendering.document import ResultDocument
from tests.unit.rendering.sample import sample

_SOURCES = 9


def many() -> dict[str, Any]:
    source = sample()
    first = source["citations"][0]
    for number in range(_SOURCES):
        made = copy.deepcopy(first) | {"id": f"m{number}", "document_id": f"d{number}", "title": f"Work {number}"}
        made["csl"] = {
            "id": f"m{number}", "type": "book", "title": f"Work {number}",
            "author": [{"family": f"Author{'ABCDEFGHI'[number]}"}], "issued": {"date-parts": [[2001]]},
        }  # fmt: skip
        source["citations"].append(made)
    source["key_findings"] = [
        {"id": "f-many", "text": "Lids are round.", "citations": [f"m{number}" for number in range(_SOURCES)]},
        {"id": "f-five", "text": "Lids are flat.", "citations": [f"m{number}" for number in range(5)]},
    ]
    return source


def report(style: str, language: str = "en") -> Report:
    return compose(ResultDocument.parse(many()), None, citation_style=style, language=language)


@pytest.mark.parametrize(
    ("style", "language", "label"),
    [
        ("apa", "en", "AuthorE, 2014) and 4 more"),
        ("ieee", "de", "] und 4 weitere"),
        ("nature", "en", " (and 4 more)"),
    ],
)
def test_the_first_are_named_and_the_rest_counted(style: str, language: str, label: str) -> None:
    long, short = (plain(finding.inlines) for finding in report(style, language).findings)
    assert label in long
    assert "AuthorF" not in long
    assert "and 4" not in short
    assert "und 4" not in short


def test_all_stand_among_the_references() -> None:
    made = report("apa")
    entries = " ".join(plain(entry.inlines) for entry in made.references)
    assert [number for number in range(_SOURCES) if f"Work {number}" not in entries] == []
