"""The screening of a result as the flow of a PRISMA 2020 diagram (Page et al., BMJ 2021, figure 1)."""

from __future__ import annotations

from collections.abc import Mapping

from services.results.rendering.composing import blocks
from services.results.rendering.composing.report import Block, Subheading
from services.results.rendering.plain_text import one_line
from services.results.rendering.reading import JSON, Cell, InvalidResultDocument, Node

_STEPS = (
    ("identified", None),
    ("duplicates_removed", "identification"),
    ("not_listed", None),
    ("screened", None),
    ("excluded_at_screening", "screening"),
    ("sought", None),
    ("not_retrieved", "retrieval"),
    ("assessed", None),
    ("excluded_after_reading", "reading"),
    ("included", None),
)
"""Counts in the order of the flow, and the stage whose reasons belong to each."""

_NEEDED = ("identified", "screened", "included")


def flow(screening: Mapping[str, JSON], labels: dict[str, str]) -> list[Block]:
    """The counts as a table, each with its reasons, and the documents left out that have a title.

    :raises InvalidResultDocument: it is no such screening.
    """
    root = Node(screening, "screening")
    counts = {name: root.integer(name) for name, _ in _STEPS}
    if any(counts[name] is None for name in _NEEDED):
        raise InvalidResultDocument("screening", "lacks counts")
    reasons = root.nodes("reasons")
    rows: list[tuple[Cell, ...]] = []
    for name, stage in _STEPS:
        if counts[name] is None or (name == "not_listed" and not counts[name]):
            continue
        # Of nothing, nothing can be left out.
        if not counts["identified"] and not counts[name] and name not in _NEEDED:
            continue
        rows.append((labels[f"block_{name}"], counts[name]))
        if name == "identified":
            by = Node(root.object("identified_by"), "identified_by")
            rows += [
                (f"– {labels.get(f'block_identified_by_{source}') or source}", by.integer(source))
                for source in root.object("identified_by")
            ]
        rows += [
            (f"– {one_line(item.text('reason'))}", item.integer("documents"))
            for item in reasons
            if stage is not None and item.text("stage") == stage
        ]
    left_out = [
        (title, one_line(item.text("reason")))
        for item in root.nodes("excluded")
        if (title := one_line(item.text("title", default="")))
    ]
    caption = labels["block_caption_screening"]
    heads = [labels["block_step"], labels["block_documents"]]
    result: list[Block] = [blocks.table(heads, rows, labels, caption=caption)]
    if left_out:
        result.append(Subheading(labels["block_excluded"], 2))
        heads, caption = [labels["block_document"], labels["block_reason"]], labels["block_caption_excluded"]
        result.append(blocks.table(heads, left_out, labels, caption=caption))
    return result
