"""Citation labels and the list of references in a CSL style, made once for every output format.

The CSL processor is typst's; it writes HTML, which is read back here into the report's own inline values. So the
PDF, the DOCX and the Markdown carry the very same labels and entries.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.results.rendering import typesetting
from services.results.rendering.citing.casing import JOINT
from services.results.rendering.citing.hayagriva import entry, web_address
from services.results.rendering.citing.styles import Style, brought, built_in
from services.results.rendering.composing.report import Inline, Inlines, Link, Ref, Styled, Text, plain
from services.results.rendering.document import Citation
from services.results.rendering.plain_text import one_line, shorten

_MARKER = re.compile(r"^\s*(\[?\d+[\].]?)\s+")
_SPACES = re.compile(r"[ \t\n]+")
_EDITORS = re.compile(rf",? ?{JOINT}(eds?)\.")
_EMPHASIS = {"em": "emph", "i": "emph", "strong": "strong", "b": "strong", "sup": "super"}
_BARE = " .,;:"
_TITLE = 60
"""Characters of a title that stands for a citation."""
_YEAR_ALONE = re.compile(r"\d{3,4}[a-z]?\b")
_OF_ONE_AUTHOR = ", "
"""What CSL has between the years of one author's works, where the style says nothing else (`cite-group-delimiter`)."""
_SPACER = "spacer"
"""A work that is cited between any two short notes, so that none of them says "ibid."; it is shown nowhere."""


@dataclass(frozen=True, slots=True)
class FormattedReference:
    """An entry of the list; `marker` is its number as the style writes it, empty in author-date styles."""

    citation: Citation
    marker: str
    inlines: Inlines


@dataclass(frozen=True, slots=True)
class References:
    """`labels` by the ids cited together; `entries` in the order of the list."""

    labels: Mapping[tuple[str, ...], Inlines]
    entries: tuple[FormattedReference, ...]


def format_references(
    citations: Sequence[Citation],
    groups: Sequence[tuple[str, ...]],
    anchors: Mapping[str, str],
    *,
    style: str,
    language: str,
    csl: str | None = None,
) -> References:
    """Format what is cited.

    The label of a style that cites in notes is its short citation, in parentheses: it stands in the text, where the
    notes of a report are for the passages.

    :param groups: ids cited together, in the order of the text, which is the order numeric styles count in.
    :param anchors: anchor of the list's entry, by citation id.
    :param csl: the source of the style; without it `style` is one that comes with the product.
    :raises UnknownCitationStyle: `style` is none.
    :raises InvalidStyle: `csl` is no style.
    """
    chosen = built_in(style) if csl is None else brought(csl)
    if not citations:
        return References({}, ())
    # A group of one for each citation tells which entry of the list is whose.
    every = list(dict.fromkeys([*filter(None, groups), *((citation.id,) for citation in citations)]))
    source = _Source(citations, anchors, chosen, language)
    if chosen.kind != "note":
        return _read(source, source.page(every), {group: index for index, group in enumerate(every)})
    return _read_notes(source, every)


def _read(source: _Source, page: _Page, places: Mapping[tuple[str, ...], int], *, by_title: bool = True) -> References:
    """`places` are those of the groups on the page; `by_title` is to cite by its title what is cited by nothing."""
    cited = {page.location(places[(id,)]): citation for id, citation in source.by_id.items()}
    known = {
        location: (source.anchors[citation.id], shorten(one_line(citation.title), _TITLE) if by_title else "")
        for location, citation in cited.items()
    }
    labels = {group: page.label(place, known) for group, place in places.items()}
    entries = tuple(
        _reference(cited[location], inlines, marker)
        for location, marker, inlines in page.entries(known)
        if location in cited
    )
    return References(labels, entries)


