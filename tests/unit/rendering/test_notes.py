"""Footnotes: every claim and finding shows the passages it rests on, each passage of a document is told once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from services.results.rendering.composing.compose import compose
from services.results.rendering.composing.notes import MOST_OF_A_REPORT
from services.results.rendering.composing.report import Anchored, Bullets, Inline, NoteRef, Paragraph, Report, plain
from services.results.rendering.document import ResultDocument
from services.results.rendering.reading import InvalidResultDocument
from tests.unit.rendering.sample import BOILS, FACTOR, KELVIN, LOWERS, STEAM, sample


def report(source: dict[str, Any], style: str = "apa") -> Report:
    return compose(ResultDocument.parse(source), None, citation_style=style, language="en")


def marks(parts: tuple[Anchored | Inline, ...]) -> list[int]:
    return [part.number for part in parts if isinstance(part, NoteRef)]


def claims(made: Report) -> Iterator[Anchored]:
    for section in made.sections:
        for block in section.blocks:
            lines = block.items if isinstance(block, Bullets) else (block,) if isinstance(block, Paragraph) else ()
            yield from (part for line in lines for part in line.parts if isinstance(part, Anchored))


def test_findings_and_claims_point_at_the_passages_that_fit_them_best() -> None:
    made = report(sample())
    quotes = {note.number: note.quote for note in made.notes}
    shown = {claim.anchor: [quotes[number] for number in marks(claim.inlines)] for claim in claims(made)}
    assert shown == {"claim-c1": [""], "claim-c2": [LOWERS, KELVIN], "claim-c3": [KELVIN], "claim-c4": [STEAM]}
    assert [[quotes[number] for number in marks(finding.inlines)] for finding in made.findings] == [
        [LOWERS], [KELVIN], [FACTOR, STEAM],
    ]  # fmt: skip


def test_notes_are_numbered_by_their_first_marks_and_have_anchors_of_their_own() -> None:
    made = report(sample())
    order = [number for finding in made.findings for number in marks(finding.inlines)]
    order += [number for claim in claims(made) for number in marks(claim.inlines)]
    assert list(dict.fromkeys(order)) == [note.number for note in made.notes] == [1, 2, 3, 4, 5]
    assert [note.anchor for note in made.notes] == [f"note-{number}" for number in range(1, 6)]


def test_a_note_whose_words_stand_at_each_mark_only_says_where_they_are() -> None:
    note = report(sample()).notes[-1]
    assert (note.quote, note.place) == ("", "page 3, characters 0–90; word for word")
    assert plain(note.source) == "(Marsh et al., 2014)"


def test_a_passage_is_told_once_in_a_note_or_under_its_source() -> None:
    source = sample()
    source["key_findings"] = []
    made = report(source)
    told = [note.quote for note in made.notes if note.quote]
    told += [item.quote for reference in made.references for item in reference.evidence]
    # These two are claims as they stand.
    assert sorted([*told, BOILS, LOWERS]) == sorted([BOILS, LOWERS, FACTOR, KELVIN, STEAM])


def test_a_quote_that_a_note_shows_is_not_said_at_the_finding_and_one_from_elsewhere_is() -> None:
    source = sample()
    source["key_findings"][1]["quote"] = "Words that stand in no passage."
    made = report(source)
    assert [finding.quote for finding in made.findings] == [None, "Words that stand in no passage.", None]


def test_the_engine_says_which_passages_a_claim_rests_on() -> None:
    source = sample()
    source["key_findings"] = []
    source["sections"][0]["claims"][0]["evidence"] = [
        {"citation": "k1", "passage": 2},
        {"citation": "k2", "passage": 0},
    ]
    source["sections"][1]["claims"][0]["evidence"] = []
    made = report(source)
    quotes = {note.number: note.quote for note in made.notes}
    shown = {claim.anchor: [quotes[number] for number in marks(claim.inlines)] for claim in claims(made)}
    assert shown["claim-c1"] == [FACTOR, KELVIN]
    assert shown["claim-c3"] == []


@pytest.mark.parametrize(
    "evidence", [[{"citation": "k9", "passage": 0}], [{"citation": "k1", "passage": 3}], [{"citation": "k1"}]]
)
def test_evidence_that_is_not_there_is_a_fault(evidence: list[dict[str, Any]]) -> None:
    source = sample()
    source["sections"][0]["claims"][0]["evidence"] = evidence
    with pytest.raises(InvalidResultDocument, match="c1"):
        ResultDocument.parse(source)


def with_passages(count: int) -> dict[str, Any]:
    source = sample()
    passage = source["citations"][0]["passages"][0]
    source["citations"][0]["passages"] = [passage | {"quote": f"Passage {index}."} for index in range(count)]
    source["key_findings"] = []
    return source


def test_more_passages_than_a_statement_shows_are_counted_and_stand_with_the_references() -> None:
    source = with_passages(5)
    claim = source["sections"][0]["claims"][0]
    claim["evidence"] = [{"citation": "k1", "passage": index} for index in range(5)]
    made = report(source)
    (stated,) = [item for item in claims(made) if item.anchor == "claim-c1"]
    assert len(marks(stated.inlines)) == 3
    assert plain(stated.inlines).endswith(" (2 further passages)")
    entry = next(item for item in made.references if item.anchor == "ref-k1")
    assert {"Passage 3.", "Passage 4."} <= {item.quote for item in entry.evidence}


def test_a_report_has_a_bounded_number_of_notes() -> None:
    source = with_passages(MOST_OF_A_REPORT + 2)
    source["sections"][0]["body"] = ""
    source["sections"][0]["claims"] = [
        {"id": f"x{index}", "text": f"Statement {index}.", "citations": ["k1"],
         "evidence": [{"citation": "k1", "passage": index}]}
        for index in range(MOST_OF_A_REPORT + 2)
    ]  # fmt: skip
    made = report(source)
    assert len(made.notes) == MOST_OF_A_REPORT
    last = list(claims(made))[MOST_OF_A_REPORT + 1]
    assert marks(last.inlines) == []
    assert plain(last.inlines).endswith(" (1 further passage)")
    # Passages past the bound of a source are counted under it.
    entry = next(item for item in made.references if item.anchor == "ref-k1")
    assert entry.note == "2 further passages are in the JSON export."


def test_likeness_needs_no_spaces_between_words() -> None:
    source = with_passages(1)
    quotes = ["海平面附近的沸点每升高三百米大约下降一度。", "压力越低，水沸腾的温度也就越低，因此高山上煮饭更慢。"]
    first = source["citations"][0]["passages"][0]
    source["citations"][0]["passages"] = [first | {"quote": quote} for quote in quotes]
    source["sections"][0]["claims"][0]["text"] = "高山上煮饭更慢，因为水沸腾的温度更低。"
    made = report(source)
    (stated,) = [item for item in claims(made) if item.anchor == "claim-c1"]
    assert [made.notes[number - 1].quote for number in marks(stated.inlines)] == [quotes[1]]


def test_marks_beside_raised_citations_are_told_apart_from_them() -> None:
    made = report(sample(), "nature")
    assert plain(made.findings[0].inlines) == "Less pressure, lower boiling point.1()"
    assert plain(made.notes[0].source) == "[1]"
