"""Datasets that a result rests on, as a reader looks at them: how large they are, their columns, and how they were
read. Columns that a task profiles stand with that task."""

from __future__ import annotations

from services.results.rendering.composing import blocks
from services.results.rendering.composing.report import (
    Block,
    Bullets,
    Column,
    Paragraph,
    Styled,
    TableBlock,
    Text,
)
from services.results.rendering.composing.values import cell
from services.results.rendering.document import ResultDocument
from services.results.rendering.plain_text import one_line
from services.results.rendering.reading import JSON, InvalidResultDocument, Node

_KNOWN = frozenset({
    "name", "sha256", "rows", "rows_left_out", "columns", "problem_count", "problems", "decisions",
})  # fmt: skip


def profiled(document: ResultDocument) -> frozenset[str]:
    """Names of the datasets whose columns the analysis lists."""
    entries: JSON = document.blocks.get("analysis")
    listed = entries if isinstance(entries, list) else []
    return frozenset(
        str(entry.get("dataset")) for entry in listed if isinstance(entry, dict) and entry.get("kind") == "profile"
    )


def section(root: Node, labels: dict[str, str], listed: frozenset[str]) -> list[Block]:
    """A table of the datasets; then of each its columns, unless they are among those `listed`, and how it was read.

    :raises InvalidResultDocument: the block has another engine's shape.
    """
    block = root.value("datasets")
    items = root.nodes("datasets")
    if not isinstance(block, list) or any(not isinstance(item, dict) or not set(item) <= _KNOWN for item in block):
        raise InvalidResultDocument("datasets", "has members that are not known here")
    heads = ("block_dataset", "block_rows", "block_columns", "block_sha256")
    rows = tuple(
        (
            one_line(item.text("name")),
            cell(item.integer("rows"), labels),
            cell(len(item.nodes("columns")) or None, labels),
            one_line(item.text("sha256", default="")) or "–",
        )
        for item in items[: blocks.MAX_ROWS]
    )
    columns = tuple(Column(labels[head], head in ("block_rows", "block_columns")) for head in heads)
    result: list[Block] = [TableBlock("", "", labels["block_caption_data"], columns, rows, _more(len(items), labels))]
    for item in items[: blocks.MAX_ROWS]:
        name = one_line(item.text("name"))
        if name not in listed:
            result += _columns(item, name, labels)
        result += _how_read(item, name, labels)
    return result


def _columns(item: Node, name: str, labels: dict[str, str]) -> list[Block]:
    found = item.nodes("columns")
    if not found:
        return []
    rows = tuple(
        (
            one_line(column.text("name")),
            one_line(column.text("type", default="")),
            one_line(column.text("unit", default="")) or "–",
            cell(column.integer("missing"), labels),
        )
        for column in found[: blocks.MAX_ROWS]
    )
    heads = ("block_column", "block_type", "block_unit", "block_missing")
    columns = tuple(Column(labels[head], head == "block_missing") for head in heads)
    caption = labels["block_columns_of"].format(name=name)
    return [TableBlock("", "", caption, columns, rows, _more(len(found), labels))]


def _how_read(item: Node, name: str, labels: dict[str, str]) -> list[Block]:
    lines = []
    if left := item.integer("rows_left_out"):
        lines.append(f"{labels['block_rows_left_out']}{labels['colon']} {left}")
    for problem in item.nodes("problems")[: blocks.MAX_ROWS]:
        line, column = problem.integer("line"), problem.text("column", default="")
        parts = [f"{labels['block_line']} {line}" if line is not None else "", one_line(column)]
        place = ", ".join(part for part in parts if part)
        said = _with(problem.text("issue"), problem.text("effect", default=""))
        lines.append(f"{place}{labels['colon']} {said}" if place else said)
    lines += [
        _with(guess.text("decision"), guess.text("reason", default=""))
        for guess in item.nodes("decisions")[: blocks.MAX_ROWS]
    ]
    if not lines:
        return []
    head = Paragraph((Styled("emph", (Text(labels["block_how_read"].format(name=name)),)),))
    return [head, Bullets(tuple(Paragraph((Text(line),)) for line in lines))]


def _with(text: str, why: str) -> str:
    line, reason = one_line(text), one_line(why)
    return f"{line} ({reason})" if reason else line


def _more(count: int, labels: dict[str, str]) -> str | None:
    return labels["more_rows"].format(count=count - blocks.MAX_ROWS) if count > blocks.MAX_ROWS else None
