"""Files of every kind through upload: what the product makes of each, and the words of reference texts in order."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

from eval.options import Options
from eval.product import JSON, Person, Product
from eval.report import Cell, Report, Table

PART = "documents"
_REFERENCE = ".txt"
_MANIFEST = "MANIFEST.json"
_LEFT_OUT = frozenset((_MANIFEST, "README.md"))
_TITLE_SHOWN = 48


async def measure(product: Product, data: Path, options: Options) -> Report:
    """Upload every file of the folders below `data` that have a manifest, or a text beside a PDF, and list what
    became of it.

    A reference text's words (letters and digits, folded by NFKC and case) are looked for in order in the stored
    text. `in order` is the longest common subsequence of words over the reference's words. `held` is the share
    that the stored text holds anywhere, the most that any order could give: what it lacks the file's text layer
    spells otherwise. `letters` is the same as `in order` by letters, so that a word spelt or cut otherwise (`part
    of` for `partof`, a scan's misread letter) costs only the letters that differ.
    """
    person = product.person("documents")
    rows: list[list[Cell]] = []
    recalls: list[list[Cell]] = []
    problems: list[str] = []
    in_order: list[float] = []
    files = upload_folders(data)
    for path in files:
        began = perf_counter()
        status, answer = await person.upload(path)
        seconds = perf_counter() - began
        rows.append([path.name, *await _row(person, status, answer), seconds])
        if status >= 500 or (status != 201 and answer.get("error") != "document_unreadable"):
            problems.append(f"{path.name}: {status} {answer.get('error')}")
        reference = path.with_suffix(_REFERENCE)
        if status == 201 and path.suffix != _REFERENCE and reference.exists():
            expected = words(reference.read_text(errors="replace"))
            found = words(await person.text(answer["document_id"]))
            order, held, letters = recall(expected, found)
            in_order.append(order)
            recalls.append([path.name, len(expected), order, held, letters])
    columns = [
        "file",
        "kind",
        "pages",
        "characters",
        "tables",
        "works",
        "title",
        "year",
        "DOI",
        "problem or error",
        "s",
    ]
    tables = [Table("What became of each file", columns, rows)]
    if recalls:
        note = "Shares of the reference's words; `letters` of its letters and digits."
        tables.append(Table("Reference texts", ["file", "words", "in order", "held", "letters"], recalls, note))
    figures = {
        "files": len(files),
        "read": sum(row[1] is not None for row in rows),
        "in_order_least": min(in_order, default=None),
        "in_order_mean": sum(in_order) / len(in_order) if in_order else None,
    }
    return Report(PART, tables, figures, problems)


def upload_folders(data: Path) -> list[Path]:
    """The files that are uploaded, in their order."""
    return [path for folder in _folders(data) for path in _files(folder)]


def _folders(data: Path) -> list[Path]:
    """Folders with a manifest, or with a text of the same name beside a PDF."""
    beside = {path.parent for path in data.rglob("*.pdf") if path.with_suffix(_REFERENCE).exists()}
    return sorted(beside | {path.parent for path in data.rglob(_MANIFEST)})


def _files(folder: Path) -> list[Path]:
    references = {path.with_suffix(_REFERENCE) for path in folder.glob("*.pdf")}
    return [
        path
        for path in sorted(folder.iterdir())
        if path.is_file() and path not in references and path.name not in _LEFT_OUT
    ]


async def _row(person: Person, status: int, answer: JSON) -> list[Cell]:
    if status != 201:
        details = answer.get("details") or {}
        message = f"{answer.get('error')}: {details.get('reason')}: {answer.get('message')}"
        return [None, None, None, None, None, None, None, None, message]
    document = await person.ask("GET", f"/documents/{answer['document_id']}")
    return [
        document["kind"],
        document["pages"],
        document["characters"],
        len(document.get("tables") or ()),
        len(document.get("works") or ()),
        str(document["title"])[:_TITLE_SHOWN],
        document.get("year"),
        document.get("doi"),
        " ".join(document.get("problems") or ()),
    ]


def words(text: str) -> list[str]:
    """Runs of letters and digits, compatibility forms (ligatures) and case folded."""
    return re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold())


def recall(expected: Sequence[str], found: Sequence[str]) -> tuple[float, float, float]:
    """Shares of `expected`: words found in order, words found anywhere, letters found in order."""
    total = max(1, len(expected))
    held = sum((Counter(expected) & Counter(found)).values())
    one, other = "".join(expected), "".join(found)
    return common(expected, found) / total, held / total, common(one, other) / max(1, len(one))


def common(one: Sequence[str], other: Sequence[str]) -> int:
    """The length of the longest common subsequence, by the bit-parallel method of Hyyrö (2004), Bit-parallel LCS-length
    computation revisited."""
    places: dict[str, int] = {}
    for index, item in enumerate(one):
        places[item] = places.get(item, 0) | (1 << index)
    everything = (1 << len(one)) - 1
    row = everything
    for item in other:
        met = row & places.get(item, 0)
        row = ((row + met) | (row - met)) & everything
    return len(one) - row.bit_count()
