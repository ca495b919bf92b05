"""Result documents that carry a text in a field: one text in each field, or every text in every field."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

JSON = dict[str, Any]
Write = Callable[[str, int], str]
"""What stands in a field, of its item with this number."""

SHOWN = (
    "section.heading", "section.body", "claim.text", "finding.text", "finding.quote", "table.title", "table.column",
    "table.cell", "figure.title", "figure.alt", "citation.title", "passage.quote", "csl.container-title",
    "screening.note", "screening.value", "block.text",
)  # fmt: skip
"""Fields that a reader sees word for word, in each format and for each item."""

ONCE = ("title", "summary", "metadata.prompt")
"""Fields that stand once in a document and are seen word for word."""

_CSL = ("type", "publisher", "DOI", "URL", "volume", "issue", "page", "id", "note", "abstract", "language", "ISBN")
_NAME = ("family", "given", "literal", "non-dropping-particle", "suffix")
HIDDEN = (
    *("section.id", "claim.id", "finding.id", "table.id", "figure.id", "figure.media_type", "citation.id"),
    *("citation.document_id", "citation.author", "citation.doi", "citation.url", "passage.sha256"),
    *(f"csl.{name}" for name in _CSL),
    *(f"csl.author.{name}" for name in _NAME),
    *("screening.key", "block.name", "block.key", "analysis.kind", "analysis.why", "analysis.value", "figure.key"),
    *("figure.value", "figure.axis", "figure.field", "metadata.engine", "metadata.key", "metadata.currency"),
    *("metadata.session_id", "raw.quote", "raw.reason", "raw.key"),
)
"""Fields that are not shown, shown in another form (a name's parts), or only sometimes."""

FIELDS = (*ONCE, *SHOWN, *HIDDEN)
_CHUNK = 6
"""Columns of a table."""


def document(write: Write, count: int) -> JSON:
    """A document of `count` items of each kind, whose ids are told apart by their ends."""
    items = range(count)
    return {
        "title": write("title", 0),
        "summary": write("summary", 0),
        "sections": [_section(write, index) for index in items],
        "key_findings": [
            {
                "id": f"{write('finding.id', index)}{index}", "text": write("finding.text", index),
                "quote": write("finding.quote", index), "citations": [_cited(write, index)], "confidence": 0.5,
            }
            for index in items
        ],
        "tables": [_table(write, range(start, min(count, start + _CHUNK))) for start in range(0, count, _CHUNK)],
        "figures": [
            *(
                {
                    "id": f"{write('figure.id', index)}{index}", "title": write("figure.title", index),
                    "alt": write("figure.alt", index), "media_type": write("figure.media_type", index),
                    # Refused before it is drawn, so that the words for it are shown.
                    "spec": {"url": "https://evil.example/data.json"},
                }
                for index in items
            ),
            _drawn(write, count),
        ],
        "screening": {
            "notes": [write("screening.note", index) for index in items],
            "facts": {f"{write('screening.key', index)}{index}": write("screening.value", index) for index in items},
        },
        # Of another shape than the product's own, so that it is laid out by its shape.
        "analysis": [
            {"kind": write("analysis.kind", index), "why": write("analysis.why", index), "deep": {"x": [
                {"value": write("analysis.value", index), "more": [1, [2]]}
            ]}}
            for index in items
        ],
        f"block {write('block.name', 0)}": {
            "texts": [write("block.text", index) for index in items],
            "keyed": [{f"{write('block.key', index)}{index}": index} for index in items],
        },
        "citations": [_citation(write, index) for index in items],
    }  # fmt: skip


def metadata(write: Write) -> JSON:
    """Execution metadata that goes with `document`."""
    return {
        "session_id": write("metadata.session_id", 0),
        "session_type": write("metadata.engine", 0),
        "prompt": write("metadata.prompt", 0),
        "finished_at": "2025-07-02T10:31:40Z",
        "engine": write("metadata.engine", 0),
        "cost": {"charged": "1.5", "currency": write("metadata.currency", 0)},
        f"fact {write('metadata.key', 0)}": write("metadata.engine", 0),
    }


def raw_data(write: Write, count: int) -> JSON:
    """Raw data that goes with `document`."""
    items = range(count)
    return {
        "passages": [{"document_id": "d", "quote": write("raw.quote", index)} for index in items],
        "screening": [
            {"document_id": "d", "reason": write("raw.reason", index), write("raw.key", 0): index} for index in items
        ],
        "decisions": [{"reason": write("raw.reason", index)} for index in items],
        "usage": [],
    }


def only(field: str, text: str) -> Write:
    """The text in one field, plain words in all others."""
    return lambda name, _index: text if name == field else _plain(name)


def everywhere(texts: Sequence[str], stride: int = 1) -> tuple[Write, int]:
    """All texts over the fields, and the number of items that takes: each text stands in every `stride`-th field of
    those that are shown, and of the others; with 1 in all of them. Fields that stand once hold all texts.

    A mark of its own follows each text of a field that is shown, so that every field can be looked for; but for the
    even items of some fields, because a text may also do its harm at the end of a line.
    """

    def write(name: str, index: int) -> str:
        if name in ("title", "metadata.prompt"):
            return " \u2042 ".join(texts)
        if name == "summary":
            return "\n\n".join(f"{text} s{place}e" for place, text in enumerate(texts))
        text = texts[placed(name, index, len(texts), stride)]
        return f"{text} {mark(name, index)}" if name in SHOWN and not bare(name, index) else text

    return write, -(-len(texts) // stride)


def placed(name: str, index: int, count: int, stride: int) -> int:
    """Which of `count` texts stands in a field of an item."""
    fields = SHOWN if name in SHOWN else HIDDEN
    shift = fields.index(name) if name in fields else 0
    return (index * stride + shift) % count


def mark(name: str, index: int) -> str:
    """The mark of a field of an item: letters and digits that stand nowhere else."""
    return f"q{SHOWN.index(name)}f{index}z"


def bare(name: str, index: int) -> bool:
    """Whether a text stands in a field without a mark after it."""
    return index % 2 == 0 and name in ("section.heading", "table.cell", "citation.title", "screening.note")


def _plain(name: str) -> str:
    return f"plain {name.replace('.', ' ')}"


def _cited(write: Write, index: int) -> str:
    return f"{write('citation.id', index)}{index}"


def _section(write: Write, index: int) -> JSON:
    return {
        "id": f"{write('section.id', index)}{index}",
        "heading": write("section.heading", index),
        "body": write("section.body", index),
        "claims": [
            {
                "id": f"{write('claim.id', index)}{index}", "text": write("claim.text", index),
                "citations": [_cited(write, index)],
            }
        ],
    }  # fmt: skip


def _table(write: Write, items: range) -> JSON:
    return {
        "id": f"{write('table.id', items[0])}{items[0]}",
        "title": " \u2042 ".join(write("table.title", index) for index in items),
        "columns": [write("table.column", index) for index in items],
        "rows": [[write("table.cell", index) for index in items], list(items)],
    }


def _drawn(write: Write, count: int) -> JSON:
    """A figure that is drawn, with texts as values, names of axes and of fields."""
    key = write("figure.key", 0)
    rows = [{"x": index, "text": write("figure.value", index), key: index} for index in range(count)]
    return {
        "id": "drawn",
        "title": "drawn",
        "alt": " \u2042 ".join(write("figure.alt", index) for index in range(count)),
        "spec": {
            "title": write("figure.axis", 0), "usermeta": {"note": write("figure.value", 0)},
            "width": 400, "height": 300, "data": {"values": rows}, "mark": {"type": "text"},
            "encoding": {
                "x": {"field": "x", "type": "quantitative", "title": write("figure.axis", 0)},
                "text": {"field": "text", "type": "nominal"},
                "tooltip": {"field": write("figure.field", 0), "type": "nominal"},
            },
        },
    }  # fmt: skip


def _citation(write: Write, index: int) -> JSON:
    quote = write("passage.quote", index)
    return {
        "id": _cited(write, index),
        "document_id": write("citation.document_id", index),
        "title": write("citation.title", index),
        "authors": [write("citation.author", index)],
        "year": 2000,
        "doi": write("citation.doi", index),
        "url": write("citation.url", index),
        "csl": {
            **{name: write(f"csl.{name}", index) for name in (*_CSL, "container-title")},
            "author": [{name: write(f"csl.author.{name}", index) for name in _NAME}] if index % 2 else None,
        },
        "passages": [
            {
                "quote": quote, "page": 1, "start": 0, "end": len(quote),
                "sha256": write("passage.sha256", index),
            }
        ],
    }  # fmt: skip
