"""The script: the data read as it was read, every computed task repeated, each number beside the platform's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from typing import Any

from worker.engines.analysis.reproduction import comparisons, direct, hypothesis, models, resampled, univariate
from worker.engines.analysis.reproduction.code import literal, said
from worker.engines.analysis.reproduction.where import conditions

JSON = Any
Writer = Callable[[dict[str, Any], Mapping[str, str]], list[str] | None]
"""From a task's result, with its `request`, and the types of the table's columns to source lines, of which `data` is
the table; None where there is no plain equivalent."""

WRITERS: Mapping[str, Writer] = {
    "profile": univariate.profile,
    "describe": univariate.describe,
    "correlation": univariate.correlation,
    "regression": models.regression,
    "curve_fit": models.curve_fit,
    "anova": comparisons.anova,
    "compare_groups": comparisons.compare_groups,
    "contingency": comparisons.contingency,
    "trend": comparisons.trend,
    "hypotheses": hypothesis.hypotheses,
    "distribution": univariate.distribution,
    "outliers": univariate.outliers,
    "pca": models.pca,
    "aggregate": direct.aggregate,
    "one_sample": direct.one_sample,
    "cluster": resampled.cluster,
    "compare_models": resampled.compare_models,
}

UNREPEATED = {"anomalies": "its robust covariance and its limits rest on random subsets and simulated data"}
"""Why a kind has no writer."""

FILENAME = "analysis.py"
MEDIA_TYPE = "text/x-python"
_MOST_LINES = 6_000
_STATISTICS = "# Statistics that scipy"
_IMPORTS = {
    "import io\n": "import io\nimport itertools\n",
    "import pandas as pd\n": "import pandas as pd\nfrom scipy import optimize, special, stats\n",
}
"""What the plain functions' second file imports beside what the first does."""


def script(datasets: Sequence[JSON], recipes: Sequence[JSON], entries: Sequence[JSON], methods: JSON) -> str:
    """The whole source. `datasets` are the document's, `recipes` as :mod:`recipe` makes them, in the same order."""
    names = [dataset["name"] for dataset in datasets]
    usage = " ".join(f"FILE{i + 1}" if len(names) > 1 else "FILE" for i in range(len(names)))
    made_with = ", ".join(f"{name} {version}" for name, version in methods["versions"].items())
    lines = [
        "#!/usr/bin/env python3",
        f"# Repeats the analysis of {said(', '.join(names))} without the platform.",
        f"# Usage: python {FILENAME} {usage}",
        f"# Needs numpy, pandas and scipy (python-calamine for workbooks, pyarrow for parquet). Made with {made_with};",
        f"# seed {methods['seed']}. Each number is printed beside the platform's; the exit status is 1 if one differs,",
        "# 2 if none could be compared.",
        "",
        _plain(),
        "",
        f"if len(sys.argv) != {len(names) + 1}:",
        f"    sys.exit({literal(f'usage: python {FILENAME} {usage}')})",
        "frames = {}",
    ]
    for i, (dataset, recipe) in enumerate(zip(datasets, recipes, strict=True)):
        lines += _reading(i, dataset, recipe)
    for number, entry in enumerate(entries, start=1):
        types = next(_types(dataset) for dataset in datasets if dataset["name"] == entry["dataset"])
        lines += _task(number, entry, types, methods["seed"])
    return "\n".join([*lines, "", "", "finish()", ""])


def _plain() -> str:
    """The functions that the script begins with: reading and comparing, then statistics under their imports."""
    folder = files("worker.engines.analysis.reproduction")
    reading, statistics = ((folder / name).read_text(encoding="utf-8") for name in ("plain.py", "plain_statistics.py"))
    _, mark, functions = statistics.partition(_STATISTICS)
    for line, lines in _IMPORTS.items():
        reading = reading.replace(line, lines, 1)
    return f"{reading.rstrip()}\n\n\n{mark}{functions.rstrip()}"


