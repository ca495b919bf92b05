from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.results.rendering.citing.hayagriva import web_address
from services.results.rendering.citing.references import format_references
from services.results.rendering.citing.styles import BUILT_IN, UnknownCitationStyle
from services.results.rendering.composing.report import Link, Ref, Styled, plain
from services.results.rendering.document import Citation, ResultDocument
from tests.unit.rendering.reading import squeezed
from tests.unit.rendering.sample import sample


def _citation(**members: Any) -> Citation:
    base: dict[str, Any] = {"id": "k", "title": "A title", "authors": ["Doe, Jane"], "year": 2001}
    return ResultDocument.parse({"title": "t", "citations": [base | members]}).citations[0]


def _entry(citation: Citation, style: str = "apa") -> str:
    return plain(format_references([citation], [], {citation.id: "a"}, style=style, language="en").entries[0].inlines)


@pytest.mark.parametrize(
    ("style", "label"), [("apa", "(Doe, 2015a, 2015b; Roe, 2015)"), ("chicago", "(Doe 2015a, 2015b; Roe 2015)")]
)
def test_works_of_one_author_are_parted_by_a_comma(style: str, label: str) -> None:
    works = [("a", "First", "Doe, Jane"), ("b", "Second", "Doe, Jane"), ("c", "Third", "Roe, Rick")]
    items = [_citation(id=id, title=title, year=2015, authors=[author]) for id, title, author in works]
    group = ("a", "b", "c")
    made = format_references(items, [group], {id: id for id in group}, style=style, language="en")
    assert plain(made.labels[group]) == label


@pytest.mark.parametrize(
    ("style", "label", "marker", "text"),
    [
        (
            "apa",
            "(Marsh et al., 2014; Ruiz & Bauer, 2003)",
            "",
            "Marsh, E., Okafor, C., & Lindqvist, S. (2014). Vapour pressure and boiling. Journal of Thermal Teaching, "
            "12(3), 41–58. https://doi.org/10.5555/vapour.2014.7",
        ),
        (
            "chicago",
            "(Marsh et al. 2014; Ruiz and Bauer 2003)",
            "",
            "Marsh, Eleanor, Chidi Okafor, and Sven Lindqvist. 2014. “Vapour Pressure and Boiling.” Journal of Thermal "
            "Teaching 12 (3): 41–58. https://doi.org/10.5555/vapour.2014.7.",
        ),
        (
            "harvard",
            "(Ruiz and Bauer, 2003; Marsh, Okafor and Lindqvist, 2014)",
            "",
            "Marsh, E., Okafor, C. and Lindqvist, S. (2014) ‘Vapour pressure and boiling’, Journal of Thermal "
            "Teaching, 12(3), pp. 41–58. Available at: https://doi.org/10.5555/vapour.2014.7.",
        ),
        (
            "ieee",
            "[1], [2]",
            "[1]",
            "E. Marsh, C. Okafor, and S. Lindqvist, “Vapour pressure and boiling,” Journal of Thermal Teaching, "
            "vol. 12, no. 3, pp. 41–58, 2014, doi: 10.5555/vapour.2014.7.",
        ),
        (
            "nature",
            "1,2",
            "1.",
            "Marsh, E., Okafor, C. & Lindqvist, S. Vapour pressure and boiling. Journal of Thermal Teaching 12, 41–58 "
            "(2014).",
        ),
        (
            "vancouver",
            "[1,2]",
            "1.",
            "Marsh E, Okafor C, Lindqvist S. Vapour pressure and boiling. Journal of Thermal Teaching. "
            "2014;12(3):41–58. doi:10.5555/vapour.2014.7",
        ),
    ],
)
def test_styles(style: str, label: str, marker: str, text: str) -> None:
    citations = ResultDocument.parse(sample()).citations
    anchors = {citation.id: f"ref-{citation.id}" for citation in citations}
    references = format_references(citations, [("k1", "k3")], anchors, style=style, language="en")
    assert plain(references.labels["k1", "k3"]) == label
    first = next(entry for entry in references.entries if entry.citation.id == "k1")
    assert (first.marker, plain(first.inlines)) == (marker, text)


def test_every_style_is_known_to_the_processor() -> None:
    for style in BUILT_IN:
        assert "A title" in _entry(_citation(), style) or "A Title" in _entry(_citation(), style)


