"""Heads and captions that the analysis engine gives its tables are in the report's language; names of columns stay."""

from __future__ import annotations

from services.results.rendering.composing.table_words import caption, heads
from services.results.rendering.document import ResultDocument
from services.results.rendering.render import render


def test_only_what_the_engine_heads_is_translated() -> None:
    assert heads(["column", "n", "mean (95 %)"], "describe", "de-AT") == ["Spalte", "n", "Mittelwert (95 %)"]
    assert heads(["type", "n", "median"], "compare_groups", "fr") == ["type", "n", "médiane"]
    assert heads(["row", "type"], "contingency", "de") == ["row", "type"]
    assert heads(["column"], None, "de") == ["column"]
    assert heads(["column"], "describe", "en") == ["column"]


def test_captions_keep_the_names_and_numbers_in_them() -> None:
    assert caption("Correlations: the 40 strongest of 66 pairs", "correlation", "de") == (
        "Korrelationen: die 40 stärksten von 66 Paaren"
    )
    assert caption("Least-squares model {y} ~ x", "regression", "es") == "Modelo de mínimos cuadrados {y} ~ x"
    assert caption("Correlations", None, "de") == "Correlations"
    assert caption("Correlations", "correlation", "ja") == "Correlations"


def test_a_report_has_them() -> None:
    table = {"id": "t", "title": "Columns", "columns": ["column", "missing"], "rows": [["missing", 3]]}
    entry = {"kind": "profile", "dataset": "a.csv", "request": {}, "why": "", "result": {}, "table": "t"}
    document = ResultDocument.parse({"title": "T", "tables": [table], "analysis": [entry | {"figures": []}]})
    body = render("markdown", document, None, session_id="s", citation_style="apa", language="de").body.decode()
    assert "**Tabelle 1.** Spalten" in body
    assert "| Spalte | fehlend |" in body
    assert "| missing | 3 |" in body
