from __future__ import annotations

import pytest

from services.library.errors import DocumentUnreadable, UnreadableCause
from services.library.parsing.document import Kind, ParsedDocument, ParseLimits
from services.library.parsing.parse import parse

GERMAN = "Die Größe der Körner überraschte. " * 6


def read(data: bytes, filename: str = "note.txt", content_type: str = "") -> ParsedDocument:
    return parse(data, filename, content_type, ParseLimits())


def cause(data: bytes, filename: str, content_type: str = "") -> UnreadableCause:
    with pytest.raises(DocumentUnreadable) as raised:
        read(data, filename, content_type)
    return raised.value.cause


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "latin-1"]
)
def test_encodings_are_found(encoding: str) -> None:
    assert read(GERMAN.encode(encoding)).text == GERMAN


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", "“Größe” – naïve café, 10 € "),
        ("cp1252", "Le naïve café où l’été élève la forêt, ça va être déjà vu. "),
        ("cp1250", "Torf powstaje powoli, a bagno przechowuje pyłek. Źdźbło, żółw, święto. "),
        ("iso8859_2", "Torf powstaje powoli, a bagno przechowuje pyłek. Źdźbło, żółw, święto. "),
        ("cp1250", "Rašelina vzniká pomalu a bažina uchovává pyl. Žluťoučký kůň pěl ďábelské ódy. "),
        ("cp1254", "Turba yavaş oluşur ve bataklık poleni yıllara göre saklar. Değişik ağaç öğeleri. "),
        ("cp1251", "Торф образуется медленно, и болото хранит пыльцу и золу. "),
        ("shift_jis", "泥炭はゆっくりと形成され、湿地は花粉と灰を年代順に保存する。"),
        ("gb18030", "泥炭形成缓慢，沼泽按年代保存花粉和灰烬。"),
    ],
)
def test_languages_tell_their_encodings(encoding: str, text: str) -> None:
    text *= 6
    assert read(text.encode(encoding)).text == text


def test_a_declared_encoding_wins_over_a_guess() -> None:
    raw = "Привет, мир".encode("koi8-r")
    assert read(raw, content_type="text/plain; charset=koi8-r").text == "Привет, мир"


@pytest.mark.parametrize(
    "name", ["zlib", "undefined", "punycode", "idna", "unicode_escape", "Raw-Unicode-Escape", "none-such", "x:y"]
)
def test_a_declared_encoding_that_is_no_text_encoding_is_ignored(name: str) -> None:
    assert read(b"pl\\x41in-zz", content_type=f"text/plain; charset={name}").text == "pl\\x41in-zz"


def test_a_guess_is_told() -> None:
    document = read("a,b\n1,\u00a9".encode("latin-1"), "x.csv")
    assert document.text.endswith("\u00a9")
    assert "cp1252" in document.problems[0]


def test_a_first_line_that_stands_alone_is_the_title() -> None:
    assert read(b"Growth of Barley\n\nIt grows.").title == "Growth of Barley"
    assert read(b"It grows.\nEven more.", "field_notes.txt").title == "field notes"


def test_markdown_front_matter_says_what_the_document_is() -> None:
    text = (
        "---\ntitle: 'Light and Leaves'\nauthors:\n  - Ada Byron\n  - Jan van der Berg\ndate: 2019-05-01\n"
        "doi: https://doi.org/10.1234/leaf.5\n---\n# Another heading\n\nBody."
    )
    document = read(text.encode(), "a.md")
    assert document.kind is Kind.MARKDOWN
    assert (document.title, document.year, document.doi) == ("Light and Leaves", 2019, "10.1234/leaf.5")
    assert document.authors == ("Ada Byron", "Jan van der Berg")
    assert document.text == text


def test_markdown_without_front_matter_takes_its_first_heading() -> None:
    assert read(b"intro\n\n## Soil Chemistry ##\n\ntext", "a.md").title == "Soil Chemistry"


