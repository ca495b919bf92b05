"""Findings from direct questions: one figure, or one for each group; a mean against a value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from worker.engines.analysis.findings.draft import SIGNIFICANT, Draft, confidence, doubts_of
from worker.engines.analysis.wording import by_level, interval, listed, number, numbered, p_value, plural

Result = dict[str, Any]

_NAMES = {
    "mean": "mean", "median": "median", "sum": "total", "min": "lowest value", "max": "highest value",
    "sd": "standard deviation",
}  # fmt: skip
_SHOWN = 6


def from_aggregate(result: Result, rows: int) -> Iterator[Draft]:
    """The figure asked for; with groups, who has most, and the others in order."""
    text = _extreme(result) if result["groups"] and result["extreme"] else _plain(result)
    numbers: Result = {key: result[key] for key in ("statistic", "value", "n", "ci_low", "ci_high")}
    if result["groups"]:
        numbers["groups"] = {group["level"]: group["value"] for group in result["groups"][:_SHOWN]}
    columns = tuple(name for name in (result["column"], result["by"]) if name is not None)
    n = result["n"]
    counted = result["statistic"] in ("count", "missing", "distinct", "sum", "min", "max")
    sure = 1.0 if counted and not result["where"] else confidence(None, n, 1.0, doubts_of(result))
    yield Draft(text, numbers, 0.0, round(sure, 4), columns, "aggregate", established=True, whole=True)


def _unit(result: Result) -> str:
    return (
        f" {result['unit']}"
        if result["unit"] and result["statistic"] not in ("count", "missing", "share", "distinct")
        else ""
    )


def _value(result: Result, entry: Result) -> str:
    if result["statistic"] == "share":
        return f"{number(100 * entry['value'], 3)} %"
    if isinstance(entry["value"], int):
        return f"{entry['value']:,}"
    digits = 4 if result["statistic"] in ("mean", "sd") else 10
    return f"{number(entry['value'], digits)}{_unit(result)}"


def _what(result: Result) -> str:
    statistic, column = result["statistic"], result["column"]
    if statistic in _NAMES:
        return f"{_NAMES[statistic]} of {column}"
    of = (
        "rows"
        if column is None
        else f"rows with {column} {result['level']}"
        if result["level"]
        else f"rows with {column}"
    )
    return {
        "count": f"number of {of}",
        "share": f"share of {of}",
        "distinct": f"number of different values of {column}",
        "missing": f"number of rows without a value of {column}",
    }[statistic]


def _plain(result: Result) -> str:
    where = f" where {result['where']}" if result["where"] and result["statistic"] != "share" else ""
    if result["statistic"] == "distinct":
        values, rows = plural(result["value"], "different value"), plural(result["n"], "row")
        text = f"{result['column']} has {values}{where}, in {rows}."
        return text + _by_groups(result)
    what = _what(result)
    if result["statistic"] == "share" and result["where"]:
        some = f"rows where {result['where']}"
        what = f"share of {some}" if result["column"] is None else f"{what} among {some}"
    limits = "" if result["ci_low"] is None else f" ({_limits(result, result)})"
    if result["at"] is not None:
        limits = f" ({_place(result['at'])})"
    text = f"The {what}{where} is {_value(result, result)}{limits}"
    text += "." if result["statistic"] == "count" and not result["groups"] else f", n = {result['n']:,}."
    return text + _by_groups(result)


def _by_groups(result: Result) -> str:
    said = [(group["level"], _value(result, group)) for group in result["groups"]]
    return f" {by_level(result['by'], said, _SHOWN)}." if said else ""


def _place(at: Result) -> str:
    name = f"{at['column']} {at['name']}, row {at['row']:,}" if at["name"] is not None else f"row {at['row']:,}"
    others = at["rows"] - 1
    return name + (f", and {plural(others, 'other row')}" if others else "")


def _limits(result: Result, entry: Result) -> str:
    if result["statistic"] == "share":
        return f"95 % interval {number(100 * entry['ci_low'], 3)} to {number(100 * entry['ci_high'], 3)} %"
    return interval(entry["ci_low"], entry["ci_high"])


def _extreme(result: Result) -> str:
    groups = result["groups"] if result["extreme"] == "max" else result["groups"][::-1]
    first = groups[0]
    level, tied = first["level"], [g["level"] for g in groups if g["value"] == first["value"]]
    word = "highest" if result["extreme"] == "max" else "lowest"
    where = f" where {result['where']}" if result["where"] else ""
    limits = "" if first["ci_low"] is None else f", {_limits(result, first)}"
    has = f"{result['by']} {level} has" if len(tied) == 1 else f"{listed(tied)} share"
    size = f" (n = {first['n']:,}{limits})" if result["statistic"] != "count" else ""
    text = f"{has} the {word} {_what(result)}{where}: {_value(result, first)}{size}."
    after = [(group["level"], _value(result, group)) for group in groups if group["level"] not in tied]
    rest = [f"{level} ({value})" if numbered([level]) else f"{level} {value}" for level, value in after]
    if rest:
        text += f" {'It is followed by' if len(tied) == 1 else 'They are followed by'} {listed(rest, _SHOWN)}."
    second = groups[len(tied)] if len(groups) > len(tied) else None
    if second and first["ci_low"] is not None and second["ci_low"] is not None:
        apart = first["ci_low"] > second["ci_high"] or first["ci_high"] < second["ci_low"]
        if not apart:
            text += " The intervals of the first two overlap, so which of them is ahead beyond these rows is open."
    return text


def from_one_sample(result: Result, rows: int) -> Iterator[Draft]:
    """Whether the mean differs from the value asked about."""
    found = result["p"] < SIGNIFICANT
    unit = f" {result['unit']}" if result["unit"] else ""
    way = "above" if result["difference"] > 0 else "below"
    lead = (
        f"The mean of {result['column']}, {number(result['mean'])}{unit}, is {way} {number(result['value'], 6)}"
        if found
        else f"The data do not show that the mean of {result['column']}, {number(result['mean'])}{unit}, differs from "
        f"{number(result['value'], 6)}"
    )
    text = (
        f"{lead} ({interval(result['ci_low'], result['ci_high'])}, t({result['df']}) = {number(result['t'], 3)}, "
        f"{p_value(result['p'])}, Cohen's d = {number(result['cohens_d'], 3)}, n = {plural(result['n'], 'value')})."
    )
    d = abs(result["cohens_d"])
    numbers = {key: result[key] for key in ("mean", "ci_low", "ci_high", "value", "t", "df", "p", "cohens_d", "n")}
    sure = confidence(result["p"], result["n"], result["n"] / rows, doubts_of(result))
    yield Draft(text, numbers, d / (d * d + 4) ** 0.5, sure, (result["column"],), "one_sample", found, whole=True)
