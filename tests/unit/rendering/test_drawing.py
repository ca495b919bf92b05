"""Charts drawn by a process beside the one that renders."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from services.results.rendering import child, drawing, figures
from services.results.rendering.drawing import DrawingEnded, DrawingProcess
from services.results.rendering.figures import FigureRefused
from tests.unit.rendering.sample import sample

_MEMORY = 2 << 30


@pytest.fixture(scope="module")
def process() -> Iterator[DrawingProcess]:
    process = DrawingProcess(_MEMORY)
    yield process
    process.close()


@pytest.fixture(autouse=True)
def _beside(process: DrawingProcess) -> Iterator[None]:
    figures.draw_in(process)
    yield
    figures.draw_in(None)


def _spec(title: str) -> dict[str, Any]:
    spec: dict[str, Any] = sample()["figures"][0]["spec"]
    return spec | {"title": title}


def test_a_drawing_is_the_same_wherever_it_is_made(process: DrawingProcess) -> None:
    source = orjson.dumps(_spec("Zero")).decode()
    assert process.begin(source).result() == drawing.vega_lite(source)
    assert not process.spent


def test_what_was_begun_is_what_is_drawn() -> None:
    specs = [_spec("One"), {"data": {"url": "https://example.org/"}}, _spec("Two"), _spec("One")]
    figures.begin(specs)
    assert "One" in figures.draw(specs[0])
    assert "Two" in figures.draw(specs[2])
    with pytest.raises(FigureRefused):
        figures.draw(specs[1])


def test_a_faulty_specification_is_refused_and_the_next_one_drawn() -> None:
    faulty = _spec("Three") | {"mark": "no such mark"}
    figures.begin([faulty, _spec("Four")])
    with pytest.raises(FigureRefused, match="not valid Vega-Lite"):
        figures.draw(faulty)
    assert "Four" in figures.draw(_spec("Four"))


def test_what_was_begun_for_a_document_that_came_to_nothing_delays_no_other() -> None:
    figures.begin([_spec(f"Forgotten {number}") for number in range(50)])
    figures.begin([_spec("Five")])
    assert "Five" in figures.draw(_spec("Five"))


def test_a_rendering_process_does_not_outlive_its_drawing_process() -> None:
    process = DrawingProcess(_MEMORY)
    try:
        os.kill(process.pid, signal.SIGKILL)
        figures.draw_in(process)
        source = sample()
        source["figures"][0]["spec"] = _spec("Six")
        with pytest.raises(DrawingEnded):
            child._answer({"format": "markdown", "document": source, "session_id": "s"}, _MEMORY, 10, process)
    finally:
        process.close()
