"""Sessions over the documents and data sets of a folder, their results in every format, read again: whether every
statement, quote, source and number of the JSON is found in the finished files."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from time import perf_counter

from eval.documents import upload_folders
from eval.options import Options
from eval.product import JSON, Person, Product, Unexpected
from eval.report import Cell, Report, Table

PART = "finished"
_FORMATS = ("pdf", "docx", "markdown")
_STYLES = ("apa", "ieee", "vancouver", "chicago", "nature", "harvard")
_TABLES = frozenset({".csv", ".tsv", ".xlsx", ".xls", ".parquet"})
_PROMPT = "What does {title} report, how was it measured, and what limits it?"
_QUESTION = "What is in these data, and which columns go together?"
_SHOWN = 40
_MOST_PROBLEMS = 40


async def measure(product: Product, data: Path, options: Options) -> Report:
    """A research session for each document that can be read, on it alone, and an analysis for each data set."""
    from tests.roundtrip.comparing import items, lost
    from tests.roundtrip.rendering import read

    person = product.person("finished")
    rows: list[list[Cell]] = []
    problems: list[str] = []
    total: Counter[str] = Counter()
    files = upload_folders(data)[: options.sessions]
    for number, path in enumerate(files):
        began = perf_counter()
        try:
            session = await _session(person, path, _STYLES[number % len(_STYLES)])
        except Unexpected as error:
            rows.append([path.name, str(error)[:_SHOWN], *[None] * (len(_FORMATS) + 2)])
            continue
        if session is None:
            continue
        answer = await person.ask("GET", f"/sessions/{session}/results")
        source = {**answer["results"], "summary": answer["summary"], "citations": answer["citations"]}
        bodies = {
            name: await person.call("GET", f"/sessions/{session}/export", params={"format": name}) for name in _FORMATS
        }
        texts = await asyncio.to_thread(read, bodies)
        missed = lost(source, texts)
        kinds = Counter(item.kind for item in items(source))
        total.update(kinds)
        total["sessions"] += 1
        by_format = Counter(name for name, _ in missed)
        rows.append(
            [path.name, None, sum(kinds.values()), *(by_format[name] for name in _FORMATS), perf_counter() - began]
        )
        problems += [f"{path.name}: {name} lacks the {item.kind} {item.text[:120]!r}" for name, item in missed]
    columns = ["file", "problem", "things said", *(f"not in {name}" for name in _FORMATS), "s"]
    counts: list[list[Cell]] = [[kind, number] for kind, number in sorted(total.items())]
    tables = [Table("Sessions", columns, rows), Table("Looked for in each format", ["what", "number"], counts)]
    figures = {"sessions": total["sessions"], "looked_for": sum(total.values()) - total["sessions"]}
    return Report(PART, tables, {**figures, "lost": len(problems)}, problems[:_MOST_PROBLEMS])


async def _session(person: Person, path: Path, style: str) -> str | None:
    """A finished session over one file; None if the file cannot be read."""
    status, stored = await person.upload(path)
    if status != 201:
        return None
    body: JSON = {"preferences": {"citation_style": style}}
    if path.suffix in _TABLES:
        body |= {
            "prompt": _QUESTION,
            "session_type": "analysis",
            "inputs": {"datasets": [{"document_id": stored["document_id"]}]},
        }
    else:
        document = await person.ask("GET", f"/documents/{stored['document_id']}")
        body |= {
            "prompt": _PROMPT.format(title=str(document["title"])[:200] or path.stem),
            "session_type": "research",
            "inputs": {"documents": [{"document_id": stored["document_id"]}]},
        }
    session = await person.begin(body)
    await person.finished(session)
    return session
