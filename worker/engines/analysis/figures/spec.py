"""What all figures share: size, type, colours that colour-blind readers can tell apart, title and alt text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")

MEDIA_TYPE = "application/vnd.vegalite.v5+json"
MAX_POINTS = 2_000

# Okabe and Ito's palette, darkest first.
BLUE, ORANGE, GREEN, PURPLE, SKY, RED, YELLOW, GREY = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#666666",
)  # fmt: skip

_CONFIG = {
    "background": "#FFFFFF",
    "font": "sans-serif",
    "axis": {"labelFontSize": 12, "titleFontSize": 13, "titleFontWeight": "normal", "gridColor": "#E5E5E5"},
    "legend": {"labelFontSize": 12, "titleFontSize": 13, "titleFontWeight": "normal"},
    "title": {"fontSize": 15, "anchor": "start", "fontWeight": "bold"},
    "view": {"stroke": None},
    "range": {"category": [BLUE, ORANGE, GREEN, PURPLE, SKY, RED, YELLOW, GREY]},
}

Spec = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawn result. `alt` says in words what the drawing shows."""

    title: str
    alt: str
    spec: Spec


def figure(title: str, alt: str, body: Spec, *, width: int = 480, height: int = 300) -> Figure:
    """A complete specification around `body` (its `data`, marks and encodings)."""
    spec = {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "title": title,
        "description": alt,
        "width": width,
        "height": height,
        **body,
        "config": _CONFIG,
    }
    return Figure(title, alt, spec)


def values(rows: Sequence[dict[str, Any]]) -> Spec:
    """Inline data."""
    return {"values": list(rows)}


def axis(field: str, title: str, **more: Any) -> Spec:
    """A numeric channel; the scale need not include zero."""
    return {"field": field, "type": "quantitative", "title": title, "scale": {"zero": False}, **more}


def thinned(items: Sequence[T], most: int = MAX_POINTS) -> list[T]:
    """At most `most` of `items`, evenly spaced and always the same ones."""
    if len(items) <= most:
        return list(items)
    return [items[i * len(items) // most] for i in range(most)]
