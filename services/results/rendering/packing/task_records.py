"""What the tasks of an analysis found, record by record and with every digit, as tables for other programs.

The table of a task is for reading: engines round its numbers and keep to what is most telling. The lists of records in
the task's result have all of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from services.results.rendering.document import ResultDocument
from services.results.rendering.reading import JSON

_BLOCK, _SHORTENED = "analysis", "not_in_this_report"
_FIELD = re.compile(r"[a-z][a-z0-9_]{0,40}")
"""A name that can be part of a file's."""


def of_tables(document: ResultDocument) -> dict[str, dict[str, Sequence[JSON]]]:
    """The lists of records behind each table, by the table's id and the member's name; none of a document that was cut
    down, whose lists may be shorter than they were."""
    block = document.blocks.get(_BLOCK)
    found: dict[str, dict[str, Sequence[JSON]]] = {}
    if _SHORTENED in document.blocks or not isinstance(block, list):
        return found
    for entry in block:
        outcome = entry.get("result") if isinstance(entry, Mapping) else None
        table = entry.get("table") if isinstance(entry, Mapping) else None
        if not isinstance(table, str) or not isinstance(outcome, Mapping):
            continue
        lists = {
            name: _Flat(value)
            for name, value in sorted(outcome.items())
            if _FIELD.fullmatch(name)
            and isinstance(value, list)
            and value
            and all(isinstance(item, Mapping) for item in value)
        }
        if lists:
            found.setdefault(table, {}).update(lists)
    return found


class _Flat(Sequence[JSON]):
    """Records with what is inside their records under names such as `pearson.r`, each made as it is looked at."""

    def __init__(self, records: Sequence[JSON]) -> None:
        self._records = records

    def __len__(self) -> int:
        return len(self._records)

    def __getitem__(self, index: int | slice) -> JSON:
        return dict(_members(self._records[index])) if isinstance(index, int) else list(self._records[index])


def _members(record: JSON, path: str = "") -> Iterator[tuple[str, JSON]]:
    for name, value in record.items() if isinstance(record, Mapping) else ():
        if isinstance(value, Mapping) and value:
            yield from _members(value, f"{path}{name}.")
        else:
            yield f"{path}{name}", value
