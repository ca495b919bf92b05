"""Documents of the same six-page report: `python -m bench.documents [--rounds 7] [--parts files service]`.

First each format in a process of its own, beside plain pandoc, WeasyPrint and ReportLab: time with a new process and
with a warm one, processor time, the most memory and the size. Then exports through the running product. The libraries
compared with live in `.venv-bench` (`make bench-documents` makes it); what is not there is named and passed over.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any, cast

from bench import documents_floor, documents_others, documents_report
from bench.processes import machine

FORMATS = ("pdf", "docx", "markdown", "json", "zip")
OTHERS = {
    "pandoc-docx": "pandoc + citeproc, docx",
    "pandoc-typst": "pandoc + citeproc + typst, pdf",
    "weasyprint": "WeasyPrint, pdf (HTML made before)",
    "reportlab": "ReportLab, pdf (citations made before)",
}
_APART = ("weasyprint", "reportlab")
_BENCH_PYTHON = Path(__file__).resolve().parents[1] / ".venv-bench" / "bin" / "python"
_SECONDS = 100.0
_COLD = 3
_MEMORY = 2 << 30


def product(format: str, *, again: bool) -> Callable[[int], bytes]:
    """The product's own code as rendering processes run it. `again`: one report over and over, else a new one each
    time, whose drawings and citations nobody made before."""
    from services.results.rendering.document import ResultDocument
    from services.results.rendering.render import render
    from services.results.rendering.rendition import Format

    zipped = format == "zip"

    def make(number: int) -> bytes:
        number = 0 if again else number
        source = documents_report.result_document(number)
        return render(
            cast("Format", "pdf" if zipped else format),
            ResultDocument.parse(source),
            documents_report.metadata(number),
            session_id="s",
            citation_style="apa",
            language="en",
            raw_data=documents_report.raw_data(source) if zipped else None,
        ).body

    return make


def write_inputs(folder: Path) -> None:
    """What the other tools start from: the same words, figures drawn already."""
    from services.results.rendering import figures

    source = documents_report.result_document(0)
    lines = [f"---\ntitle: {json.dumps(source['title'])}\nlang: en\n---\n", source["summary"], "# Key findings"]
    parts: list[dict[str, Any]] = [{"text": text} for text in source["summary"].split("\n\n")]
    parts.append({"heading": "Key findings"})
    for finding in source["key_findings"]:
        lines.append(f"1. {finding['text']} {_cited(finding)}\n\n   > {finding['quote']}")
        parts += [{"text": f"{finding['text']} {_numbered(finding)}"}, {"quote": finding["quote"]}]
    notes: list[str] = []
    for section in source["sections"]:
        body, plain = section["body"], section["body"]
        for claim in section["claims"]:
            notes.append(f"[^{len(notes)}]: “{claim['text']}”")
            body = body.replace(claim["text"], f"{claim['text']} {_cited(claim)}[^{len(notes) - 1}]", 1)
            plain = plain.replace(claim["text"], f"{claim['text']} {_numbered(claim)}", 1)
        lines += [f"# {section['heading']}", body]
        parts += [{"heading": section["heading"]}, *({"text": text} for text in plain.split("\n\n"))]
    lines.append("# Figures and tables")
    parts.append({"heading": "Figures and tables"})
    for figure in source["figures"]:
        svg = figures.draw(figure["spec"])
        (folder / f"{figure['id']}.svg").write_text(svg)
        (folder / f"{figure['id']}.png").write_bytes(figures.png(svg))
        width, height = figures.size(svg)
        lines.append(f"![{figure['title']}]({figure['id']}.png){{width=80%}}")
        parts.append({"figure": f"{figure['id']}.png", "width": width * 0.75, "height": height * 0.75})
    for table in source["tables"]:
        rows = [table["columns"], *([str(cell) for cell in row] for row in table["rows"])]
        ruled = [rows[0], ["---"] * len(rows[0]), *rows[1:]]
        lines.append("\n".join(f"| {' | '.join(row)} |" for row in ruled) + f"\n\n: {table['title']}")
        parts += [{"table": rows}, {"text": table["title"]}]
    lines.append("# References\n\n::: {#refs}\n:::")
    parts.append({"heading": "References"})
    for number, citation in enumerate(source["citations"], start=1):
        line = f"[{number}] {'; '.join(citation['authors'])} ({citation['year']}): {citation['title']}."
        parts += [{"text": line}, *({"quote": f"“{passage['quote']}”"} for passage in citation["passages"])]
    (folder / "report.md").write_text("\n\n".join([*lines, *notes]) + "\n")
    (folder / "references.json").write_text(json.dumps([citation["csl"] for citation in source["citations"]]))
    (folder / "content.json").write_text(json.dumps({"title": source["title"], "parts": parts}))
    (folder / "report.html").write_bytes(documents_others.pandoc(folder, "html5"))


def _cited(item: dict[str, Any]) -> str:
    return "[" + "; ".join(f"@{id}" for id in item["citations"]) + "]"


def _numbered(item: dict[str, Any]) -> str:
    return "".join(f"[{int(id[1:]) + 1}]" for id in item["citations"])


def child(command: list[str]) -> tuple[dict[str, Any], float]:
    """What a process prints, and how long it ran, from its start to its end. Raises SystemExit with its last words."""
    began = perf_counter()
    done = subprocess.run(command, capture_output=True, timeout=_SECONDS, check=False)
    took = perf_counter() - began
    if done.returncode:
        raise SystemExit(done.stderr.decode()[-1_000:])
    found: dict[str, Any] = json.loads(done.stdout)
    return found, took


def measured(command: list[str], rounds: int, output: Path) -> list[str]:
    """Cells of a row: cold, warm (least and median), processor, peak, size, pages."""
    cold = min(child([*command, "0"])[1] for _ in range(_COLD))
    found, _ = child([*command, str(rounds)])
    wall, processor = found["wall"], found["processor"]
    return [
        f"{cold * 1e3:.0f}",
        f"{min(wall) * 1e3:.0f}",
        f"{statistics.median(wall) * 1e3:.0f}",
        f"{min(processor) * 1e3:.0f}",
        f"{found['peak'] / 1e6:.0f}",
        f"{found['size'] / 1e3:.0f}",
        str(_pages(output)),
    ]


def _pages(file: Path) -> int | str:
    import pypdfium2

    body = file.read_bytes()
    return len(pypdfium2.PdfDocument(body)) if body.startswith(b"%PDF") else "–"


def files(rounds: int) -> None:
    """Print a line for each writer."""
    columns = ("cold", "warm, least", "warm, median", "processor", "peak MB", "kB", "pages")
    print(f"| writer | {' | '.join(columns)} |\n|---|{'---:|' * len(columns)}")
    with TemporaryDirectory(prefix="prsm-bench-") as name:
        folder = Path(name)
        write_inputs(folder)
        ours = [sys.executable, "-m", "bench.documents", "--child"]
        bare = measured([*ours, "pdf", "bare", str(folder)], rounds, folder / "pdf.out")
        print(f"| typst alone, six pages of bare paragraphs | {' | '.join(bare)} |", flush=True)
        for format in FORMATS:
            for kind in ("new", *(["again"] if format in ("pdf", "docx") else [])):
                shown = f"product, {format}" + (", the same report again" if kind == "again" else "")
                command = [*ours, format, kind, str(folder)]
                print(f"| {shown} | {' | '.join(measured(command, rounds, folder / f'{format}.out'))} |", flush=True)
        for tool, shown in OTHERS.items():
            python = str(_BENCH_PYTHON) if tool in _APART else sys.executable
            script = str(Path(documents_others.__file__))
            command = [python, script, tool, str(folder)]
            try:
                print(f"| {shown} | {' | '.join(measured(command, rounds, folder / f'{tool}.out'))} |", flush=True)
            except (SystemExit, FileNotFoundError) as missing:
                words = str(missing).strip().splitlines() or ["failed"]
                print(f"| {shown} | not measured: {words[-1][:120]} |{' |' * (len(columns) - 1)}", flush=True)


def _child(format: str, kind: str, folder: str, rounds: str) -> None:
    if kind == "bare":
        found, body = documents_others.measured(documents_floor.typst_alone(), int(rounds))
    else:
        found, body = _ours(product(format, again=kind == "again"), int(rounds))
    (Path(folder) / f"{format}.out").write_bytes(body)
    print(json.dumps(found))


def _ours(make: Callable[[int], bytes], rounds: int) -> tuple[dict[str, Any], bytes]:
    """As a rendering process: with a drawing process beside it."""
    from services.results.rendering import drawing, figures

    process = drawing.DrawingProcess(_MEMORY)
    figures.draw_in(process)

    try:
        return documents_others.measured(make, rounds, beside=process.pid)
    finally:
        process.close()


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m bench.documents", description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--parts", nargs="+", choices=("files", "service"), default=["files", "service"])
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        _child(*asked.child)
        return
    print(f"On {machine()}. Times in milliseconds.\n", flush=True)
    if "files" in asked.parts:
        files(asked.rounds)
    if "service" in asked.parts:
        from bench.documents_service import run

        print(flush=True)
        with TemporaryDirectory(prefix="prsm-bench-", ignore_cleanup_errors=True) as name:
            asyncio.run(run(Path(name), asked.rounds))


if __name__ == "__main__":
    main()