def _read_notes(source: _Source, every: Sequence[tuple[str, ...]]) -> References:
    if not source.style.numbered_notes:
        # Once all works are cited, each further citation is a short one.
        order: list[tuple[str, ...]] = [tuple(source.by_id)]
        places: dict[tuple[str, ...], int] = {}
        for group in every:
            if not set(order[-1]).isdisjoint(group):
                order.append((_SPACER,))
            places[group] = len(order)
            order.append(group)
        read = _read(source, source.page(order), places, by_title=False)
        if all(plain(label).strip(_BARE) for label in read.labels.values()):
            return References({group: _enclosed([label]) for group, label in read.labels.items()}, read.entries)
    # Each work is cited once, so that each citation is a first one, which needs no other to be understood.
    alone = [(id,) for id in source.by_id]
    read = _read(source, source.page(alone), {group: index for index, group in enumerate(alone)})
    labels = {group: _enclosed([read.labels[(id,)] for id in group]) for group in every}
    return References(labels, read.entries)


def _enclosed(labels: Sequence[Inlines]) -> Inlines:
    """Citations of notes for the text: in parentheses, without their full stops."""
    result: list[Inline] = []
    for label in labels:
        result += [Text("; " if result else "("), *_unstopped(label)]
    return (*result, Text(")"))


class _Source:
    """What is cited, and how it is set."""

    def __init__(self, citations: Sequence[Citation], anchors: Mapping[str, str], style: Style, language: str) -> None:
        self.by_id = {citation.id: citation for citation in citations}
        self.anchors = anchors
        self.style = style
        self._keys = {citation.id: f"c{index}" for index, citation in enumerate(citations)} | {_SPACER: _SPACER}
        self._language = language

    def page(self, groups: Sequence[tuple[str, ...]]) -> _Page:
        """The list, and each group as the style cites it."""
        base, _, region = self._language.partition("-")
        lang = base.lower()
        entries = {self._keys[id]: entry(citation, self.style.conventions) for id, citation in self.by_id.items()}
        if self.style.kind == "note":
            entries[_SPACER] = {"type": "book", "title": "Spacer", "author": "Spacer, S.", "date": "1000"}
        page = typesetting.html(
            "citations.typ",
            {
                "lang": lang if 2 <= len(lang) <= 3 else "en",
                "region": (self.style.region or None) if lang == "en" and not region else _region(region),
                "style": self.style.processor,
                "csl": self.style.csl or None,
                "entries": entries,
                "groups": [[self._keys[id] for id in group] for group in groups],
            },
        )
        return _Page(page, self.style)


def _region(subtags: str) -> str | None:
    return next((part.upper() for part in subtags.split("-") if len(part) == 2 and part.isalpha()), None)


def _reference(citation: Citation, inlines: Inlines, marker: str) -> FormattedReference:
    if not marker and inlines and isinstance(first := inlines[0], Text) and (found := _MARKER.match(first.value)):
        return FormattedReference(citation, found[1], (Text(first.value[found.end() :]), *inlines[1:]))
    return FormattedReference(citation, marker, inlines)


_Known = Mapping[str, tuple[str, str]]
"""Anchor of the work and the title to cite it by, by where its entry is on the page."""


