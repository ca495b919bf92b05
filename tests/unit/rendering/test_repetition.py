"""A key finding is said in full once; a section that says the same points at it."""

from __future__ import annotations

from typing import Any

import pytest

from services.results.rendering.document import ResultDocument
from services.results.rendering.render import render
from services.results.rendering.rendition import Format
from services.results.rendering.serializer import results_object
from tests.unit.rendering.reading import docx_text, markdown_text, pdf_text

_READERS = {"pdf": pdf_text, "docx": docx_text, "markdown": markdown_text}
A, B, C = "Iron sinks in water.", "Cork floats on water.", "Ice floats as well."


def document(body: str, *claims: tuple[str, list[str]]) -> dict[str, Any]:
    return {
        "title": "What floats",
        "sections": [
            {
                "id": "s",
                "heading": "Main matter",
                "body": body,
                "claims": [
                    {"id": f"c{index}", "text": text, "citations": cited} for index, (text, cited) in enumerate(claims)
                ],
            }
        ],
        "key_findings": [{"id": "f1", "text": A, "citations": ["k"]}, {"id": "f2", "text": B, "citations": ["k"]}],
        "citations": [{"id": id, "title": f"Source {id}", "authors": [], "year": 2000} for id in ("k", "l")],
    }


def text_of(source: dict[str, Any], format: Format = "markdown", language: str = "en") -> str:
    parsed = ResultDocument.parse(source)
    body = render(format, parsed, None, session_id="sid", citation_style="ieee", language=language).body
    return " ".join(_READERS[format](body).split())


@pytest.mark.parametrize("format", ["pdf", "docx", "markdown"])
def test_paragraphs_that_repeat_findings_become_one_pointer(format: Format) -> None:
    text = text_of(document(f"{B} [1]\n\n{A} [1]\n\n{C} [1]", (A, ["k"]), (B, ["k"]), (C, ["k"])), format)
    assert (text.count(A), text.count(B), text.count(C)) == (1, 1, 1)
    assert text.index("See key findings 1, 2.") < text.index(C)


def test_claims_without_a_place_in_the_body_are_not_repeated_either() -> None:
    text = text_of(document("", (A, ["k"]), (C, ["k"])))
    assert (text.count(A), text.count(C)) == (1, 1)
    assert "See key finding 1." in text


def test_a_lead_stays_before_the_pointer() -> None:
    text = text_of(document(f"This stands out. {A} [1] {B} [1]", (A, ["k"]), (B, ["k"])))
    assert "This stands out. See key findings 1, 2." in text
    assert (text.count(A), text.count(B)) == (1, 1)


@pytest.mark.parametrize("body", [f"One source says: {A} [1]", f"{A} [1] This is old news."])
def test_a_statement_that_its_paragraph_needs_stays(body: str) -> None:
    text = text_of(document(body, (A, ["k"])))
    assert text.count(A) == 2
    assert "See key" not in text


def test_which_session_and_which_data_a_repeated_statement_has_is_said_once() -> None:
    source = document(f"{C} [1] (“Kept”)\n\n{A} [1] (“One” and “Two”)\n\n{B} (data: floats.csv) (“Two”)")
    source["key_findings"][1] |= {"citations": [], "dataset": "floats.csv", "confidence": 0.5}
    text = text_of(source)
    assert (text.count(A), text.count(B)) == (1, 1)
    assert "(“Kept”) See key findings 1, 2." in text
    assert "Confidence 0.50 · floats.csv" in text


def test_a_statement_with_a_source_of_its_own_stays() -> None:
    text = text_of(document("", (A, ["k", "l"])))
    assert text.count(A) == 2
    assert "See key" not in text


def test_claims_left_out_can_still_be_pointed_at() -> None:
    source = document(f"{A} [1]", (A, ["k"]), (A, ["k"]))
    body = render(
        "markdown", ResultDocument.parse(source), None, session_id="sid", citation_style="ieee", language="en"
    ).body.decode()
    line = next(line for line in body.splitlines() if line.startswith("See key finding"))
    assert line == 'See key finding <a id="claim-c0"></a><a id="claim-c1"></a>[1](#finding-f1).'


@pytest.mark.parametrize("language", ["de", "fr", "es"])
def test_the_pointer_follows_the_language(language: str) -> None:
    text = text_of(document(f"{A} [1]", (A, ["k"])), language=language)
    assert text.count(A) == 1
    assert "See key" not in text


def test_the_results_themselves_keep_every_statement() -> None:
    source = document(f"{A} [1]", (A, ["k"]))
    results = results_object(ResultDocument.parse(source), None, "sid")["results"]
    assert results["sections"] == source["sections"]


@pytest.mark.parametrize("format", ["pdf", "docx", "markdown"])
def test_a_claim_that_an_earlier_section_tells_is_told_once(format: Format) -> None:
    long = "Does a body that is lighter than the water which it displaces float on it, and why is that so?"
    source = document(f"It is sure.\n\n{C} [1]", (C, ["k"]))
    theme = {"id": "t", "heading": "Theme: Ice", "body": f"{C} [1] (“{long}”)", "claims": []}
    source["sections"].insert(0, theme)
    text = text_of(source, format)
    assert text.count(C) == 1
    assert text.index(C) < text.index("It is sure.")
    assert "Theme: Ice." in text.replace("[", "").replace("](#section-t)", "")
    assert "why is that so" not in text
    assert "(“Does a body that is lighter than the water which it…”)" in text


def test_the_anchor_of_a_claim_stands_where_it_is_told() -> None:
    source = document(f"{C} [1]", (C, ["k"]))
    source["sections"].insert(0, {"id": "t", "heading": "Theme: Ice", "body": f"{C} [1]", "claims": []})
    body = render(
        "markdown", ResultDocument.parse(source), None, session_id="s", citation_style="ieee", language="en"
    ).body.decode()
    assert f'<a id="claim-c0"></a>{C}' in body
    assert body.count('id="claim-c0"') == 1
    assert body.index("claim-c0") < body.index("Main matter")


def test_a_section_of_research_that_would_only_point_is_left_out() -> None:
    source = document(f"{A} [1]\n\n{B} [1]", (A, ["k"]), (B, ["k"])) | {"methods": {"engine": "research"}}
    text = text_of(source)
    assert (text.count(A), text.count(B)) == (1, 1)
    assert "Main matter" not in text
    assert "See key" not in text
    source["sections"][0]["body"] += f"\n\n{C} [1]"
    text = text_of(source)
    assert text.index("Main matter") < text.index("See key findings 1, 2.") < text.index(C)
