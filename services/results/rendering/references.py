"""Citation labels and the list of references in a CSL style, made once for every output format.

The CSL processor is typst's; it writes HTML, which is read back here into the report's own inline values. So the
PDF, the DOCX and the Markdown carry the very same labels and entries.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

from services.results.rendering import typesetting
from services.results.rendering.document import Citation
from services.results.rendering.hayagriva import entry, web_address
from services.results.rendering.report import Inline, Inlines, Link, Ref, Styled, Text, plain

STYLES: Mapping[str, str] = {
    "apa": "apa",
    "chicago": "chicago-author-date",
    "harvard": "harvard-cite-them-right",
    "ieee": "ieee",
    "nature": "nature",
    "vancouver": "springer-vancouver",
}
"""Our names of the citation styles, and those of the CSL styles behind them."""

_MARKER = re.compile(r"^\s*(\[?\d+[\].]?)\s+")
_EMPHASIS = {"em": "emph", "i": "emph", "strong": "strong", "b": "strong", "sup": "super"}


class UnknownCitationStyle(ValueError):
    """The citation style is none of `STYLES`."""


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
) -> References:
    """Format what is cited.

    :param groups: ids cited together, in the order of the text, which is the order numeric styles count in.
    :param anchors: anchor of the list's entry, by citation id.
    :raises UnknownCitationStyle: `style` is not one of `STYLES`.
    """
    if style not in STYLES:
        raise UnknownCitationStyle(style)
    if not citations:
        return References({}, ())
    keys = {citation.id: f"c{index}" for index, citation in enumerate(citations)}
    # A group of one for each citation tells which entry of the list is whose.
    every = list(dict.fromkeys([*filter(None, groups), *((citation.id,) for citation in citations)]))
    page = typesetting.html(
        "citations.typ",
        {
            "lang": language.partition("-")[0].lower(),
            "style": STYLES[style],
            "entries": {keys[citation.id]: entry(citation) for citation in citations},
            "groups": [[keys[id] for id in group] for group in every],
        },
    )
    parsed = _Page(page)
    by_id = {citation.id: citation for citation in citations}
    location_of = {parsed.location(index): by_id[group[0]] for index, group in enumerate(every) if len(group) == 1}
    anchor_of = {location: anchors[citation.id] for location, citation in location_of.items()}
    labels = {group: parsed.group(index, anchor_of) for index, group in enumerate(every)}
    entries = tuple(
        _reference(location_of[location], inlines, marker) for location, marker, inlines in parsed.entries(anchor_of)
    )
    return References(labels, entries)


def _reference(citation: Citation, inlines: Inlines, marker: str) -> FormattedReference:
    if not marker and inlines and isinstance(first := inlines[0], Text) and (found := _MARKER.match(first.value)):
        return FormattedReference(citation, found[1], (Text(first.value[found.end() :]), *inlines[1:]))
    return FormattedReference(citation, marker, inlines)


class _Element:
    __slots__ = ("attributes", "children", "name")

    def __init__(self, name: str, attributes: Mapping[str, str]) -> None:
        self.name = name
        self.attributes = attributes
        self.children: list[_Element | str] = []


class _Tree(HTMLParser):
    _VOID = frozenset({"meta", "br", "img", "link"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = _Element("", {})
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = _Element(tag, {name: value or "" for name, value in attrs})
        self._open[-1].children.append(element)
        if tag not in self._VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        if len(self._open) > 1 and self._open[-1].name == tag:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(data)


class _Page:
    """The typesetter's page: a list of entries with ids, and one element per group that links to them."""

    def __init__(self, page: str) -> None:
        tree = _Tree()
        tree.feed(page)
        tree.close()
        self._items: list[_Element] = []
        self._groups: dict[int, _Element] = {}
        self._collect(tree.root)

    def location(self, index: int) -> str:
        """The entry that a group of one links to."""
        stack: list[_Element] = [self._groups[index]]
        while stack:
            element = stack.pop()
            if element.attributes.get("href", "").startswith("#"):
                return element.attributes["href"][1:]
            stack.extend(child for child in element.children if isinstance(child, _Element))
        raise typesetting.TypesettingError("a citation has no entry in the list of references")

    def group(self, index: int, anchors: Mapping[str, str]) -> Inlines:
        return _inlines(self._groups[index].children, anchors)

    def entries(self, anchors: Mapping[str, str]) -> list[tuple[str, str, Inlines]]:
        result: list[tuple[str, str, Inlines]] = []
        for item in self._items:
            children = list(item.children)
            marker = ""
            if children and isinstance(first := children[0], _Element) and first.attributes.get("class") == "prefix":
                marker = plain(_inlines(first.children, {}))
                children = children[1:]
            inlines = _trimmed(_inlines(children, anchors))
            result.append((item.attributes.get("id", ""), marker.strip(), inlines))
        return result

    def _collect(self, element: _Element) -> None:
        name = element.attributes.get("id", "")
        if element.name == "li":
            self._items.append(element)
        elif element.name == "div" and name.startswith("group-"):
            self._groups[int(name.removeprefix("group-"))] = element
        else:
            for child in element.children:
                if isinstance(child, _Element):
                    self._collect(child)


def _inlines(children: Sequence[_Element | str], anchors: Mapping[str, str]) -> Inlines:
    result: list[Inline] = []
    for child in children:
        if isinstance(child, str):
            result.append(Text(child))
            continue
        inner = _inlines(child.children, anchors)
        target = child.attributes.get("href", "")
        kind: Any = _EMPHASIS.get(child.name)
        if child.name == "a" and target[1:] in anchors and target.startswith("#"):
            result.append(Ref(anchors[target[1:]], inner))
        elif child.name == "a" and (url := web_address(target)):
            result.append(Link(url, inner))
        elif kind is not None:
            result.append(Styled(kind, inner))
        else:
            result.extend(inner)
    return tuple(result)


def _trimmed(inlines: Inlines) -> Inlines:
    """`inlines` without white space at either end."""
    items = list(inlines)
    if items and isinstance(first := items[0], Text):
        items[0] = Text(first.value.lstrip())
    if items and isinstance(last := items[-1], Text):
        items[-1] = Text(last.value.rstrip())
    return tuple(item for item in items if item != Text(""))
