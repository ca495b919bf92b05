"""Strict, reproducible JSON: plain values, no NaN or infinity, ids made from content."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any


def strict(value: Any) -> tuple[Any, list[str]]:
    """`value` in plain JSON types; what is not finite becomes None, and the paths of those places are listed."""
    lost: list[str] = []
    return _plain(value, "", lost), lost


def _plain(value: Any, path: str, lost: list[str]) -> Any:
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(item, f"{path}.{key}", lost) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, f"{path}[{i}]", lost) for i, item in enumerate(value)]
    if isinstance(value, int):
        return int(value)
    number = value.item() if hasattr(value, "item") else value
    if isinstance(number, float) and not math.isfinite(number):
        lost.append(path.lstrip("."))
        return None
    return number


def content_id(prefix: str, *parts: Any) -> str:
    """An id that depends on nothing but the content."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return f"{prefix}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
