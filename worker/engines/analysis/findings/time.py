"""Findings on series: rise or fall, seasons, changes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from worker.engines.analysis.findings.calendar_words import place_named, slope_unit
from worker.engines.analysis.findings.draft import SIGNIFICANT, Draft, confidence, doubts_of
from worker.engines.analysis.wording import interval, number, p_value

Result = dict[str, Any]

_SMALL = 30
_NAMES = {
    "mann_kendall": "Mann–Kendall",
    "hamed_rao": "Mann–Kendall with Hamed and Rao's correction for autocorrelation",
    "seasonal_mann_kendall": "seasonal Mann–Kendall",
}


def from_trend(result: Result, rows: int) -> Iterator[Draft]:
    """The trend by the preferred test, then the season and the changes where they were found."""
    yield _trend(result, rows)
    n, columns = result["n"], _columns(result)
    doubts = doubts_of(result)
    response, time = result["response"], result["time"] or "the order of rows"
    season = result["seasonality"]["found"]
    if season is not None:
        unit = "values" if season["unit"] == "step" else f"{season['unit']}s"
        high, low = (place_named(season, result, which) for which in ("highest", "lowest"))
        on = "on" if season["unit"] == "day" else "in"
        where = (
            f"it is highest {on} {high} and lowest {on} {low}"
            if high and low
            else f"counted from the first value, it is highest at place {season['highest']} and lowest at place "
            f"{season['lowest']} of the period"
        )
        text = (
            f"{response} repeats every {season['period']} {unit} over {time} ({p_value(season['p'])}, seasonal "
            f"strength {number(season['strength'], 3)} on a scale from 0 to 1): {where}, "
            f"{number(max(season['indices']) - min(season['indices']))} apart."
        )
        numbers = {key: season[key] for key in ("period", "unit", "p", "strength", "highest", "lowest")}
        sure = confidence(season["p"], n, min(1.0, n / rows), doubts)
        yield Draft(text, numbers, season["strength"] ** 0.5, sure, columns, "trend", established=True)
    per, times = slope_unit(result)
    for change in result["change_points"]:
        kind = "level" if change["kind"] == "level" else f"slope per {per}"
        before, after = (change[key] * (1.0 if kind == "level" else times) for key in ("before", "after"))
        text = (
            f"The {kind} of {response} changes at {time} {change['at']} (95 % interval {change['at_low']} to "
            f"{change['at_high']}): from {number(before)} to {number(after)} "
            f"({p_value(change['p'])} against series with the same autocorrelation). What changed then the data do "
            "not say."
        )
        numbers = {key: change[key] for key in ("kind", "at", "at_low", "at_high", "before", "after", "p")}
        effect = min(1.0, (change["f"] / (change["f"] + n)) ** 0.5)
        sure = confidence(change["p"], n, min(1.0, n / rows), doubts)
        yield Draft(text, numbers, effect, sure, columns, "trend", established=True)


def _columns(result: Result) -> tuple[str, ...]:
    return (result["response"],) if result["time"] is None else (result["response"], result["time"])


def _trend(result: Result, rows: int) -> Draft:
    n, name = result["n"], result["preferred"]
    p, low, high, slope = result["p"], result["ci_low"], result["ci_high"], result["slope"]
    if name == "hamed_rao":
        corrected = result["corrected"]
        p, low, high = corrected["p"], corrected["ci_low"], corrected["ci_high"]
    elif name == "seasonal_mann_kendall":
        seasonal = result["seasonality"]["found"]["seasonal_mann_kendall"]
        p, low, high, slope = (seasonal[key] for key in ("p", "ci_low", "ci_high", "slope"))
    found = p < SIGNIFICANT
    response, time = result["response"], result["time"] or "the order of rows"
    exact = "exact " if result["p_method"] == "exact" and name == "mann_kendall" else ""
    per, times = slope_unit(result)
    figures = (
        f"Theil–Sen slope {number(slope * times)} per {per}, {interval(low * times, high * times)}, "
        f"Kendall τ = {number(result['tau'], 3)}, {exact}{_NAMES[name]} {p_value(p)}, n = {n}"
    )
    text = (
        f"{response} is {result['direction']} over {time} ({figures})."
        if found
        else f"No clear trend of {response} over {time} was found ({figures})."
    )
    text += f" With n = {n} this is a small sample." if n < _SMALL else ""
    numbers = {"slope": slope} | {key: result[key] for key in ("tau", "n", "time_unit")}
    numbers |= {"ci_low": low, "ci_high": high, "p": p, "test": name}
    # That neighbours are alike is no doubt where the test allows for it.
    doubts = doubts_of(result) - any("alike" in warning for warning in result["warnings"])
    sure = confidence(p, n, min(1.0, n / rows), doubts)
    return Draft(text, numbers, abs(result["tau"] or 0.0), sure, _columns(result), "trend", found)
