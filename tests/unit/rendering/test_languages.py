"""A report says of itself which language it is in, and of its parts where they are in another."""

from __future__ import annotations

import io
from typing import Any

import pikepdf
import pytest

from services.results.rendering.composing.compose import compose
from services.results.rendering.composing.report import Report
from services.results.rendering.document import ResultDocument
from services.results.rendering.markdown.writer import markdown
from services.results.rendering.pdf.writer import pdf
from services.results.rendering.spoken import spoken
from services.results.rendering.word.writer import docx
from tests.unit.rendering.word_report import text_of
from tests.unit.rendering.word_schema import Package, W

ENGLISH = "Cold water dissolves more of the gas than warm water, and the sea is cold."
GERMAN = "Kaltes Wasser löst mehr von dem Gas als warmes, und das Meer ist kalt."


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (ENGLISH, "en"),
        (GERMAN, "de"),
        ("L’eau froide dissout plus de gaz que l’eau chaude dans la mer.", "fr"),
        ("El agua fría disuelve más gas que el agua caliente en los mares.", "es"),
        ("Η θάλασσα και το διοξείδιο του άνθρακα.", "el"),
        ("ΔT = 5 K, α = 0.05", None),
        ("temp °C 12.5", None),
        ("The Meer", None),
        ("", None),
    ],
)
def test_a_language_is_told_where_it_is_plain(text: str, language: str | None) -> None:
    assert spoken(text) == language


def _report(language: str) -> Report:
    sections = [{"id": "s", "heading": "H", "body": f"{ENGLISH}\n\n{GERMAN}", "claims": []}]
    source: dict[str, Any] = {"title": "Gas", "summary": GERMAN, "sections": sections}
    return compose(ResultDocument.parse(source), None, citation_style="apa", language=language)


DECLARED = [("en", "en"), ("de", "de"), ("de-AT", "de-AT"), ("fr", "fr"), ("el", "en"), ("xx", "en"), ("ar", "en")]


@pytest.mark.parametrize(("asked", "told"), DECLARED)
def test_the_language_of_the_fixed_words_is_declared(asked: str, told: str) -> None:
    report = _report(asked)
    with pikepdf.open(io.BytesIO(pdf(report, timestamp=0))) as file:
        assert str(file.Root.Lang) == told
    package = Package(docx(report, timestamp=0))
    default = package.parts["word/styles.xml"].find(f"{W}docDefaults").find(f".//{W}lang")
    assert default.get(f"{W}val").partition("-")[0] == told.partition("-")[0]
    assert f'lang: "{told}"' in markdown(report, citation_style="apa")


def test_parts_in_another_language_say_so() -> None:
    report = _report("de")
    with pikepdf.open(io.BytesIO(pdf(report, timestamp=0))) as file:
        marked = {str(item.Lang) for item in file.objects if isinstance(item, pikepdf.Dictionary) and "/Lang" in item}
    assert "en" in marked
    paragraphs = {
        text_of(p): {run.get(f"{W}val") for run in p.iter(f"{W}lang")}
        for p in Package(docx(report, timestamp=0)).document.iter(f"{W}p")
    }
    assert paragraphs[ENGLISH] == {"en-GB"}
    assert paragraphs[GERMAN] == set()
