"""`preferences.analysis`, checked. Standard library only, so that it can be checked without the engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from worker.engines.analysis.errors import invalid

PATH = "preferences.analysis"
MAX_TASKS = 50
_COLUMN_TYPES = ("number", "integer", "boolean", "date", "category", "text")
_KEYS = ("tasks", "target", "features", "group_by", "time", "formula", "read")
_READ_KEYS = ("encoding", "delimiter", "decimal", "header", "missing", "types")
_DELIMITER_NAMES = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|", "\\t": "\t"}


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """Overrides for what reading would guess; None means guess."""

    encoding: str | None = None
    delimiter: str | None = None
    decimal: str | None = None
    header: bool | None = None
    missing: tuple[str, ...] = ()
    types: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AnalysisOptions:
    """What the request asks for. `tasks` is None when they are to be chosen."""

    tasks: tuple[Mapping[str, Any], ...] | None = None
    target: str | None = None
    features: tuple[str, ...] = ()
    group_by: str | None = None
    time: str | None = None
    formula: str | None = None
    read: ReadOptions = field(default_factory=ReadOptions)


def parse_options(raw: Any) -> AnalysisOptions:
    """Options from `preferences.analysis` (absent or None: all defaults).

    Raises :class:`AnalysisError` naming the field at fault.
    """
    options = _mapping(raw, PATH, _KEYS)
    return AnalysisOptions(
        tasks=_tasks(options.get("tasks")),
        target=_text(options, "target"),
        features=_texts(options.get("features"), f"{PATH}.features"),
        group_by=_text(options, "group_by"),
        time=_text(options, "time"),
        formula=_text(options, "formula"),
        read=_read_options(options.get("read")),
    )


def _mapping(raw: Any, path: str, keys: tuple[str, ...]) -> Mapping[str, Any]:
    if raw is None:
        return {}
    if not isinstance(raw, Mapping):
        raise invalid(path, "must be an object")
    for key in raw:
        if key not in keys:
            raise invalid(f"{path}.{key}", f"unknown field; there are {', '.join(keys)}")
    return raw


def _text(options: Mapping[str, Any], key: str, path: str = PATH) -> str | None:
    value = options.get(key)
    if value is None:
        return None
    if not isinstance(value, str) or not value.strip():
        raise invalid(f"{path}.{key}", "must be a text that is not blank")
    return value


def _texts(value: Any, path: str) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise invalid(path, "must be a list of texts")
    return tuple(value)


def _tasks(value: Any) -> tuple[Mapping[str, Any], ...] | None:
    if value is None:
        return None
    path = f"{PATH}.tasks"
    if not isinstance(value, list | tuple):
        raise invalid(path, "must be a list of tasks")
    if len(value) > MAX_TASKS:
        raise invalid(path, f"at most {MAX_TASKS} tasks")
    for i, task in enumerate(value):
        if not isinstance(task, Mapping):
            raise invalid(f"{path}[{i}]", 'must be an object such as {"kind": "describe"}')
    return tuple(value) or None


def _read_options(raw: Any) -> ReadOptions:
    path = f"{PATH}.read"
    options = _mapping(raw, path, _READ_KEYS)
    delimiter = options.get("delimiter")
    if delimiter is not None:
        delimiter = _DELIMITER_NAMES.get(delimiter, delimiter) if isinstance(delimiter, str) else ""
        if len(delimiter) != 1 or delimiter in '\r\n"':
            raise invalid(f"{path}.delimiter", "must be one character, or comma, semicolon, tab or bar")
    decimal = options.get("decimal")
    if decimal not in (None, ".", ","):
        raise invalid(f"{path}.decimal", 'must be "." or ","')
    header = options.get("header")
    if not isinstance(header, bool | None):
        raise invalid(f"{path}.header", "must be true or false")
    types = options.get("types") or {}
    if not isinstance(types, Mapping) or not all(kind in _COLUMN_TYPES for kind in types.values()):
        raise invalid(f"{path}.types", f"must give columns one of the types {', '.join(_COLUMN_TYPES)}")
    return ReadOptions(
        encoding=_text(options, "encoding", path),
        delimiter=delimiter,
        decimal=decimal,
        header=header,
        missing=_texts(options.get("missing"), f"{path}.missing"),
        types=dict(types),
    )
