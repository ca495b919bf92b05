"""What a PromQL expression asks for: metrics with the labels that it names."""

from __future__ import annotations

import re
from dataclasses import dataclass

_TEXT = re.compile(r'"[^"]*"')
_RANGE = re.compile(r"\[[^\]]*\]")
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_NAME = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(\{[^}]*\}|\()?")
_LABEL = re.compile(r"([a-zA-Z_][a-zA-Z0-9_]*)\s*(?:=~|!~|!=|=)")
_WORDS = frozenset({"and", "or", "unless", "bool", "offset", "inf", "nan"})


@dataclass(frozen=True)
class Asked:
    """The metrics of an expression, each with the labels in its selectors; `grouped` are those it groups by."""

    metrics: dict[str, set[str]]
    grouped: set[str]


def asked_by(expression: str) -> Asked:
    """Take an expression apart. Enough for what the rules and dashboards here use, and no parser of PromQL."""
    bare = _RANGE.sub("", _TEXT.sub('""', expression))
    grouped = {label.strip() for found in _GROUPING.findall(bare) for label in found.split(",") if label.strip()}
    metrics: dict[str, set[str]] = {}
    for name, after in _NAME.findall(_GROUPING.sub(" ", bare)):
        if after == "(" or name.lower() in _WORDS or re.fullmatch(r"e\d*", name):
            continue
        metrics.setdefault(name, set()).update(_LABEL.findall(after))
    return Asked(metrics, grouped)
