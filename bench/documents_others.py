"""The same report by other tools, one tool a process: `python -m bench.documents_others TOOL FOLDER ROUNDS`.

The folder holds what `bench.documents` wrote there: Markdown with citations, CSL-JSON, HTML, figures that are drawn
already, and the content as JSON. Only the standard library is loaded before the tool, so that this also runs in an
environment that has the tool and nothing of the product. Prints one JSON object.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from time import perf_counter
from typing import Any

_UNIT = 1 if sys.platform == "darwin" else 1024
_SECONDS = 60.0


def measured(make: Callable[[int], bytes], rounds: int, *, beside: int | None = None) -> tuple[dict[str, Any], bytes]:
    """Seconds of wall-clock and processor time of each round after one that loads everything, bytes at the peak of
    memory, and the size; and what was made last. With 0 rounds there is only the first.

    :param beside: a process that works for this one and outlives the rounds (Linux).
    """
    body = make(0)
    wall: list[float] = []
    processor: list[float] = []
    for number in range(1, rounds + 1):
        began, used = perf_counter(), _processor(beside)
        body = make(number)
        wall.append(perf_counter() - began)
        processor.append(_processor(beside) - used)
    # Of itself not by getrusage, which counts what the process that started it held.
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * _UNIT
    peak = max(_peak(os.getpid()), children, _peak(beside))
    return {"wall": wall, "processor": processor, "peak": peak, "size": len(body)}, body


def _processor(beside: int | None) -> float:
    """Of this process, of those it started, and of the one beside it."""
    own = sum(os.times()[:4])
    if beside is None:
        return own
    # The name of a program, in parentheses, may hold blanks.
    fields = Path(f"/proc/{beside}/stat").read_text().rpartition(")")[2].split()
    return own + sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


def _peak(process: int | None) -> int:
    """Bytes of the largest resident set of a process."""
    if process is None:
        return 0
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def _run(command: Sequence[str], folder: Path) -> bytes:
    done = subprocess.run(command, cwd=folder, capture_output=True, timeout=_SECONDS, check=False)
    if done.returncode:
        raise SystemExit(done.stderr.decode()[-1_000:])
    return done.stdout


def pandoc(folder: Path, target: str, *more: str) -> bytes:
    """The report's Markdown by pandoc with its own citation processor, in a format."""
    program = str(import_module("pypandoc").get_pandoc_path())
    options = ("--citeproc", "--bibliography=references.json", "--standalone", "--number-sections", *more)
    return _run([program, "-f", "markdown", "-t", target, *options, "-o", "-", "report.md"], folder)


def _pandoc_docx(folder: Path) -> Callable[[int], bytes]:
    return lambda _: pandoc(folder, "docx")


def _pandoc_typst(folder: Path) -> Callable[[int], bytes]:
    typst = import_module("typst")

    def make(number: int) -> bytes:
        # Another first line each time: the typesetter would not lay the same text out twice.
        source = f"// {number}\n#set text(size: {10.5 + number / 1000}pt)\n".encode() + pandoc(folder, "typst")
        path = folder / "report.typ"
        path.write_bytes(source)
        made: bytes = typst.compile(str(path), format="pdf")
        return made

    return make


def _weasyprint(folder: Path) -> Callable[[int], bytes]:
    html = import_module("weasyprint").HTML

    def make(_: int) -> bytes:
        made: bytes = html(filename=str(folder / "report.html")).write_pdf(pdf_tags=True)
        return made

    return make


def _reportlab(folder: Path) -> Callable[[int], bytes]:
    platypus, styles = import_module("reportlab.platypus"), import_module("reportlab.lib.styles")
    canvas_io, escape = import_module("io"), import_module("xml.sax.saxutils").escape
    content = json.loads((folder / "content.json").read_text())

    def make(_: int) -> bytes:
        sheet = styles.getSampleStyleSheet()
        story: list[Any] = [platypus.Paragraph(escape(content["title"]), sheet["Title"])]
        for part in content["parts"]:
            match part:
                case {"heading": heading}:
                    story.append(platypus.Paragraph(escape(heading), sheet["Heading1"]))
                case {"text": text}:
                    story.append(platypus.Paragraph(escape(text), sheet["BodyText"]))
                case {"quote": quote}:
                    story.append(platypus.Paragraph(escape(quote), sheet["Italic"]))
                case {"table": rows}:
                    cells = [[platypus.Paragraph(escape(cell), sheet["BodyText"]) for cell in row] for row in rows]
                    story.append(platypus.Table(cells, repeatRows=1))
                case {"figure": file, "width": width, "height": height}:
                    story.append(platypus.Image(str(folder / file), width=width, height=height))
        target = canvas_io.BytesIO()
        platypus.SimpleDocTemplate(target, title=content["title"]).build(story)
        made: bytes = target.getvalue()
        return made

    return make


TOOLS: dict[str, Callable[[Path], Callable[[int], bytes]]] = {
    "pandoc-docx": _pandoc_docx,
    "pandoc-typst": _pandoc_typst,
    "weasyprint": _weasyprint,
    "reportlab": _reportlab,
}


def main() -> None:
    tool, folder, rounds = sys.argv[1:4]
    make = TOOLS[tool](Path(folder))
    found, body = measured(make, int(rounds))
    (Path(folder) / f"{tool}.out").write_bytes(body)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
