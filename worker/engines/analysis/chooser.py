"""Chooses the tasks that answer a question from one table, and says what it cannot answer."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from kit.analysis_requests import near
from worker.engines.analysis.choosing import (
    Sample,
    can_group,
    is_count,
    is_time,
    is_two_level,
    is_zero_one,
    repeated_groupings,
)
from worker.engines.analysis.errors import invalid
from worker.engines.analysis.options import PATH, AnalysisOptions
from worker.engines.analysis.question import FIGURES, Ask, Question
from worker.engines.analysis.reading.notes import Decision
from worker.engines.analysis.table import MIN_LEVELS, NUMERIC, Column, ColumnType, Table, complete_rows
from worker.engines.analysis.tasks.registry import KINDS
from worker.engines.analysis.wording import listed

MOST_CORRELATED = 12
"""Columns whose pairs are all shown; of a wider table those are taken that matter most to the question."""
MOST_SHAPES = 3
_MOST_PREDICTORS = 5
_ROWS_PER_PREDICTOR = 15
_MOST_GROUPS = 200


@dataclass(frozen=True, slots=True)
class Plannable:
    """A task to be planned."""

    kind: str
    why: str
    path: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)


class Chooser:
    """Chooses tasks for one table. First `read`, then `choose`; what was decided stands in the attributes."""

    def __init__(self, table: Table, question: Question, options: AnalysisOptions, seed: int) -> None:
        self.table = table
        self.question = question
        self.options = options
        self.sample = Sample(table, seed)
        self.tasks: list[Plannable] = []
        self.decisions: list[Decision] = []
        self.cannot: list[str] = []
        self.caveats: list[str] = []
        self.exploratory = False
        self.measures = table.measures()

    # Notes

    def add(self, kind: str, why: str, path: str = "", **arguments: object) -> None:
        """A task of a kind that there is, once."""
        if self.question.where and kind != "aggregate":
            arguments = {**arguments, "where": self.where()}
        item = Plannable(kind, why, path, arguments)
        known = [(other.kind, other.arguments) for other in self.tasks]
        if kind in KINDS and (kind, arguments) not in known:
            self.tasks.append(item)

    def where(self) -> list[dict[str, Any]]:
        """The rows that the question is about, as a task's `where`."""
        return [
            {"column": column, "level": value} if sign == "is" else {"column": column, "sign": sign, "value": value}
            for column, sign, value in self.question.where
        ]

    def decide(self, decision: str, reason: str, *alternatives: str) -> None:
        self.decisions.append(Decision(decision, reason, alternatives))

    def focus(self, **changes: Any) -> None:
        """Another reading of some part of the question."""
        self.question = replace(self.question, **changes)

    def named(self, place: str, name: str) -> Column:
        """The column that a field of the request names."""
        column = self.table.find(name)
        if column is None:
            names = self.table.names()
            raise invalid(
                f"{PATH}.{place}", f"no column {name!r}; there are {', '.join(names[:50])}{near(name, names)}"
            )
        return column

    # What the question comes to on this table

    def read(self) -> None:
        """Checks the fields of the request, and notes how the prompt was read and what it goes beyond."""
        self._check_fields()
        question = self.question
        for name, why in question.read_as:
            self.decide(f"the prompt means column {name}", why)
        for said, columns in question.unclear:
            self.decide(f"“{said}” is not taken for a column", "it fits several equally well", *columns)
        self._complete()
        self._limits()

    def _check_fields(self) -> None:
        options = self.options
        if options.target is not None:
            column = self.named("target", options.target)
            if not (column.numeric or is_two_level(column)):
                issue = f"column {column.name!r} is {column.type} with {column.distinct} values"
                raise invalid(f"{PATH}.target", f"{issue}; a numeric one or one of two values is needed")
        for i, name in enumerate(options.features):
            self.named(f"features[{i}]", name)
        if options.group_by is not None:
            self.named("group_by", options.group_by)
        if options.time is not None:
            column = self.named("time", options.time)
            if not (column.numeric or column.type is ColumnType.DATE):
                raise invalid(f"{PATH}.time", f"column {column.name!r} is {column.type}; a date or a number is needed")

    def _complete(self) -> None:
        """Puts into the question what the request's fields say, and what follows from the columns' types."""
        question, options = self.question, self.options
        if options.target is not None:
            question = replace(question, response=options.target)
        if options.group_by is not None:
            question = replace(question, group=options.group_by)
        if question.ask in (Ask.EFFECT, Ask.RELATION) and len(question.predictors) == 1 and question.response:
            other = self.table[question.predictors[0]]
            response = self.table.find(question.response)
            if response is not None and response.numeric:
                if self._groups(other) and question.ask is Ask.RELATION and not question.how_much:
                    question = replace(question, ask=Ask.DIFFERENCE, group=other.name, predictors=())
                elif is_time(other) and not question.how_much:
                    question = replace(question, ask=Ask.TREND, over_time=True, predictors=())
        if question.ask is Ask.DIFFERENCE and question.group and not self.table[question.group].numeric:
            pass
        elif question.ask is Ask.DIFFERENCE and question.group and not can_group(self.table[question.group]):
            group = question.group
            question = replace(question, ask=Ask.RELATION, group=None, predictors=(group,))
        of_rows = question.ask in (Ask.TREND, Ask.DESCRIBE, Ask.ONE_SAMPLE)
        if of_rows and not question.where and len(question.levels) == 1:
            question = replace(question, where=tuple((column, "is", level) for column, level in question.levels))
        described = self.table.find(question.response or "")
        if question.ask is Ask.DESCRIBE and question.where and described is not None and described.numeric:
            question = replace(question, ask=Ask.AGGREGATE, statistic="mean")  # a description is of all rows
        if (levels := self._two_levels(question)) and not question.where:
            question = replace(question, where=levels)
        wanted = question.mentioned
        extra = [name for name in (question.response, question.group) if name and name not in wanted]
        if extra and (options.target or options.group_by):
            question = replace(question, mentioned=(*wanted, *extra))
        self.question = question

    def _two_levels(self, question: Question) -> tuple[tuple[str, str, Any], ...]:
        """The two levels to compare where there are more, and nothing in particular or an outcome is compared."""
        group = self.table.find(question.group or "")
        named = tuple((column, "is", level) for column, level in question.levels if column == question.group)
        if question.ask is not Ask.DIFFERENCE or group is None or len(named) != MIN_LEVELS or group.distinct <= 2:
            return ()
        response = self.table.find(question.response or "")
        return named if response is None or not response.numeric or is_zero_one(response) else ()

    def _groups(self, column: Column) -> bool:
        return column.type not in NUMERIC and can_group(column, _MOST_GROUPS)

    def _limits(self) -> None:
        question = self.question
        noun = question.statistic == "count" and bool(question.where) and len(question.unknown) == 1
        if noun:
            pass  # the rows themselves are called so
        elif question.unknown and question.ask is not Ask.OVERVIEW:
            words = " ".join(question.unknown)
            self.cannot.append(f"no column of {self.table.name} is about “{words}”; {self._columns()}.")
        elif question.unknown and not self.options.target and self.options.tasks is None:
            self.cannot.append(
                f"the question names no column of the data (its words: {', '.join(question.unknown[:6])}); "
                f"{self._columns()}."
            )
        if question.unread:
            words = " and ".join(f"“{part}”" for part in question.unread)
            say, was = ("say", "were") if len(question.unread) > 1 else ("says", "was")
            if question.ask in FIGURES:
                self.cannot.append(f"{words} {say} which rows or values are meant in a way that is not understood.")
            else:
                self.caveats.append(f"{words} {was} not taken into account.")
        if question.unknown and self.cannot:
            for said, columns in question.unclear:
                self.cannot.append(f"“{said}” fits {listed(list(columns), 6)} equally well: name one of them.")
        for name in dict.fromkeys((question.response, *question.predictors, question.group)):
            column = None if name is None else self.table.find(name)
            if column is None or question.ask in (Ask.AGGREGATE, Ask.DESCRIBE, Ask.OVERVIEW):
                continue
            if column.distinct == 0:
                self.cannot.append(f"column {name} is empty.")
            elif column.distinct == 1:
                self.cannot.append(
                    f"{name} has the same value ({column.levels()[0]}) in every row that has one, so nothing can be "
                    "said about what goes with it."
                )
            elif column.names_rows and not column.numeric:
                self.cannot.append(
                    f"{name} names the rows ({column.distinct:,} different values), so there is nothing to compare."
                )
            elif column.type is ColumnType.TEXT and question.ask not in (Ask.CLUSTERS, Ask.OUTLIERS):
                self.cannot.append(f"{name} is free text, {column.distinct:,} different values, which is not compared.")
        if question.causal:
            pair = " and ".join(question.mentioned[:2]) or "two things"
            self.caveats.append(
                f"Data that were only observed cannot show what causes what; they can show whether {pair} go together. "
                "Only values assigned at random would tell more."
            )
        if question.interaction:
            self._interaction()
        if question.beyond:
            self.caveats.append(
                f"The data speak of their own rows; whether the same holds for “{question.beyond}” depends on how the "
                "rows were chosen, which the data do not tell."
            )
        if question.unused:
            words = " and ".join(f"“{word}”" for word in question.unused)
            many = len(question.unused) > 1
            rows = "these rows" if question.where else "all rows"
            lacks = f"{'are' if many else 'is'} in no column of {self.table.name}"
            if self.time(None) is not None and all(re.search(r"\d{4}", word) for word in question.unused):
                lacks = f"{'were' if many else 'was'} not used"
            self.caveats.append(f"{words} {lacks}; this is for {rows}.")
        if question.future:
            self._future()

    def _interaction(self) -> None:
        names = [name for name in self.question.mentioned if name != self.question.response]
        if len(self.question.mentioned) < 3 or len(names) < 2 or self.question.response is None:
            self.cannot.append("an interaction is that of two columns on a third one, and the question names no third.")
            return
        response, *features = (quoted(name) for name in (self.question.response, *names[:2]))
        self.caveats.append(
            "Whether two columns act together beyond what each does by itself is told by a model with their product: "
            f"ask for it with the formula {response} ~ {' * '.join(features)}."
        )

    def _columns(self) -> str:
        names = self.table.names()
        more = f" and {len(names) - 12} more" if len(names) > 12 else ""
        return f"the columns are {', '.join(names[:12])}{more}"

    def _future(self) -> None:
        time = self.time(None)
        if time is None:
            self.cannot.append("no column holds a time, so the data say nothing about what comes later.")
            return
        last = time.levels()[-1]
        self.caveats.append(
            f"The data end at {time.name} {last}; what comes after is not in them. A trend is that of the period "
            "observed, and may not go on."
        )

    # Parts

    def response(self) -> Column | None:
        """The column asked about, or the one that goes together most with the others."""
        question = self.question
        if question.response is not None:
            if self.options.target is None:
                others = [column.name for column in self.measures if column.name != question.response]
                self.decide(f"{question.response} is the response", "the prompt asks about it", *others[:20])
            return self.table[question.response]
        if not self.measures:
            return None
        best = self.sample.most_connected(self.measures)
        self.exploratory = True
        others = [column.name for column in self.measures if column is not best]
        reason = "the prompt names none; of the most complete numeric columns it goes together most with the others"
        self.decide(f"{best.name} is the response", reason, *others[:20])
        return best

    def time(self, response: Column | None) -> Column | None:
        """The column of times: the one of the request, one the prompt names, else the first there is."""
        if self.options.time is not None:
            return self.table[self.options.time]
        usable = [column for column in self.table.columns if column is not response and is_time(column)]
        wanted = [column for column in usable if column.name in self.question.mentioned]
        dates = [column for column in usable if column.type is ColumnType.DATE]
        return next(iter(wanted or dates or usable), None)

    def group(self, response: Column | None) -> Column | None:
        """The column of groups: the one of the request, one the prompt names, else the first category that repeats."""
        if self.options.group_by is not None:
            return self.table[self.options.group_by]
        if self.question.group is not None:
            return self.table[self.question.group]
        mentioned = [self.table[name] for name in self.question.mentioned]
        wanted = [column for column in mentioned if column is not response and self._groups(column)]
        if wanted:
            return wanted[0]
        usable = [column for column in repeated_groupings(self.table) if column is not response]
        if not usable:
            return None
        self.exploratory = True
        names = [column.name for column in usable[1:]]
        self.decide(f"groups by {usable[0].name}", "the first category with two to ten repeated levels", *names)
        return usable[0]

    def predictors(self, response: Column, *, allow_groups: bool = False) -> list[Column]:
        """The columns that most likely have to do with the response, at most one for 15 rows: by correlation,
        categories by the share of variance between their levels."""
        candidates = [c for c in self.measures if c is not response and not is_time(c)]
        candidates = candidates or [c for c in self.measures if c is not response]
        groups = [c for c in repeated_groupings(self.table) if c is not response] if allow_groups else []
        complete = len(complete_rows([response, *candidates])) if candidates else self.table.rows - response.missing
        most = max(1, min(_MOST_PREDICTORS, complete // _ROWS_PER_PREDICTOR))
        ranked = [*candidates, *groups]
        if response.numeric:
            ranked = self.sample.by_strength(response, ranked)
        chosen = ranked[:most]
        chosen.sort(key=self.table.columns.index)
        self.exploratory = True
        if chosen:
            left = [c.name for c in ranked[most:]]
            reason = f"the {len(chosen)} that go with {response.name} most"
            self.decide(f"predictors: {', '.join(c.name for c in chosen)}", reason, *left[:20])
        return chosen

    def selects(self, name: str) -> bool:
        """Whether a value of the column says which rows are meant."""
        column = self.table[name]
        return name != self.question.group and (not column.numeric or is_zero_one(column))

    def formula(self, response: Column, features: Sequence[Column]) -> str:
        return f"{quoted(response.name)} ~ {' + '.join(quoted(column.name) for column in features)}"

    def model(self, response: Column, features: Sequence[Column], why: str) -> None:
        """The regression that suits the response: least squares, logistic for two outcomes, Poisson for counts."""
        arguments: dict[str, Any] = {"formula": self.formula(response, features)}
        families = "family" in KINDS["regression"].fields
        if families and (is_two_level(response) or is_zero_one(response)):
            arguments["family"] = "binomial"
            self.decide(f"a logistic model of {response.name}", "it has two values", "least squares")
        elif families and is_count(response):
            arguments["family"] = "poisson"
            self.decide(
                f"a Poisson model of {response.name}", "it counts: whole numbers from 0 with a tail", "least squares"
            )
        elif not response.numeric:
            return
        self.add("regression", why, **arguments)

    def correlate(self, first: Sequence[Column]) -> None:
        """Correlations of all measures; of many those of the question and what goes with them most."""
        if len(self.measures) < MIN_LEVELS:
            return
        if len(self.measures) <= MOST_CORRELATED:
            self.add("correlation", f"{len(self.measures)} numeric columns")
            return
        kept = [column for column in dict.fromkeys(first) if column in self.measures][:MOST_CORRELATED]
        centre = kept[0] if kept else self.sample.most_connected(self.measures)
        ranked = self.sample.by_correlation(centre, [c for c in self.measures if c not in kept and c is not centre])
        chosen = [*dict.fromkeys([*kept, centre, *ranked])][:MOST_CORRELATED]
        chosen.sort(key=self.table.columns.index)
        left = [column.name for column in self.measures if column not in chosen]
        self.decide(
            f"correlations of {len(chosen)} of {len(self.measures)} numeric columns",
            f"the question's, and those that go with {centre.name} most; all pairs can be asked for",
            *left[:40],
        )
        if centre.name not in self.question.mentioned:
            self.exploratory = True
        self.add("correlation", f"the foremost {len(chosen)} numeric columns", columns=[c.name for c in chosen])

    def choose(self) -> None:
        """The tasks, by the kind of question."""
        from worker.engines.analysis.answering import choose

        choose(self)


def quoted(name: str) -> str:
    """A column's name as a formula takes it: in backticks unless it is an identifier."""
    return name if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) and name not in ("I", "C", "poly") else f"`{name}`"
