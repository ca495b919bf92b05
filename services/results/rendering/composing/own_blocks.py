"""The blocks that a session type added, as sections: what was computed, what else was found, and the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.results.rendering.composing import blocks
from services.results.rendering.composing.anchors import Anchors
from services.results.rendering.composing.reader_blocks import SILENT, ReaderBlocks
from services.results.rendering.composing.report import Block, Pairs, SectionBlock, TableBlock
from services.results.rendering.composing.values import cell, is_scalar, words
from services.results.rendering.document import ResultDocument

_COMPUTED = "analysis"
_FOUND = frozenset({"bridges", "conflicts", "contradictions", "hypotheses"})
"""Blocks that are part of what was found; the others say how, and stand after the references."""

_FIRST = ("contradictions", "conflicts", "facets", "gaps", "sources", "agreements", "themes", "provenance")
_LAST = ("screening", "methods", "reproduction")
"""Known blocks in their order, before and after those of other names: storage keeps members sorted by name."""
_HEADED = frozenset({"datasets", "not_in_this_report"})
"""Blocks that are laid out by their shape under a heading in the report's language."""


@dataclass(frozen=True, slots=True)
class OwnBlocks:
    """`computed` and `found` belong into the report, `rest` follows the references; `methods` are the figures of how it
    was made, where a section of the engine's says that in words."""

    computed: tuple[SectionBlock, ...]
    found: tuple[SectionBlock, ...]
    rest: tuple[SectionBlock, ...]
    methods: tuple[Block, ...]

    def numbered(self, count: int, anchors: Anchors, labels: dict[str, str]) -> OwnBlocks:
        """The same with captioned tables numbered after the `count` tables before them."""
        numbering = _Numbering(count, anchors, labels["table"])
        return replace(self, found=tuple(map(numbering.of, self.found)), rest=tuple(map(numbering.of, self.rest)))


class _Numbering:
    def __init__(self, count: int, anchors: Anchors, word: str) -> None:
        self._count, self._anchors, self._word = count, anchors, word

    def of(self, section: SectionBlock) -> SectionBlock:
        return replace(section, blocks=tuple(self._numbered(section.anchor, section.blocks)))

    def _numbered(self, section: str, content: Sequence[Block]) -> list[Block]:
        result: list[Block] = []
        for place, block in enumerate(content, start=1):
            if isinstance(block, TableBlock) and block.caption and not block.label:
                self._count += 1
                anchor = self._anchors.of("table", f"{section.removeprefix('section-')}-{place}")
                block = replace(block, anchor=anchor, label=f"{self._word} {self._count}")
            result.append(block)
        return result


def own_blocks(
    document: ResultDocument, known: ReaderBlocks, anchors: Anchors, labels: dict[str, str], *, methods_told: bool
) -> OwnBlocks:
    """Lay out the blocks of `document`.

    :param methods_told: whether a section says how it was made; then the figures of it are no section of their own.
    """
    parts: dict[str, SectionBlock] = {}
    methods: list[Block] = []
    facts: list[tuple[str, str]] = []
    for name, value in sorted(document.blocks.items(), key=lambda item: _place_of(item[0])):
        if name in SILENT or (name == "question" and isinstance(value, str)):
            continue  # The question heads the report.
        if (told := known.lay_out(name, value)) is not None:
            heading, content = told
            if name == "methods" and methods_told:
                methods = content
            elif content:
                parts[name] = SectionBlock(anchors.of("section", name), heading, tuple(content))
        elif is_scalar(value) and not isinstance(value, str):
            facts.append((words(name), cell(value, labels)))
        elif laid_out := blocks.lay_out(value, labels):
            heading = labels[f"block_{name}"] if name in _HEADED else words(name)
            parts[name] = SectionBlock(anchors.of("section", name), heading, tuple(laid_out))
    if facts:
        parts[""] = SectionBlock(anchors.of("section", "details"), labels["details"], (Pairs(tuple(facts)),))
    return OwnBlocks(
        computed=tuple(part for name, part in parts.items() if name == _COMPUTED),
        found=tuple(part for name, part in parts.items() if name in _FOUND),
        rest=tuple(part for name, part in parts.items() if name != _COMPUTED and name not in _FOUND),
        methods=tuple(methods),
    )


def _place_of(name: str) -> int:
    if name in _LAST:
        return len(_FIRST) + 1 + _LAST.index(name)
    return _FIRST.index(name) if name in _FIRST else len(_FIRST)