def test_numbers_follow_the_text_and_the_uncited_come_last() -> None:
    citations = ResultDocument.parse(sample()).citations
    anchors = {citation.id: citation.id for citation in citations}
    groups = [("k3",), ("k2", "k3"), ("k2",)]
    references = format_references(citations, groups, anchors, style="ieee", language="en")
    assert [(entry.marker, entry.citation.id) for entry in references.entries] == [
        ("[1]", "k3"),
        ("[2]", "k2"),
        ("[3]", "k1"),
    ]
    assert plain(references.labels["k2", "k3"]) == "[1], [2]"


def test_labels_link_to_the_entries() -> None:
    references = format_references([_citation()], [("k",)], {"k": "ref-k"}, style="apa", language="en")
    links = [item for item in references.labels[("k",)] if isinstance(item, Ref)]
    assert [link.anchor for link in links] == ["ref-k"]


def test_titles_are_set_apart_and_addresses_linked() -> None:
    citation = _citation(url="https://example.org/a?b=1&c=2")
    inlines = format_references([citation], [], {"k": "a"}, style="apa", language="en").entries[0].inlines
    assert any(isinstance(item, Styled) and item.kind == "emph" and plain((item,)) == "A title" for item in inlines)
    assert [item.url for item in inlines if isinstance(item, Link)] == ["https://example.org/a?b=1&c=2"]


def test_terms_follow_the_language() -> None:
    references = format_references([_citation(year=None)], [("k",)], {"k": "a"}, style="harvard", language="de")
    assert "ohne Datum" in plain(references.entries[0].inlines) or "o. J." in plain(references.entries[0].inlines)


def test_an_unknown_style_is_refused() -> None:
    with pytest.raises(UnknownCitationStyle):
        format_references([_citation()], [], {"k": "a"}, style="no-such", language="en")


@pytest.mark.parametrize(
    "title",
    [
        '$#read("/etc/passwd")$',
        "{braces} and $dollars$ and \\backslash",
        '#import "x.typ": *',
        "<b>bold</b> &amp; <script>alert(1)</script>",
        "a: b\n- c: |\n  d",
        "*emph* _under_ @key [x](y)",
        "&#x41; \u0000\u0007 end",
    ],
)
def test_markup_in_titles_is_text(title: str) -> None:
    shown = "".join(" " if character < " " else character for character in title)
    assert squeezed(shown.replace("\x00", "")) in squeezed(_entry(_citation(title=title))).replace("\ufffd", "")


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        'https://a.example/">x',
        "http://",
        "ftp://a/b",
        "https://user:secret@example.org/",
        "https://exa mple.org",
        "https://[::1",
        "//example.org",
    ],
)
def test_other_addresses_are_not_linked(url: str) -> None:
    assert web_address(url) is None
    citation = _citation(url=url)
    inlines = format_references([citation], [], {"k": "a"}, style="apa", language="en").entries[0].inlines
    assert [item for item in inlines if isinstance(item, Link)] == []


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
_csl_keys = st.sampled_from(
    ["type", "author", "issued", "container-title", "volume", "issue", "page", "publisher", "DOI", "URL"]
)


@settings(max_examples=40, derandomize=True, deadline=None)
@given(
    title=st.text(max_size=60),
    authors=st.lists(st.text(max_size=30), max_size=4),
    year=st.none() | st.integers(-5000, 20000),
    doi=st.none() | st.text(max_size=30) | st.text(max_size=20).map(lambda tail: f"10.1234/{tail}"),
    url=st.none() | st.text(max_size=30) | st.text(max_size=20).map(lambda tail: f"https://example.org/{tail}"),
    csl=st.dictionaries(_csl_keys, _json, max_size=6),
    style=st.sampled_from(sorted(BUILT_IN)),
)
def test_any_citation_can_be_set(
    title: str,
    authors: list[str],
    year: int | None,
    doi: str | None,
    url: str | None,
    csl: dict[str, Any],
    style: str,
) -> None:
    citation = _citation(title=title, authors=authors, year=year, doi=doi, url=url, csl=csl)
    references = format_references([citation], [("k",)], {"k": "a"}, style=style, language="en")
    assert len(references.entries) == 1
    assert plain(references.labels[("k",)])
