"""How an analysis can be repeated: the data it was made from, its steps, and where its script is."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from services.results.rendering.composing import blocks, formulas
from services.results.rendering.composing.analyses import word
from services.results.rendering.composing.report import Block, Column, Pairs, Paragraph, TableBlock, Text
from services.results.rendering.composing.values import cell
from services.results.rendering.document import ResultDocument
from services.results.rendering.plain_text import one_line
from services.results.rendering.reading import JSON, InvalidResultDocument, Node
from services.results.rendering.serializer import dump

_SAFE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,80}")
_BLOCK = "reproduction"


def section(root: Node, labels: dict[str, str]) -> list[Block]:
    """The short form for readers; the script itself is in the JSON and in the archive.

    :raises InvalidResultDocument: the block has another engine's shape.
    """
    block = Node(root.object(_BLOCK), _BLOCK)
    script = Node(block.object("script"), "script")
    name = one_line(script.text("filename"))
    data = [
        (
            one_line(item.text("name")),
            cell(item.integer("rows"), labels),
            cell(item.integer("columns"), labels),
            one_line(item.text("sha256")),
        )
        for item in block.nodes("data")
    ]
    steps = block.nodes("steps")
    shown = [(cell(item.integer("n"), labels), _what(item), _rows(item, labels)) for item in steps[: blocks.MAX_ROWS]]
    versions = ", ".join(f"{key} {one_line(str(value))}" for key, value in sorted(block.object("versions").items()))
    facts = ((labels["block_seed"], cell(block.integer("seed"), labels)), (labels["block_versions"], versions))
    more = len(steps) - len(shown)
    note = labels["more_rows"].format(count=more) if more else None
    headings = ("block_dataset", "block_rows", "block_columns", "block_sha256")
    columns = tuple(Column(labels[key], key in ("block_rows", "block_columns")) for key in headings)
    head = tuple(Column(labels[key], key == "block_step") for key in ("block_step", "block_what", "block_rows"))
    return [
        Paragraph((Text(labels["block_script"].format(filename=name)),)),
        TableBlock("", "", labels["block_caption_data"], columns, tuple(data), None),
        TableBlock("", "", labels["block_caption_steps"], head, tuple(shown), note),
        Pairs(facts),
    ]


def _what(step: Node) -> str:
    """What was done, the name of its task in words."""
    kind, space, rest = one_line(step.text("what")).partition(" ")
    return word(kind) + space + formulas.unquoted(rest)


def _rows(step: Node, labels: dict[str, str]) -> str:
    before, after = step.integer("rows_in"), step.integer("rows_out")
    if before is None or after is None or before == after:
        return cell(after, labels) if after is not None else ""
    return f"{cell(before, labels)} → {cell(after, labels)}"


def files(document: ResultDocument) -> dict[str, bytes]:
    """What the archive holds of it: the script under its name, and the steps; nothing where there is no script."""
    block: JSON = document.blocks.get(_BLOCK)
    try:
        script = Node(Node({_BLOCK: block}, "").object(_BLOCK), _BLOCK).object("script")
        name, text = Node(script, "script").text("filename"), Node(script, "script").text("text")
    except InvalidResultDocument:
        return {}
    # The name comes from a stored document: it may name a file here and nothing else.
    if not _SAFE_NAME.fullmatch(name) or PurePosixPath(name).suffix != ".py":
        return {}
    record = {key: value for key, value in block.items() if key != "script"}
    return {name: text.encode("utf-8", errors="replace"), "steps.json": dump(record)}
