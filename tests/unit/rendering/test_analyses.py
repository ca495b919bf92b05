"""How an analysis looks to its readers: no dump, no list of labels, nothing said twice."""

from __future__ import annotations

from typing import Any

import pytest

from services.results.rendering.composing import analyses, task_tables
from services.results.rendering.composing.compose import compose
from services.results.rendering.composing.labels import labels
from services.results.rendering.composing.report import (
    Anchored,
    FigureBlock,
    Math,
    Paragraph,
    Report,
    SectionBlock,
    Subheading,
    TableBlock,
    plain,
)
from services.results.rendering.document import ResultDocument
from services.results.rendering.render import render
from services.results.rendering.rendition import Format
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
    return next(part for part in report(source).sections if part.heading == _EN["block_analysis"])


@pytest.mark.parametrize("format", ["pdf", "docx", "markdown"])
def test_the_answer_stands_in_full_among_the_findings_and_each_heading_once(format: Format) -> None:
    parsed = ResultDocument.parse(document())
    body = render(format, parsed, None, session_id="s", citation_style="apa", language="en").body
    text = " ".join(_READERS[format](body).split())
    assert (text.count(ANSWER), text.count(OTHER)) == (1, 1)
    assert text.index("Key findings") < text.index(ANSWER) < text.index("See key finding 1.")
    assert "300 values" not in text
    assert "298" not in text


def test_blocks_that_sections_tell_and_sections_that_only_point_are_left_out() -> None:
    made = report(document())
    headings = [part.heading for part in (*made.sections, *made.appendix)]
    assert headings == ["Answer", "The data", "Data quality", _EN["block_analysis"], "Methods"]
    methods = next(part for part in made.sections if part.heading == "Methods")
    assert plain(methods.blocks[-1].parts) == "Confidence is one less p."  # type: ignore[union-attr]


def test_what_a_left_out_section_stated_can_still_be_pointed_at() -> None:
    made = report(document())
    anchors = [part.anchor for part in made.findings[1].inlines if isinstance(part, Anchored)]
    assert anchors == ["section-s-Findings", "claim-c-Findings-0"]


def test_a_task_says_what_and_why_and_shows_its_table_figures_and_numbers_in_reading_order() -> None:
    heading, about, table, numbers, warnings, figure = computed(document()).blocks
    assert heading == Subheading("Correlations", 2)
    assert plain(about.parts) == "With: columns age, weight. Why: asked for. "  # type: ignore[union-attr]
    assert isinstance(table, TableBlock)
    assert (table.label, table.anchor) == ("Table 1", "table-t")
    assert plain(numbers.parts) == "n = 90; r = 0.41 (interval 0.2; 0.5)."  # type: ignore[union-attr]
    assert [plain(item.parts) for item in warnings.items] == ["Note: few rows"]  # type: ignore[union-attr]
    assert isinstance(figure, FigureBlock)
    assert figure.label == "Figure 1"


def test_exhibits_are_numbered_as_they_are_met_and_shown_once() -> None:
    tables = [{"id": id, "title": id, "columns": ["x"], "rows": [[1]]} for id in ("loose", "second", "first")]
    task = document()["analysis"][0]
    tasks = [task | {"table": "first", "figures": []}, task | {"table": "second"}, task | {"table": "first"}]
    made = report(document(tables=tables, analysis=tasks))
    part, rest = (
        next(s for s in made.sections if s.heading == name) for name in (_EN["block_analysis"], "Figures and tables")
    )
    shown = [block for section in (part, rest) for block in section.blocks if isinstance(block, TableBlock)]
    assert [(block.label, block.caption) for block in shown] == [
        ("Table 1", "first"), ("Table 2", "second"), ("Table 3", "loose"),
    ]  # fmt: skip
    abouts = [plain(block.parts) for block in part.blocks if isinstance(block, Paragraph)]
    assert any(about.endswith("Shown in: Table 1, Figure 1.") for about in abouts)


