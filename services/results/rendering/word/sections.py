"""Pages on their side for tables too wide for an upright one."""

from __future__ import annotations

from services.results.rendering.word import reference_docx
from services.results.rendering.word.xml import Element, local, properties, put, q, set_paragraph, style_of, w

_MARKS = frozenset({"bookmarkStart", "bookmarkEnd"})


def divide(body: Element, wide: list[Element]) -> None:
    """Put each of the wide tables, with its caption and note, on a page on its side."""
    last = body.find(q("sectPr"))
    assert last is not None, "a document ends with the properties of its last section"
    body.remove(last)
    ends: list[tuple[Element, bool]] = []
    sideways_end = False
    for table in wide:
        first, final = _extent(table)
        before = _paragraph_before(first)
        if ends and before is not None and before is ends[-1][0]:
            ends.pop()  # Neighbours share a section.
        elif before is not None or _content_before(first):
            ends.append((before if before is not None else _mark(first, after=False), False))
        if _content_after(final):
            ends.append((final if final.tag == q("p") else _mark(final, after=True), True))
        else:
            sideways_end = True
    for place, (paragraph, landscape) in enumerate(ends):
        section = reference_docx.section(landscape=landscape, first=place == 0)
        put(properties(paragraph, "pPr"), section)
    body.append(reference_docx.section(landscape=sideways_end, first=not ends))


def _extent(table: Element) -> tuple[Element, Element]:
    """The caption above, with a heading above that, and the note below."""
    first = final = table
    while (above := _neighbour(first, down=False)) is not None and (
        style_of(above) == "TableCaption" or style_of(above).startswith("Heading")
    ):
        first = above
    below = _neighbour(table, down=True)
    if below is not None and style_of(below) == "Detail":
        final = below
    return first, final


def _neighbour(element: Element, *, down: bool) -> Element | None:
    """The next thing in the body that is not a bookmark's end or beginning."""
    other = element.getnext() if down else element.getprevious()
    while other is not None and local(other) in _MARKS:
        other = other.getnext() if down else other.getprevious()
    return other


def _paragraph_before(element: Element) -> Element | None:
    above = _neighbour(element, down=False)
    return above if above is not None and above.tag == q("p") else None


def _content_before(element: Element) -> bool:
    return _neighbour(element, down=False) is not None


def _content_after(element: Element) -> bool:
    return _neighbour(element, down=True) is not None


def _mark(element: Element, *, after: bool) -> Element:
    """A paragraph that holds nothing but the end of a section: beside a table the format has no other place for it."""
    made = w("p")
    set_paragraph(made, w("pStyle", val="SectionMark"))
    if after:
        element.addnext(made)
    else:
        element.addprevious(made)
    return made
