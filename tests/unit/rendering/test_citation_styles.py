"""What each style makes of works of every kind: the reference lists were read against the guides of the styles."""

from __future__ import annotations

import re
from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest

from kit.citation_styles import BUILT_IN_STYLES
from services.results.rendering.citing.hayagriva import entry
from services.results.rendering.citing.references import References, format_references
from services.results.rendering.citing.styles import BUILT_IN, brought
from services.results.rendering.composing.report import Link, plain
from services.results.rendering.document import ResultDocument
from tests.unit.rendering.works import WORKS, citation, citations

_GOLDEN = Path(__file__).parent / "citation_styles"

SHORT_NOTE = """<style xmlns="http://purl.org/net/xbiblio/csl" class="note" version="1.0" default-locale="en-US">
  <info><title>Short notes</title><id>urn:short-notes</id><updated>2026-01-01T00:00:00Z</updated></info>
  <citation>
    <layout delimiter="; " suffix=".">
      <choose>
        <if position="ibid"><text value="ibid"/></if>
        <else-if position="subsequent"><names variable="author"><name form="short"/></names></else-if>
        <else><names variable="author"/><text variable="title" prefix=", " font-style="italic"/></else>
      </choose>
    </layout>
  </citation>
  <bibliography>
    <layout suffix="."><names variable="author"/><text variable="title" prefix=", "/></layout>
  </bibliography>
</style>"""


def _formatted(style: str, *, csl: str | None = None, language: str = "en") -> References:
    works = citations()
    anchors = {work.id: f"ref-{work.id}" for work in works}
    return format_references(works, [], anchors, style=style, language=language, csl=csl)


def _lines(references: References) -> list[str]:
    """Each entry as `id | label | marker and text`."""
    return [
        f"{item.citation.id} | {plain(references.labels[(item.citation.id,)])} | "
        f"{' '.join(filter(None, (item.marker, plain(item.inlines))))}"
        for item in references.entries
    ]


@pytest.mark.parametrize("style", BUILT_IN)
def test_reference_lists(style: str) -> None:
    golden = (_GOLDEN / f"{style}.txt").read_text("utf-8").splitlines()
    assert _lines(_formatted(style)) == golden


def test_the_names_are_those_that_every_service_knows() -> None:
    assert tuple(BUILT_IN) == BUILT_IN_STYLES == tuple(sorted(BUILT_IN))


@pytest.mark.parametrize("style", BUILT_IN)
def test_nothing_that_a_work_is_found_by_is_lost(style: str) -> None:
    """Volume, first page and year of an article, publisher of a book, address of a page, and who wrote them."""
    lines = {line.partition(" | ")[0]: line for line in _lines(_formatted(style))}
    assert all(part in lines["journal"] for part in ("Marsh", "Okafor", "Lindqvist", "12", "41", "2014"))
    assert "e0211234" in lines["artnum"]
    assert all(part in lines["book"] for part in ("Tanaka", "Summit Books", "2011"))
    assert all(part in lines["chapter"].lower() for part in ("forbes", "grant", "hill", "handbook of mountain physics"))
    assert "https://example.org/boiling?page=1&lang=en" in lines["web"]
    assert "10.5555/data.2019" in lines["dataset"]
    assert "Grant" in lines["edited"]


def test_terms_and_dates_follow_the_language() -> None:
    lines = {line.partition(" | ")[0]: line for line in _lines(_formatted("harvard", language="de"))}
    assert "hrsg" in lines["chapter"].lower()
    assert "1 Juni 2024" in lines["web"]
    assert "„Vapour pressure and boiling“" in lines["journal"]


def test_american_english_is_asked_for_by_its_tag() -> None:
    british, american = ("\n".join(_lines(_formatted("harvard", language=language))) for language in ("en", "en-US"))
    assert "‘Vapour pressure and boiling’," in british
    assert "“Vapour pressure and boiling,”" in american


def test_notes_become_short_citations_and_none_says_ibid() -> None:
    works = citations()[:3]
    groups = [("journal", "artnum"), ("journal",), ("journal", "artnum", "artnum2")]
    anchors = {work.id: work.id for work in works}
    references = format_references(works, groups, anchors, style="own", language="en", csl=SHORT_NOTE)
    assert plain(references.labels["journal",]) == "(Marsh, Okafor, Lindqvist)"
    assert plain(references.labels["journal", "artnum"]) == "(Marsh, Okafor, Lindqvist; Ito)"
    assert [item.citation.id for item in references.entries] == ["journal", "artnum", "artnum2"]


