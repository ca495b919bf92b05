"""The chart library, in this process or in one beside it: `python -m services.results.rendering.drawing`.

A rendering process has a drawing process of its own, which draws the charts of a report while the rendering process
sets its citations. It dies with it, too: the library ends the process at a specification that it does not bear.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from services.results.rendering.bounds import limit, pipes, swollen
from services.results.rendering.protocol import pack, read_frame

MEASURED = "Liberation Sans"
"""What the library measures words with: a face that it carries within itself. It has none of the report's, and one of
the system would place the words differently on every machine, and be mapped into memory anew for each of them. Its
letters are wider than the report's, so that what fits in it fits."""

# Set as the page around it: hairlines, no frame.
_CONFIG: dict[str, Any] = {
    "font": MEASURED,
    "background": "white",
    "view": {"stroke": None},
    "axis": {
        "labelFontSize": 11,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "gridColor": "#e4e7ea",
        "domainColor": "#5b6670",
        "tickColor": "#5b6670",
        "labelColor": "#333b42",
        "titleColor": "#1d2329",
        "titlePadding": 8,
    },
    "legend": {"labelFontSize": 11, "titleFontSize": 12, "titleFontWeight": "normal"},
    "header": {"labelFontSize": 11, "titleFontSize": 12},
    "title": {"fontSize": 13, "fontWeight": "normal", "anchor": "start"},
    "range": {"category": ["#1f5f7a", "#c2703d", "#5a8f5c", "#8a5a83", "#b5a03c", "#6b7780"]},
    "mark": {"color": "#1f5f7a"},
}


def vega_lite(source: str) -> str:
    """The specification, a JSON text, as SVG as the library writes it. Raises ValueError for one that is none."""
    # Imported late: it starts a JavaScript engine, which a document without figures need not wait for.
    import vl_convert

    return vl_convert.vegalite_to_svg(source, config=_CONFIG, allowed_base_urls=[])


class DrawingEnded(Exception):
    """The drawing process is no more, and nothing can be drawn."""


class DrawingProcess:
    """The library in a process of its own, which draws one specification after the other.

    :param memory: bytes of data that it may hold.
    :ivar spent: whether it is so swollen by what it drew that it should not be used again.
    """

    def __init__(self, memory: int) -> None:
        command = (sys.executable, "-P", "-m", "services.results.rendering.drawing", "--memory", str(memory))
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="drawing")
        self.pid = self._process.pid
        self.spent = False

    def begin(self, source: str) -> Future[str]:
        """What will be its drawing, unless it is cancelled before it is begun. It raises as `vega_lite` does, and
        DrawingEnded."""
        return self._thread.submit(self._drawn, source)

    def close(self) -> None:
        """End it; what it still has to draw fails."""
        self._process.kill()
        self._thread.shutdown(cancel_futures=True)
        self._process.communicate()

    def _drawn(self, source: str) -> str:
        asked, answers = self._process.stdin, self._process.stdout
        assert asked is not None, "it was asked for"
        assert answers is not None, "it was asked for"
        try:
            asked.write(pack({}, source.encode()))
            asked.flush()
            frame = read_frame(answers.read)
        except OSError as error:
            raise DrawingEnded(repr(error)) from error
        if frame is None:
            raise DrawingEnded("the drawing process has ended")
        head, body = frame
        self.spent = head["spent"]
        if head["failure"] is not None:
            raise ValueError(head["failure"]) if head["faulty"] else RuntimeError(head["failure"])
        return body.decode()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--memory", type=int, required=True, help="bytes of data this process may hold")
    memory = options.parse_args().memory
    limit(memory)
    source, target = pipes()
    while (frame := read_frame(source.read)) is not None:
        head: dict[str, Any] = {"failure": None, "faulty": False}
        drawn = b""
        try:
            drawn = vega_lite(frame[1].decode()).encode()
        except Exception as error:  # Whatever the library throws at a specification must not end the process.
            head = {"failure": str(error)[:2000], "faulty": isinstance(error, ValueError)}
        target.write(pack(head | {"spent": swollen(memory)}, drawn))
        target.flush()


if __name__ == "__main__":
    main()
