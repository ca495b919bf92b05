"""The citation styles that come with the product, and the CSL files that others bring, checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal
from xml.sax.saxutils import unescape

from services.results.rendering.citing.hayagriva import PLAIN, Conventions
from services.results.rendering.plain_text import one_line, shorten

Kind = Literal["author-date", "numeric", "note"]

MOST_BYTES = 512 * 1024
"""Size of a CSL file, at most."""

_NAMESPACE = "http://purl.org/net/xbiblio/csl"
_CSL = f"{{{_NAMESPACE}}}"
_MOST_ELEMENTS = 20_000
_DEEPEST = 64
_MOST_CALLS = 50_000
_BETWEEN_YEARS = re.compile(r"""\bcite-group-delimiter\s*=\s*["']([^"'<>]*)["']""")
_NOTE_NUMBER = "first-reference-note-number"


class UnknownCitationStyle(ValueError):
    """The citation style is none that there is."""


class InvalidStyle(ValueError):
    """A CSL file that cannot be used; the message says why, in words for whoever sent it."""


class DependentStyle(InvalidStyle):
    """A CSL file that only names another style. `parent` is the address of that one."""

    def __init__(self, parent: str) -> None:
        super().__init__(f"is a dependent style, which only names another one: send its parent, {parent}")
        self.parent = parent


@dataclass(frozen=True, slots=True)
class CslInfo:
    """What a CSL file says of itself."""

    title: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Style:
    """A style as the processor takes it: its name there, or a CSL source."""

    title: str
    kind: Kind
    processor: str = ""
    csl: str = ""
    conventions: Conventions = PLAIN
    region: str = ""
    """The country of the locale of English, where the style's rules are not the American ones."""
    editors: str = ""
    """How the style marks editors who stand in the place of authors; {} is `ed` or `eds`."""
    mends: tuple[tuple[str, str], ...] = ()
    """What the processor writes otherwise than the style's guide: regular expressions, and what stands for them."""
    aliases: tuple[str, ...] = ()
    """Under which names CSL's own repository has it."""

    @property
    def between_years(self) -> str:
        """What the style has between the works of one author, where it says so."""
        found = _BETWEEN_YEARS.search(self.csl)
        return unescape(found[1]) if found else ""

    @property
    def numbered_notes(self) -> bool:
        """Whether its short citations point at earlier notes by number."""
        return _NOTE_NUMBER in self.csl


_CHICAGO = Conventions(papers_are_chapters=True, sites_publish=True, editors_as_authors=True)
_CHICAGO_MENDS = ((r"(?<=\w) : (?=\w)", ":"), (r", Released\.", "."), (r", Released ", ", "))

BUILT_IN: Mapping[str, Style] = {
    "apa": Style(
        "American Psychological Association, 7th edition",
        "author-date",
        "apa",
        conventions=Conventions(papers_are_chapters=True, articles_are_numbered=True, datasets_are_software=True),
        aliases=("apa",),
    ),
    "chicago": Style(
        "Chicago Manual of Style (author-date)",
        "author-date",
        "chicago-author-date",
        conventions=_CHICAGO,
        editors=", {}.",
        mends=_CHICAGO_MENDS,
        aliases=("chicago-author-date",),
    ),
    "chicago-notes": Style(
        "Chicago Manual of Style (notes and bibliography)",
        "note",
        "chicago-notes",
        conventions=_CHICAGO,
        editors=", {}.",
        mends=_CHICAGO_MENDS,
        aliases=("chicago-note-bibliography", "chicago-notes-bibliography", "chicago-fullnote-bibliography"),
    ),
    "harvard": Style(
        "Cite Them Right (Harvard)",
        "author-date",
        "harvard-cite-them-right",
        conventions=Conventions(preprints_in_servers=True),
        region="GB",
        aliases=("harvard-cite-them-right",),
    ),
    "ieee": Style(
        "IEEE",
        "numeric",
        "ieee",
        conventions=Conventions(articles_are_numbered=True, preprints_are_numbered=True),
        mends=((r"(?<=[a-z.] )0(?=\d, \d{4})", ""),),
        aliases=("ieee",),
    ),
    "nature": Style(
        "Nature",
        "numeric",
        "nature",
        conventions=Conventions(datasets_are_software=True, reports_are_books=True, editors_as_authors=True),
        editors=" ({})",
        aliases=("nature",),
    ),
    "vancouver": Style(
        "Vancouver (ICMJE)",
        "numeric",
        csl=(Path(__file__).parents[1] / "templates" / "vancouver.csl").read_text("utf-8"),
        conventions=Conventions(datasets_are_software=True),
        aliases=("vancouver", "nlm-citation-sequence"),
    ),
}
"""Our names of the styles that come with the product, sorted."""

DEFAULT = "apa"


def built_in(name: str) -> Style:
    """A style that comes with the product.

    :raises UnknownCitationStyle: there is none of the name.
    """
    if name not in BUILT_IN:
        raise UnknownCitationStyle(name)
    return BUILT_IN[name]


@lru_cache(maxsize=32)
def brought(csl: str) -> Style:
    """The style of a CSL source that somebody brings.

    :raises InvalidStyle: it is none.
    """
    info = inspect(csl.encode())
    return Style(info.title, info.kind, csl=_grouped(csl))


