"""The result document of an analysis for the golden reports: a task of most kinds with its table and numbers."""

from __future__ import annotations

from typing import Any

ANSWER = "Yield rises with water: one more litre goes with 0.42 kg (95 % interval 0.31 to 0.53, p < 0.001)."
OTHER = "No clear difference of yield was found between the soils (F(2, 57) = 0.75, p = 0.48)."
SPEC = {
    "title": "Yield and water",
    "data": {"values": [{"x": 1, "y": 2}, {"x": 2, "y": 4}]},
    "mark": "point",
    "encoding": {"x": {"field": "x", "type": "quantitative"}, "y": {"field": "y", "type": "quantitative"}},
}
LOW, HIGH = "95 % low", "95 % high"


def _task(kind: str, result: dict[str, Any], figures: tuple[str, ...] = (), **request: Any) -> dict[str, Any]:
    return {
        "kind": kind,
        "dataset": "field.csv",
        "request": request,
        "why": "the question names them",
        "result": {"n": 60, "warnings": [], **result},
        "table": f"table-{kind}",
        "figures": list(figures),
    }


def _table(kind: str, title: str, columns: list[str], *rows: list[Any]) -> dict[str, Any]:
    return {"id": f"table-{kind}", "title": title, "columns": columns, "rows": list(rows)}


def _section(heading: str, body: str, *claims: str) -> dict[str, Any]:
    own = [{"id": f"claim-{heading}-{n}", "text": text, "citations": []} for n, text in enumerate(claims)]
    return {"id": f"section-{heading}", "heading": heading, "body": body, "claims": own}


TABLES = [
    _table(
        "describe", "Descriptive statistics", ["column", "n", "missing", "mean", "sd", "min", "q1", "median", "max"],
        ["yield", 60, 0, 3.98817, 1.20493, 1.15, 3.05, 4.01, 6.72], ["water", 58, 2, 8.1, 2.55, 3.0, 6.0, 8.0, 13.5],
    ),
    _table(
        "correlation", "Correlations",
        ["x", "y", "n", "Pearson r", LOW, HIGH, "p (Holm)", "Spearman ρ", "p of ρ (Holm)", "Kendall τ"],
        ["water", "yield", 58, 0.781234, 0.65532, 0.86512, 4.1e-13, 0.77012, 1.2e-12, 0.581],
    ),
    _table(
        "regression", "Least-squares model yield ~ water + I(water**2)",
        ["term", "estimate", "std. error", "t", "p", LOW, HIGH, "HC3 error", "p (HC3)"],
        ["Intercept", 0.51, 0.42, 1.21429, 0.229, -0.33, 1.35, 0.44, 0.25],
        ["water", 0.42, 0.055, 7.63636, 2.9e-10, 0.31, 0.53, 0.06, 5e-9],
    ),
    _table(
        "anova", "Analysis of variance of yield", ["source", "df", "sum of squares", "mean square", "F", "p"],
        ["soil", 2, 2.21, 1.105, 0.752, 0.476], ["residual", 57, 83.75, 1.4693, None, None],
    ),
    _table(
        "compare_groups", "yield by soil", ["soil", "n", "mean", LOW, HIGH, "sd", "median"],
        ["clay", 20, 3.81, 3.25, 4.37, 1.19, 3.9], ["loam", 20, 4.2, 3.63, 4.77, 1.22, 4.3],
    ),
    _table("contingency", "Counts of plot within soil", ["soil", *(f"plot {n}" for n in range(1, 11))],
           ["clay", *range(10)], ["loam", *range(10, 20)]),
    _table(
        "hypotheses", "Hypotheses",
        ["hypothesis", "test", "n", "effect", "size", LOW, HIGH, "p", "p (Holm)", "verdict"],
        ["yield and water go together", "spearman", 58, "Spearman ρ", 0.77, 0.64, 0.86, 1e-12, 2e-12, "supported"],
        ["yield differs between soils", "kruskal_wallis", 60, "η²", 0.026, 0.0, 0.13, 0.48, 0.48, "not shown"],
    ),
    _table(
        "cluster", "Centres of 2 clusters", ["cluster", "rows", "stability", "silhouette", "yield", "water"],
        [1, 34, 0.93, 0.61, 3.1, 6.2], [2, 26, 0.91, 0.58, 5.2, 10.6],
    ),
    _table(
        "pca", "Loadings of the principal components", ["column", "component 1", "component 2"],
        ["yield", 0.943, 0.332], ["water", 0.943, -0.332], ["share of variance", 0.89, 0.11],
    ),
    _table(
        "curve_fit", "Curve a*(1-exp(-b*water))", ["parameter", "estimate", "std. error", LOW, HIGH],
        ["a", 7.21, 0.61, 5.99, 8.43], ["b", 0.099, 0.013, 0.073, 0.125],
    ),
]  # fmt: skip

