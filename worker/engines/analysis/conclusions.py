"""From results to what is said about them: findings, sections, summary, confidence."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from worker.engines.analysis.canonical import content_id, strict
from worker.engines.analysis.findings.draft import CONFIDENCE_FORMULA, overall
from worker.engines.analysis.findings.ranking import rank
from worker.engines.analysis.wording import listed, plural

JSON = Any

_SHOWN_PROBLEMS = 10
_SUMMARY_PROBLEMS = 3
_SMALL = 30
_LIBRARIES = ("numpy", "scipy", "formulaic")


def find(computed: Sequence[JSON], loaded: JSON) -> list[JSON]:
    """Key findings, best first, each with the table and the figure that show it."""
    question = loaded["question"]
    entries = [item["entry"] for item in computed]
    rows = {dataset["name"]: dataset["rows"] for dataset in loaded["datasets"]}
    findings = []
    for draft, place in rank(entries, rows, question["mentioned"], question["response"]):
        numbers, _ = strict(dict(draft.numbers))
        shown = {key: computed[place][key]["id"] for key in ("table", "figure") if computed[place][key] is not None}
        findings.append(
            {
                "id": content_id("finding", draft.text),
                "text": draft.text,
                "citations": [],
                "confidence": draft.confidence,
                "numbers": numbers,
                "kind": draft.kind,
                "dataset": entries[place]["dataset"],
                **shown,
            }
        )
    return findings


def confidence_score(findings: Sequence[JSON], *, partial: bool) -> float:
    return overall([finding["confidence"] for finding in findings], partial=partial)


def sections(findings: Sequence[JSON], computed: Sequence[JSON], loaded: JSON, *, partial: bool) -> list[JSON]:
    """What the question's answer is, what the data are, and where the limits lie."""
    named = bool(loaded["question"]["mentioned"])
    lead = ""
    if not named and not any(item["entry"]["asked"] for item in computed):
        lead = "The question names no column of the data, so it has no direct answer; this is what stands out. "
    if not findings:
        lead += "Nothing stands out clearly."
    body = lead + "\n\n".join(finding["text"] for finding in findings)
    parts = [("Findings", body, [finding["text"] for finding in findings])]
    parts.append(("The data", *_data(loaded)))
    parts.append(("Limits", *_limits(findings, computed, loaded, partial=partial)))
    return [
        {
            "id": content_id("section", heading, text),
            "heading": heading,
            "body": text,
            "claims": [
                {"id": content_id("claim", heading, claim), "text": claim, "citations": [], "support": "computed"}
                for claim in claims
            ],
        }
        for heading, text, claims in parts
    ]


def _data(loaded: JSON) -> tuple[str, list[str]]:
    paragraphs = []
    for dataset in loaded["datasets"]:
        columns = [f"{column['name']} ({column['type']})" for column in dataset["columns"]]
        size = f"{plural(dataset['rows'], 'row')} and {plural(len(columns), 'column')}"
        text = f"{dataset['name']} has {size}: {listed(columns, 20)}."
        missing = [f"{c['name']} {c['missing']}" for c in dataset["columns"] if c["missing"]]
        text += f" Missing values: {listed(missing)}." if missing else " No value is missing."
        paragraphs.append(text)
        if dataset["problem_count"]:
            lines = [
                f"line {problem['line']}"
                + (f", {problem['column']}" if "column" in problem else "")
                + f": {problem['issue']} ({problem['effect']})"
                for problem in dataset["problems"][:_SHOWN_PROBLEMS]
            ]
            more = dataset["problem_count"] - len(lines)
            tail = f"; and {more} more" if more > 0 else ""
            paragraphs.append(f"{plural(dataset['problem_count'], 'problem')} in the file: {'; '.join(lines)}{tail}.")
    return "\n\n".join(paragraphs), [paragraphs[0]]


