"""Results of an analysis's tasks, by kind."""

from __future__ import annotations

from kit.results_schema.words import (
    Schema,
    anything,
    by_name,
    count,
    flag,
    listed,
    members,
    nullable,
    number,
    of,
    text,
    texts,
)

INTERVAL: dict[str, Schema] = {
    "ci_low": nullable(number("Lower end of the 95 % interval.")),
    "ci_high": nullable(number("Upper end of the 95 % interval.")),
}
P: dict[str, Schema] = {"p": nullable(number("p-value, two-sided."))}
ROWS: dict[str, Schema] = {"n": count("Rows used.")}


ARITHMETIC = nullable(text("How it was computed: `exact`, or in which arithmetic."))


def _result(description: str, **fields: Schema) -> Schema:
    return members(description, {}, {**fields, "arithmetic": ARITHMETIC})


def _of_columns(description: str, **fields: Schema) -> Schema:
    return listed(members("A column.", {"name": text("Its name.")}, fields), description)


RESULTS: dict[str, Schema] = {
    "profile": _result(
        "The shape of a dataset and its quality.",
        rows=count("Rows."),
        column_count=count("Columns."),
        completeness=nullable(number("Share of cells that are not missing.")),
        columns=listed({"$ref": "#/$defs/data_column"}, "Its columns."),
        quality=listed(
            members(
                "A remark on the quality.",
                {"code": text("Such as `missing` or `repeated_rows`."), "text": text("The remark.")},
                {"columns": texts("The columns concerned.")},
            ),
            "Remarks.",
        ),
    ),
    "describe": _result(
        "The columns in figures.",
        columns=listed(
            members(
                "A column. Numeric columns have all of these; categories their commonest values, dates first and last.",
                {"name": text("Its name.")},
                {
                    "n": count("Values."),
                    "missing": count("Missing values."),
                    "mean": nullable(number("Arithmetic mean.")),
                    "sd": nullable(number("Standard deviation, by n − 1.")),
                    "min": anything("Smallest value."),
                    "q1": nullable(number("Lower quartile, as `quantile_method` says.")),
                    "median": nullable(number("Median.")),
                    "q3": nullable(number("Upper quartile.")),
                    "max": anything("Largest value."),
                    "autocorrelation_lag1": nullable(number("About the mean, over the full sum of squares.")),
                    **INTERVAL,
                },
            ),
            "The columns.",
        ),
    ),
    "regression": _result(
        "A least-squares or generalised linear model.",
        formula=text("The model's formula, as in R."),
        **ROWS,
        terms=listed({"$ref": "#/$defs/estimate"}, "Its terms."),
        residual_sd=nullable(number("Residual standard deviation.")),
        r_squared=nullable(number("Share of variance explained.")),
        f=nullable(number("F of the whole model.")),
        **P,
        df_model=nullable(number("Degrees of freedom of the model.")),
        df_residual=nullable(number("Degrees of freedom of the residuals.")),
        condition_number=nullable(number("Of the design matrix.")),
    ),
    "curve_fit": _result(
        "A curve fitted by nonlinear least squares.",
        formula=text("The curve."),
        parameters=listed({"$ref": "#/$defs/estimate"}, "Its parameters."),
        residual_ss=nullable(number("Residual sum of squares.")),
        residual_sd=nullable(number("Residual standard deviation.")),
        df_residual=nullable(number("Degrees of freedom of the residuals.")),
        converged=flag("Whether the search came to a minimum."),
    ),
    "anova": _result(
        "One-way analysis of variance.",
        f=nullable(number("F.")),
        **P,
        df_between=nullable(number("Degrees of freedom between groups.")),
        df_within=nullable(number("Degrees of freedom within groups.")),
        ss_between=nullable(number("Sum of squares between groups.")),
        ss_within=nullable(number("Sum of squares within groups.")),
        r_squared=nullable(number("Share of variance between groups.")),
        residual_sd=nullable(number("Residual standard deviation.")),
        eta_squared=nullable(number("η².")),
        omega_squared=nullable(number("ω².")),
    ),
    "correlation": _result(
        "Correlations of pairs of columns.",
        pairs=listed(
            members(
                "A pair. `pearson`, `spearman` and `kendall` each have `r`, an interval and p, raw and adjusted.",
                {"x": text("One column."), "y": text("The other.")},
                {
                    **ROWS,
                    "pearson": nullable(of("coefficient", "Pearson's r.")),
                    "spearman": nullable(of("coefficient", "Spearman's ρ.")),
                    "kendall": nullable(of("coefficient", "Kendall's τ-b.")),
                },
            ),
            "The pairs.",
        ),
        adjustment=anything("How p-values are adjusted over the pairs."),
    ),
    "compare_groups": _result(
        "A measure compared between groups, or between repeated measurements.",
        response=text("The measure."),
        group=text("The column of groups."),
        groups=listed({"type": "object"}, "Each group's figures."),
        pairs=listed(
            members("Two groups.", {"a": text("One level."), "b": text("The other.")}), "The tests, pair by pair."
        ),
        preferred=anything("Which test is to be read."),
        decision=anything("Why that one."),
    ),
    "one_sample": _result(
        "Student's t-test of a mean against a value.",
        column=text("The column."),
        value=number("The value."),
        **ROWS,
        mean=nullable(number("Arithmetic mean.")),
        sd=nullable(number("Standard deviation, by n − 1.")),
        **INTERVAL,
        t=nullable(number("t.")),
        df=nullable(number("Degrees of freedom.")),
        **P,
        cohens_d=nullable(number("Cohen's d.")),
    ),
    "trend": _result(
        "A change over time, by Mann–Kendall and Sen's slope.",
        response=text("The measure."),
        time=nullable(text("The column of times; null for the order of the rows.")),
        **ROWS,
        s=nullable(number("Mann–Kendall S.")),
        tau=nullable(number("Kendall's τ.")),
        z=nullable(number("The standardised S.")),
        **P,
        slope=nullable(number("Sen's slope, per unit of time.")),
        **INTERVAL,
        corrected=nullable({"description": "The same, corrected for autocorrelation.", "type": "object"}),
        preferred=nullable(text("Which of both is to be read.")),
        seasonality=nullable({"description": "Seasons looked for and found.", "type": "object"}),
        change_points=nullable(listed({}, "Where the level changes.")),
    ),
    "aggregate": _result(
        "One figure of the rows, and one for each group.",
        statistic=text("Such as `mean`, `count` or `share`."),
        column=nullable(text("The column.")),
        by=nullable(text("The column of groups.")),
        value=anything("The figure."),
        **ROWS,
        **INTERVAL,
        groups=nullable(
            listed(
                members("A group.", {}, {"level": anything("Its name."), "value": anything("Its figure.")} | INTERVAL),
                "The groups.",
            )
        ),
    ),
    "distribution": _result(
        "How values are distributed.",
        columns=_of_columns(
            "The columns.",
            skewness=nullable(number("Skewness.")),
            excess_kurtosis=nullable(number("Kurtosis less 3.")),
            candidates=nullable(listed({"type": "object"}, "Distributions fitted, lowest AIC first.")),
            best=nullable(text("The one that fits best.")),
        ),
    ),
    "outliers": _result(
        "Unusual values, column by column.",
        columns=_of_columns(
            "The columns.",
            fences=nullable({"description": "Tukey's fences.", "type": "object"}),
            outside=nullable(number("Values outside the fences.")),
            expected_outside=nullable(number("How many a normal sample of that size would have.")),
            rows=nullable(listed({"type": "object"}, "The rows, farthest first; `row` counts from 1.")),
        ),
    ),
    "cluster": _result(
        "Groups of rows that are alike.",
        columns=texts("The columns they are told by."),
        **ROWS,
        k=nullable(number("How many groups.")),
        silhouette=nullable(number("Mean silhouette, −1 to 1.")),
        clusters=nullable(listed({"type": "object"}, "The groups, with `size`, `share` and `centre`.")),
        labels=nullable(listed({}, "The group of each of `labelled_rows`.")),
    ),
    "pca": _result(
        "Principal components.",
        **ROWS,
        components=nullable(
            listed(
                members(
                    "A component.",
                    {"component": count("Its number, from 1.")},
                    {
                        "variance": nullable(number("Its variance.")),
                        "share": nullable(number("Share of the whole variance.")),
                        "cumulative": nullable(number("Share of it and those before.")),
                        "loadings": by_name({}, "Correlation with each column."),
                    },
                ),
                "The components, largest first.",
            )
        ),
    ),
    "anomalies": _result(
        "Rows that lie farther from the bulk than chance would bring.",
        **ROWS,
        alpha=nullable(number("Probability that any is named by chance alone.")),
        outstanding=nullable(number("How many there are.")),
        anomalies=nullable(listed({"type": "object"}, "The rows, farthest first.")),
    ),
    "compare_models": _result(
        "Which model predicts rows it has not seen best.",
        response=text("The column to explain."),
        **ROWS,
        folds=nullable(number("Parts of the cross-validation.")),
        models=nullable(
            listed(
                members(
                    "A model.",
                    {"name": text("Its name.")},
                    {
                        "formula": nullable(text("Its formula.")),
                        "error": nullable(number("Error on rows not seen.")),
                        "std_error": nullable(number("Its standard error.")),
                        "aic": nullable(number("Akaike's criterion.")),
                        "bic": nullable(number("Schwarz's criterion.")),
                        **INTERVAL,
                    },
                ),
                "The models, best first.",
            )
        ),
        best=nullable(text("Name of the best.")),
        verdict=nullable(text("The same in words.")),
    ),
    "hypotheses": _result(
        "Hypotheses, tested.",
        origin=text("`given`, or `generated` from the data."),
        hypotheses=listed({"$ref": "#/$defs/hypothesis"}, "Each with its test and verdict."),
    ),
}
"""What results of a kind hold; those of other kinds are described in the documentation of analysis sessions."""
