"""Blocks of analysis sessions, and of other sessions that have datasets."""

from __future__ import annotations

from kit.results_schema.analysis_results import INTERVAL, RESULTS, P
from kit.results_schema.words import (
    Schema,
    count,
    flag,
    listed,
    members,
    nullable,
    number,
    of,
    text,
    texts,
    whole,
)

_WITHOUT: dict[str, Schema] = {
    "not_possible": text("Why the data cannot answer it; nothing else is given then."),
    "skipped": text("Why there was no time for it; nothing else is given then."),
    "warnings": texts("What a reader must know."),
}

DEFINITIONS: dict[str, Schema] = {
    "data_column": members(
        "A column of a dataset.",
        {"name": text("Its name.")},
        {
            "type": text("`number`, `integer`, `category`, `date`, `boolean`, `text`, …"),
            "unit": nullable(text("Unit of its numbers.")),
            "missing": count("Missing values."),
            "distinct": count("Different values."),
        },
    ),
    "estimate": members(
        "An estimated value.",
        {"name": text("Of the term or parameter.")},
        {
            "estimate": nullable(number("The value.")),
            "std_error": nullable(number("Its standard error.")),
            "t": nullable(number("The value over its standard error.")),
            **P,
            **INTERVAL,
        },
    ),
    "coefficient": members(
        "A correlation coefficient.",
        {},
        {
            "r": nullable(number("−1 to 1.")),
            **INTERVAL,
            **P,
            "p_adjusted": nullable(number("Adjusted by Holm over the pairs.")),
            "p_adjusted_bh": nullable(number("Adjusted by Benjamini and Hochberg.")),
        },
    ),
    "hypothesis": members(
        "A hypothesis, and what the data say of it.",
        {},
        {
            "id": text("Derived from its content."),
            "dataset": text("The dataset; of research sessions."),
            "kind": text("What sort of statement it is, such as `correlation`."),
            "statement": nullable(text("The hypothesis in words.")),
            "null": nullable(text("The null hypothesis in words.")),
            "test": nullable(text("The test.")),
            "n": nullable(count("Rows used.")),
            "effect": nullable(
                members(
                    "The size of the effect.",
                    {},
                    {"name": text("Of the measure."), "value": nullable(number("Its value.")), **INTERVAL},
                )
            ),
            **P,
            "p_adjusted": nullable(number("Adjusted over all hypotheses tested.")),
            "supported": nullable(flag("Whether the data support it.")),
            "verdict": nullable(text("The same in words.")),
            "exploratory": flag("Whether it was found in the data it was tested on."),
        },
    ),
    "task": members(
        "A task that was done, and what it gave.",
        {"kind": text("Such as `regression`.")},
        {
            "dataset": text("Name of the dataset."),
            "request": {"description": "What it was asked with.", "type": "object"},
            "asked": flag("Whether it was asked for, rather than chosen."),
            "why": text("Why it was done."),
            "result": nullable(members("What it gave, in the shape of its kind.", {}, _WITHOUT)),
            "table": nullable(text("Id of the table that shows it.")),
            "figures": texts("Ids of the figures that show it."),
        },
        allOf=[
            {
                "if": {"properties": {"kind": {"const": kind}}},
                "then": {"properties": {"result": {"anyOf": [{"$ref": f"#/$defs/result_{kind}"}, {"type": "null"}]}}},
            }
            for kind in RESULTS
        ],
    ),
    "dataset": members(
        "A dataset as it was read.",
        {"name": text("Its name.")},
        {
            "sha256": text("SHA-256 of the file, in hex."),
            "rows": count("Rows used."),
            "rows_left_out": count("Rows that could not be used."),
            "columns": listed({"$ref": "#/$defs/data_column"}, "Its columns."),
            "problem_count": count("Problems met while reading."),
            "problems": listed(
                members(
                    "A problem.",
                    {"issue": text("What is wrong.")},
                    {
                        "line": nullable(whole("Line of the file, from 1.")),
                        "column": text("The column."),
                        "effect": text("What was done about it."),
                    },
                ),
                "The first of them.",
            ),
            "decisions": listed({"$ref": "#/$defs/decision"}, "Every guess about the file, and why."),
        },
    ),
    "answer": members(
        "The answer to the question.",
        {"status": text("`answered`, `qualified`, `not_answerable`, `overview`, …"), "text": text("In words.")},
        {
            "why": listed({}, "What qualifies it."),
            "finding": nullable(text("Id of the finding that it is.")),
            "also": texts("Ids of findings that belong to it."),
        },
    ),
    "reproduction": members(
        "All that is needed to repeat the analysis.",
        {},
        {
            "seed": whole("Seed of everything that is drawn at random."),
            "versions": {"description": "Versions of what computed, by name.", "type": "object"},
            "steps": listed(
                members(
                    "A step.",
                    {"n": count("Its number, from 1."), "what": text("What was done.")},
                    {
                        "dataset": text("With which dataset."),
                        "parameters": {"description": "With what.", "type": "object"},
                        "rows_in": nullable(count("Rows before.")),
                        "rows_out": nullable(count("Rows after.")),
                    },
                ),
                "What was done, in order.",
            ),
            "data": listed(
                members(
                    "A dataset.",
                    {"name": text("Its name.")},
                    {
                        "sha256": text("SHA-256 of the file, in hex."),
                        "rows": count("Rows."),
                        "columns": count("Columns."),
                    },
                ),
                "What the analysis was made from.",
            ),
            "script": members(
                "A program that repeats it without this product.",
                {"filename": text("Its file's name."), "text": text("The program.")},
                {"media_type": text("Such as `text/x-python`.")},
            ),
        },
    ),
    **{f"result_{kind}": {**shape, "properties": shape["properties"] | _WITHOUT} for kind, shape in RESULTS.items()},
}
"""Definitions by name."""

BLOCKS: dict[str, Schema] = {
    "answer": of("answer", "The answer to the question."),
    "analysis": listed({"$ref": "#/$defs/task"}, "The tasks, in the order they were asked for."),
    "hypotheses": listed({"$ref": "#/$defs/hypothesis"}, "All hypotheses tested in the data of a research session."),
    "datasets": listed({"$ref": "#/$defs/dataset"}, "The datasets as they were read."),
    "reproduction": of("reproduction", "All that is needed to repeat the analysis."),
}
"""Members of `results` by name."""
