"""The first step: what the datasets are, and the plan, as JSON that later steps take up again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from worker.engines.analysis.options import AnalysisOptions
from worker.engines.analysis.planning import Plan, Planned, make_plan
from worker.engines.analysis.reading.notes import ReadResult
from worker.engines.analysis.tasks.task import Task

JSON = Any

MAX_PROBLEMS = 200


def load(read: Sequence[ReadResult], prompt: str, options: AnalysisOptions, seed: int) -> JSON:
    """Datasets, question and planned tasks. Raises :class:`AnalysisError` naming what in the request is at fault."""
    plan = make_plan([result.table for result in read], prompt, options, seed)
    return {
        "datasets": [_dataset(result) for result in read],
        "question": plan.question.as_json(),
        "question_dataset": read[plan.dataset].table.name,
        "cannot": list(plan.cannot),
        "caveats": list(plan.caveats),
        "exploratory": plan.exploratory,
        "tasks": [_task_json(planned) for planned in plan.tasks],
        "decisions": _decisions(read, plan),
        "plan_decisions": [decision.as_json() for decision in plan.decisions],
        "seed": seed,
    }


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
