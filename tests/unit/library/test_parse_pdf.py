from __future__ import annotations

import io

import pypdf
import pytest
import typst

from services.library.errors import DocumentUnreadable, UnreadableCause
from services.library.parsing.document import ParsedDocument, ParseLimits
from services.library.parsing.parse import parse
from services.library.parsing.pdf_lines import Line
from services.library.parsing.pdf_paragraphs import Vocabulary, paragraphs

BODY = (
    "Peat forms where plants die faster than they rot. The water keeps the air away, and without air the "
    "remains of moss pile up for thousands of years. A bog is therefore an archive: pollen, ash and wood lie "
    "in it in the order of their years."
)


def made(source: str) -> bytes:
    return typst.compile(source.encode())


def read(data: bytes, limits: ParseLimits | None = None) -> ParsedDocument:
    return parse(data, "paper.pdf", "", limits or ParseLimits())


def cause(data: bytes, limits: ParseLimits | None = None) -> UnreadableCause:
    with pytest.raises(DocumentUnreadable) as raised:
        read(data, limits)
    return raised.value.cause


def drawing(stream: str, *, rotate: int = 0, pages: int = 1) -> bytes:
    """A PDF written by hand: every page draws `stream`."""
    kids = " ".join(f"{3 + n} 0 R" for n in range(pages))
    content = 3 + pages
    objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Kids[{kids}]/Count {pages}>>",
        *[
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Rotate {rotate}/Contents {content} 0 R"
            f"/Resources<</Font<</F {content + 1} 0 R>>>>>>"
        ]
        * pages,
        f"<</Length {len(stream)}>>stream\n{stream}\nendstream",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    out = "%PDF-1.4\n"
    offsets = []
    for number, each in enumerate(objects, 1):
        offsets.append(len(out))
        out += f"{number} 0 obj{each}endobj\n"
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}"
    out += f"trailer<</Size {len(objects) + 1}/Root 1 0 R>>\nstartxref\n{out.index('xref')}\n%%EOF"
    return out.encode("latin-1")


def test_title_authors_paragraphs_and_pages() -> None:
    source = (
        '#set document(title: "The Slow Archive", author: ("Ida Fenn", "Olaf Moor"))\n'
        f"= The Slow Archive\n\n{BODY}\n\n{BODY}\n#pagebreak()\n== Methods\n\nWe drilled."
    )
    document = read(made(source))
    assert document.title == "The Slow Archive"
    assert document.authors == ("Ida Fenn", "Olaf Moor")
    assert document.text.split("\n\n") == ["The Slow Archive", BODY, BODY, "Methods", "We drilled."]
    first, second = document.pages
    assert document.text[second.start : second.end] == "Methods\n\nWe drilled."
    assert first.end < second.start


def test_two_columns_are_read_one_after_the_other() -> None:
    document = read(made(f"#set page(columns: 2, height: 300pt)\n#set par(justify: true)\n{BODY} {BODY}"))
    assert " ".join(document.text.split()) == f"{BODY} {BODY}"


@pytest.mark.parametrize("columns", [2, 3])
def test_columns_drawn_line_by_line_are_read_one_after_the_other(columns: int) -> None:
    written = [[f"column {c} line {n} of the page" for n in range(6)] for c in range(columns)]
    heading = "BT /F 12 Tf 50 740 Td (A heading that runs over both of the columns of this page) Tj ET "
    lines = "".join(
        f"BT /F 10 Tf {x} {700 - 12 * n} Td ({text}) Tj ET "
        for n, across in enumerate(zip(*written, strict=True))
        for x, text in zip((50, 210, 370), across, strict=False)
    )
    text = read(drawing(heading + lines)).text
    assert text.startswith("A heading that runs over both of the columns of this page")
    assert " ".join(text.split()).endswith(" ".join(line for column in written for line in column))


def test_a_table_is_found_by_its_cells_and_read_by_rows() -> None:
    cells = "[depth], [age], [ash], [10], [200], [1.5], [20], [410], [1.1], [30], [660], [0.4]"
    document = read(made(f"{BODY}\n\nTable 1. Ages by depth.\n\n#table(columns: 3, {cells})\n\n{BODY}"))
    (table,) = document.tables
    assert document.text[table.start : table.end] == "depth\tage\tash\n10\t200\t1.5\n20\t410\t1.1\n30\t660\t0.4"
    assert (table.page, table.caption, table.rows, table.columns) == (1, "Table 1. Ages by depth.", 4, 3)
    assert document.text.split("\n\n")[0] == BODY
    assert document.text.split("\n\n")[-1] == BODY


def test_running_text_is_no_table() -> None:
    assert read(made(f"#set page(columns: 2, height: 300pt)\n{BODY * 3}\n$ x &= 1 \\ y &= 2 \\ z &= 3 $")).tables == ()


def test_a_stamp_in_the_margin_comes_last_and_is_no_title() -> None:
    stamp = "BT /F 20 Tf 0 1 -1 0 30 200 Tm (arXiv:2101.00001v2 [cs.CL] 5 May 2021) Tj ET "
    words = "BT /F 14 Tf 100 700 Td (On Bogs and Moss) Tj /F 10 Tf 0 -30 Td (Ida Fenn) Tj "
    words += f"0 -30 Td ({BODY[:70]}) Tj 0 -12 Td ({BODY[70:140]}) Tj 0 -40 Td (Peat is slow.) Tj ET"
    document = read(drawing(stamp + words))
    assert document.title == "On Bogs and Moss"
    assert document.text.endswith("Peat is slow.\n\narXiv:2101.00001v2 [cs.CL] 5 May 2021")
    assert document.year == 2021
    assert document.csl["number"] == "arXiv:2101.00001v2"
    assert document.csl["type"] == "article"


