from __future__ import annotations

import struct
from typing import Any

import pytest

from services.results.rendering import figures
from services.results.rendering.figures import FigureRefused
from tests.unit.rendering.sample import sample


def _spec(**changes: Any) -> dict[str, Any]:
    spec: dict[str, Any] = sample()["figures"][0]["spec"]
    return spec | changes


def test_a_specification_is_drawn_as_vectors() -> None:
    svg = figures.draw(_spec())
    assert svg.startswith("<svg")
    assert "Altitude (m)" in svg
    assert figures.FONT in svg
    assert "Liberation" not in svg
    assert 400 < figures.size(svg)[0] < 600


def test_the_picture_is_a_png_of_the_scaled_size() -> None:
    svg = figures.draw(_spec())
    picture = figures.png(svg)
    assert picture.startswith(b"\x89PNG")
    width = struct.unpack(">I", picture[16:20])[0]
    assert width == pytest.approx(figures.size(svg)[0] * figures.PNG_SCALE, abs=2)


def test_the_picture_shows_the_words() -> None:
    svg = figures.draw(_spec())
    assert figures.png(svg) != figures.png(svg.replace("Altitude (m)", "Elevation (m)"))


def test_the_order_of_keys_does_not_matter() -> None:
    spec = _spec()
    assert figures.draw(spec) == figures.draw({key: spec[key] for key in reversed(spec)})


_LOADED: Any = {"url": "https://example.org/data.csv"}


@pytest.mark.parametrize(
    "changes",
    [
        {"data": _LOADED},
        {"data": {"url": "file:///etc/passwd"}},
        {"data": {"url": "data/cars.json"}},
        {"transform": [{"lookup": "altitude", "from": {"data": _LOADED, "key": "a", "fields": ["b"]}}]},
        {"mark": "image", "encoding": {"url": {"value": "https://example.org/x.png"}}},
        {"mark": {"type": "image", "width": 5}},
        {"mark": {"type": "point", "href": "https://example.org"}},
        {"encoding": {"href": {"field": "altitude"}}},
        {"layer": [{"data": _LOADED, "mark": "point"}]},
        {"width": 1_000_000},
        {"mark": 3},
    ],
)
def test_what_reaches_outside_or_makes_no_sense_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(FigureRefused):
        figures.draw(_spec(**changes))


def test_data_may_have_a_column_named_url() -> None:
    values = [{"url": "https://example.org", "altitude": 1, "pressure": 2}]
    assert "<svg" in figures.draw(_spec(data={"values": values}))


def test_hostile_text_in_the_data_stays_text() -> None:
    values = [{"c": "<image href='x'/><script>alert(1)</script>&", "n": 1}]
    spec = {
        "data": {"values": values},
        "mark": "bar",
        "encoding": {"x": {"field": "c", "type": "nominal"}, "y": {"field": "n", "type": "quantitative"}},
    }
    svg = figures.draw(spec)
    assert "<script" not in svg
    assert "<image" not in svg
    assert "&lt;script" in svg
