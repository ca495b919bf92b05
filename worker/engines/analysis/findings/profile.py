"""The finding on what kind of data a dataset is, for a profile that was asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from worker.engines.analysis.findings.draft import Draft, confidence
from worker.engines.analysis.wording import listed, number, plural

Result = dict[str, Any]

_TOLD = 4
_NAMED = 4


def from_profile(result: Result, rows: int) -> Iterator[Draft]:
    """Rows, columns by type, what is missing, and what looks out of order."""
    columns = result["columns"]
    types = Counter(column["type"] for column in columns)
    kinds = listed([f"{count} {name}" for name, count in types.most_common()])
    text = f"The data have {plural(result['rows'], 'row')} and {plural(result['column_count'], 'column')} ({kinds})."
    if result["missing_cells"]:
        named = sorted((c for c in columns if c["missing"]), key=lambda c: -c["missing"])
        where = listed([f"{column['name']} {column['missing']:,}" for column in named], _NAMED)
        share = number(100 * (1 - result["completeness"]), 3)
        text += f" {plural(result['missing_cells'], 'value')} ({share} % of the cells) are missing: {where}."
    else:
        text += " No value is missing."
    remarks = [item["text"] for item in result["quality"] if not item["code"].startswith("missing")]
    text += "".join(f" {remark.rstrip('.')}." for remark in remarks[:_TOLD])
    if len(remarks) > _TOLD:
        text += f" {len(remarks) - _TOLD} more remarks stand in the profile."
    elif not remarks:
        text += " Nothing else looks out of order."
    numbers = {
        "rows": result["rows"],
        "columns": result["column_count"],
        "missing_cells": result["missing_cells"],
        "repeated_rows": result["repeated_rows"],
        "remarks": len(result["quality"]),
    }
    names = tuple(column["name"] for column in columns)
    yield Draft(text, numbers, 0.0, confidence(None, rows, 1.0, 0), names, "profile", established=True, whole=True)
