"""Any text at all can be rendered, in whatever script and however odd."""

from __future__ import annotations

import io
from typing import Any

import pypdf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.results.rendering.document import ResultDocument
from services.results.rendering.plain_text import clean, one_line
from services.results.rendering.render import render
from services.results.rendering.rendition import Format
from tests.unit.rendering.reading import docx_text, markdown_text, squeezed
from tests.unit.rendering.word_schema import Package

_text = st.text(max_size=40)
_cell = st.none() | st.booleans() | st.integers(-(2**62), 2**62) | st.floats() | _text
_value = st.recursive(
    _cell, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_text, inner, max_size=3), max_leaves=8
)


@st.composite
def _documents(draw: st.DrawFn) -> dict[str, Any]:
    ids = [f"k{index}" for index in range(draw(st.integers(0, 3)))]
    cited = st.lists(st.sampled_from(ids), max_size=3) if ids else st.just([])
    columns = draw(st.lists(_text, min_size=1, max_size=4))
    return {
        "title": draw(_text),
        "summary": draw(_text),
        "confidence_score": draw(st.none() | st.floats(0, 1)),
        "sections": [
            {
                "id": f"s{index}", "heading": draw(_text), "body": draw(_text),
                "claims": [{"id": f"c{index}", "text": draw(_text), "citations": draw(cited)}],
            }
            for index in range(draw(st.integers(0, 3)))
        ],
        "key_findings": [
            {"id": f"f{index}", "text": draw(_text), "quote": draw(st.none() | _text), "citations": draw(cited)}
            for index in range(draw(st.integers(0, 3)))
        ],
        "tables": [
            {"id": "t", "title": draw(_text), "columns": columns,
             "rows": draw(st.lists(st.lists(_cell, min_size=len(columns), max_size=len(columns)), max_size=4))},
        ],
        "citations": [{"id": id, "title": draw(_text), "authors": [draw(_text)]} for id in ids],
        draw(st.sampled_from(["analysis", "bridges"])): draw(_value),
    }  # fmt: skip


def _rendered(format: Format, source: dict[str, Any], style: str = "apa") -> bytes:
    document = ResultDocument.parse(source)
    return render(format, document, None, session_id="s", citation_style=style, language="en").body


def _words(source: dict[str, Any]) -> list[str]:
    texts = [source["title"], source["summary"]]
    for section in source["sections"]:
        claims = [claim["text"] for claim in section["claims"]]
        # A claim that the body states is followed by its citations there.
        stated = one_line(claims[0]) in one_line(section["body"])
        texts += [section["heading"], *claims, *([] if stated else [section["body"]])]
    for finding in source["key_findings"]:
        texts += [finding["text"], finding["quote"] or ""]
    texts += [cell for row in source["tables"][0]["rows"] for cell in row if isinstance(cell, str)]
    return [squeezed(clean(text)) for text in texts]


# `make fuzz-reports` tries hundreds.
_SETTINGS = settings(max_examples=12, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@_SETTINGS
@given(_documents(), st.sampled_from(["apa", "ieee", "nature"]))
def test_pdf_of_any_document(source: dict[str, Any], style: str) -> None:
    assert len(pypdf.PdfReader(io.BytesIO(_rendered("pdf", source, style))).pages) >= 1


@_SETTINGS
@given(_documents())
def test_docx_of_any_document_holds_its_words(source: dict[str, Any]) -> None:
    body = _rendered("docx", source)
    text = squeezed(docx_text(body))
    assert [word for word in _words(source) if word not in text] == []
    assert Package(body).faults() == []


@_SETTINGS
@given(_documents())
def test_markdown_of_any_document_holds_its_words(source: dict[str, Any]) -> None:
    text = squeezed(markdown_text(_rendered("markdown", source)))
    assert [word for word in _words(source) if word not in text] == []


@_SETTINGS
@given(_documents())
def test_json_of_any_document_is_stable(source: dict[str, Any]) -> None:
    assert _rendered("json", source) == _rendered("json", dict(reversed(source.items())))