def test_a_model_is_named_and_written_as_mathematics_with_its_test() -> None:
    result = {
        "family": "binomial", "n": 90, "chi2": 37.153912, "df_model": 1, "p": 1.09e-9, "warnings": [],
        "response": "ill", "digits": 15,
    }  # fmt: skip
    task = {"kind": "regression", "dataset": "a.csv", "why": "asked for", "result": result}
    made = computed(document(analysis=[task | {"request": {"formula": "ill ~ age", "family": "binomial"}}]))
    assert made.blocks[0] == Subheading("Logistic regression: ill", 2)
    formula = next(part for part in made.blocks[1].parts if isinstance(part, Math))  # type: ignore[union-attr]
    assert formula.text == "ill ~ age"
    assert plain(made.blocks[2].parts) == "n = 90; χ²(1) = 37.15; p = 1.09 × 10⁻⁹."  # type: ignore[union-attr]
    odd = computed(document(analysis=[task | {"request": {"formula": "`a b` ~ ."}}]))
    assert "Model: a b ~ ." in plain(odd.blocks[1].parts)  # type: ignore[union-attr]


def test_a_task_that_could_not_be_done_says_why() -> None:
    task = document()["analysis"][0] | {
        "result": {"not_possible": "No column is numeric."},
        "table": None,
        "figures": [],
    }
    assert "No column is numeric." in [
        plain(block.parts) for block in computed(document(analysis=[task])).blocks if isinstance(block, Paragraph)
    ]


PAIR = {"difference": 2.0231, "ci_low": -2.2601, "ci_high": 6.3081, "q": 1.62213, "df": 43.1182, "p_adjusted": 0.49121}


def test_which_groups_differ_and_by_which_tests_is_told_in_tables() -> None:
    outcome = {
        "preferred": "welch",
        "post_hoc": "games_howell",
        "pairs": [{"a": "sand", "b": "loam", "post_hoc": PAIR, "welch": {"difference": 9.0}}],
        "overall": {"anova": {"f": 0.66926, "df1": 2, "df2": 66, "p": 0.51553}, "welch": None},
        "assumptions": {"equal_spread": {"test": "brown_forsythe", "statistic": 0.16402, "p": 0.84917}},
    }
    shown = task_tables.more("compare_groups", outcome, _EN)
    titles = [plain(block.parts) for block in shown if isinstance(block, Paragraph)]
    assert titles == ["Tests of all groups:", "Pairs of groups (Games–Howell):"]
    tests, pairs = (block for block in shown if isinstance(block, TableBlock))
    assert tests.rows == (
        ("ANOVA", "F = 0.6693", "2, 66", "0.5155"),
        ("Brown–Forsythe (equal spread)", "0.164", "–", "0.8492"),
    )
    assert [column.header for column in pairs.columns] == ["Pair", "difference", "q", "df", "adjusted p"]
    assert pairs.rows == (("sand – loam", "2.023 (−2.26; 6.308)", "1.622", "43.12", "0.4912"),)


def test_two_groups_are_compared_by_the_preferred_test() -> None:
    pair = {"a": "x", "b": "y", "mann_whitney": {"u": 287.0, "p": 0.632, "superiority": 0.54253}, "welch": PAIR}
    shown = task_tables.more("compare_groups", {"preferred": "mann_whitney", "pairs": [pair]}, _EN)
    (pairs,) = (block for block in shown if isinstance(block, TableBlock))
    assert pairs.rows == (("x – y", "0.5425", "287", "0.632"),)


def test_what_a_factor_adds_is_told_and_what_single_terms_add_is_not_said_twice() -> None:
    terms = [{"term": "dose", "f": 91.173, "df": 1, "p": 5.4e-14}, {"term": "arm", "f": 1.2705, "df": 2, "p": 0.28757}]
    shown = task_tables.more("regression", {"term_tests": terms}, _EN)
    (table,) = (block for block in shown if isinstance(block, TableBlock))
    assert table.rows[1] == ("arm", "F = 1.27", "2", "0.2876")
    assert task_tables.more("regression", {"term_tests": terms[:1]}, _EN) == []


