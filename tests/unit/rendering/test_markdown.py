"""Markdown as two readers see it: pandoc's CommonMark with extensions, and a plain look at the text itself."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from services.results.rendering.composing.compose import compose
from services.results.rendering.composing.report import (
    Anchored,
    Bullets,
    Column,
    Inline,
    Link,
    Math,
    Note,
    NoteRef,
    Pairs,
    Paragraph,
    Ref,
    Report,
    SectionBlock,
    Styled,
    TableBlock,
    Text,
)
from services.results.rendering.document import ResultDocument
from services.results.rendering.markdown.text import at_line_start, code, emphasis, escape, raised
from services.results.rendering.markdown.writer import markdown
from services.results.rendering.serializer import SCHEMA_VERSION
from services.results.rendering.word import pandoc
from tests.unit.rendering.sample import metadata, sample

LITERAL = [
    "snake_case, _started, ended_ and *starred* of **two**",
    "1. first", "12) twelfth", "a. letter", "iv) roman", "(a) bracket", "- dash", "+ plus", "* star", "--- rule", "-",
    "# heading", "> quoted", ": definition", "::: fence", "```", "~~struck~~ H~2~O x^2^", "$x$ and $$y$$",
    "see https://example.org/a_b and www.example.org", "[link](https://evil.example)", "![picture](x.png)", "wow!",
    "[^1] is no note", "[^1]: nor a definition", "a | b", "<b>bold</b> <!-- no --> <https://x.example>", "p < 0.05 > 0",
    "&amp; &#38; R&D", ":smile: at 10:30:00", "@cite and a@b.org", "{#id .class}", "back\\slash \\*", "`code`",
    "trailing #", "2 + 2 = 4", "-5 °C", "[ ] task", "a\\", "*", "==marked==",
]  # fmt: skip


def report(*parts: Anchored | Inline, notes: tuple[Note, ...] = (), **fields: Any) -> Report:
    """A report of one section."""
    blocks = fields.pop("blocks", (Paragraph(parts),))
    empty = compose(ResultDocument.parse({"title": "t"}), None, citation_style="apa", language="en")
    values = {name: getattr(empty, name) for name in Report.__dataclass_fields__}
    return Report(**values | {"sections": (SectionBlock("s", "S", blocks),), "notes": notes} | fields)


def read(text: str) -> list[Any]:
    """The blocks that pandoc sees."""
    blocks: list[Any] = json.loads(pandoc.run(["-f", "commonmark_x-smart", "-t", "json"], text.encode()))["blocks"]
    return blocks


def walk(value: Any) -> Iterator[dict[str, Any]]:
    """Every element, in the order of the text."""
    if isinstance(value, list):
        for item in value:
            yield from walk(item)
    elif isinstance(value, dict):
        yield value
        for item in value.values():
            yield from walk(item)


def words(value: Any) -> str:
    written = {"Space": " ", "SoftBreak": "\n", "LineBreak": "\n"}
    return "".join(
        item["c"] if item.get("t") == "Str" else item["c"][1] if item.get("t") == "Code" else written[item["t"]]
        for item in walk(value)
        if item.get("t") in ("Str", "Code", *written)
    )


def kinds(value: Any) -> set[str]:
    return {item["t"] for item in walk(value) if "t" in item}


@cache
def whole() -> str:
    made = compose(ResultDocument.parse(sample()), metadata(), citation_style="apa", language="en")
    return markdown(made, citation_style="apa")


def test_every_text_is_taken_literally_in_a_paragraph_a_list_and_a_cell() -> None:
    rows = tuple((text, text) for text in LITERAL)
    blocks = (
        *(Paragraph((Text(text),)) for text in LITERAL),
        Bullets(tuple(Paragraph((Text(text),)) for text in LITERAL)),
        TableBlock("t", "", "", (Column("A", False), Column("B", True)), rows, None),
    )
    heading, *found = read(markdown(report(blocks=blocks)).partition("\n## ")[2].join(("## ", "")))
    assert heading["t"] == "Header"
    paragraphs, (bullets, table) = found[: len(LITERAL)], found[len(LITERAL) :]
    assert [item["t"] for item in paragraphs] == ["Para"] * len(LITERAL)
    assert [words(item) for item in paragraphs] == LITERAL
    assert [words(item) for item in bullets["c"]] == LITERAL
    cells = [words(cell) for row in table["c"][4][0][3] for cell in row[1]]
    assert cells == [text for text in LITERAL for _ in range(2)]
    assert kinds(found) == {"Para", "Plain", "BulletList", "Table", "Str", "Space", "AlignDefault", "AlignRight"} | {
        "ColWidthDefault"
    }


def test_the_document_has_headings_tables_and_resolved_notes_and_no_html_but_anchors() -> None:
    blocks = read(whole())
    headings = [(item["c"][0], words(item["c"][2])) for item in blocks if item["t"] == "Header"]
    assert headings[:4] == [
        (1, "Pressure and the boiling point of water"), (2, "Summary"), (2, "Key findings"),
        (2, "Why boiling depends on pressure"),
    ]  # fmt: skip
    (table,) = [item for item in blocks if item["t"] == "Table" and len(item["c"][2]) == 3]
    assert len(table["c"][4][0][3]) == len(sample()["tables"][0]["rows"])
    notes = [item for item in walk(blocks) if item.get("t") == "Note"]
    assert len(notes) >= 5
    assert all(words(note) for note in notes)
    assert "[^" not in words(blocks)
    html = [item["c"][1] for item in walk(blocks) if item.get("t") in ("RawInline", "RawBlock")]
    assert html
    assert all(re.fullmatch(r'<a id="[A-Za-z0-9-]+">|</a>', tag) for tag in html)


def test_every_link_within_the_document_has_its_target() -> None:
    blocks = read(whole())
    targets = {
        found for tag in walk(blocks) if tag.get("t") == "RawInline" for found in re.findall('"(.+)"', tag["c"][1])
    }
    links = [item["c"][2][0] for item in walk(blocks) if item.get("t") == "Link"]
    assert {link[1:] for link in links if link.startswith("#")} <= targets
    assert {link for link in links if not link.startswith("#")} == {
        "https://doi.org/10.5555/vapour.2014.7", "https://doi.org/10.5555/hypsometer.2003",
        "https://example.org/boiling?page=1&lang=en",
    }  # fmt: skip


def test_the_front_matter_says_what_the_file_is() -> None:
    lines = whole().split("---\n")[1].splitlines()
    found = {key: json.loads(value) for key, _, value in (line.partition(": ") for line in lines)}
    assert found == {
        "title": "Pressure and the boiling point of water", "lang": "en", "date": "2025-07-02",
        "session_id": metadata()["session_id"], "confidence": 0.81, "partial": False, "citation_style": "apa",
        "schema_version": SCHEMA_VERSION,
    }  # fmt: skip


def test_without_an_archive_words_stand_for_a_figure() -> None:
    text = whole()
    assert "data:image" not in text
    assert "![" not in text
    assert "A falling, slightly curved line: 101 kPa at sea level, 33 kPa at 8,500 metres." in text
    assert "The drawing is in the raw data: figures/figure-g1.png" in text


def test_a_picture_of_the_archive_is_a_picture() -> None:
    made = compose(ResultDocument.parse(sample()), None, citation_style="apa", language="en")
    (image,) = [item for item in walk(read(markdown(made, archived=True))) if item.get("t") == "Image"]
    assert image["c"][2][0] == "figures/figure-g1.png"
    assert words(image["c"][1]) == sample()["figures"][0]["alt"]


def test_notes_keep_their_source_quote_and_place() -> None:
    note = Note(1, "note-1", (Ref("ref-a", (Text("Ash, 2001"),)),), "A *quote* [^2] | of it.", "page 3")
    text = markdown(report(Text("Said."), NoteRef(1), Text("(not a link)"), notes=(note,)))
    (found,) = [item for item in walk(read(text)) if item.get("t") == "Note"]
    assert words(found) == "“A *quote* [^2] | of it.” — Ash, 2001, page 3"
    assert "Link" in kinds(found)
    assert "(not a link)" in words(read(text))


def test_lists_beside_each_other_stay_apart() -> None:
    blocks = (Bullets((Paragraph((Text("a"),)),)), Pairs((("b", "c"),)))
    found = [item for item in read(markdown(report(blocks=blocks))) if item["t"] == "BulletList"]
    assert [words(item) for item in found] == ["a", "b: c"]


def test_formulas_and_names_of_files_can_be_searched_for_as_they_are() -> None:
    text = markdown(
        report(Math(r"\beta_1 x^2", "beta_1 x^2", "β_1·x^2"), Text(" in "), Styled("mono", (Text("a_b*c.py"),)))
    )
    assert "`β_1·x^2` in `a_b*c.py`" in text


def test_an_address_that_is_its_own_text_stands_once() -> None:
    url = "https://example.org/a_b?x=1&y=2"
    assert f"<{url}>" in markdown(report(Link(url, (Text(url),))))
    assert f"[here](<{url}>)" in markdown(report(Link(url, (Text("here"),))))


def test_raised_marks_are_characters_and_stay_links() -> None:
    text = markdown(
        report(Text("Said."), Styled("super", (Ref("a", (Text("1"),)), Text(","), Ref("b", (Text("12"),)))))
    )
    assert "Said.[¹](#a),[¹²](#b)" in text
    assert raised("a–c") == "a–c"


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ((Styled("emph", (Text("Title"),)), Text(", 12")), "*Title*, 12"),
        ((Text("a"), Styled("emph", (Text("b"),)), Text("c")), "a*b*c"),
        ((Styled("emph", (Text("《書名》"),)), Text("在")), "《書名》在"),
        ((Text("a"), Styled("strong", (Text(" x "),)), Text("b")), "a **x** b"),
        ((Text("a"), Styled("emph", (Text(" "),)), Text("b")), "a b"),
    ],
)  # fmt: skip
def test_emphasis_is_marked_where_readers_take_it_as_such(parts: tuple[Inline, ...], expected: str) -> None:
    assert f"\n{expected}\n" in markdown(report(*parts))


def test_clean_text_needs_no_marks() -> None:
    for text in ("p < 0.001, r = −0.3 (n = 48)", "snake_case at 10:30:00Z", "R&D, 5 % > 3 %", "I said: no - never!?"):
        assert at_line_start(escape(text)) == text
    assert code("a`b") == "a\\`b"
    assert emphasis("x", "*", "", "") == "*x*"
