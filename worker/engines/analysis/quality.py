"""What is wrong with the data, and what was decided in reading them, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from worker.engines.analysis.wording import plural

JSON = Any

_SHOWN_PROBLEMS = 10
_SUMMARY_PROBLEMS = 3
_SHOWN_DECISIONS = 25


def quality(loaded: JSON, computed: Sequence[JSON]) -> tuple[str, list[str]]:
    """The section on data quality and its claims: by dataset what the profile saw, what reading met by line, and how it
    was read, with what would change that."""
    paragraphs: list[str] = []
    claims: list[str] = []
    profiles = {
        item["entry"]["dataset"]: item["entry"]["result"]
        for item in computed
        if item["entry"]["kind"] == "profile" and "quality" in item["entry"]["result"]
    }
    for dataset in loaded["datasets"]:
        seen = _profiled(dataset, profiles.get(dataset["name"]))
        if seen:
            claims.append(seen)
            paragraphs.append(seen)
        if dataset["problem_count"]:
            paragraphs.append(_problems(dataset))
        decisions = dataset["decisions"]
        if decisions:
            told = [f"{_capital(d['decision'])} ({d['reason']})" for d in decisions[:_SHOWN_DECISIONS]]
            more = [f"and {len(decisions) - len(told)} more"] if len(decisions) > len(told) else []
            paragraphs.append(f"How {dataset['name']} was read:")
            paragraphs += [f"• {line}" for line in (*told, *more)]
            paragraphs.append("Where a guess is wrong, `preferences.analysis.read` overrides it.")
    return "\n\n".join(paragraphs) or "Nothing was wrong with the data.", claims


def _profiled(dataset: JSON, profile: Mapping[str, Any] | None) -> str:
    if profile is None:
        return ""
    remarks = [remark["text"] for remark in profile["quality"]]
    name = dataset["name"]
    if not remarks:
        complete = "no value is missing, " if not profile["missing_cells"] else ""
        return f"{name}: {complete}no row repeats another, and no column looks out of order."
    return f"{name}: {'; '.join(remarks)}."


def _problems(dataset: JSON) -> str:
    lines = [
        f"line {problem['line']}"
        + (f", {problem['column']}" if "column" in problem else "")
        + f": {problem['issue']} ({problem['effect']})"
        for problem in dataset["problems"][:_SHOWN_PROBLEMS]
    ]
    more = dataset["problem_count"] - len(lines)
    tail = f"; and {more:,} more" if more > 0 else ""
    return f"{plural(dataset['problem_count'], 'problem')} in the file {dataset['name']}: {'; '.join(lines)}{tail}."


def left_out(dataset: JSON) -> str:
    """What of a dataset's rows was not used, or read with doubt, by line; empty when all is well."""
    lost = [problem for problem in dataset["problems"] if problem["effect"] == "row left out"]
    doubtful = [p for p in dataset["problems"] if p["effect"] == "kept" and "column" not in p]
    sentences = []
    if rows := dataset["rows_left_out"]:
        were = "was" if rows == 1 else "were"
        share = f"{rows:,} of {dataset['rows'] + rows:,} rows {were} left out of {dataset['name']}"
        sentences.append(f"{share}: {_told(lost, rows)}.")
    if doubtful:
        sentences.append(f"In {dataset['name']}, {_told(doubtful, len(doubtful))}.")
    return " ".join(sentences)


def _told(problems: Sequence[JSON], total: int) -> str:
    shown = [f"line {problem['line']}: {problem['issue']}" for problem in problems[:_SUMMARY_PROBLEMS]]
    more = total - len(shown)
    return "; ".join(shown) + (f"; and {more:,} more" if more else "")


def _capital(text: str) -> str:
    return text[:1].lower() + text[1:] if text[1:2].islower() else text
