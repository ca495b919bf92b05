from __future__ import annotations

from typing import Any

from services.results.rendering.composing.compose import compose
from services.results.rendering.composing.report import Anchored, Bullets, Paragraph, Report, plain
from services.results.rendering.composing.weaving import Segment, Weaver
from services.results.rendering.document import Claim, ResultDocument

_CLAIMS = (("c1", "Salt lowers the freezing point.", ["k1"]), ("c2", "Sugar does so too [7].", ["k2", "k3"]))


def _document(body: str = "", summary: str = "") -> ResultDocument:
    claims: list[dict[str, Any]] = [{"id": id, "text": text, "citations": cited} for id, text, cited in _CLAIMS]
    return ResultDocument.parse(
        {
            "title": "t",
            "summary": summary,
            "sections": [{"id": "s", "heading": "h", "body": body, "claims": claims}],
            "citations": [{"id": f"k{number}", "title": f"Work {number}"} for number in range(1, 8)],
        }
    )


def _woven(line: str) -> tuple[Segment, ...]:
    document = _document()
    claims: dict[str, Claim] = {claim.text: claim for claim in document.claims()}
    return Weaver(document).weave(line, claims)


def test_markers_after_a_claim_become_its_citations() -> None:
    assert _woven("Salt lowers the freezing point. [1][4] And so on.") == (
        Segment("Salt lowers the freezing point.", "c1", ("k1", "k4")),
        Segment(" And so on."),
    )


def test_a_claim_without_markers_has_its_own_citations() -> None:
    assert _woven("Salt lowers the freezing point.") == (Segment("Salt lowers the freezing point.", "c1", ("k1",)),)


def test_brackets_within_a_statement_are_its_own() -> None:
    assert _woven("Sugar does so too [7]. [2]") == (Segment("Sugar does so too [7].", "c2", ("k2",)),)


def test_markers_in_the_engines_own_words_are_citations_too() -> None:
    assert _woven("Two works agree [1][2], one does not [3].") == (
        Segment("Two works agree", None, ("k1", "k2")),
        Segment(", one does not", None, ("k3",)),
        Segment("."),
    )


def test_brackets_that_lead_nowhere_stay() -> None:
    assert _woven("As of [1987], see [0] and [8].") == (Segment("As of [1987], see [0] and [8]."),)


def test_statements_are_found_as_whole_words_only() -> None:
    assert _woven("xSalt lowers the freezing point.")[0].claim is None


def _report(body: str, summary: str = "", style: str = "ieee") -> Report:
    return compose(_document(body, summary), None, citation_style=style, language="en")


def test_claims_stated_in_the_body_are_not_listed_again() -> None:
    blocks = _report("Salt lowers the freezing point. [1]").sections[0].blocks
    stated, listed = blocks
    assert isinstance(stated, Paragraph)
    assert isinstance(listed, Bullets)
    assert plain(stated.parts) == "Salt lowers the freezing point. [1]"
    assert [plain(item.parts) for item in listed.items] == ["Sugar does so too [7]. [2], [3]"]


def test_every_claim_has_its_anchor_once() -> None:
    report = _report("Salt lowers the freezing point.\n\nAgain: Salt lowers the freezing point.", style="apa")
    anchors = [
        part.anchor
        for block in report.sections[0].blocks
        for paragraph in (block.items if isinstance(block, Bullets) else (block,))
        if isinstance(paragraph, Paragraph)
        for part in paragraph.parts
        if isinstance(part, Anchored)
    ]
    assert anchors == ["claim-c1", "claim-c2"]


def test_numbers_count_from_the_summary_on() -> None:
    report = _report("", "Sugar does so too [7]. [5] Salt lowers the freezing point. [1]")
    assert plain(report.summary[0].parts) == "Sugar does so too [7]. [1] Salt lowers the freezing point. [2]"


def test_labels_follow_the_style() -> None:
    report = _report("", "Salt lowers the freezing point. [1]", "nature")
    assert plain(report.summary[0].parts) == "Salt lowers the freezing point.1"
