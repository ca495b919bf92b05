from __future__ import annotations

import ast
from pathlib import Path

import pytest

from services.results.rendering.composing.headings import headed

ENGINES = Path(__file__).parents[3] / "worker" / "engines"


def written_headings() -> set[str]:
    """The fixed headings in the sources of the engines: first arguments of what makes sections."""
    found = {"Evidence", "Further evidence"}
    for file in ENGINES.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            match node:
                case ast.Call(
                    func=ast.Name(id="plain" | "_section") | ast.Attribute(attr="_with_claims"),
                    args=[ast.Constant(value=str(heading)), *_],
                ):
                    found.add(heading)
                case ast.Call(
                    func=ast.Attribute(value=ast.Name(id="parts"), attr="append"),
                    args=[ast.Tuple(elts=[ast.Constant(value=str(heading)), *_])],
                ):
                    found.add(heading)
    return found


def test_every_heading_of_the_engines_is_known_in_every_language() -> None:
    headings = written_headings()
    assert {"Answer", "Limits", "Nearest passages", "What connects them"} <= headings
    for heading in headings:
        forms = {headed(heading, language) for language in ("de", "fr", "es")}
        assert heading not in forms, heading
        assert all(forms), heading


@pytest.mark.parametrize(
    ("heading", "language", "expected"),
    [
        ("How this was made", "de-AT", "Wie dies entstand"),
        ("Theme: Sleep: a lead", "fr", "Thème\u00a0: Sleep: a lead"),
        ("From “One {named}”", "es", "De “One {named}”"),
        ("field.csv: data quality", "de", "field.csv: Datenqualität"),
        ("field.csv: limits", "fr", "field.csv\u00a0: limites"),
        ("Pressure: a matter of height", "de", "Pressure: a matter of height"),
        ("Limits", "en", "Limits"),
        ("Limits", "ja", "Limits"),
        ("", "de", ""),
    ],
)
def test_a_heading_is_one_of_the_fixed_words_or_stays(heading: str, language: str, expected: str) -> None:
    assert headed(heading, language) == expected
