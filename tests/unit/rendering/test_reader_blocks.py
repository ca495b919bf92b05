"""The blocks of the product's own engines, as a reader sees them in every format."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from services.results.rendering.document import ResultDocument
from services.results.rendering.render import render
from services.results.rendering.rendition import Format
from tests.unit.rendering.reading import docx_text, markdown_text, pdf_text, squeezed
from tests.unit.rendering.sample import sample

_READERS: dict[Format, Callable[[bytes], str]] = {"pdf": pdf_text, "docx": docx_text, "markdown": markdown_text}
_UUID = "01a2b3c4-7c3a-7b52-9d7e-0a4c6f1b2d3e"
_GISTS = ("Vapour meets the pressure around it.", "Climbers lose a kelvin now and then.")
_SIDES = ("Salt in the kettle raises the point.", "Salt in the kettle leaves the point alone.")
_MERGED = ("Tea is weaker on summits.", "Tea is no weaker on summits.")
_AGREED = ("Lids hasten boiling.", "A lid makes it boil sooner.")
_GAP = "No source found mentions “geysers”."
_INTERNAL = ("claim-", "facet-", "finding-", "bridge-", "conflict-", "01a2b3c4", "gist end", "start", "summary_sent")


def _passage(citation: str, quote: str, page: int | None) -> dict[str, Any]:
    return {"document_id": _UUID, "citation": citation, "quote": quote, "start": 66.0, "end": 175.0, "page": page}


def _side(number: int, text: str, citation: str) -> dict[str, Any]:
    passage = {"quote": text, "page": 2.0, "start": 1.0, "end": 9.0, "sha256": "ab" * 32}
    provenance = {"session_id": _UUID, "finding_id": "finding-12ab", "text": text, "citation": citation}
    return {
        "id": f"claim-0{number}",
        "text": text,
        "citations": [citation],
        "sessions": [_UUID],
        "confidence": 0.5,
        "provenance": [{**provenance, "passage": passage}],
    }


def _step(text: str, citation: str) -> dict[str, Any]:
    passage = {"quote": text, "page": 2.0, "start": 1.0, "end": 9.0}
    named = {"title": "Kettles", "session_id": _UUID, "finding_id": "finding-12ab", "text": text}
    return {**named, "citations": [citation], "citation": citation, "passage": passage}


def complete() -> dict[str, Any]:
    """The sample with the blocks of a research session and of a synthesis, their members sorted as storage does."""
    source = sample()
    source["sections"][0]["body"] = ""
    documents = [citation["document_id"] for citation in source["citations"]]
    source |= {
        "answered": True,
        "summary_sentences": [{"start": 3, "end": 9, "claims": ["claim-01"]}],
        "facets": [
            {"id": "facet-98b2", "kind": "question", "label": "How does it boil?", "status": "answered", "claims": []},
            {"id": "facet-98b3", "kind": "topic", "label": "kettle lids", "status": "open", "claims": ["claim-01"]},
        ],
        "gaps": [{"kind": "missing_terms", "text": _GAP, "terms": ["geysers"], "facet": "facet-98b2"}],
        "sources": [
            {
                "document_id": document,
                "title": citation["title"],
                "gist": {"text": gist, "start": 66, "end": 175, "page": 4},
                "role": role,
            }
            for document, citation, gist, role in zip(
                documents, source["citations"], _GISTS, ("key", "nearest"), strict=False
            )
        ],
        "agreements": [
            {
                "claim": "claim-03",
                "text": _AGREED[0],
                "documents": 2,
                "passages": [_passage("k1", _AGREED[0], 4), _passage("k2", _AGREED[1], None)],
            }
        ],
        "contradictions": [
            {
                "claims": ["claim-01", "claim-02"],
                "about": "each other",
                "passages": [_passage("k1", _SIDES[0], 4), _passage("k2", _SIDES[1], 5)],
            }
        ],
        "conflicts": [
            {
                "id": "conflict-77",
                "title": f"{_MERGED[0]} – against: {_MERGED[1]}",
                "kind": "denied",
                "sides": [_side(1, _MERGED[0], "k1"), _side(2, _MERGED[1], "k3")],
            }
        ],
        "bridges": [
            {
                "id": "bridge-77",
                "title": "“lid” links Kettles and Pans",
                "kind": "implicit",
                "term": "lid",
                "sessions": [_UUID],
                "strength": 0.5,
                "path": [_step("Lids of kettles are steel.", "k1"), _step("Pans have glass lids.", "k2")],
            }
        ],
        "themes": [{"id": "theme-5", "label": "Boiling aloft", "claims": ["c3", "claim-09"]}],
        "provenance": [_step("Steam is what is measured.", "k3")],
        "screening": {
            "assessed": 7,
            "duplicates_removed": 2,
            "excluded": [
                {"document_id": _UUID, "title": "A history of kettles", "reason": "no hit", "stage": "reading"}
            ],
            "excluded_after_reading": 4,
            "excluded_at_screening": 5,
            "identified": 15,
            "identified_by": {"library": 15},
            "included": 3,
            "not_listed": 0,
            "not_retrieved": 1,
            "reasons": [
                {"stage": "screening", "reason": "off the subject", "documents": 5},
                {"stage": "reading", "reason": "no hit", "documents": 4},
            ],
            "screened": 13,
            "sought": 8,
        },
        "methods": {
            "engine": "research",
            "settings": {"depth": "deep", "language": "en"},
            "facets": [{"kind": "question", "label": "boil", "query": "boil^2 kettle"}],
            "terms": [{"term": "boil", "weight": 0.25}],
            "searches": 3,
            "documents_read": 7,
            "quotes_checked": 12,
            "quotes_failed": 0,
            "model": {"name": "writer-1", "sentences_kept": 4, "sentences_dropped": 1},
            "confidence": {"formula": "p * V", "parts": {"probability": 0.8, "apart": 1}, "weights": {"apart": 2}},
        },
    }
    return source


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    document = ResultDocument.parse(complete())
    return {
        format: read(render(format, document, None, session_id="sid", citation_style="ieee", language="en").body)
        for format, read in _READERS.items()
    }


@pytest.mark.parametrize("format", _READERS)
def test_nothing_internal_is_printed(texts: dict[str, str], format: Format) -> None:
    text = texts[format].lower()
    assert [word for word in _INTERNAL if word in text] == []
    assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}", text)
    dense = squeezed(text)
    assert [word for word in ("calibration", "boil^2", "apart", "answered:yes", "missing_terms") if word in dense] == []


@pytest.mark.parametrize("format", _READERS)
def test_what_they_say_stands_once(texts: dict[str, str], format: Format) -> None:
    dense = squeezed(texts[format])
    told = [*_GISTS, *_SIDES, *_MERGED, *_AGREED, _GAP, "Lids of kettles are steel.", "Pans have glass lids."]
    told += ["Boiling aloft", "Steam is what is measured.", "kettle lids", "A history of kettles"]
    assert {text: dense.count(squeezed(text)) for text in told} == dict.fromkeys(told, 1)


@pytest.mark.parametrize("format", _READERS)
def test_sides_are_cited_and_stand_before_the_references(texts: dict[str, str], format: Format) -> None:
    dense = squeezed(texts[format])
    assert squeezed(f"“{_SIDES[0]}” [1], page 4. Against it: “{_SIDES[1]}” [2], page 5") in dense
    assert squeezed(f"{_MERGED[0]} [1], page 2. Against it: {_MERGED[1]} [3], page 2") in dense
    references = dense.rindex(squeezed("References"))
    assert dense.index(squeezed(_SIDES[0])) < references < dense.index(squeezed(_GISTS[0]))


@pytest.mark.parametrize("format", _READERS)
def test_screening_follows_the_flow(texts: dict[str, str], format: Format) -> None:
    text = texts[format]
    steps = ["Identified", "Duplicates removed", "Screened", "Excluded at screening", "off the subject", "Sought for"]
    steps += ["Not retrieved", "Assessed", "Excluded after reading", "Included"]
    flow = squeezed(text[text.index("Screening (PRISMA") :])
    places = [flow.find(squeezed(step)) for step in steps]
    assert places == sorted(places)
    assert places[0] >= 0


@pytest.mark.parametrize("format", _READERS)
def test_methods_are_a_short_list(texts: dict[str, str], format: Format) -> None:
    dense = squeezed(texts[format])
    for text in ("deep", "writer-1", "0.81 – how likely it is that the first finding answers the question"):
        assert squeezed(text) in dense


@pytest.mark.parametrize(
    ("parts", "meaning"),
    [
        ({"data": 0.7}, "mean confidence of the findings in the data"),
        ({"data": 0.7, "documents": 0.5}, "mean of the confidence in the data and of that in the documents"),
        ({"strength": 0.7, "coverage": 0.5}, "how far the overview stands for the documents"),
    ],
)
def test_confidence_is_told_with_its_meaning(parts: dict[str, float], meaning: str) -> None:
    source = complete()
    source["methods"]["confidence"] = {"formula": "p", "parts": parts}
    document = ResultDocument.parse(source)
    text = render("markdown", document, None, session_id="sid", citation_style="ieee", language="en").body.decode()
    assert f"0.81 – {meaning}" in text


def test_what_a_section_tells_is_not_told_again() -> None:
    source = complete()
    body = f"One source: {_SIDES[0]} [1] Another: {_SIDES[1]} [2]"
    source["sections"] += [
        {"id": "s8", "heading": "Where the sources disagree", "body": body},
        {"id": "s9", "heading": "What these sources do not say", "body": _GAP},
    ]
    document = ResultDocument.parse(source)
    text = render("markdown", document, None, session_id="sid", citation_style="ieee", language="en").body.decode()
    assert [text.count(told) for told in (*_SIDES, _GAP)] == [1, 1, 1]


def test_another_engines_blocks_of_the_same_name_keep_their_form() -> None:
    source = sample() | {"sources": [{"name": "a drawer", "shelf": 3}], "gaps": "none that matter", "facets": {"n": 4}}
    document = ResultDocument.parse(source)
    text = render("markdown", document, None, session_id="sid", citation_style="ieee", language="en").body.decode()
    assert "a drawer" in text
    assert "none that matter" in text
    assert "**n:** 4" in text


def test_the_question_among_what_was_asked_is_not_said_again() -> None:
    facets = [{"label": "How does it boil?", "status": "open"}, {"label": "lids", "status": "open"}]
    source = {"title": "How does it boil?", "facets": facets}
    document = ResultDocument.parse(source)
    text = render("markdown", document, None, session_id="sid", citation_style="ieee", language="de").body.decode()
    assert "**Die ganze Frage:** nicht beantwortet" in text
    assert "**lids:** nicht beantwortet" in text


def test_an_answer_that_a_section_tells_is_not_told_again_with_its_ids() -> None:
    source = sample()
    source["sections"] += [{"id": "s8", "heading": "Answer", "body": "Growth rises with light."}]
    source["answer"] = {"status": "answered", "text": "Growth rises with light.", "why": [], "finding": "finding-f00"}
    document = ResultDocument.parse(source)
    text = render("markdown", document, None, session_id="sid", citation_style="ieee", language="en").body.decode()
    assert text.count("Growth rises with light.") == 1
    assert "finding-f00" not in text
    other = ResultDocument.parse(sample() | {"answer": {"text": "Forty-two."}})
    text = render("markdown", other, None, session_id="sid", citation_style="ieee", language="en").body.decode()
    assert "Forty-two." in text


def test_each_work_of_one_file_is_named_beside_its_own_sentence() -> None:
    source = sample()
    first, second = source["citations"][:2]
    second["document_id"] = first["document_id"]
    quoted = second["passages"][0]
    place = {"start": quoted["start"], "end": quoted["end"]}
    source["sources"] = [
        {"document_id": first["document_id"], "citation": first["id"], "title": "Of lids", "role": "key",
         "gist": {"text": "Lids of kettles are steel.", "start": 10**6, "end": 10**6 + 26, "page": None}},
        {"document_id": first["document_id"], "citation": second["id"], "title": "Of spouts", "role": "key",
         "gist": {"text": "Spouts are quoted.", **place, "page": None}},
    ]  # fmt: skip
    document = ResultDocument.parse(source)
    text = render("markdown", document, None, session_id="sid", citation_style="ieee", language="en").body.decode()
    rows = {line.split(" ", 3)[2]: line for line in text.splitlines() if line.startswith("| Of ")}
    assert f"#ref-{second['id']}" in rows["spouts"]
    assert f"#ref-{second['id']}" not in rows["lids"]
    assert "(quoted for the answer)" in rows["spouts"]
    assert "(for the answer, another passage is quoted)" in rows["lids"]


def test_datasets_are_shown_as_a_reader_looks_at_them() -> None:
    column = {"name": "depth", "type": "number", "unit": "m", "missing": 2}
    guess = {"decision": "read as utf-8", "reason": "every byte is valid", "alternatives": [], "excluded": []}
    data = {
        "name": "a.csv", "rows": 90, "rows_left_out": 0, "sha256": "ab12", "problem_count": 0, "problems": [],
        "columns": [column], "decisions": [guess],
    }  # fmt: skip
    source = {"title": "T", "datasets": [data], "methods": {"engine": "synthesis"}}

    def shown(**more: object) -> str:
        document = ResultDocument.parse({**source, **more})
        return render("markdown", document, None, session_id="s", citation_style="apa", language="en").body.decode()

    text = shown()
    assert "**Table 1.** The data" in text
    assert "| a.csv | 90 | 1 | ab12 |" in text
    assert "**Table 2.** Columns of a.csv" in text
    assert "| depth | number | m | 2 |" in text
    assert "*How a.csv was read:*" in text
    assert "- read as utf-8 (every byte is valid)" in text
    assert "Problem count" not in text
    assert "Alternatives" not in text
    profile = {"kind": "profile", "dataset": "a.csv", "request": {}, "result": {}, "figures": []}
    assert "Columns of a.csv" not in shown(analysis=[profile])
    assert "Colour" in shown(datasets=[{**data, "colour": "blue"}])
