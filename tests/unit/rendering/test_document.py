from __future__ import annotations

from typing import Any

import pytest

from services.results.rendering.document import ResultDocument
from services.results.rendering.reading import InvalidResultDocument
from tests.unit.rendering.sample import sample


def test_every_member_is_read() -> None:
    document = ResultDocument.parse(sample())
    assert document.title == "Pressure and the boiling point of water"
    assert [section.id for section in document.sections] == ["s1", "s2"]
    assert [claim.id for claim in document.claims()] == ["c1", "c2", "c3", "c4"]
    assert document.key_findings[0].confidence == 0.91
    assert document.tables[0].columns == ("Altitude (m)", "Pressure (kPa)", "Remark")
    assert document.citations[0].passages[1].page == 3
    assert set(document.blocks) == {"screening", "methods"}


def test_reference_points_name_everything_a_comment_can_point_at() -> None:
    points = ResultDocument.parse(sample()).reference_points()
    assert {"section:s1", "claim:c4", "finding:f2", "table:t1", "figure:g1", "citation:k3"} <= set(points)
    assert len(points) == 2 + 4 + 3 + 1 + 1 + 3


def test_a_title_is_enough() -> None:
    document = ResultDocument.parse({"title": "Nothing found"})
    assert not document.sections
    assert not document.citations
    assert not document.partial


def _set(path: str, value: Any) -> dict[str, Any]:
    document = sample()
    target: Any = document
    *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    for part in way:
        target = target[part]
    target[last] = value
    return document


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        ("title", None, "title"),
        ("title", 3, "title"),
        ("partial", "yes", "partial"),
        ("confidence_score", "high", "confidence_score"),
        ("sections", {}, "sections"),
        ("sections.0.claims.1.text", 7, "sections[0].claims[1].text"),
        ("sections.0.claims.1.citations", "k1", "sections[0].claims[1].citations"),
        ("key_findings.2.citations.0", 5, "key_findings[2].citations[0]"),
        ("tables.0.rows.3", [1, 2], "tables[0].rows[3]"),
        ("tables.0.rows.3.0", [1], "tables[0].rows[3]"),
        ("figures.0.spec", "x", "figures[0].spec"),
        ("citations.0.year", 2014.5, "citations[0].year"),
        ("citations.0.passages.0.start", "0", "citations[0].passages[0].start"),
        ("citations.0", "k1", "citations[0]"),
    ],
)
def test_a_fault_is_named_by_its_place(path: str, value: Any, place: str) -> None:
    with pytest.raises(InvalidResultDocument) as caught:
        ResultDocument.parse(_set(path, value))
    assert caught.value.path == place


def test_a_citation_that_is_not_listed_is_a_fault() -> None:
    with pytest.raises(InvalidResultDocument, match="'k9'"):
        ResultDocument.parse(_set("key_findings.0.citations", ["k9"]))


@pytest.mark.parametrize("path", ["sections.1.id", "citations.1.id", "key_findings.1.id"])
def test_ids_are_unique(path: str) -> None:
    first = {"sections": "s1", "citations": "k1", "key_findings": "f1"}[path.partition(".")[0]]
    with pytest.raises(InvalidResultDocument, match="twice"):
        ResultDocument.parse(_set(path, first))
