"""Every kind of figure from fixed data, as it was looked at: ``python -m tests.support.golden_figures`` writes them.

After a change that is meant, write them anew, look at the drawings, and say in the change what is different.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from worker.engines.analysis.canonical import strict
from worker.engines.analysis.figures.choice import draw
from worker.engines.analysis.figures.spec import Figure
from worker.engines.analysis.table import Column, ColumnType, Table
from worker.engines.analysis.tasks.registry import check_task, run_task

FOLDER = Path(__file__).parent.parent / "unit" / "analysis" / "golden"
COMMAND = "python -m tests.support.golden_figures"

_ROWS = 72
_LONG = 2_600
_TYPES = {"site": ColumnType.CATEGORY, "arm": ColumnType.CATEGORY, "code": ColumnType.CATEGORY, "day": ColumnType.DATE}


def noise(count: int, seed: int) -> list[float]:
    """Normal-looking numbers from a linear congruential generator: the same on every machine and in every version."""
    state, found = seed * 2_654_435_761 % 2**32, []
    for _ in range(count):
        total = 0.0
        for _ in range(12):
            state = (1_664_525 * state + 1_013_904_223) % 2**32
            total += state / 2**32
        found.append(total - 6.0)
    return found


def table_of(columns: Mapping[str, Sequence[object]]) -> Table:
    """A table of columns; ``name [unit]`` has a unit, None is missing."""
    made = []
    for heading, cells in columns.items():
        name, _, unit = heading.partition(" [")
        kind = _TYPES.get(name, ColumnType.INTEGER if name in ("year", "count", "done") else ColumnType.NUMBER)
        texts = tuple(None if cell is None else str(cell) for cell in cells)
        made.append(Column(name, kind, texts, unit.rstrip("]") or None))
    return Table("golden.csv", tuple(made), len(next(iter(columns.values()))), "0" * 64)


def small() -> Table:
    """Seventy-two rows with a relation, groups, dates, a skewed column and missing values."""
    a, b, c = (noise(_ROWS, seed) for seed in (1, 2, 3))
    dose = [round(50 + 12 * value, 2) for value in a]
    return table_of(
        {
            "dose [mg]": dose,
            "response": [
                None if i % 23 == 7 else round(3 + 0.4 * d + 4 * e, 2)
                for i, (d, e) in enumerate(zip(dose, b, strict=True))
            ],
            "skewed [ng/ml]": [round(math.exp(2.4 * value), 4) for value in c],
            "decay": [round(90 * math.exp(-0.05 * d) + 0.4 * e, 3) for d, e in zip(dose, c, strict=True)],
            "arm": [("control", "treated", "late")[i % 3] for i in range(_ROWS)],
            "site": [("north", "south", "east", "west", "centre")[(i * i) % 11 % 5] for i in range(_ROWS)],
            "code": [f"code {(i * i + i) % 37} of a list that is long" for i in range(_ROWS)],
            "day": [f"{2019 + i // 18}-{1 + i % 18 // 2:02d}-{1 + 14 * (i % 2):02d}" for i in range(_ROWS)],
            "year": [1950 + i for i in range(_ROWS)],
            "done": [int(0.08 * (d - 50) + e > 0) for d, e in zip(dose, b, strict=True)],
            "count": [max(0, round(3 + 0.06 * (d - 50) + e)) for d, e in zip(dose, c, strict=True)],
        }
    )


def long() -> Table:
    """More rows than are drawn one by one."""
    x, e = noise(_LONG, 5), noise(_LONG, 6)
    return table_of({"x": [round(v, 3) for v in x], "y": [round(2 * v + w, 3) for v, w in zip(x, e, strict=True)]})


TASKS: Sequence[tuple[str, str, Mapping[str, Any]]] = (
    ("profile", "small", {"kind": "profile"}),
    ("describe", "small", {"kind": "describe", "columns": ["dose", "skewed", "site", "code"]}),
    ("correlation", "small", {"kind": "correlation", "columns": ["dose", "response", "skewed", "decay"]}),
    ("regression-line", "small", {"kind": "regression", "formula": "response ~ dose"}),
    ("regression-bent", "small", {"kind": "regression", "formula": "decay ~ dose + I(dose**2)"}),
    ("regression-terms", "small", {"kind": "regression", "formula": "response ~ dose + arm"}),
    ("regression-logistic", "small", {"kind": "regression", "formula": "done ~ dose", "family": "binomial"}),
    ("regression-poisson", "small", {"kind": "regression", "formula": "count ~ dose", "family": "poisson"}),
    (
        "curve",
        "small",
        {"kind": "curve_fit", "response": "decay", "formula": "a*exp(b*dose)", "start": {"a": 80, "b": -0.04}},
    ),
    ("trend-dates", "small", {"kind": "trend", "response": "response", "time": "day"}),
    ("trend-years", "small", {"kind": "trend", "response": "decay", "time": "year"}),
    ("groups", "small", {"kind": "compare_groups", "response": "response", "group": "arm"}),
    ("groups-skewed", "small", {"kind": "anova", "response": "skewed", "group": "site"}),
    ("contingency", "small", {"kind": "contingency", "row": "site", "column": "arm"}),
    ("contingency-many", "small", {"kind": "contingency", "row": "arm", "column": "code"}),
    ("hypotheses", "small", {"kind": "hypotheses"}),
    ("distribution", "small", {"kind": "distribution", "columns": ["dose"]}),
    ("outliers", "small", {"kind": "outliers", "columns": ["skewed"]}),
    ("clusters", "small", {"kind": "cluster", "columns": ["dose", "response", "decay"]}),
    ("components", "small", {"kind": "pca", "columns": ["dose", "response", "skewed", "decay"]}),
    ("anomalies", "small", {"kind": "anomalies", "columns": ["dose", "response", "skewed"]}),
    ("models", "small", {"kind": "compare_models", "response": "decay", "features": ["dose"]}),
    ("long-line", "long", {"kind": "regression", "formula": "y ~ x"}),
    ("long-trend", "long", {"kind": "trend", "response": "y"}),
)


def golden() -> Iterator[tuple[str, Figure]]:
    """Each figure with the name of its file."""
    tables = {"small": small(), "long": long()}
    for name, table, task in TASKS:
        result, _ = strict(run_task(tables[table], check_task(task, "task", 0)))
        for place, drawn in enumerate(draw(tables[table], str(task["kind"]), result)):
            yield f"{name}-{place}", drawn


def as_json(figure: Figure) -> str:
    """The text of a golden file: compact, one record a line."""
    spec, _ = strict(figure.spec)
    content = {"title": figure.title, "alt": figure.alt, "spec": spec}
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.replace("},{", "},\n{") + "\n"


def main() -> int:
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.json"):
        old.unlink()
    written = 0
    for name, drawn in golden():
        (FOLDER / f"{name}.json").write_text(as_json(drawn), encoding="utf-8")
        written += 1
    print(f"{written} specifications written; look at their drawings before they are kept")
    return 0


if __name__ == "__main__":
    sys.exit(main())
