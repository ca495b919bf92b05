"""CSL-JSON: a list of items, one item, or an object whose `items` are the list."""

from __future__ import annotations

from typing import Any

import orjson

from services.library.errors import DocumentUnreadable, UnreadableCause
from services.library.parsing.bibliography import bibliography
from services.library.parsing.document import Kind, ParsedDocument, ParseLimits, bounded
from services.library.parsing.encoding import declared_charset, decode
from services.library.parsing.latex import without_formulas
from services.library.parsing.plain import require_text

_TYPE_NAMES = (
    "article article-journal article-magazine article-newspaper bill book broadcast chapter classic collection "
    "dataset document entry entry-dictionary entry-encyclopedia event figure graphic hearing interview "
    "legal_case legislation manuscript map motion_picture musical_score pamphlet paper-conference patent "
    "performance periodical personal_communication post post-weblog regulation report review review-book "
    "software song speech standard thesis treaty webpage"
)
_TYPES = frozenset(_TYPE_NAMES.split())
_WITH_FORMULAS = frozenset(("title", "title-short", "shortTitle", "container-title", "collection-title", "abstract"))
_TELLING = frozenset(("author", "editor", "issued", "container-title", "DOI", "publisher", "ISBN", "URL", "accessed"))


def parse_csl(data: bytes, filename: str, content_type: str, limits: ParseLimits) -> ParsedDocument:
    """A .csljson file. Raises DocumentUnreadable: `empty`, `corrupt` when it is none or says nothing, `too_large`."""
    raw, problems = decode(data, declared_charset(content_type))
    text = bounded(raw, limits)
    require_text(text)
    try:
        items = csl_items(orjson.loads(text))
    except orjson.JSONDecodeError as error:
        raise DocumentUnreadable(UnreadableCause.CORRUPT, f"It is not valid JSON: {error}.") from error
    if items is None:
        raise DocumentUnreadable(UnreadableCause.CORRUPT, "It holds no CSL-JSON items.")
    return bibliography(Kind.CSL, items, filename, limits, problems)


def csl_items(value: object) -> list[dict[str, Any]] | None:
    """The CSL items in a JSON value; None when it is something else, as a table whose rows have a `type`."""
    if isinstance(value, dict) and isinstance(value.get("items"), list):
        value = value["items"]
    if isinstance(value, dict):
        value = [value]
    if not isinstance(value, list) or not value:
        return None
    items = [item for item in value if isinstance(item, dict) and _is_item(item)]
    return [_read(item) for item in items] if len(items) == len(value) else None


def _read(item: dict[str, Any]) -> dict[str, Any]:
    """The item with the formulas in its texts, which programs take over from BibTeX, as plain text."""
    return {
        name: without_formulas(field) if name in _WITH_FORMULAS and isinstance(field, str) else field
        for name, field in item.items()
    }


def _is_item(item: dict[str, Any]) -> bool:
    structured = isinstance(item.get("author", item.get("editor")), list) or isinstance(item.get("issued"), dict)
    kind = item.get("type")
    return (
        isinstance(kind, str)
        and kind in _TYPES
        and "text" not in item
        and (
            structured
            or ("title" in item and not _TELLING.isdisjoint(item) and not isinstance(item.get("author"), str))
        )
    )
