"""Fields and marks in Word's own way: numbered captions, references to them and to footnotes, headings, contents.

A field's instruction is made of our own words and of the names of bookmarks made here; nothing of a document's text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from services.results.rendering.word.pandoc_ast import Outline
from services.results.rendering.word.xml import Element, field, q, run, set_paragraph, style_of, text_of, w

_LABEL = re.compile(r"([^\W\d_]+)\s(\d+)")
_CAPTIONS = frozenset({"TableCaption", "ImageCaption"})
_HEADINGS = {"Heading1": 1, "Heading2": 2, "Heading3": 3}
_CONTENTS_LEVELS = 2


class Marks:
    """The bookmarks of one document."""

    def __init__(self, body: Element) -> None:
        self._next = 1 + max((int(mark.get(q("id"), "0")) for mark in body.iter(q("bookmarkStart"))), default=0)

    def around(self, first: Element, last: Element, name: str) -> None:
        """Set a bookmark around neighbours."""
        first.addprevious(w("bookmarkStart", id=self._next, name=name))
        last.addnext(w("bookmarkEnd", id=self._next))
        self._next += 1


def number_headings(body: Element, numbered: list[bool]) -> None:
    """Take the number off the headings that have none."""
    headings = [paragraph for paragraph in body.iter(q("p")) if style_of(paragraph) in _HEADINGS]
    for heading, number in zip(headings, numbered, strict=True):
        if not number and style_of(heading) != "Heading3":
            set_paragraph(heading, w("numPr", w("ilvl", val=0), w("numId", val=0)))


def number_captions(body: Element, labels: list[str], marks: Marks) -> dict[str, tuple[str, str]]:
    """Number captions by fields, so that Word can list them and count them anew.

    :returns: by the anchor of each exhibit, its label and the bookmark around it.
    """
    captions = [paragraph for paragraph in body.iter(q("p")) if style_of(paragraph) in _CAPTIONS]
    known: dict[str, tuple[str, str]] = {}
    counted: dict[str, int] = {}
    for place, (caption, label) in enumerate(zip(captions, labels, strict=True), start=1):
        parts = _LABEL.fullmatch(label)
        anchor, shown = caption.find(q("bookmarkStart")), caption.find(q("r"))
        if parts is None or anchor is None or shown is None:
            continue
        name, number = parts[1], int(parts[2])
        again = "" if number == counted.get(name, 0) + 1 else f" \\r {number}"
        counted[name] = number
        bold = w("rStyle", val="CaptionLabel")
        pieces = [run(f"{name} ", bold), *field(f"SEQ {name} \\* ARABIC{again}", str(number), bold), run(".", bold)]
        for piece in pieces:
            shown.addprevious(piece)
        _drop(shown)
        bookmark = f"_RefExhibit{place}"
        marks.around(pieces[0], pieces[-2], bookmark)
        known[anchor.get(q("name"), "")] = label, bookmark
    return known


def refer(body: Element, exhibits: dict[str, tuple[str, str]]) -> None:
    """Turn links that say no more than a caption's label into references that follow its number."""
    for link in list(body.iter(q("hyperlink"))):
        label, bookmark = exhibits.get(link.get(q("anchor"), ""), ("", ""))
        if label and text_of(link) == label:
            _replace(link, field(f"REF {bookmark} \\h", label, w("rStyle", val="Hyperlink")))


def number_notes(body: Element, numbers: list[int], marks: Marks) -> None:
    """Let the later marks of a footnote repeat the number of the first, as Word counts it."""
    references = [part.getparent() for part in body.iter(q("footnoteReference"))]
    known: dict[str, str] = {}
    for reference, number in zip(references, numbers, strict=True):
        assert reference is not None, "a mark of a footnote stands in a run"
        anchor = _before(reference)
        marks.around(reference, reference, f"_RefNote{number}")
        if anchor is not None:
            known[anchor.get(q("name"), "")] = f"_RefNote{number}"
    for link in list(body.iter(q("hyperlink"))):
        bookmark = known.get(link.get(q("anchor"), ""))
        if bookmark is not None and any(style.get(q("val")) == "FootnoteReference" for style in link.iter(q("rStyle"))):
            style = w("rStyle", val="FootnoteReference")
            _replace(link, field(f"NOTEREF {bookmark} \\f \\h", text_of(link), style))


def contents(body: Element, title: str, outline: Outline, marks: Marks) -> Element:
    """A table of contents with its entries, as links. Page numbers are Word's to know: it counts them when fields are
    brought up to date. On opening it would do so only after asking whether the document may refer to other files, and a
    number that was not counted there may be wrong: until then there is none."""
    headings = [part for part in body.iter(q("p")) if _HEADINGS.get(style_of(part), 9) <= _CONTENTS_LEVELS]
    entries = [w("p", w("pPr", w("pStyle", val="TOCHeading")), run(title))]
    for place, (heading, number) in enumerate(zip(headings, _numbers(headings, outline), strict=True), start=1):
        name = f"_Toc{place:09}"
        runs = heading.findall(q("r"))
        if not runs:
            continue
        marks.around(runs[0], runs[-1], name)
        level = _HEADINGS[style_of(heading)]
        page = [_tab(), *field(f"PAGEREF {name} \\h", "")]
        link = w("hyperlink", *_entry(number, text_of(heading)), *page, anchor=name, history=1)
        entries.append(w("p", w("pPr", w("pStyle", val=f"TOC{level}")), link))
    start, code, separator, _, end = field(f'TOC \\o "1-{_CONTENTS_LEVELS}" \\h \\z', "")
    for piece in (separator, code, start):
        entries[1 if len(entries) > 1 else 0].insert(1, piece)
    entries[-1].append(end)
    gallery = w("docPartObj", w("docPartGallery", val="Table of Contents"), w("docPartUnique"))
    return w("sdt", w("sdtPr", gallery), w("sdtContent", *entries))


def _numbers(headings: list[Element], outline: Outline) -> Iterator[str]:
    chapter = part = 0
    for heading in headings:
        plain = heading.find(f"{q('pPr')}/{q('numPr')}") is not None
        if style_of(heading) == "Heading1":
            chapter, part = chapter + (not plain), 0
            yield "" if plain else str(chapter)
        else:
            part += not plain
            yield "" if plain else f"{chapter}.{part}"


def _entry(number: str, heading: str) -> list[Element]:
    return [*([run(number), _tab()] if number else []), run(heading)]


def _tab() -> Element:
    return w("r", w("tab"))


def _before(element: Element) -> Element | None:
    """The bookmark that begins right before an element."""
    previous = element.getprevious()
    return previous if previous is not None and previous.tag == q("bookmarkStart") else None


def _replace(element: Element, pieces: list[Element]) -> None:
    for piece in pieces:
        element.addprevious(piece)
    _drop(element)


def _drop(element: Element) -> None:
    parent = element.getparent()
    assert parent is not None, "what is dropped stands in a document"
    parent.remove(element)
