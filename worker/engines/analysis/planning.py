"""Which tasks to do: those asked for, or those that prompt and data suggest."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from kit.analysis_requests import near
from worker.engines.analysis.asked import expand
from worker.engines.analysis.chooser import Chooser, Plannable, quoted
from worker.engines.analysis.errors import invalid
from worker.engines.analysis.options import PATH, AnalysisOptions
from worker.engines.analysis.question import Question, read_question
from worker.engines.analysis.reading.notes import Decision
from worker.engines.analysis.table import Table
from worker.engines.analysis.tasks.registry import check_task
from worker.engines.analysis.tasks.task import Task

__all__ = ["Plan", "Planned", "make_plan", "quoted"]


@dataclass(frozen=True, slots=True)
class Planned:
    """A task, the dataset (by position) it is for, and why it is done."""

    task: Task
    dataset: int
    why: str
    asked: bool
    unfit: str = ""
    """Why the data have nothing that this task could work on; a whole sentence."""


@dataclass(frozen=True, slots=True)
class Plan:
    tasks: tuple[Planned, ...]
    question: Question
    dataset: int
    """The dataset that the question is put to."""
    exploratory: bool
    """Response or predictors were picked by looking at the data."""
    decisions: tuple[Decision, ...]
    cannot: tuple[str, ...] = ()
    """Why the data cannot answer the question, where that is known before anything is computed."""
    caveats: tuple[str, ...] = ()
    """What of the question goes beyond any data of this sort."""


def make_plan(tables: Sequence[Table], prompt: str, options: AnalysisOptions, seed: int) -> Plan:
    """Tasks in the order asked for; without any: profile and description of every dataset, and for the dataset
    that the prompt speaks of most what the question needs. Raises :class:`AnalysisError` naming the field at fault.
    """
    questions = [read_question(prompt, table) for table in tables]
    main = max(range(len(tables)), key=lambda i: (len(questions[i].mentioned) - len(questions[i].unknown), -i))
    chooser = Chooser(tables[main], questions[main], options, seed)
    if options.tasks is not None:
        planned = [_asked(i, tables, chooser, main, options, seed) for i in range(len(options.tasks))]
        chooser.read()
        return Plan(
            tuple(planned),
            chooser.question,
            main,
            exploratory=chooser.exploratory,
            decisions=tuple(chooser.decisions),
            # What is asked are the tasks; what the prompt asks beyond them is a remark.
            caveats=(*(f"{reason[0].upper()}{reason[1:]}" for reason in chooser.cannot), *chooser.caveats),
        )
    planned = []
    for i in range(len(tables)):
        planned.append(Planned(Task("profile", {}, "profile", seed), i, "every dataset is profiled", asked=False))
        planned.append(Planned(Task("describe", {}, "describe", seed), i, "every dataset is described", asked=False))
    chooser.read()
    chooser.choose()
    planned += [_planned(item, main, seed) for item in chooser.tasks]
    return Plan(
        tuple(planned),
        chooser.question,
        main,
        chooser.exploratory,
        tuple(chooser.decisions),
        tuple(chooser.cannot),
        tuple(chooser.caveats),
    )


def _planned(item: Plannable, dataset: int, seed: int) -> Planned:
    return Planned(Task(item.kind, item.arguments, item.path or item.kind, seed), dataset, item.why, asked=False)


def _asked(
    i: int, tables: Sequence[Table], chooser: Chooser, main: int, options: AnalysisOptions, seed: int
) -> Planned:
    path = f"{PATH}.tasks[{i}]"
    raw = (options.tasks or ())[i]
    if isinstance(raw, str):
        arguments, unfit = expand(raw, chooser)
        if unfit:
            return Planned(Task(raw, arguments, raw, seed), main, "asked for", asked=True, unfit=unfit)
        check_task({"kind": raw, **arguments}, path, seed)
        if chooser.question.where and raw != "profile":
            arguments["where"] = chooser.where()
        # Its arguments come from other fields: a fault of theirs is told at those, and what was chosen has none.
        return Planned(Task(raw, arguments, PATH if _from_fields(raw, options) else raw, seed), main, "asked for", True)
    task = check_task(raw, path, seed)
    names = [table.name for table in tables]
    dataset = raw.get("dataset")
    if dataset is not None:
        if dataset not in names:
            issue = f"no dataset {dataset!r}; there are {', '.join(names)}{near(dataset, names)}"
            raise invalid(f"{path}.dataset", issue)
        return Planned(task, names.index(dataset), "asked for", asked=True)
    wanted = _columns_named(task)
    fitting = [k for k, table in enumerate(tables) if wanted <= set(table.names())]
    return Planned(task, fitting[0] if fitting else 0, "asked for", asked=True)


def _from_fields(kind: str, options: AnalysisOptions) -> bool:
    return kind in ("regression", "curve_fit") and options.formula is not None


def _columns_named(task: Task) -> set[str]:
    named: set[str] = set()
    for field in ("response", "group", "row", "column", "time", "target"):
        if isinstance(value := task.arguments.get(field), str) and task.kind != "curve_fit":
            named.add(value)
    for field in ("columns", "features"):
        columns = task.arguments.get(field)
        if isinstance(columns, list | tuple):
            named.update(name for name in columns if isinstance(name, str))
    if isinstance(formula := task.arguments.get("formula"), str):
        named.update(name for name in re.findall(r"`([^`]+)`", formula))
    return named