def _types(dataset: JSON) -> dict[str, str]:
    return {column["name"]: column["type"] for column in dataset["columns"]}


def _reading(place: int, dataset: JSON, recipe: JSON) -> list[str]:
    name = literal(dataset["name"])
    lines = ["", "", f"section({literal('Reading ' + said(dataset['name']))})"]
    lines.append(f"raw = content(sys.argv[{place + 1}], {literal(dataset['sha256'])})")
    for decision in dataset["decisions"][:40]:
        lines.append(f"# {said(decision['decision'])[:200]} ({said(decision['reason'])[:120]})")
    if recipe is None or recipe["reader"] is None:
        return [
            *lines,
            "frame = pd.DataFrame()",
            f"left_out('the reading of this file', {literal('no recipe' if recipe is None else recipe['reason'])})",
            f"frames[{name}] = frame",
        ]
    arguments = ", ".join(f"{key}={literal(value)}" for key, value in recipe["arguments"].items())
    lines += [f"rows = {recipe['reader']}(raw{', ' if arguments else ''}{arguments})", "columns = list(zip(*rows))"]
    lines.append("frame = pd.DataFrame({")
    missing: dict[str, str] = {}
    for column in recipe["columns"]:
        if column["converter"] is None:
            continue
        given = []
        for key, value in column["arguments"].items():
            if key == "missing":
                # Most columns have the same codes: they are written once.
                value = missing.setdefault(literal(value), f"MISSING_{place + 1}_{len(missing) + 1}")
                given.append(f"missing={value}")
            else:
                given.append(f"{key}={literal(value)}")
        call = ", ".join([f"columns[{column['position']}]", *given])
        lines.append(f"    {literal(column['name'])}: {column['converter']}({call}),")
    lines.append("})")
    start = lines.index("frame = pd.DataFrame({")
    lines[start:start] = [f"{variable} = {codes}" for codes, variable in missing.items()]
    for column in recipe["columns"]:
        if column["converter"] is None:
            lines.append(f"left_out({literal('column ' + column['name'])}, 'no plain conversion gives its values')")
    return [*lines, f"check('rows', len(frame), {dataset['rows']})", f"frames[{name}] = frame"]


def _task(number: int, entry: JSON, types: Mapping[str, str], seed: int) -> list[str]:
    result, kind, request = entry["result"], entry["kind"], entry["request"]
    title = f"{number}. {kind} of {said(entry['dataset'])} ({said(entry['why'])})"
    lines = ["", "", f"section({literal(title)})"]
    for key in ("not_possible", "skipped"):
        if key in result:
            return [*lines, f"left_out('this task', {literal(said(str(result[key])))})"]
    writer = WRITERS.get(kind)
    if writer is None:
        why = UNREPEATED.get(kind, "the script does not repeat tasks of this kind")
        return [*lines, f"left_out({literal(kind)}, {literal(why)})"]
    try:
        body = writer({**result, "request": request, "seed": seed}, types)
        if body is not None and kind != "aggregate" and request.get("where"):
            body = [*conditions(request["where"], types), "data = data[kept].reset_index(drop=True)", *body]
    except (ArithmeticError, LookupError, TypeError, ValueError):
        # The script is an extra: a result of an unforeseen form is named in it, and must not cost the session's others.
        body = None
    if body is None:
        return [*lines, f"left_out({literal(kind)}, 'the script does not repeat this form of it')"]
    if len(body) > _MOST_LINES:
        return [*lines, f"left_out({literal(kind)}, 'it would take more than {_MOST_LINES} lines')"]
    source = [line for part in body for line in part.split("\n")]
    function = f"task_{number}"
    return [*lines[:2], f"def {function}(data):", *(f"    {line}" for line in source or ["pass"]), "", "", lines[2],
            f"attempt({function}, frames[{literal(entry['dataset'])}])"]  # fmt: skip
