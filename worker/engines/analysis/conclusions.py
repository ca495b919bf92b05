"""From results to what is said about them: findings, sections, summary, confidence."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from worker.engines.analysis.canonical import content_id, strict
from worker.engines.analysis.findings.doubts import doubts_about
from worker.engines.analysis.findings.draft import CONFIDENCE_FORMULA, DOUBT, Draft, overall
from worker.engines.analysis.findings.ranking import rank
from worker.engines.analysis.quality import left_out
from worker.engines.analysis.question import question_of
from worker.engines.analysis.reproduction.steps import reproduction
from worker.engines.analysis.sections import answer_of, sections
from worker.engines.analysis.wording import listed, plural

JSON = Any

__all__ = ["document", "figures_in_order", "find", "left_out", "sections", "shown"]

_SUMMARY_FINDINGS = 3
UNUSED = 0.7
"""What a finding keeps of its confidence where words of the question that limit the rows fit nothing."""
_NOT_FOUND, _NOT_POSSIBLE = 0.7, 0.9
_LIBRARIES = ("numpy", "scipy", "formulaic")


def find(computed: Sequence[JSON], loaded: JSON) -> list[JSON]:
    """Key findings, best first, each with the table and the figure that show it. Those that answer the question have
    `answers` true and are the first."""
    question = question_of(loaded["question"])
    entries = [item["entry"] for item in computed]
    rows = {dataset["name"]: dataset["rows"] for dataset in loaded["datasets"]}
    ranked, answers = rank(entries, rows, question)
    findings = []
    for draft, place in ranked:
        numbers, _ = strict(dict(draft.numbers))
        made = computed[place]
        doubted = DOUBT ** doubts_about(draft, entries[place]["dataset"], loaded.get("doubts", ()))
        shown = {} if made["table"] is None else {"table": made["table"]["id"]}
        if (figure := _figure_of(draft, made["figures"]) or _figure_elsewhere(draft, computed, place)) is not None:
            shown["figure"] = figure
        findings.append(
            {
                "id": content_id("finding", draft.text),
                "text": draft.text,
                "citations": [],
                "confidence": round(
                    draft.confidence * (UNUSED if question.unused or question.unread else 1.0) * doubted, 4
                ),
                "numbers": numbers,
                "kind": draft.kind,
                "dataset": entries[place]["dataset"],
                "answers": any(draft is answer for answer, _ in answers) and not loaded["cannot"],
                **shown,
            }
        )
    return findings


def _figure_of(draft: Draft, figures: Sequence[JSON]) -> str | None:
    """The figure whose title names most of the draft's columns; the main one among equals."""
    if not figures:
        return None
    return str(max(figures, key=lambda figure: sum(name in figure["title"] for name in draft.columns))["id"])


def _figure_elsewhere(draft: Draft, computed: Sequence[JSON], place: int) -> str | None:
    """Another task's figure of the same columns, for a task that draws none."""
    dataset = computed[place]["entry"]["dataset"]
    for item in computed:
        for figure in item["figures"] if item["entry"]["dataset"] == dataset and draft.columns else ():
            if all(name in figure["title"] for name in draft.columns):
                return str(figure["id"])
    return None


def confidence_score(findings: Sequence[JSON], *, partial: bool, answered: bool = True) -> float:
    """By :data:`CONFIDENCE_FORMULA`."""
    return overall([finding["confidence"] for finding in findings], partial=partial, answered=answered)


def summary(findings: Sequence[JSON], answer: JSON, loaded: JSON, *, partial: bool) -> str:
    """The answer, the data in a sentence and the first findings beside it."""
    sizes = [f"{dataset['name']} ({plural(dataset['rows'], 'row')})" for dataset in loaded["datasets"]]
    analysed = [f"Analysed: {listed(sizes)}.", *filter(None, map(left_out, loaded["datasets"]))]
    others = [finding["text"] for finding in findings if finding["id"] not in (answer["finding"], *answer["also"])]
    beside = others[: _SUMMARY_FINDINGS - bool(answer["text"])]
    if not answer["text"] and not beside:
        beside = ["Nothing stands out clearly."]
    sentences = [answer["text"], *analysed, *beside] if answer["text"] else [*analysed, *beside]
    if partial:
        sentences.append("The analysis is partial.")
    return " ".join(sentences)


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
    answer = answer_of(findings, computed, loaded)
    answered = answer["status"] != "not_answerable"
    return {
        "title": f"Analysis of {listed(names)}",
        "question": " ".join(prompt.split()),
        "partial": partial,
        "summary": summary(findings, answer, loaded, partial=partial),
        "confidence_score": confidence_score(findings, partial=partial, answered=answered),
        "sections": sections(findings, computed, loaded, partial=partial),
        "answer": answer,
        "key_findings": list(findings) if answered else [_unanswered(answer, loaded), *findings],
        "tables": _unique(item["table"] for item in computed),
        "figures": figures_in_order(computed, findings),
        "analysis": [shown(item) for item in computed],
        "citations": [],
        "datasets": loaded["datasets"],
        "methods": methods(seed),
        "reproduction": reproduction(loaded, [item["entry"] for item in computed], methods(seed)),
    }


def shown(item: JSON) -> JSON:
    """A task's entry with the ids of what shows it."""
    table = {} if item["table"] is None else {"table": item["table"]["id"]}
    return {**item["entry"], **table, "figures": [figure["id"] for figure in item["figures"]]}


def _unanswered(answer: JSON, loaded: JSON) -> JSON:
    """The key finding that the data cannot answer the question."""
    dataset = next(item for item in loaded["datasets"] if item["name"] == loaded["question_dataset"])
    sure = _NOT_FOUND if loaded["question"]["unknown"] else _NOT_POSSIBLE
    return {
        "id": content_id("finding", answer["text"]),
        "text": answer["text"],
        "citations": [],
        "confidence": sure,
        "numbers": {"rows": dataset["rows"], "columns": len(dataset["columns"])},
        "kind": "answer",
        "dataset": dataset["name"],
        "answers": False,
    }


def figures_in_order(computed: Sequence[JSON], findings: Sequence[JSON]) -> list[JSON]:
    """The figures, those of the foremost findings first."""
    figures = _unique(figure for item in computed for figure in item["figures"])
    places: dict[str, int] = {}
    for place, finding in enumerate(findings):
        places.setdefault(finding.get("figure", ""), place)
    return sorted(figures, key=lambda figure: places.get(figure["id"], len(findings)))


def _unique(items: Any) -> list[JSON]:
    by_id = {item["id"]: item for item in items if item is not None}
    return list(by_id.values())
