"""A rendering process: `python -m services.results.rendering.child`. Reads requests on its standard input and writes
answers on its standard output, one at a time, until the input ends.

It is warm before it says that it is ready, holds a limit on its own memory, and dies with its parent. Charts are drawn
by a process beside it while it sets the citations.
"""

from __future__ import annotations

import argparse
from typing import Any, BinaryIO

from services.results.rendering import figures
from services.results.rendering.bounds import limit, pipes, shares, swollen
from services.results.rendering.citing.styles import InvalidStyle, UnknownCitationStyle
from services.results.rendering.document import ResultDocument
from services.results.rendering.drawing import DrawingEnded, DrawingProcess
from services.results.rendering.protocol import pack, read_frame, rendition_head
from services.results.rendering.reading import InvalidResultDocument
from services.results.rendering.render import MOST_PAGES, TooManyPages, render
from services.results.rendering.rendition import Format

_PANIC = "PanicException"
"""How a failure of the typesetter's own arrives, which is no `Exception`."""

_WARM_UP: dict[str, Any] = {
    "title": "Warm-up",
    "sections": [{"id": "s", "heading": "One", "body": "Two.", "claims": []}],
    "figures": [
        {
            "id": "f",
            "spec": {
                "data": {"values": [{"x": 1, "y": 2}]},
                "mark": "point",
                "encoding": {
                    "x": {"field": "x", "type": "quantitative"},
                    "y": {"field": "y", "type": "quantitative"},
                },
            },
        }
    ],
    "citations": [{"id": "c", "title": "Three", "authors": ["Four, F."], "year": 2000}],
}
_WARM_FORMATS: tuple[Format, ...] = ("pdf", "docx")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--memory", type=int, default=2 << 30, help="bytes that it may hold with the one beside it")
    options.add_argument("--pages", type=int, default=MOST_PAGES, help="pages that a document may have")
    arguments = options.parse_args()
    memory, drawing_memory = shares(arguments.memory)
    limit(memory)
    source, target = pipes()
    process = DrawingProcess(drawing_memory)
    figures.draw_in(process)
    for format in _WARM_FORMATS:
        _render({"format": format, "document": _WARM_UP, "session_id": "warm-up"})
    _write(target, pack({"ready": True}))
    while (frame := read_frame(source.read)) is not None:
        _write(target, _answer(frame[0], memory, arguments.pages, process))
    process.close()


def _answer(request: dict[str, Any], memory: int, pages: int, process: DrawingProcess) -> bytes:
    try:
        rendition = _render(request, pages)
    except DrawingEnded:
        # Without it this process is of no use either; the pool starts another one.
        raise
    except InvalidResultDocument as error:
        return pack({"error": "invalid_document", "message": str(error)})
    except InvalidStyle as error:
        return pack({"error": "invalid_style", "message": str(error)})
    except UnknownCitationStyle as error:
        return pack({"error": "unknown_citation_style", "message": str(error)})
    except TooManyPages as error:
        return pack({"error": "too_many_pages", "message": str(error)})
    except MemoryError:
        return pack({"error": "too_large", "message": "the document does not fit in the memory allowed"})
    except Exception as error:  # Whatever a library throws at a document must not end the process.
        return pack({"error": "failed", "message": f"{type(error).__name__}: {error}"[:2000]})
    except BaseException as error:
        if type(error).__name__ != _PANIC:
            raise
        # The typesetter broke off; what it holds in memory is not to be trusted any more.
        return pack({"error": "failed", "message": f"{_PANIC}: {error}"[:2000], "spent": True})
    # The typesetter keeps what it laid out for a while; a process swollen by a large document is not used again.
    spent = swollen(memory) or process.spent
    return pack(rendition_head(rendition) | {"spent": spent}, rendition.body)


def _render(request: dict[str, Any], pages: int = MOST_PAGES) -> Any:
    return render(
        request["format"],
        ResultDocument.parse(request["document"]),
        request.get("metadata"),
        session_id=request["session_id"],
        citation_style=request.get("citation_style", "apa"),
        language=request.get("language", "en"),
        raw_data=request.get("raw_data"),
        most_pages=pages,
        csl=request.get("csl"),
    )


def _write(target: BinaryIO, frame: bytes) -> None:
    target.write(frame)
    target.flush()


if __name__ == "__main__":
    main()
