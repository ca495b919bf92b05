"""A large document cut down to what a report of it shows, so that rendering takes bounded time and memory.

Every list is shortened, and a block of its own says which, how far, and that the JSON has the rest. What is shown keeps
its sources: citations that shown claims and findings cite go before others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from services.results.large.answers import Stored, named
from services.results.large.excerpt import Bounds, Excerpt, Held, Shortened
from services.results.large.index import Node
from services.results.large.points import items_of, member_of

BOUNDS = Bounds(items=500, inside=500, block_bytes=2 * 1024 * 1024)
"""As many rows as a report's tables show."""

FIGURES = Bounds(items=500, inside=20_000, block_bytes=8 * 1024 * 1024)
"""A drawing of part of its data would be a wrong one: figures are taken whole, or without their specification."""

STEPS = Bounds(items=20_000, inside=20_000, block_bytes=8 * 1024 * 1024)
"""The steps that repeat an analysis are of no use in part."""

_OF_BLOCKS = {"figures": FIGURES, "reproduction": STEPS}

SOURCES = 500
"""References of a report of a large document."""

FEW_SOURCES, PASSAGES_OF_FEW, PASSAGES_OF_MANY = 50, 50, 10
"""Passages of each source, where there are up to so many sources, and where there are more."""

BLOCK = "not_in_this_report"
"""The block that tells what was left out; the composer lays it out as a table."""

_MOST_TOLD = 100


async def reduced(stored: Stored) -> bytes:
    """The document of a report, as JSON. Raises PayloadTooLarge, Unavailable."""
    shortened: list[Shortened] = []
    source: dict[str, Any] = dict(stored.index.small)
    for run in stored.index.root.runs:
        name = str(run.first)
        if name != "citations" and name not in stored.index.small:
            found = await Excerpt(stored.read, BOUNDS).find(stored.index.root, (name,))
            assert found is not None, "the index says that it is there"
            taking = Excerpt(stored.read, _OF_BLOCKS.get(name, BOUNDS))
            source[name] = await taking.of(found[0], found[1])
            if name == "figures":
                _drop_cut(source[name], taking.shortened)
            shortened += taking.shortened
    # What was shortened most is named first.
    shortened.sort(key=lambda item: item.items - item.total)
    if "citations" not in stored.index.small:
        source["citations"], told = await _sources(stored, _cited(source))
        shortened = [*told, *shortened]
    _drop_references(source)
    if shortened:
        source[BLOCK] = [_line(item) for item in shortened[:_MOST_TOLD]]
    return orjson.dumps(source, option=orjson.OPT_SORT_KEYS)


def _drop_cut(figures: Any, shortened: Iterable[Shortened]) -> None:
    for item in shortened:
        if len(item.path) > 1 and isinstance(figures, list):
            figures[int(item.path[1])] = {**figures[int(item.path[1])], "spec": {}}


def _line(item: Shortened) -> dict[str, Any]:
    return {"block": named(item.path), "in_report": item.items, "in_results": item.total}


async def _sources(stored: Stored, cited: Iterable[str]) -> tuple[list[Any], list[Shortened]]:
    """The citations of a report in the order of the document, and what of them was left out."""
    wanted = set(list(dict.fromkeys(cited))[:SOURCES])
    spare = SOURCES - len(wanted)
    kept: list[Any] = []
    passages = shown = total = 0
    found = await Excerpt(stored.read, BOUNDS).find(stored.index.root, ("citations",))
    place = found[0] if found is not None else Held([])
    count = place.node.count if place.node is not None else len(place.value or ())
    inside = PASSAGES_OF_FEW if count <= FEW_SOURCES else PASSAGES_OF_MANY
    excerpt = Excerpt(stored.read, Bounds(items=inside, inside=BOUNDS.inside, block_bytes=BOUNDS.block_bytes))
    async for item in items_of(stored, place.node if place.node is not None else place.value):
        total += 1
        passages += await _passages(stored, item)
        id = await member_of(stored, item, "id")
        if id not in wanted:
            if not spare:
                continue
            spare -= 1
        citation = await excerpt.of(Held(None, item) if isinstance(item, Node) else Held(item), ("citations",))
        kept.append(citation)
        shown += len(citation.get("passages") or ()) if isinstance(citation, dict) else 0
    told = [Shortened(("citations",), 0, len(kept), total)] if len(kept) < total else []
    if shown < passages:
        told.append(Shortened(("citations", "passages"), 0, shown, passages))
    return kept, told


async def _passages(stored: Stored, item: Any) -> int:
    held = await member_of(stored, item, "passages")
    return held.count if isinstance(held, Node) else len(held) if isinstance(held, list) else 0


def _citing(source: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The claims and key findings of a document."""
    sections = [section for section in source.get("sections") or [] if isinstance(section, dict)]
    found = [*(source.get("key_findings") or []), *(claim for item in sections for claim in item.get("claims") or [])]
    return [item for item in found if isinstance(item, dict)]


def _cited(source: Mapping[str, Any]) -> list[str]:
    return [id for item in _citing(source) for id in item.get("citations") or [] if isinstance(id, str)]


def _drop_references(source: Mapping[str, Any]) -> None:
    """Those to citations and passages that are not in the report: a document must not cite what it does not have."""
    passages = {
        citation["id"]: len(citation.get("passages") or [])
        for citation in source.get("citations") or []
        if isinstance(citation, dict) and isinstance(citation.get("id"), str)
    }
    for item in _citing(source):
        if isinstance(item.get("citations"), list):
            item["citations"] = [id for id in item["citations"] if id in passages]
        if isinstance(item.get("evidence"), list):
            item["evidence"] = [
                place
                for place in item["evidence"]
                if isinstance(place, dict) and place.get("passage", 0) < passages.get(place.get("citation"), 0)
            ]