TASKS = [
    _task("describe", {}, columns=["yield", "water"]),
    _task("correlation", {"adjustment": "holm"}, columns=["yield", "water"]),
    _task(
        "regression",
        {"family": "gaussian", "response": "yield", "n": 58, "f": 91.0642, "df_model": 2, "df_residual": 55,
         "p": 4.12e-14, "r_squared": 0.768123, "r_squared_adjusted": 0.759712, "residual_sd": 0.59181, "digits": 15,
         "references": {"soil[T.loam]": "clay", "soil[T.sand]": "clay"},
         "term_tests": [{"term": "water", "f": 58.3142, "df": 1, "p": 2.9e-10},
                        {"term": "soil", "f": 1.27049, "df": 2, "p": 0.28757}],
         "warnings": ["2 of 60 rows are left out: a value is missing"]},
        ("figure-1",), formula="yield ~ water + I(water**2)",
    ),
    _task(
        "anova",
        {"group": "soil", "f": 0.752, "df_between": 2, "df_within": 57, "p": 0.476, "eta_squared": 0.0257,
         "groups": [{"level": "clay", "n": 20, "mean": 3.81, "ci_low": 3.25, "ci_high": 4.37, "sd": 1.19}],
         "welch": {"f": 0.7458127, "df1": 2.0, "df2": 36.65661, "p": 0.481},
         "kruskal_wallis": {"h": 1.289302, "p": 0.5248, "epsilon_squared": 0.019},
         "assumptions": {"normal_residuals": {"test": "shapiro_wilk", "statistic": 0.98539, "p": 0.6008}},
         "advice": "kruskal_wallis: the residuals are not normal"},
        response="yield", group="soil",
    ),
    _task("compare_groups", {"preferred": "welch", "post_hoc": "games_howell", "adjustment": "holm",
                             "pairs": [{"a": "clay", "b": "loam", "welch": {"difference": -0.39, "t": -1.02},
                                        "post_hoc": {"difference": -0.39, "ci_low": -1.32, "ci_high": 0.54,
                                                     "q": -1.4432, "df": 37.976, "p_adjusted": 0.5681}}],
                             "overall": {"eta_squared": 0.0257, "eta_squared_ci_low": 0.0,
                                         "eta_squared_ci_high": 0.13}}, response="yield", group="soil"),
    _task("contingency", {"chi2": 6.5, "df": 9, "p": 0.69, "cramers_v": 0.21, "cramers_v_ci_low": 0.0,
                          "cramers_v_ci_high": 0.4, "preferred": "fisher"}, row="soil", column="plot"),
    _task("hypotheses", {"adjustment": "holm", "origin": "generated"}),
    _task("cluster", {"k": 2, "method": "kmeans", "k_chosen_by": "silhouette and gap", "silhouette": 0.59712},
          columns=["yield", "water"]),
    _task("pca", {"component_count": 2, "above_chance": 1, "standardised": True}, columns=["yield", "water"]),
    _task("curve_fit", {"response": "yield", "converged": True, "r_squared": 0.77, "df_residual": 56}, ("figure-1",),
          formula="a*(1-exp(-b*water))", response="yield", start={"a": 5, "b": 0.1}),
    _task("trend", {"not_possible": "No column holds dates or times."}, response="yield") | {"table": None},
]  # fmt: skip


def analysis() -> dict[str, Any]:
    """An answered question about one dataset, with what else was computed."""
    hypothesis = {"statement": "yield and water go together", "test": "spearman", "n": 58, "p": 1e-12,
                  "p_adjusted": 2e-12, "supported": True,
                  "effect": {"name": "Spearman ρ", "value": 0.77, "ci_low": 0.64, "ci_high": 0.86}}  # fmt: skip
    return {
        "title": "Analysis of field.csv",
        "question": "Does water raise the yield?",
        "partial": False,
        "summary": f"{ANSWER} Analysed: field.csv (60 rows).",
        "confidence_score": 0.85,
        "sections": [
            _section("Answer", ANSWER, ANSWER),
            _section("Findings", OTHER, OTHER),
            _section("The data", "field.csv has 60 rows and 4 columns."),
            _section("Limits", "Two rows are left out.\n\nAssociations do not show causes.", "Two rows are left out."),
            _section("Methods", "Intervals are two-sided, 95 %."),
        ],
        "answer": {"status": "answered", "text": ANSWER, "finding": "finding-1"},
        "key_findings": [
            {"id": "finding-1", "text": ANSWER, "citations": [], "confidence": 0.92, "table": "table-regression",
             "figure": "figure-1"},
            {"id": "finding-2", "text": OTHER, "citations": [], "confidence": 0.41, "table": "table-anova"},
        ],
        "tables": TABLES,
        "figures": [
            {"id": "figure-2", "title": "Soils", "alt": "One point.", "spec": SPEC, "media_type": ""},
            {"id": "figure-1", "title": "Yield and water", "alt": "Two rising points.", "spec": SPEC, "media_type": ""},
        ],
        "analysis": TASKS,
        "hypotheses": [hypothesis],
        "datasets": [{"name": "field.csv", "rows": 60}],
        "methods": {"seed": 0, "confidence_formula": "Confidence is (1 − p) · n/(n + 10)."},
        "reproduction": {
            "script": {"filename": "analysis.py", "text": "print()"},
            "data": [{"name": "field.csv", "rows": 60, "columns": 4, "sha256": "0" * 64}],
            "steps": [{"n": 1, "what": "read", "rows_in": 60, "rows_out": 60},
                      {"n": 2, "what": "regression", "rows_in": 60, "rows_out": 58}],
            "seed": 0,
            "versions": {"numpy": "2.4"},
        },
        "citations": [],
    }  # fmt: skip
