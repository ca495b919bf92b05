"""The first step: what the datasets are, and the plan, as JSON that later steps take up again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from worker.engines.analysis.findings.doubts import doubts_of_columns
from worker.engines.analysis.options import AnalysisOptions
from worker.engines.analysis.planning import Plan, Planned, make_plan
from worker.engines.analysis.reading.notes import ReadResult
from worker.engines.analysis.tasks.task import Task
from worker.engines.analysis.vocabulary import alike, name_words
from worker.engines.analysis.wording import listed

JSON = Any

MAX_PROBLEMS = 200


def load(read: Sequence[ReadResult], prompt: str, options: AnalysisOptions, seed: int) -> JSON:
    """Datasets, question and planned tasks. Raises :class:`AnalysisError` naming what in the request is at fault."""
    plan = make_plan([result.table for result in read], prompt, options, seed)
    return {
        "datasets": [_dataset(result) for result in read],
        "question": plan.question.as_json(),
        "question_dataset": read[plan.dataset].table.name,
        "cannot": _with_sheets(read[plan.dataset], plan),
        "caveats": list(plan.caveats),
        "doubts": [doubt for result in read for doubt in doubts_of_columns(result)],
        "exploratory": plan.exploratory,
        "tasks": [_task_json(planned) for planned in plan.tasks],
        "decisions": _decisions(read, plan),
        "plan_decisions": [decision.as_json() for decision in plan.decisions],
        "seed": seed,
    }


def _with_sheets(read: ReadResult, plan: Plan) -> list[str]:
    """Why the question cannot be answered, and which other sheet of the workbook has columns of its words."""
    said = plan.question.unknown or tuple(word for phrase in plan.question.unused for word in phrase.split())
    others = [text for d in read.decisions if d.decision.startswith("the sheet ") for text in d.alternatives]
    found = []
    for other in others if plan.cannot else ():
        match = re.fullmatch(r"sheet '(.+?)' \((.*)\)", other)
        names = [] if match is None else re.split(r", | and ", match[2])
        fitting = [name for name in names if any(alike(word, part) for word in said for part in name_words(name))]
        if match is not None and fitting:
            columns = f"{'a column' if len(fitting) == 1 else 'columns'} {listed(fitting)}"
            found.append(f"the sheet {match[1]} has {columns}: read.sheet chooses it.")
    return [*plan.cannot, *found]


def _dataset(result: ReadResult) -> JSON:
    table = result.table
    return {
        "name": table.name,
        "sha256": table.sha256,
        "rows": table.rows,
        "rows_left_out": result.rows_left_out,
        "columns": [{"name": c.name, "type": str(c.type), "unit": c.unit, "missing": c.missing} for c in table.columns],
        "problem_count": len(result.problems),
        "problems": [problem.as_json() for problem in result.problems[:MAX_PROBLEMS]],
        "decisions": [decision.as_json() for decision in result.decisions],
    }


def _decisions(read: Sequence[ReadResult], plan: Plan) -> list[JSON]:
    decisions = []
    for result in read:
        for decision in result.decisions:
            decisions.append({**decision.as_json(), "decision": f"{result.table.name}: {decision.decision}"})
        left_out = [p.as_json() for p in result.problems if p.effect == "row left out"]
        if left_out:
            decisions.append(
                {
                    "decision": f"{result.table.name}: {len(left_out)} row(s) left out",
                    "reason": "they do not fit the table",
                    "alternatives": [],
                    "excluded": left_out[:MAX_PROBLEMS],
                }
            )
    decisions += [decision.as_json() for decision in plan.decisions]
    kinds = [f"{planned.task.kind} ({planned.why})" for planned in plan.tasks]
    asked = any(planned.asked for planned in plan.tasks)
    decisions.append(
        {
            "decision": f"tasks: {'; '.join(kinds) or 'none'}",
            "reason": "asked for in the request" if asked else "chosen from the prompt and the data",
            "alternatives": [],
            "excluded": [],
        }
    )
    return decisions


def _task_json(planned: Planned) -> JSON:
    task = planned.task
    return {
        "kind": task.kind,
        "arguments": dict(task.arguments),
        "path": task.path,
        "seed": task.seed,
        "dataset": planned.dataset,
        "why": planned.why,
        "asked": planned.asked,
        "unfit": planned.unfit,
    }


def planned_tasks(loaded: JSON) -> list[Planned]:
    """The plan, back from JSON."""
    return [
        Planned(
            Task(item["kind"], item["arguments"], item["path"], item["seed"]),
            item["dataset"],
            item["why"],
            item["asked"],
            item["unfit"],
        )
        for item in loaded["tasks"]
    ]