class _Page:
    """The typesetter's page: a list of entries with ids, one element per group that links to them, and notes."""

    def __init__(self, page: str, style: Style) -> None:
        from lxml import html

        root = html.document_fromstring(page, parser=html.HTMLParser(encoding="utf-8", huge_tree=True))
        self._style = style
        self._items: list[Any] = []
        self._groups: dict[int, Any] = {}
        notes: dict[str, Any] = {}
        for element in root.iter("li", "div"):
            name = element.get("id", "")
            if element.tag == "div" and name.startswith("group-"):
                self._groups[int(name.removeprefix("group-"))] = element
            elif element.tag == "li":
                inside = element.getparent().tag == "ol"
                (notes.__setitem__(name, element) if inside else self._items.append(element))
        if style.kind == "note":
            # The group itself is only the note's number; what the style says of it stands in the note.
            self._groups = {index: _note(notes[_target(element)]) for index, element in self._groups.items()}

    def location(self, index: int) -> str:
        """The entry that a group of one links to."""
        for link in self._groups[index].iter("a"):
            if link.get("href", "").startswith("#"):
                return str(link.get("href"))[1:]
        raise typesetting.TypesettingError("a citation has no entry in the list of references")

    def label(self, index: int, known: _Known) -> Inlines:
        return _years_together(_trimmed(self._read(self._groups[index], known)), self._style)

    def entries(self, known: _Known) -> list[tuple[str, str, Inlines]]:
        result: list[tuple[str, str, Inlines]] = []
        for item in self._items:
            marker = ""
            if len(item) and not (item.text or "").strip() and item[0].get("class") == "prefix":
                marker = plain(self._read(item[0], {}))
                rest = item[0].tail or ""
                item.remove(item[0])
                item.text = rest
            result.append((item.get("id", ""), marker.strip(), _trimmed(self._read(item, known))))
        return result

    def _read(self, element: Any, known: _Known) -> Inlines:
        result: list[Inline] = [Text(text)] if (text := self._said(element.text)) else []
        for child in element:
            result.extend(self._inline(child, known))
            if tail := self._said(child.tail):
                result.append(Text(tail))
        return tuple(result)

    def _inline(self, element: Any, known: _Known) -> Inlines:
        inner = self._read(element, known)
        target = element.get("href", "")
        kind: Any = _EMPHASIS.get(element.tag)
        if element.tag == "a" and target.startswith("#") and target[1:] in known:
            anchor, title = known[target[1:]]
            # A style may have nothing to cite a work by, such as one without an author.
            return (Ref(anchor, inner if plain(inner).strip(_BARE) or not title else (Text(title),)),)
        if element.tag == "a" and (url := web_address(target)):
            return (Link(url, inner),)
        return (Styled(kind, inner),) if kind is not None else inner

    def _said(self, text: str | None) -> str:
        if not text:
            return ""
        text = _SPACES.sub(" ", text)
        for pattern, replacement in self._style.mends:
            text = re.sub(pattern, replacement, text)
        if JOINT not in text:
            return text
        return _EDITORS.sub(lambda found: self._style.editors.format(found[1]), text).replace(JOINT, "")


def _years_together(label: Inlines, style: Style) -> Inlines:
    """`label` as the style wants the works of one author: the processor tells them from each other as it does authors,
    (Doe, 2015a; 2015b)."""
    if style.kind != "author-date" or len(label) < 3:
        return label
    between = style.between_years or _OF_ONE_AUTHOR
    parts = list(label)
    for place in range(1, len(parts) - 1):
        before, part, after = parts[place - 1 : place + 2]
        joins = isinstance(before, Ref) and isinstance(part, Text) and part.value.strip() == ";"
        if joins and isinstance(after, Ref) and _YEAR_ALONE.match(plain(after.children)):
            parts[place] = Text(between)
    return tuple(parts)


def _note(element: Any) -> Any:
    """A note without the mark that leads back to where it is called for."""
    for child in element:
        if child.get("role") == "doc-backlink":
            element.text = (element.text or "") + (child.tail or "")
            element.remove(child)
            break
    return element


def _target(element: Any) -> str:
    link = element.find(".//a")
    return "" if link is None else str(link.get("href", ""))[1:]


def _unstopped(inlines: Inlines) -> Inlines:
    """`inlines` without the full stop of a note."""
    if inlines and isinstance(last := inlines[-1], Text):
        return tuple(item for item in (*inlines[:-1], Text(last.value.rstrip().removesuffix("."))) if item != Text(""))
    return inlines


def _trimmed(inlines: Inlines) -> Inlines:
    """`inlines` without white space at either end."""
    items = list(inlines)
    if items and isinstance(first := items[0], Text):
        items[0] = Text(first.value.lstrip())
    if items and isinstance(last := items[-1], Text):
        items[-1] = Text(last.value.rstrip())
    return tuple(item for item in items if item != Text(""))