@pytest.mark.parametrize("kind", ["anova", "compare_groups", "regression", "other"])
@pytest.mark.parametrize("other", [None, 3, "x", [], [1], {}, {"test": 1}, [{"term": None}], [{"a": 1}]])
def test_results_of_other_shapes_have_no_further_tables(kind: str, other: Any) -> None:
    outcome = dict.fromkeys(("groups", "overall", "pairs", "assumptions", "term_tests"), other)
    assert task_tables.more(kind, outcome, _EN) == []


def test_many_levels_of_a_contingency_table_go_down_the_page() -> None:
    levels = [f"l{place}" for place in range(12)]
    table = {"id": "t", "title": "Counts", "columns": ["arm", *levels], "rows": [["a", *range(12)], ["b", *range(12)]]}
    task = document()["analysis"][0] | {"kind": "contingency", "request": {"row": "arm", "column": "level"}}
    shown = next(b for b in computed(document(tables=[table], analysis=[task])).blocks if isinstance(b, TableBlock))
    assert [column.header for column in shown.columns] == ["level", "a", "b"]
    assert shown.rows[3] == ("l3", "3", "3")


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
    drawing = next(block for block in computed(document()).blocks if isinstance(block, FigureBlock))
    assert drawing.caption == "Weights"
    assert drawing.svg is not None
    assert "Weights" not in drawing.svg


def test_wide_tables_have_limits_beside_their_estimate() -> None:
    columns = ["hypothesis", "test", "n", "effect", "size", "95 % low", "95 % high", "p", "p (Holm)", "verdict"]
    row = ["a and b go together", "spearman", 90, "ρ", 0.41234567, 0.2, 0.5, 0.001, 0.002, "supported"]
    table = {"id": "t", "title": "Hypotheses", "columns": columns, "rows": [row, [*row[:4], *[None] * 5, "not"]]}
    shown = next(block for block in computed(document(tables=[table])).blocks if isinstance(block, TableBlock))
    assert [column.header for column in shown.columns] == [*columns[:4], "size (95 %)", *columns[7:]]
    assert [line[4] for line in shown.rows] == ["0.412346 (0.2;\u00a00.5)", "–"]
    assert [line[1] for line in shown.rows] == ["Spearman", "Spearman"]


def test_limits_stand_beside_what_they_are_limits_of() -> None:
    columns = ["term", "estimate", "std. error", "t", "p", "95 % low", "95 % high", "HC3 error", "p (HC3)"]
    table = {
        "id": "t",
        "title": "Model",
        "columns": columns,
        "rows": [["dose", 2.5, 0.5, 5.0, 0.001, 1.5, 3.5, 0.6, 0.002]],
    }
    shown = next(block for block in computed(document(tables=[table])).blocks if isinstance(block, TableBlock))
    assert [column.header for column in shown.columns] == [
        "term", "estimate (95 %)", "std. error", "t", "p", "HC3 error", "p (HC3)",
    ]  # fmt: skip
    assert shown.rows == (("dose", "2.5 (1.5;\u00a03.5)", "0.5", "5", "0.001", "0.6", "0.002"),)


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
    assert (table.label, table.caption) == ("Table 2", "Hypotheses and how they were tested")
    assert [c.header for c in table.columns] == [
        "Hypothesis", "Test", "n", "Effect (interval)", "p", "Adjusted p", "Verdict",
    ]  # fmt: skip
    assert table.rows == (
        ("age and dose go together", "Spearman", "158", "Spearman ρ −0.172 (−0.321;\u00a0−0.0153)", "0.0305", "0.0609",
         "not shown"),
        ("a and b", "–", "158", "–", "–", "–", "cannot be answered"),
    )  # fmt: skip
