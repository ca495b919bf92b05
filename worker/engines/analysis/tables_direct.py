"""Tables of direct questions."""

from __future__ import annotations

from typing import Any

Result = dict[str, Any]
Rows = tuple[str, list[str], list[list[Any]]]


def aggregate(result: Result) -> Rows:
    """One line for each group, and one for all rows."""
    what = result["statistic"] if result["column"] is None else f"{result['statistic']} of {result['column']}"
    title = what[0].upper() + what[1:] + (f" by {result['by']}" if result["by"] else "")
    title += f" where {result['where']}" if result["where"] else ""
    keys = ("n", "value", "ci_low", "ci_high")
    rows = [[group["level"], *(group[key] for key in keys)] for group in result["groups"]]
    rows.append(["all rows", *(result[key] for key in keys)])
    return title, [result["by"] or "rows", "n", result["statistic"], "95 % low", "95 % high"], rows


def one_sample(result: Result) -> Rows:
    """The test on one line."""
    keys = ("n", "mean", "ci_low", "ci_high", "sd", "value", "t", "p", "cohens_d")
    headings = ["column", "n", "mean", "95 % low", "95 % high", "sd", "compared with", "t", "p", "Cohen's d"]
    return f"Mean of {result['column']}", headings, [[result["column"], *(result[key] for key in keys)]]
