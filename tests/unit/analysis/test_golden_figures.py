"""Every kind of figure is the one that was looked at, and can be drawn."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest

from services.results.rendering import figures
from tests.support.golden_figures import COMMAND, FOLDER, as_json, golden
from worker.engines.analysis.figures.choice import DRAWERS
from worker.engines.analysis.figures.spec import CATEGORIES, MAX_POINTS, MAX_SPEC_BYTES

FILES = sorted(FOLDER.glob("*.json"))


def spec_of(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return loaded


def keys_of(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value).union(*map(keys_of, value.values()))
    return set().union(*map(keys_of, value)) if isinstance(value, list) else set()


def largest_data(value: Any) -> int:
    if isinstance(value, dict):
        own = len(value["values"]) if isinstance(value.get("values"), list) else 0
        return max([own, *map(largest_data, value.values())])
    return max(map(largest_data, value), default=0) if isinstance(value, list) else 0


def test_the_figures_are_those_that_were_looked_at() -> None:
    made = {name: as_json(drawn) for name, drawn in golden()}
    kept = {path.stem: path.read_text(encoding="utf-8") for path in FILES}
    changed = sorted(name for name in made.keys() | kept.keys() if made.get(name) != kept.get(name))
    assert not changed, f"changed: {', '.join(changed)}; if that is meant: {COMMAND}, and look at the drawings"


def test_there_is_a_golden_figure_of_every_kind() -> None:
    from tests.support.golden_figures import TASKS

    assert {task["kind"] for _, _, task in TASKS} == set(DRAWERS)
    assert {path.stem.rsplit("-", 1)[0] for path in FILES} == {name for name, _, _ in TASKS}


@pytest.mark.parametrize("name", [path.stem for path in FILES])
def test_a_golden_figure_is_said_in_words_and_holds_its_data(name: str) -> None:
    content = spec_of(name)
    spec = content["spec"]
    assert spec["description"] == content["alt"]
    assert len(content["alt"]) > 60
    assert any(letter.isdigit() for letter in content["alt"])
    # Nothing is loaded from elsewhere, and no million points travel.
    assert not keys_of(spec) & {"url", "href"}
    assert largest_data(spec) <= MAX_POINTS
    assert len(json.dumps(spec).encode()) <= MAX_SPEC_BYTES


# Residuals are drawn alike for every model, so once is enough.
@pytest.mark.parametrize(
    "name",
    [path.stem for path in FILES if path.stem.endswith("-0") or path.stem.startswith(("regression-line", "describe"))],
)
def test_a_golden_figure_is_drawn(name: str) -> None:
    svg = figures.draw(spec_of(name)["spec"])
    assert "NaN" not in svg
    assert "undefined" not in svg
    assert 'aria-roledescription="' in svg


def _lightness_and_hue(colour: str, simulate: list[list[float]]) -> tuple[float, float, float]:
    """CIELAB of an sRGB colour as seen with the given matrix on linear light."""
    raw = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in raw]
    seen = [min(1.0, max(0.0, sum(w * c for w, c in zip(row, linear, strict=True)))) for row in simulate]
    to_xyz = (
        (0.4124564, 0.3575761, 0.1804375),
        (0.2126729, 0.7151522, 0.0721750),
        (0.0193339, 0.1191920, 0.9503041),
    )
    xyz = [sum(w * c for w, c in zip(row, seen, strict=True)) for row in to_xyz]
    f = [v ** (1 / 3) if v > 0.008856 else 7.787 * v + 16 / 116 for v in (xyz[0] / 0.95047, xyz[1], xyz[2] / 1.08883)]
    return 116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])


# Machado, Oliveira and Fernandes (2009), full severity.
VISIONS = {
    "normal": [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


@pytest.mark.parametrize("vision", VISIONS)
def test_areas_are_told_apart_by_every_colour_vision(vision: str) -> None:
    seen = [_lightness_and_hue(colour, VISIONS[vision]) for colour in CATEGORIES]
    distances = [
        sum((p - q) ** 2 for p, q in zip(a, b, strict=True)) ** 0.5 for i, a in enumerate(seen) for b in seen[:i]
    ]
    # A difference of about two is just noticeable.
    assert min(distances) > 25


def test_areas_are_told_apart_in_grey() -> None:
    lightness = sorted(_lightness_and_hue(colour, VISIONS["normal"])[0] for colour in CATEGORIES)
    assert min(b - a for a, b in pairwise(lightness)) > 7
