"""Lists of works (BibTeX, RIS, CSL-JSON): readable paragraphs for each, and where they stand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from services.library.errors import DocumentUnreadable, UnreadableCause
from services.library.parsing.csl import checked_item, names_of, year_in
from services.library.parsing.document import WORKS_MAX, Kind, ParsedDocument, ParseLimits, too_much_text
from services.library.parsing.facts import title_from_filename
from services.library.parsing.normalise import normalise
from services.library.places import CSL, Work

_NAMED_AUTHORS = 25
_ENDS = (".", "!", "?", "…")


def bibliography(
    kind: Kind,
    items: Iterable[Mapping[str, Any]],
    filename: str,
    limits: ParseLimits,
    problems: tuple[str, ...] = (),
    *,
    first: str = "the first record",
) -> ParsedDocument:
    """The document that lists `items`. An item's abstract goes into the text, not into its work's CSL. `first` names
    the first item to the reader of an error.

    Raises DocumentUnreadable: `corrupt` when no item says anything, `too_large`.
    """
    parts: list[str] = []
    works: list[Work] = []
    position = size = 0
    for raw in items:
        item = checked_item(raw)
        entry = normalise(paragraphs(item)).strip()
        if not entry:
            continue
        if parts:
            parts.append("\n\n")
            position += 2
        if len(works) == WORKS_MAX:
            raise DocumentUnreadable(UnreadableCause.TOO_LARGE, f"It lists more than {WORKS_MAX:,} works.")
        slim = {key: value for key, value in item.items() if key not in ("abstract", "note")}
        works.append(Work(position, position + len(entry), slim))
        parts.append(entry)
        position += len(entry)
        size += len(orjson.dumps(slim))
        if max(position, size) > limits.characters:
            raise too_much_text(limits)
    if not works:
        raise DocumentUnreadable(
            UnreadableCause.CORRUPT,
            f"It lists no work that can be read: {first} has no title, author, venue, abstract, keywords or note.",
        )
    return ParsedDocument(
        title=title_from_filename(filename), kind=kind, text="".join(parts), problems=problems, works=tuple(works)
    )


def paragraph(item: CSL) -> str:
    """An item in words: what identifies it on the first line, then its abstract, keywords and note."""
    return _in_lines([" ".join(_sentences(item)), *_said(item)], "\n")


def paragraphs(item: CSL) -> str:
    """An item in words, each a paragraph of its own: its title, what else identifies it, its abstract, keywords and
    note. No sentence runs from one into the next."""
    found = _sentences(item)
    first = 1 if item.get("title") else 0
    return _in_lines([*found[:first], " ".join(found[first:]), *_said(item)], "\n\n")


def _in_lines(lines: Iterable[str], between: str) -> str:
    return between.join(" ".join(line.split()) for line in lines if line.strip())


def _said(item: CSL) -> list[str]:
    keywords = f"Keywords: {item['keyword']}" if "keyword" in item else ""
    return [item.get("abstract", ""), keywords, item.get("note", "")]


def _sentences(item: CSL) -> list[str]:
    return [_sentence(part) for part in _identification(item) if part]


def _identification(item: CSL) -> Iterable[str]:
    title = item.get("title", "")
    if not any((title, item.get("author"), item.get("container-title"), item.get("abstract"), item.get("editor"))):
        return
    yield title
    names = names_of(item) or tuple(f"{name} (ed.)" for name in names_of(item, "editor"))
    shown = ", ".join(names[:_NAMED_AUTHORS]) + (", et al." if len(names) > _NAMED_AUTHORS else "")
    year = year_in(item)
    date = str(year) if year else item.get("issued", {}).get("literal", "")
    yield f"{shown} ({date})" if shown and date else shown or date
    yield _venue(item)
    yield item.get("publisher", "")
    if "DOI" in item:
        yield f"https://doi.org/{item['DOI']}"
    elif "URL" in item:
        yield str(item["URL"])


def _venue(item: CSL) -> str:
    volume = item.get("volume", "")
    if "issue" in item:
        volume = f"{volume}({item['issue']})"
    return ", ".join(filter(None, (item.get("container-title", ""), volume, item.get("page", ""))))


def _sentence(part: str) -> str:
    # A full stop would become part of an address.
    return part if part.endswith(_ENDS) or part.startswith(("http://", "https://")) else f"{part}."
