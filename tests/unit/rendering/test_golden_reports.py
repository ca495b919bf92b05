"""Reports of every session type are those that were read, and say everything their documents say."""

from __future__ import annotations

import re
from functools import cache

import pytest

from services.results.rendering.composing.report import Report
from services.results.rendering.composing.values import number
from services.results.rendering.document import ResultDocument
from services.results.rendering.plain_text import one_line
from tests.support.golden_reports import COMMAND, FOLDER, reports
from tests.support.report_documents import DOCUMENTS
from tests.support.report_text import dump

_ANCHOR = re.compile(r"\{([\w-]+)(?=[:}])")
_FORMULA = re.compile(r"\$[^$]*\$")
KEPT = {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.txt")}


@cache
def made() -> dict[str, Report]:
    return dict(reports())


def test_the_reports_are_those_that_were_read() -> None:
    changed = sorted(
        name for name in made().keys() | KEPT.keys() if name not in made() or dump(made()[name]) != KEPT.get(name)
    )
    assert changed == [], f"changed: if it is meant, run {COMMAND} and read them"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_each_claim_finding_passage_and_number_is_told(name: str) -> None:
    document = ResultDocument.parse(DOCUMENTS[name][1]())
    text = dump(made()[name])
    expected = [one_line(claim.text) for claim in document.claims()]
    expected += [one_line(finding.text) for finding in document.key_findings]
    expected += [one_line(passage.quote) for citation in document.citations for passage in citation.passages]
    expected += [one_line(citation.title) for citation in document.citations]
    cells = [cell for table in document.tables for row in table.rows for cell in row]
    expected += [number(cell) for cell in cells if isinstance(cell, (int, float)) and not isinstance(cell, bool)]
    assert [words for words in expected if words not in text] == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_whatever_a_comment_can_point_at_has_one_anchor_and_each_link_leads_to_one(name: str) -> None:
    text = _FORMULA.sub("", dump(made()[name]))
    anchors = _ANCHOR.findall(text)
    assert len(anchors) == len(set(anchors))
    assert set(re.findall(r"\]\(#([\w-]+)\)", text)) <= set(anchors)
    for point in ResultDocument.parse(DOCUMENTS[name][1]()).reference_points():
        kind, _, id = point.partition(":")
        kind = "ref" if kind == "citation" else kind
        safe = re.sub(r"[^A-Za-z0-9]+", "-", id)
        assert (safe if safe.startswith(f"{kind}-") else f"{kind}-{safe}") in anchors, point


def test_anchors_are_the_same_in_every_language_and_style() -> None:
    english, german = (_ANCHOR.findall(dump(made()[name])) for name in ("research", "research-nature-german"))
    assert sorted(english) == sorted(german)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_nothing_of_the_machinery_shows(name: str) -> None:
    shown = re.sub(r"\{[\w-]+[:}]|\$[^$]*\$|\(#[^)]*\)|https?://\S+", "", dump(made()[name]))
    assert re.findall(r"\b[a-z]+(?:_[a-z0-9]+)+\b|\{|\bNone\b|\bnull\b", shown) == []
