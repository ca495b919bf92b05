"""How an analysis looks to its readers: no dump, no list of labels, nothing said twice."""

from __future__ import annotations

from typing import Any

import pytest

from services.results.rendering import analyses
from services.results.rendering.compose import compose
from services.results.rendering.document import ResultDocument
from services.results.rendering.labels import labels
from services.results.rendering.render import render
from services.results.rendering.rendition import Format
from services.results.rendering.report import FigureBlock, Pairs, Report, SectionBlock, Subheading, TableBlock, plain
from tests.unit.rendering.reading import docx_text, markdown_text, pdf_text

_READERS = {"pdf": pdf_text, "docx": docx_text, "markdown": markdown_text}
_EN = labels("en")
ANSWER = "Weight rises with age (r = 0.41)."
OTHER = "Weight differs between regions."
READ = (
    "How a.csv was read:\n\n• as utf-8\n\n• with semicolons\n\nWhere wrong, `preferences.analysis.read` overrides it."
)
SPEC = {"title": "Weights", "data": {"values": [{"x": 1}]}, "mark": "point", "encoding": {"x": {"field": "x"}}}


def section(heading: str, body: str, *claims: str) -> dict[str, Any]:
    own = [{"id": f"c-{heading}-{i}", "text": text, "citations": []} for i, text in enumerate(claims)]
    return {"id": f"s-{heading}", "heading": heading, "body": body, "claims": own}


def document(**more: Any) -> dict[str, Any]:
    result = {"ci_high": 0.5, "ci_low": 0.2, "labels": list(range(300)), "n": 90, "r": 0.41, "warnings": ["few rows"]}
    return {
        "title": "Analysis of a.csv",
        "sections": [
            section("Answer", ANSWER, ANSWER),
            section("Findings", f"What the data do show:\n\n{OTHER}", OTHER),
            section("The data", "a.csv has 90 rows."),
            section("Data quality", READ),
            section("Methods", "Computed: correlation."),
        ],
        "key_findings": [
            {"id": "f1", "text": ANSWER, "citations": [], "table": "t", "answers": True},
            {"id": "f2", "text": OTHER, "citations": []},
        ],
        "tables": [{"id": "t", "title": "Correlations", "columns": ["x", "r"], "rows": [["age", 0.41]]}],
        "figures": [{"id": "g", "title": "Weights", "alt": "Weights.", "spec": SPEC}],
        "analysis": [
            {
                "kind": "correlation",
                "dataset": "a.csv",
                "request": {"columns": ["age", "weight"]},
                "why": "asked for",
                "result": result,
                "table": "t",
                "figures": ["g"],
            }
        ],
        "answer": {"status": "answered", "text": ANSWER, "finding": "f1"},
        "datasets": [{"name": "a.csv", "rows": 90}],
        "methods": {"seed": 0, "confidence_formula": "Confidence is one less p."},
        "citations": [],
        **more,
    }


def report(source: dict[str, Any]) -> Report:
    return compose(ResultDocument.parse(source), None, citation_style="apa", language="en")


def computed(source: dict[str, Any]) -> SectionBlock:
    return next(part for part in report(source).appendix if part.heading == _EN["block_analysis"])


@pytest.mark.parametrize("format", ["pdf", "docx", "markdown"])
def test_the_answer_stands_in_full_once_and_each_heading_once(format: Format) -> None:
    parsed = ResultDocument.parse(document())
    body = render(format, parsed, None, session_id="s", citation_style="apa", language="en").body
    text = " ".join(_READERS[format](body).split())
    assert (text.count(ANSWER), text.count(OTHER)) == (1, 1)
    assert text.index("Weight rises with… (in full: ") < text.index(ANSWER)
    assert "See key finding" not in text
    assert "300 values" not in text
    assert "298" not in text


def test_blocks_that_sections_tell_and_sections_that_only_point_are_left_out() -> None:
    made = report(document())
    headings = [part.heading for part in (*made.sections, *made.appendix)]
    assert headings == ["Answer", "The data", "Data quality", "Methods", "Figures and tables", _EN["block_analysis"]]
    methods = next(part for part in made.sections if part.heading == "Methods")
    assert plain(methods.blocks[-1].parts) == "Confidence is one less p."  # type: ignore[union-attr]