def _grouped(csl: str) -> str:
    """`csl` with what it cites of one work held together: the processor would put the delimiter of works between the
    parts of each."""
    from lxml import etree

    root = _parse(csl.encode())
    layout = root.find(f"{_CSL}citation/{_CSL}layout")
    if layout.get("delimiter") is None or (len(layout) == 1 and layout[0].tag in (f"{_CSL}group", f"{_CSL}text")):
        return csl
    group = etree.Element(f"{_CSL}group")
    group.extend(list(layout))
    layout.append(group)
    return str(etree.tostring(root, encoding="unicode"))


def built_in_parent(address: str) -> str | None:
    """Our name of the style that a dependent style names by `address`, if it comes with the product."""
    last = address.rstrip("/").rpartition("/")[2].removesuffix(".csl")
    return next((name for name, style in BUILT_IN.items() if last in style.aliases), None)


def inspect(data: bytes) -> CslInfo:
    """Read a CSL file, trusting nothing in it.

    :raises DependentStyle: it only names another style.
    :raises InvalidStyle: it is no CSL style with a citation and a bibliography, or too large.
    """
    root = _parse(data)
    info = root.find(f"{_CSL}info")
    if info is None:
        raise InvalidStyle("has no <info>")
    for link in info.iterfind(f"{_CSL}link"):
        if link.get("rel") == "independent-parent":
            raise DependentStyle(shorten(one_line(link.get("href") or "which it does not name"), 200))
    title = one_line("".join((info.find(f"{_CSL}title") if info.find(f"{_CSL}title") is not None else info).itertext()))
    citation = root.find(f"{_CSL}citation")
    for part, element in (("citation", citation), ("bibliography", root.find(f"{_CSL}bibliography"))):
        if element is None or element.find(f"{_CSL}layout") is None:
            raise InvalidStyle(f"has no <{part}> with a <layout>")
    return CslInfo(shorten(title, 200) or "Untitled", _kind(root, info))


def _kind(root: Any, info: Any) -> Kind:
    if root.get("class") == "note":
        return "note"
    formats = {category.get("citation-format") for category in info.iterfind(f"{_CSL}category")}
    if formats & {"numeric", "author-date", "author", "label"}:
        return "numeric" if "numeric" in formats else "author-date"
    numbered = any(text.get("variable") == "citation-number" for text in root.iter(f"{_CSL}text", f"{_CSL}number"))
    return "numeric" if numbered else "author-date"


def _parse(data: bytes) -> Any:
    from lxml import etree

    if len(data) > MOST_BYTES:
        raise InvalidStyle(f"is larger than {MOST_BYTES // 1024} KiB")
    # A declaration is refused before the parser sees it: there is then nothing to expand, and nothing to fetch.
    if re.search(rb"<!\s*(DOCTYPE|ENTITY)", data, re.IGNORECASE) or b"\x00" in data:
        raise InvalidStyle("must be XML in UTF-8 without a document type declaration")
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        encoding="utf-8",
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise InvalidStyle(f"is not well-formed XML: {shorten(one_line(str(error)), 200)}") from error
    if root.tag != f"{_CSL}style":
        raise InvalidStyle(f"is not a CSL style: its root must be <style> of {_NAMESPACE}")
    if root.get("class") not in ("in-text", "note") and root.find(f"{_CSL}citation") is not None:
        raise InvalidStyle('has no class "in-text" or "note"')
    _bounded(root)
    return root


def _bounded(root: Any) -> None:
    """Refuse what is a style by its name only: the processor recurses over elements and over macros."""
    depths, elements = [(root, 1)], 0
    while depths:
        element, depth = depths.pop()
        elements += 1
        if depth > _DEEPEST or elements > _MOST_ELEMENTS:
            raise InvalidStyle("is nested deeper, or has more elements, than any citation style needs")
        depths.extend((child, depth + 1) for child in element)
    _acyclic({macro.get("name"): _called(macro) for macro in root.iterfind(f"{_CSL}macro")}, _called(root))


def _called(element: Any) -> list[str]:
    return [name for each in element.iter() if (name := each.get("macro")) is not None]


def _acyclic(calls: Mapping[str, list[str]], called: list[str]) -> None:
    """Refuse macros that call each other in a circle, are not there, or multiply beyond measure."""
    weights: dict[str, int] = {}
    under_way: set[str] = set()

    def weigh(name: str, depth: int) -> int:
        if name in weights:
            return weights[name]
        if name not in calls:
            raise InvalidStyle(f"calls a macro that is not there: {shorten(one_line(name), 100)}")
        if name in under_way or depth > _DEEPEST:
            raise InvalidStyle(f"has a macro that calls itself: {shorten(one_line(name), 100)}")
        under_way.add(name)
        weights[name] = 1 + sum(weigh(inner, depth + 1) for inner in calls[name])
        under_way.discard(name)
        return weights[name]

    if sum(weigh(name, 0) for name in [*calls, *called]) > _MOST_CALLS:
        raise InvalidStyle("calls its macros more often than any citation style needs")