def test_notes_that_point_at_notes_by_number_are_cited_in_full() -> None:
    numbered = SHORT_NOTE.replace(
        '<names variable="author"><name form="short"/></names>', '<text variable="first-reference-note-number"/>'
    )
    references = format_references(citations()[:1], [], {"journal": "a"}, style="own", language="en", csl=numbered)
    assert plain(references.labels["journal",]).endswith("Lindqvist, Vapour pressure and boiling)")


def test_a_style_that_somebody_brings() -> None:
    csl = SHORT_NOTE.replace('class="note"', 'class="in-text"')
    references = _formatted("own", csl=csl)
    assert brought(csl).kind == "author-date"
    assert len(references.entries) == len(WORKS)
    assert _lines(references)[0].endswith(
        "Eleanor Marsh, Chidi B. Okafor, Sven Lindqvist, Vapour pressure and boiling."
    )


def test_the_same_author_and_year() -> None:
    works = [work for work in citations() if work.id in ("sameA", "sameB")]
    anchors = {work.id: work.id for work in works}
    for style in ("apa", "chicago", "harvard"):
        references = format_references(works, [("sameA", "sameB")], anchors, style=style, language="en")
        assert re.search(r"2020a.*(2020)?b", plain(references.labels["sameA", "sameB"]))


_ISBN = "978-3-16-148410-0"
_SEEN = {"URL": "https://e.org/", "accessed": {"date-parts": [[2024, 6]]}}
_SERIES = {"collection-title": "Series", "collection-number": 7}


@pytest.mark.parametrize(
    ("csl", "member", "value"),
    [
        ({"page": "S12–S15"}, "page-range", "S12-S15"),
        ({"page": "1-5, 9"}, "page-range", "1-5, 9"),
        ({"page": "see there"}, "page-range", None),
        ({"edition": "3rd ed."}, "edition", 3),
        ({"ISBN": _ISBN}, "serial-number", {"isbn": _ISBN}),
        ({"ISBN": _ISBN, "DOI": "10.5555/x"}, "serial-number", {"isbn": _ISBN, "doi": "10.5555/x"}),
        ({"issued": {"date-parts": [["2020", "2", "30"]]}}, "date", "2020-02"),
        ({"issued": {"raw": "2019-11-05T00:00"}}, "date", "2019-11-05"),
        ({"issued": {"date-parts": [[]]}}, "date", None),
        ({"issued": {"date-parts": [[{}]]}}, "date", None),
        (_SEEN, "url", {"value": "https://e.org/", "date": "2024-06"}),
        (_SERIES, "parent", {"type": "book", "title": "Series", "volume": 7}),
    ],
)
def test_members_of_an_item(csl: dict[str, object], member: str, value: object) -> None:
    source = citation("k", {}) | {"title": "T", "csl": {"type": "book", **csl}, "url": csl.get("URL")}
    parsed = ResultDocument.parse({"title": "t", "citations": [source]}).citations[0]
    assert entry(parsed).get(member) == value


def test_a_work_that_the_style_has_nothing_to_cite_by_is_cited_by_its_title() -> None:
    csl = SHORT_NOTE.replace('class="note"', 'class="in-text"').replace(
        '<text variable="title" prefix=", " font-style="italic"/>', ""
    )
    references = _formatted("own", csl=csl)
    assert plain(references.labels["webnone",]) == "Pressure cookers explained."
    assert len(references.entries) == len(WORKS)


def test_notes_without_a_short_form_are_cited_in_full() -> None:
    csl = SHORT_NOTE.replace('<names variable="author"><name form="short"/></names>', '<text value=""/>')
    works = citations()[:2]
    anchors = {work.id: work.id for work in works}
    references = format_references(works, [("journal", "artnum")], anchors, style="own", language="en", csl=csl)
    assert plain(references.labels["journal", "artnum"]) == (
        "(Eleanor Marsh, Chidi B. Okafor, Sven Lindqvist, Vapour pressure and boiling; Mei Ito, Steam in thin columns)"
    )


def test_what_a_style_writes_is_text() -> None:
    hostile = '<script>alert(1)</script> #read("/etc/passwd") $x$ [a](javascript:alert(1)) \\input{x}'
    csl = SHORT_NOTE.replace('class="note"', 'class="in-text"').replace(
        '<layout suffix=".">', f"<layout suffix={quoteattr(hostile)}>"
    )
    works = citations()[4:5]
    references = format_references(works, [], {works[0].id: "a"}, style="own", language="en", csl=csl)
    inlines = references.entries[0].inlines
    assert plain(inlines).endswith(hostile)
    assert not [item for item in inlines if isinstance(item, Link)]