def test_a_task_says_what_why_and_where_and_its_figures_in_reading_order() -> None:
    blocks = computed(document()).blocks
    assert blocks[0] == Subheading("Correlation", 2)
    about = plain(blocks[1].parts)  # type: ignore[union-attr]
    assert about == "With: columns age, weight. Why: asked for. Shown in: Table 1, Figure 1."
    assert blocks[-1] == Pairs((("n", "90"), ("r", "0.41 (interval 0.2; 0.5)")))


def test_an_interval_stands_with_its_estimate_and_codes_are_words() -> None:
    outcome = {
        "auc": {"ci_high": 0.9, "ci_low": 0.7, "value": 0.8},
        "calibration": {"hosmer_lemeshow": {"df": 8}},
        "method": "maximum_likelihood",
        "response": "net_income",
    }
    assert analyses.figures(outcome, _EN) == [
        ("Response", "net_income"),
        ("Method", "maximum likelihood"),
        ("AUC", "0.8 (interval 0.7; 0.9)"),
    ]


def test_fields_are_code_and_how_it_was_read_is_a_list() -> None:
    body = render(
        "markdown", ResultDocument.parse(document()), None, session_id="s", citation_style="apa", language="en"
    ).body
    text = body.decode()
    assert "\n- as utf-8\n- with semicolons\n" in text
    assert "Where wrong, `preferences.analysis.read` overrides it." in text


def test_a_figure_does_not_say_its_caption_itself() -> None:
    exhibits = next(part for part in report(document()).sections if part.heading == "Figures and tables")
    drawing = next(block for block in exhibits.blocks if isinstance(block, FigureBlock))
    assert drawing.caption == "Weights"
    assert drawing.svg is not None
    assert "Weights" not in drawing.svg


def test_wide_tables_have_limits_beside_their_estimate() -> None:
    columns = ["hypothesis", "test", "n", "effect", "size", "95 % low", "95 % high", "p", "p (Holm)", "verdict"]
    row = ["a and b go together", "spearman", 90, "ρ", 0.41234567, 0.2, 0.5, 0.001, 0.002, "supported"]
    table = {"id": "t", "title": "Hypotheses", "columns": columns, "rows": [row, [*row[:4], *[None] * 5, "not"]]}
    exhibits = next(part for part in report(document(tables=[table])).sections if part.heading == "Figures and tables")
    shown = next(block for block in exhibits.blocks if isinstance(block, TableBlock))
    assert [column.header for column in shown.columns] == [*columns[:4], "size (95 %)", *columns[7:]]
    assert [line[4] for line in shown.rows] == ["0.412 (0.2;\u00a00.5)", "–"]


def test_hypotheses_are_one_table() -> None:
    effect = {"name": "Spearman ρ", "value": -0.17223, "ci_low": -0.32081, "ci_high": -0.0153}
    base = {"id": "h", "kind": "correlation", "test": "spearman", "n": 158, "x": "age", "y": "dose"}
    tested = [
        {**base, "statement": "age and dose go together", "effect": effect, "p": 0.0304702, "p_adjusted": 0.0609,
         "supported": False, "verdict": "The data do not show it.", "null": "no rank correlation"},
        {**base, "statement": "a and b", "effect": None, "p": None, "p_adjusted": None, "supported": None,
         "test": None},
    ]  # fmt: skip
    found = next(p for p in report(document(hypotheses=tested)).sections if p.heading == "Hypotheses")
    (table,) = found.blocks
    assert isinstance(table, TableBlock)
    assert [c.header for c in table.columns] == [
        "Hypothesis", "Test", "n", "Effect (interval)", "p", "Adjusted p", "Verdict",
    ]  # fmt: skip
    assert table.rows == (
        ("age and dose go together", "Spearman", "158", "Spearman ρ −0.172 (−0.321;\u00a0−0.0153)", "0.0305", "0.0609",
         "not shown"),
        ("a and b", "–", "158", "–", "–", "–", "cannot be answered"),
    )  # fmt: skip
