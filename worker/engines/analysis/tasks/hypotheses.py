"""`hypotheses`: given or generated, tested together, each with effect, interval, adjusted p and a verdict in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

from worker.engines.analysis.canonical import content_id
from worker.engines.analysis.errors import NotPossible
from worker.engines.analysis.numerics.distributions import benjamini_hochberg, holm
from worker.engines.analysis.table import ColumnType, Table
from worker.engines.analysis.tasks import hypothesis_means as means
from worker.engines.analysis.tasks import hypothesis_relations as relations
from worker.engines.analysis.tasks.hypothesis_forms import MOST, given_hypotheses, null_of, statement_of
from worker.engines.analysis.tasks.hypothesis_sentences import Unreadable, read_statement
from worker.engines.analysis.tasks.hypothesis_words import CONTROLS, verdict_of
from worker.engines.analysis.tasks.parts import halves, rows_of
from worker.engines.analysis.tasks.task import Result, Task
from worker.engines.analysis.wording import plural

LEAST_HELD_OUT = 100
"""Rows from which a hold-out is offered."""

_MEASURES, _GROUPINGS = 10, 5
_SIGNIFICANT = 0.05
_PROMISING, _MOST_PROMISING, _LEAST_PROMISING = 0.1, 10, 3
_TESTS = {
    "correlation": relations.correlation_test,
    "association": relations.association_test,
    "trend": relations.trend_test,
    "regression": relations.regression_test,
    "difference": means.difference_test,
    "mean": means.mean_test,
    "paired": means.paired_test,
    "proportion": means.proportion_test,
    "equivalence": means.equivalence_test,
}


def run(table: Table, task: Task) -> Result:
    """Test every hypothesis, with Holm's adjustment over all of them unless another is asked for.

    A given hypothesis is ``{kind, …}`` with the fields of :data:`hypothesis_forms.FORMS`, or ``{statement}``, a plain
    sentence that names columns. Without any they are generated: correlations among the first ten measures, their trends
    over the first date, differences between and associations of the first five categories. With `holdout` they are
    generated on one half of the rows, drawn by the seed, and those that look promising there are tested on the other.
    """
    adjustment = task.choice("adjustment", ("holm", "bh", "none"), "holm")
    given = task.arguments.get("hypotheses")
    held_out = _wants_holdout(table, task, given)
    warnings: list[str] = []
    holdout: Result | None = None
    if given is not None:
        listed = given_hypotheses(task, given)
        tested = [_test(table, task, hypothesis, f"hypotheses[{i}]") for i, hypothesis in enumerate(listed)]
    else:
        listed = _generated(table)
        if not listed:
            raise NotPossible("The data suggest no hypothesis: two related columns with different values are needed.")
        if held_out:
            tested, holdout = _on_other_half(table, task, listed)
        else:
            tested = [_test(table, task, hypothesis, f"hypotheses[{i}]") for i, hypothesis in enumerate(listed)]
            holdout = _offer(table)
            warnings.append(
                "the hypotheses were generated from the data they are tested on: confirm them on other data"
            )
    _adjust(tested, adjustment)
    exploratory = given is None and not held_out
    for item in tested:
        item["exploratory"] = exploratory
        item["verdict"] = verdict_of(item, adjustment)
    return {
        "origin": "generated" if given is None else "given",
        "adjustment": adjustment,
        "controls": CONTROLS[adjustment],
        "holdout": holdout,
        "hypotheses": tested,
        "warnings": warnings,
    }


def _wants_holdout(table: Table, task: Task, given: Any) -> bool:
    wanted = task.arguments.get("holdout", False)
    if not isinstance(wanted, bool | None):
        raise task.fault("holdout", "must be true or false")
    if wanted and given is not None:
        raise task.fault("holdout", "is for generated hypotheses; given ones do not come from the data")
    if wanted and table.rows < LEAST_HELD_OUT:
        raise task.fault("holdout", f"needs {LEAST_HELD_OUT} rows; there are {table.rows}")
    return bool(wanted)


def _offer(table: Table) -> Result:
    offered = table.rows >= LEAST_HELD_OUT
    note = "All rows were used to test what the columns suggest, with the adjustment over everything that was tested."
    if offered:
        note += ' With "holdout": true one half suggests and the other half tests.'
    return {"used": False, "offered": offered, "note": note}


def _on_other_half(table: Table, task: Task, listed: Sequence[Result]) -> tuple[list[Result], Result]:
    """What looks promising on one half, tested on the other."""
    first, second = (rows_of(table, rows) for rows in halves(table.rows, task.seed))
    screened = [(_test(first, task, hypothesis, f"hypotheses[{i}]"), hypothesis) for i, hypothesis in enumerate(listed)]
    known = sorted(
        ((item["p"], i) for i, (item, _) in enumerate(screened) if item["p"] is not None), key=lambda found: found
    )
    promising = [i for p, i in known if p < _PROMISING][:_MOST_PROMISING] or [i for _, i in known[:_LEAST_PROMISING]]
    chosen = sorted(promising)
    tested = []
    for i in chosen:
        item = _test(second, task, screened[i][1], f"hypotheses[{i}]")
        item["screening"] = {"n": screened[i][0]["n"], "p": screened[i][0]["p"]}
        tested.append(item)
    note = (
        f"{plural(len(listed), 'possible relation')} were looked at in {first.rows} rows "
        f"drawn at random; the {len(chosen)} most promising were tested in the other {second.rows}, which had no part "
        "in choosing them."
    )
    counts = {"rows_screened": first.rows, "rows_tested": second.rows, "screened": len(listed)}
    return tested, {"used": True, "offered": True, **counts, "note": note}


def _generated(table: Table) -> list[Result]:
    measures = [column.name for column in table.measures()][:_MEASURES]
    groupings = [column.name for column in table.groupings()][:_GROUPINGS]
    dates = [column.name for column in table.columns if column.type is ColumnType.DATE and column.distinct > 1][:1]
    listed: list[Result] = [{"kind": "correlation", "x": x, "y": y} for x, y in combinations(measures, 2)]
    listed += [{"kind": "trend", "response": y, "time": time} for time in dates for y in measures]
    listed += [{"kind": "difference", "response": y, "group": g} for g in groupings for y in measures]
    listed += [{"kind": "association", "row": a, "column": b} for a, b in combinations(groupings, 2)]
    return listed[:MOST]


def _adjust(tested: Sequence[Result], adjustment: str) -> None:
    known = [item for item in tested if item["p"] is not None]
    p_values = [item["p"] for item in known]
    adjusted = {"holm": holm, "bh": benjamini_hochberg}[adjustment](p_values) if adjustment != "none" else p_values
    # What a lone effect among these hypotheses has to pass.
    level = _SIGNIFICANT if adjustment == "none" else _SIGNIFICANT / max(1, len(known))
    for item, value in zip(known, adjusted, strict=True):
        item["p_adjusted"] = value
        item["supported"] = value < _SIGNIFICANT
    for item in tested:
        smallest = item.pop("smallest")
        found = smallest(level) if smallest is not None and item["supported"] is False else None
        item["detectable"] = None if found is None else {"effect": found, "power": 0.8, "level": level}


def _test(table: Table, task: Task, hypothesis: Mapping[str, Any], place: str) -> Result:
    said: Result = {}
    notes: list[str] = []
    identity = content_id("hypothesis", dict(hypothesis))
    if "kind" not in hypothesis:
        said = {"said": hypothesis["statement"]}
        try:
            hypothesis, notes = read_statement(str(hypothesis["statement"]), table)
        except Unreadable as reason:
            untested = _untested({"kind": "statement", **hypothesis}, f"{reason}.")
            return {"id": identity, **untested, **said}
    arguments = {key: value for key, value in hypothesis.items() if key != "kind"}
    inner = Task(hypothesis["kind"], arguments, f"{task.path}.{place}", task.seed)
    try:
        tested = _TESTS[hypothesis["kind"]](table, inner)
    except NotPossible as reason:
        return {"id": identity, **_untested(hypothesis, str(reason)), **said}
    return {
        "id": identity,
        **hypothesis,
        **said,
        "statement": statement_of(hypothesis),
        "null": null_of(hypothesis, tested.test),
        "test": tested.test,
        "n": tested.n,
        "effect": tested.effect,
        "strength": tested.strength,
        "p": tested.p,
        "p_adjusted": None,
        "supported": None,
        "assumptions": tested.checks,
        "warnings": [*tested.warnings, *notes],
        "smallest": tested.smallest,
    }


def _untested(hypothesis: Mapping[str, Any], reason: str) -> Result:
    return {
        **hypothesis,
        "statement": statement_of(hypothesis),
        "null": None,
        "test": None,
        "n": 0,
        "effect": None,
        "strength": None,
        "p": None,
        "p_adjusted": None,
        "supported": None,
        "assumptions": {},
        "warnings": [reason],
        "smallest": None,
    }
