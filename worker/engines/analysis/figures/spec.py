"""What all figures share: size, type, colours that colour-blind readers can tell apart, title and alt text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from worker.engines.analysis.figures.labels import wrapped

T = TypeVar("T")
Vector = npt.NDArray[np.float64]

MEDIA_TYPE = "application/vnd.vegalite.v5+json"
MAX_POINTS = 2_000
"""Points drawn one by one; more are counted in fields, or thinned."""

MAX_SPEC_BYTES = 512 * 1024
"""The largest specification, as compact JSON."""

# Okabe and Ito's palette, darkest first.
BLUE, ORANGE, GREEN, PURPLE, SKY, RED, YELLOW, GREY = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#666666",
)  # fmt: skip

RUST = "#A83A00"
"""Lines over blue points: darker than they are, so that they stand out without colour too."""

CATEGORIES = ("#611471", "#235B39", "#6B6810", "#C55699", "#4096FB", "#D5AC3D", "#CDC4FF", "#86FAC8")
"""Areas that touch: told apart by every kind of colour vision, and by their lightness where there is no colour."""

# No font: whoever draws sets the one that fits the page and that is at hand.
_CONFIG = {
    "background": "#FFFFFF",
    "axis": {
        "labelFontSize": 12,
        "titleFontSize": 13,
        "titleFontWeight": "normal",
        "gridColor": "#E5E5E5",
        "labelOverlap": True,
        "labelLimit": 240,
        "titleLimit": 640,
    },
    "legend": {"labelFontSize": 12, "titleFontSize": 13, "titleFontWeight": "normal", "labelLimit": 240},
    "title": {"fontSize": 15, "anchor": "start", "fontWeight": "bold", "limit": 700, "offset": 10},
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
        "title": wrapped(title, max(width, 320), 8.0),
        "description": alt,
        "width": width,
        "height": height,
        **body,
        "config": _CONFIG,
    }
    return Figure(title, alt, spec)


def colours(count: int) -> list[str]:
    """So many of :data:`CATEGORIES` (at most all), as far apart as can be."""
    last = len(CATEGORIES) - 1
    if count <= 1:
        return [BLUE]
    return [CATEGORIES[round(place * last / (count - 1))] for place in range(min(count, last + 1))]


def drawable(numbers: Vector) -> list[float]:
    """`numbers` with the digits that a drawing can show: a hundred-thousandth of their range."""
    spread = float(np.ptp(numbers)) if len(numbers) else 0.0
    if not 0 < spread < np.inf:
        return [float(value) for value in numbers]
    step = int(np.floor(np.log10(spread)))
    # Rounding in decimals gives short texts; beyond what doubles hold it would only make noise.
    return [float(value) for value in (np.round(numbers, 5 - step) if 5 - step < 300 else numbers)]


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