def test_words_broken_at_the_line_are_whole_again() -> None:
    source = f"#set page(width: 160pt, height: auto)\n#set par(justify: true)\n#set text(hyphenate: true)\n{BODY}"
    assert read(made(source)).text == BODY


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
def test_a_rotated_page_reads_the_same(rotate: int) -> None:
    lines = "BT /F 12 Tf 50 700 Td 14 TL (Peat forms where) Tj T* (plants die faster) Tj T* (than they rot.) Tj ET"
    assert read(drawing(lines, rotate=rotate)).text == "Peat forms where plants die faster than they rot."


def test_running_heads_and_page_numbers_are_left_out() -> None:
    pages = "".join(f"Leaf {word} of the book is full of words.\n#pagebreak(weak: true)\n" for word in "ABCDE")
    source = f'#set page(header: [Annals of Peat], numbering: "1 / 1", height: 200pt)\n{pages}'
    document = read(made(source))
    assert len(document.pages) == 5
    assert document.text.split("\n\n") == [f"Leaf {word} of the book is full of words." for word in "ABCDE"]


def test_a_title_that_is_the_running_head_too_stays() -> None:
    pages = "".join(f"Leaf {word} of the book is full of words.\n#pagebreak(weak: true)\n" for word in "ABCDE")
    head = "#set page(header: context if here().page() > 1 [ANNALS OF PEAT], height: 200pt)"
    document = read(made(f"{head}\n#text(size: 17pt)[ANNALS OF PEAT]\n\n{pages}"))
    assert document.text.count("ANNALS OF PEAT") == 1
    assert document.text.startswith("ANNALS OF PEAT\n\nLeaf A")


def test_a_sentence_runs_over_the_page() -> None:
    document = read(made("#set page(height: 150pt)\nIt goes on and\n#pagebreak()\non to the next page."))
    assert document.text == "It goes on and on to the next page."
    first, second = document.pages
    assert document.text[first.start : first.end] == "It goes on and"
    assert document.text[second.start : second.end] == "on to the next page."


def test_the_first_page_gives_doi_and_year() -> None:
    source = f"Journal of Peat, Vol. 3, 1998\n\n= Bogs\n\n{BODY}\n\nhttps:\\//doi.org/10.5555/peat.(3)12."
    document = read(made(source))
    assert document.year == 1998
    assert document.doi == "10.5555/peat.(3)12"


def test_drawn_pages_without_text_are_a_scan() -> None:
    assert cause(drawing("0 0 100 100 re f")) is UnreadableCause.NO_TEXT


def test_a_page_without_text_among_others_is_told() -> None:
    document = read(made("Words.\n#pagebreak()\n#rect(width: 5cm)"))
    assert document.problems == ("Page 2 has no text layer.",)


def test_blank_pages_are_no_error() -> None:
    document = read(made(""))
    assert document.text == ""
    assert document.problems == ("The document has no content: every page is blank.",)


def encrypted(password: str) -> bytes:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(made(BODY)))
    writer.encrypt(user_password=password, owner_password="owner", algorithm="AES-256")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def test_encryption() -> None:
    assert cause(encrypted("secret")) is UnreadableCause.ENCRYPTED
    assert read(encrypted("")).text == BODY


def test_a_cut_file_is_corrupt_or_gives_what_it_still_holds() -> None:
    whole = made(BODY)
    assert cause(whole[:200]) is UnreadableCause.CORRUPT
    assert cause(b"%PDF-1.7\nnothing more") is UnreadableCause.CORRUPT


def test_limit_on_pages() -> None:
    data = drawing("BT /F 12 Tf 50 700 Td (x) Tj ET", pages=5)
    assert len(read(data).pages) == 5
    assert cause(data, ParseLimits(pages=4)) is UnreadableCause.TOO_MANY_PAGES
    assert cause(data, ParseLimits(characters=3)) is UnreadableCause.TOO_LARGE


def line(text: str, y: float, *, broken: bool = False, x0: float = 0.0) -> Line:
    return Line(text, x0, x0 + 5.0 * len(text), y, 10.0, False, broken)


@pytest.mark.parametrize(
    ("left", "right", "elsewhere", "expected"),
    [
        ("a seg", "mentation task", "segmentation works", "a segmentation task"),
        ("a uti", "lised thing", "nothing alike", "a utilised thing"),
        ("the part", "of-speech tag", "a part-of-speech tag", "the part-of-speech tag"),
        ("a real", "valued map", "real numbers are valued", "a real-valued map"),
        ("the Anglo", "Saxon way", "nothing alike", "the Anglo-Saxon way"),
        ("since 1990", "2000 it", "nothing alike", "since 1990-2000 it"),
    ],
)
def test_how_a_broken_word_is_written(left: str, right: str, elsewhere: str, expected: str) -> None:
    lines = [line(left, 100, broken=True), line(right, 88), line(elsewhere, 40)]
    assert paragraphs(lines, Vocabulary([lines]))[0].startswith(expected)