@pytest.mark.parametrize(
    ("data", "filename", "expected"),
    [
        (b"", "a.txt", UnreadableCause.EMPTY),
        (b" \n\t ", "a.txt", UnreadableCause.EMPTY),
        (b"\xef\xbb\xbf  ", "a.md", UnreadableCause.EMPTY),
        (bytes(range(256)) * 40, "a.txt", UnreadableCause.UNSUPPORTED_TYPE),
        (b"MZ\x90\x00", "tool.exe", UnreadableCause.UNSUPPORTED_TYPE),
        (b"\x89PNG\r\n\x1a\n123", "picture.png", UnreadableCause.UNSUPPORTED_TYPE),
        (b"just words", "paper.pdf", UnreadableCause.CORRUPT),
        (b"just words", "paper.docx", UnreadableCause.CORRUPT),
        (b"PK\x03\x04 cut short", "table.xlsx", UnreadableCause.CORRUPT),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "old.doc", UnreadableCause.UNSUPPORTED_TYPE),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
            "locked.docx",
            UnreadableCause.ENCRYPTED,
        ),
        (b'{"a": ', "a.json", UnreadableCause.CORRUPT),
        (b"[" * 100_000, "deep.json", UnreadableCause.CORRUPT),
        (b"no json\nat all", "a.jsonl", UnreadableCause.CORRUPT),
    ],
)
def test_what_cannot_be_read_has_a_name(data: bytes, filename: str, expected: UnreadableCause) -> None:
    assert cause(data, filename) is expected


def test_the_error_says_why_and_travels_as_document_unreadable() -> None:
    with pytest.raises(DocumentUnreadable) as raised:
        read(b"", "a.txt")
    assert raised.value.name == "DOCUMENT_UNREADABLE"
    assert raised.value.details == {"reason": "empty"}
    assert raised.value.message == "The file is empty."


def test_limits_on_bytes_and_characters() -> None:
    with pytest.raises(DocumentUnreadable) as raised:
        parse(b"x" * 11, "a.txt", "", ParseLimits(file_bytes=10))
    assert raised.value.cause is UnreadableCause.TOO_LARGE
    with pytest.raises(DocumentUnreadable) as raised:
        parse(b"x" * 11, "a.txt", "", ParseLimits(characters=10))
    assert raised.value.cause is UnreadableCause.TOO_LARGE


@pytest.mark.parametrize(
    ("data", "filename", "content_type", "kind"),
    [
        (b"<!DOCTYPE html><p>Hi</p>", "", "", Kind.HTML),
        (b"Hello there", "", "", Kind.TEXT),
        (b"a,b\n1,2", "", "text/csv", Kind.CSV),
        (b"a,b\n1,2", "x.csv", "text/plain", Kind.CSV),
        (b"a\tb\n1\t2", "x.TSV", "", Kind.TSV),
        (b"# Title", "README.md", "application/octet-stream", Kind.MARKDOWN),
        (b'{"a": 1}\n', "x.ndjson", "", Kind.JSONL),
    ],
)
def test_kinds(data: bytes, filename: str, content_type: str, kind: Kind) -> None:
    assert read(data, filename, content_type).kind is kind


def test_a_parsed_document_survives_the_wire() -> None:
    document = ParsedDocument("T", Kind.PDF, "äb", (), ("A B",), 1999, "10.1/x", ("odd",), True)
    assert ParsedDocument.from_wire(document.to_wire()) == document


@pytest.mark.parametrize(
    "change",
    [{"title": 3}, {"kind": "exe"}, {"pages": [[1, 0, 99]]}, {"pages": [[1, "0", 1]]}, {"year": "1999"}],
)
def test_a_document_that_is_none_is_refused(change: dict[str, object]) -> None:
    wire = ParsedDocument("T", Kind.PDF, "äb").to_wire() | change
    with pytest.raises((TypeError, ValueError)):
        ParsedDocument.from_wire(wire)


def test_tables_of_a_markdown_file_have_places() -> None:
    text = "# T\n\na | b\n--|--\n\n| x | y\\|z |\n|:-:|---|\n| 1 | 2 |\n| 3 |\nafter\n\nno | table\nhere"
    document = read(text.encode(), "t.md")
    assert [(document.text[t.start : t.end], t.rows, t.columns) for t in document.tables] == [
        ("a | b\n--|--", 1, 2),
        ("| x | y\\|z |\n|:-:|---|\n| 1 | 2 |\n| 3 |", 3, 2),
    ]


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("```sh\n# install\n```\n\nThe *Great* Bog\n===\n", "The Great Bog"),
        ("# **IBM** [site](http://x)\n", "IBM site"),
        ("- item\n---\n", "field notes"),
    ],
)
def test_a_markdown_heading_is_the_title(text: str, title: str) -> None:
    assert read(text.encode(), "field_notes.md").title == title
