"""Which tasks to do: those asked for, or those that prompt and data suggest."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from worker.engines.analysis.errors import invalid
from worker.engines.analysis.options import PATH, AnalysisOptions
from worker.engines.analysis.question import Question, read_question
from worker.engines.analysis.reading.notes import Decision
from worker.engines.analysis.table import MIN_LEVELS, Column, ColumnType, Table, complete_rows
from worker.engines.analysis.tasks.registry import check_task
from worker.engines.analysis.tasks.task import Task

_MOST_PREDICTORS = 5
_ROWS_PER_PREDICTOR = 15
_TIME_NAMES = re.compile(r"(^|[^a-z])(year|years|date|time|month|day|week|quarter|period|timestamp)([^a-z]|$)")


@dataclass(frozen=True, slots=True)
class Planned:
    """A task, the dataset (by position) it is for, and why it is done."""

    task: Task
    dataset: int
    why: str
    asked: bool


@dataclass(frozen=True, slots=True)
class Plan:
    tasks: tuple[Planned, ...]
    question: Question
    dataset: int
    """The dataset that the question is put to."""
    exploratory: bool
    """Response or predictors were picked by looking at the data."""
    decisions: tuple[Decision, ...]


def make_plan(tables: Sequence[Table], prompt: str, options: AnalysisOptions, seed: int) -> Plan:
    """Tasks in the order asked for; without any: profile and description of every dataset, and for the dataset
    that the prompt speaks of most a correlation, a model, a group comparison and a trend, where it has what they
    need. Raises :class:`AnalysisError` naming the field at fault.
    """
    questions = [read_question(prompt, table) for table in tables]
    main = max(range(len(tables)), key=lambda i: (len(questions[i].mentioned), -i))
    if options.tasks is not None:
        planned = [_asked(i, tables, options, seed) for i in range(len(options.tasks))]
        return Plan(tuple(planned), questions[main], main, exploratory=False, decisions=())
    planned = []
    for i in range(len(tables)):
        planned.append(Planned(Task("profile", {}, "profile", seed), i, "every dataset is profiled", asked=False))
        planned.append(Planned(Task("describe", {}, "describe", seed), i, "every dataset is described", asked=False))
    chooser = _Chooser(tables[main], questions[main], options, seed)
    chooser.choose()
    planned += [Planned(task, main, why, asked=False) for task, why in chooser.tasks]
    return Plan(tuple(planned), chooser.question, main, chooser.exploratory, tuple(chooser.decisions))


def _asked(i: int, tables: Sequence[Table], options: AnalysisOptions, seed: int) -> Planned:
    path = f"{PATH}.tasks[{i}]"
    raw = (options.tasks or ())[i]
    task = check_task(raw, path, seed)
    names = [table.name for table in tables]
    dataset = raw.get("dataset")
    if dataset is not None:
        if dataset not in names:
            raise invalid(f"{path}.dataset", f"no dataset {dataset!r}; there are {', '.join(names)}")
        return Planned(task, names.index(dataset), "asked for", asked=True)
    wanted = _columns_named(task)
    fitting = [k for k, table in enumerate(tables) if wanted <= set(table.names())]
    return Planned(task, fitting[0] if fitting else 0, "asked for", asked=True)


def _columns_named(task: Task) -> set[str]:
    named: set[str] = set()
    for field in ("response", "group", "row", "column", "time"):
        if isinstance(value := task.arguments.get(field), str) and task.kind != "curve_fit":
            named.add(value)
    columns = task.arguments.get("columns")
    if isinstance(columns, list | tuple):
        named.update(name for name in columns if isinstance(name, str))
    return named


class _Chooser:
    """Chooses tasks for one table."""

    def __init__(self, table: Table, question: Question, options: AnalysisOptions, seed: int) -> None:
        self.table = table
        self.question = question
        self.options = options
        self.seed = seed
        self.tasks: list[tuple[Task, str]] = []
        self.decisions: list[Decision] = []
        self.exploratory = False

    def _add(self, kind: str, why: str, path: str = "", **arguments: object) -> None:
        self.tasks.append((Task(kind, arguments, path or kind, self.seed), why))

    def _decide(self, decision: str, reason: str, *alternatives: str) -> None:
        self.decisions.append(Decision(decision, reason, alternatives))

    def choose(self) -> None:
        measures = self.table.measures()
        if len(measures) > 1:
            self._add("correlation", f"{len(measures)} numeric columns")
        mentioned = [self.table[name] for name in self.question.mentioned]
        response = self._response(measures)
        if response is not None:
            self.question = replace(self.question, response=response.name)
        time = self._time(response)
        if time is not None and self.question.over_time and time.name not in self.question.mentioned:
            self.question = replace(self.question, mentioned=(*self.question.mentioned, time.name))
        group = self._group(mentioned) if response is not None else None
        if self.options.formula is not None:
            self._add("regression", "a formula is given", PATH, formula=self.options.formula)
        elif response is not None:
            self._model(response, measures, mentioned, time, group)
        if response is not None:
            if group is not None:
                self._add("compare_groups", f"{group.name} is a category", response=response.name, group=group.name)
            if time is not None:
                self._add("trend", f"{time.name} is a time", response=response.name, time=time.name)
        categories = [c for c in mentioned if c in self.table.groupings()]
        if len(categories) > 1:
            row, column = categories[:2]
            self._add("contingency", "the prompt names both categories", row=row.name, column=column.name)
        if not self.question.mentioned:
            self._decide("the prompt is taken as a wish for an overview", "it names no column of the data")

    def _named(self, field: str, name: str) -> Column:
        column = self.table.find(name)
        if column is None:
            raise invalid(f"{PATH}.{field}", f"no column {name!r}; there are {', '.join(self.table.names()[:50])}")
        return column

    def _response(self, measures: Sequence[Column]) -> Column | None:
        if self.options.target is not None:
            column = self._named("target", self.options.target)
            if not column.numeric:
                raise invalid(f"{PATH}.target", f"column {column.name!r} is {column.type}, a numeric one is needed")
            return column
        if self.question.response is not None:
            self._decide(
                f"{self.question.response} is the response",
                "the prompt asks about it",
                *(c.name for c in measures if c.name != self.question.response),
            )
            return self.table[self.question.response]
        if not measures:
            return None
        best = max(
            enumerate(measures),
            key=lambda item: (-item[1].missing, _mean_correlation(item[1], measures), -item[0]),
        )[1]
        self.exploratory = True
        others = [column.name for column in measures if column is not best]
        self._decide(
            f"{best.name} is the response",
            "the prompt names none; of the most complete numeric columns it goes together most with the others",
            *others,
        )
        return best

    def _time(self, response: Column | None) -> Column | None:
        if self.options.time is not None:
            column = self._named("time", self.options.time)
            if not (column.numeric or column.type is ColumnType.DATE):
                raise invalid(f"{PATH}.time", f"column {column.name!r} is {column.type}; a date or a number is needed")
            return column
        usable = [
            column
            for column in self.table.columns
            if column is not response
            and len(set(column.cells) - {None}) >= 4
            and (column.type is ColumnType.DATE or (column.numeric and _TIME_NAMES.search(column.name.lower())))
        ]
        wanted = [c for c in usable if c.name in self.question.mentioned]
        return next(iter(wanted or usable), None)

    def _group(self, mentioned: Sequence[Column]) -> Column | None:
        if self.options.group_by is not None:
            return self._named("group_by", self.options.group_by)
        groupings = self.table.groupings()
        wanted = [column for column in mentioned if column in groupings]
        usable = [c for c in groupings if min(c.cells.count(level) for level in c.levels()) > 1]
        chosen = next(iter(wanted or usable), None)
        if chosen is not None and not wanted:
            self.exploratory = True
            self._decide(
                f"groups by {chosen.name}",
                "the first category with two to ten repeated levels",
                *(c.name for c in usable[1:]),
            )
        return chosen

    def _model(
        self,
        response: Column,
        measures: Sequence[Column],
        mentioned: Sequence[Column],
        time: Column | None,
        group: Column | None,
    ) -> None:
        if self.options.features:
            features = [self._named(f"features[{i}]", name) for i, name in enumerate(self.options.features)]
            why = "features are given"
        else:
            groupings = self.table.groupings()
            features = [c for c in mentioned if c is not response and (c in measures or c in groupings)]
            why = "the prompt names them"
            if group is not None and features == [group] and len(group.levels()) > MIN_LEVELS:
                self._decide(
                    f"no model of {response.name}",
                    f"{group.name} is the only predictor named, and comparing its groups answers the same",
                    f"{quoted(response.name)} ~ {quoted(group.name)}",
                )
                return
        if not features:
            candidates = [c for c in measures if c is not response and c is not time] or [
                c for c in measures if c is not response
            ]
            complete = len(complete_rows([response, *candidates])) if candidates else 0
            most = max(1, min(_MOST_PREDICTORS, complete // _ROWS_PER_PREDICTOR))
            ranked = sorted(candidates, key=lambda c: -abs(_correlation(response, c)))
            features = sorted(ranked[:most], key=lambda c: self.table.columns.index(c))
            why = f"the {len(features)} most correlated with {response.name}"
            self.exploratory = True
            if features:
                left = [c.name for c in ranked[most:]]
                self._decide(f"predictors: {', '.join(c.name for c in features)}", why, *left)
        if features:
            formula = f"{quoted(response.name)} ~ {' + '.join(quoted(c.name) for c in features)}"
            self._add("regression", why, formula=formula)


def quoted(name: str) -> str:
    """A column's name as a formula takes it: in backticks unless it is an identifier."""
    return name if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) and name not in ("I", "C") else f"`{name}`"


def _correlation(x: Column, y: Column) -> float:
    rows = complete_rows([x, y])
    if len(rows) < 3:
        return 0.0
    from worker.engines.analysis.tasks.correlation import pearson

    return pearson([str(x.cells[i]) for i in rows], [str(y.cells[i]) for i in rows], exactly=False) or 0.0


def _mean_correlation(column: Column, measures: Sequence[Column]) -> float:
    others = [abs(_correlation(column, other)) for other in measures if other is not column]
    return round(math.fsum(others) / len(others), 12) if others else 0.0