def _limits(
    findings: Sequence[JSON], computed: Sequence[JSON], loaded: JSON, *, partial: bool
) -> tuple[str, list[str]]:
    remarks = []
    if partial:
        skipped = [item["entry"]["kind"] for item in computed if "skipped" in item["entry"]["result"]]
        what = f": {listed(skipped)} left out" if skipped else ""
        remarks.append(f"Time or budget was nearly spent, so the analysis is partial{what}.")
    for item in computed:
        if reason := item["entry"]["result"].get("not_possible"):
            remarks.append(f"The data cannot answer this ({item['entry']['kind']}): {reason}")
    if loaded["exploratory"]:
        remarks.append(
            "What to model was chosen by looking at the data, so the p-values are exploratory: "
            "confirm them on other data."
        )
    for item in computed:
        for warning in item["entry"]["result"].get("warnings", []):
            if "not_possible" not in item["entry"]["result"] and "skipped" not in item["entry"]["result"]:
                remarks.append(f"{item['entry']['kind']}: {warning}.")
    small = [dataset["name"] for dataset in loaded["datasets"] if dataset["rows"] < _SMALL]
    if small:
        remarks.append(
            f"{listed(small)} has fewer than {_SMALL} rows; small samples hide weak effects and exaggerate strong ones."
        )
    if any(finding["kind"] not in ("describe", "curve_fit") for finding in findings):
        remarks.append("Associations in observed data do not show causes.")
    remarks = list(dict.fromkeys(remarks))
    return "\n\n".join(remarks) or "No particular limits were noticed.", remarks


def summary(findings: Sequence[JSON], loaded: JSON, *, partial: bool) -> str:
    """The data in a sentence and the first three findings."""
    sizes = [f"{dataset['name']} ({plural(dataset['rows'], 'row')})" for dataset in loaded["datasets"]]
    sentences = [f"Analysed: {listed(sizes)}.", *filter(None, map(left_out, loaded["datasets"]))]
    sentences += [finding["text"] for finding in findings[:3]] or ["Nothing stands out clearly."]
    if partial:
        sentences.append("The analysis is partial.")
    return " ".join(sentences)


def left_out(dataset: JSON) -> str:
    """What of a dataset's rows was not used, or read with doubt, by line; empty when all is well."""
    lost = [problem for problem in dataset["problems"] if problem["effect"] == "row left out"]
    doubtful = [p for p in dataset["problems"] if p["effect"] == "kept" and "column" not in p]
    sentences = []
    if number := dataset["rows_left_out"]:
        were = "was" if number == 1 else "were"
        share = f"{number:,} of {dataset['rows'] + number:,} rows {were} left out of {dataset['name']}"
        sentences.append(f"{share}: {_told(lost, number)}.")
    if doubtful:
        sentences.append(f"In {dataset['name']}, {_told(doubtful, len(doubtful))}.")
    return " ".join(sentences)


def _told(problems: Sequence[JSON], number: int) -> str:
    shown = [f"line {problem['line']}: {problem['issue']}" for problem in problems[:_SUMMARY_PROBLEMS]]
    more = number - len(shown)
    return "; ".join(shown) + (f"; and {more:,} more" if more else "")


def methods(seed: int) -> JSON:
    """What is needed to repeat the analysis."""
    return {
        "versions": {"python": platform.python_version(), **{name: version(name) for name in _LIBRARIES}},
        "seed": seed,
        "intervals": "95 %, two-sided",
        "confidence_formula": CONFIDENCE_FORMULA,
        "arithmetic": (
            "Sums and least squares are exact (integers and rationals on the decimal text) up to 100,000 values of a "
            "column and 1,000,000 products of a model; beyond, doubles with compensated sums and refined orthogonal "
            "decomposition."
        ),
    }


def document(
    loaded: JSON, computed: Sequence[JSON], findings: Sequence[JSON], prompt: str, *, seed: int, partial: bool
) -> Mapping[str, Any]:
    """The result document."""
    names = [dataset["name"] for dataset in loaded["datasets"]]
    return {
        "title": f"Analysis of {listed(names)}",
        "question": " ".join(prompt.split()),
        "partial": partial,
        "summary": summary(findings, loaded, partial=partial),
        "confidence_score": confidence_score(findings, partial=partial),
        "sections": sections(findings, computed, loaded, partial=partial),
        "key_findings": list(findings),
        "tables": _unique(item["table"] for item in computed),
        "figures": figures_in_order(computed, findings),
        "analysis": [item["entry"] for item in computed],
        "citations": [],
        "datasets": loaded["datasets"],
        "methods": methods(seed),
    }


def figures_in_order(computed: Sequence[JSON], findings: Sequence[JSON]) -> list[JSON]:
    """The figures, those of the foremost findings first."""
    figures = _unique(item["figure"] for item in computed)
    places: dict[str, int] = {}
    for place, finding in enumerate(findings):
        places.setdefault(finding.get("figure", ""), place)
    return sorted(figures, key=lambda figure: places.get(figure["id"], len(findings)))


def _unique(items: Any) -> list[JSON]:
    by_id = {item["id"]: item for item in items if item is not None}
    return list(by_id.values())
