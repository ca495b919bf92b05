"""The record of what was done: reading, then each task, with what went in and what came out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from worker.engines.analysis.reproduction.script import FILENAME, MEDIA_TYPE, script

JSON = Any

_MOST_TOLD = 300


def reproduction(loaded: JSON, entries: Sequence[JSON], methods: JSON) -> JSON:
    """``{steps, seed, versions, data, script}``: all that is needed to repeat the analysis.

    `loaded` is what the load stage gave, with its `recipes`; `entries` are the document's `analysis`.
    """
    datasets = loaded["datasets"]
    recipes = loaded.get("recipes") or [None] * len(datasets)
    steps: list[JSON] = []
    for dataset in datasets:
        _add(steps, "read", _reading(dataset), None, dataset["rows"], dataset)
    for entry in entries:
        dataset = next(dataset for dataset in datasets if dataset["name"] == entry["dataset"])
        what = f"{entry['kind']} ({entry['why']}){_told(entry['request'])}"
        for key in ("not_possible", "skipped"):
            if key in entry["result"]:
                what += f": {key.replace('_', ' ')}, {entry['result'][key]}"
        n = entry["result"].get("n")
        used = n if isinstance(n, int) else dataset["rows"]
        _add(steps, what, entry["request"], dataset["rows"], used, dataset)
    source = script(datasets, recipes, entries, methods)
    return {
        "steps": steps,
        "seed": methods["seed"],
        "versions": methods["versions"],
        "data": [
            {
                "name": dataset["name"],
                "sha256": dataset["sha256"],
                "rows": dataset["rows"],
                "columns": len(dataset["columns"]),
            }
            for dataset in datasets
        ],
        "script": {"filename": FILENAME, "media_type": MEDIA_TYPE, "text": source},
    }


def _told(request: JSON) -> str:
    """The request's own texts and numbers in a few words."""
    said = [f"{key} {value}" for key, value in request.items() if isinstance(value, str | int | float)]
    return f": {', '.join(said)[:_MOST_TOLD]}" if said else ""


def _reading(dataset: JSON) -> JSON:
    return {
        "decisions": [decision["decision"] for decision in dataset["decisions"]],
        "rows_left_out": dataset["rows_left_out"],
        "problems": dataset["problem_count"],
    }


def _add(steps: list[JSON], what: str, parameters: JSON, rows_in: int | None, rows_out: int, dataset: JSON) -> None:
    read = rows_in is None
    steps.append(
        {
            "n": len(steps) + 1,
            "what": what,
            "dataset": dataset["name"],
            "parameters": parameters,
            "rows_in": dataset["rows"] + dataset["rows_left_out"] if read else rows_in,
            "rows_out": rows_out,
        }
    )
