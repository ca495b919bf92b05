from __future__ import annotations

import json

import pytest

from services.library.errors import DocumentUnreadable, UnreadableCause
from services.library.parsing.document import ParsedDocument, ParseLimits
from services.library.parsing.parse import parse
from services.library.parsing.tables import sniff_delimiter
from tests.unit.library.workbooks import workbook


def read(data: bytes, filename: str, limits: ParseLimits | None = None) -> ParsedDocument:
    return parse(data, filename, "", limits or ParseLimits())


def test_a_csv_is_a_dataset_stored_as_it_came() -> None:
    document = read(b'\xef\xbb\xbfname,size\r\n"Oak, red",12\r\n', "trees.csv")
    assert document.text == 'name,size\n"Oak, red",12\n'
    assert document.is_dataset
    assert document.title == "trees"
    assert document.problems == ()


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [("a,b\n1,2", ","), ("a;b;c\n1,5;2;3", ";"), ("a\tb\n1\t2", "\t"), ("a|b\n1|2", "|"), ("one\ntwo", ",")],
)
def test_the_delimiter_is_sniffed(text: str, delimiter: str) -> None:
    assert sniff_delimiter(text) == delimiter


def test_irregular_rows_are_reported() -> None:
    document = read(b"a,b,c\n1,2,3\n4,5\n6,7,8\n9\n", "x.csv")
    assert document.problems == ("2 of 4 rows under the header have not the usual 3 cells; the first is on row 3.",)
    document = read(b"title\na,b,c\n1,2,3\n6,7,8\n", "x.csv")
    assert document.problems == ("1 of 4 rows has not the usual 3 cells; the first is on row 1.",)


def test_line_breaks_in_cells_and_old_line_ends_are_no_irregularity() -> None:
    assert read(b'a,b\r1,"two\rlines"\r', "x.csv").problems == ()


def test_a_workbook_has_a_page_a_sheet() -> None:
    sheets: dict[str, list[list[object]]] = {
        "First": [["name", "n", "ok"], ["Oak", 3, True], ["Elm", 2.5, False]],
        "Second": [["x"], [10]],
    }
    document = read(workbook(sheets), "book.xlsx")
    first, second = (document.text[span.start : span.end] for span in document.pages)
    assert first == "First\nname,n,ok\nOak,3,TRUE\nElm,2.5,FALSE"
    assert second == "Second\nx\n10"
    assert document.is_dataset


def test_an_empty_workbook_is_empty() -> None:
    with pytest.raises(DocumentUnreadable) as raised:
        read(workbook({"Only": []}), "book.xlsx")
    assert raised.value.cause is UnreadableCause.EMPTY


def test_limits_on_cells_and_on_unpacking() -> None:
    data = workbook({"S": [[1, 2, 3]] * 10})
    with pytest.raises(DocumentUnreadable) as raised:
        read(data, "b.xlsx", ParseLimits(cells=20))
    assert raised.value.cause is UnreadableCause.TOO_LARGE
    bomb = workbook({"S": [["x" * 100_000]] * 50})
    assert len(bomb) < 100_000
    with pytest.raises(DocumentUnreadable) as raised:
        read(bomb, "b.xlsx", ParseLimits(unpacked_bytes=1_000_000))
    assert raised.value.cause is UnreadableCause.DECOMPRESSION_LIMIT


@pytest.mark.parametrize(
    ("value", "is_dataset"),
    [
        ([{"a": 1}, {"a": 2}], True),
        ({"a": [1, 2], "b": [3, 4]}, True),
        ({"a": [1, 2], "b": [3]}, False),
        ([["a", "b"], [1, 2]], True),
        ([["a", "b"]], False),
        ([["a"], {"a": 1}], False),
        ([["a"], []], False),
        ([1, 2], False),
        ({"a": 1}, False),
        ([], False),
    ],
)
def test_json_tables_are_datasets(value: object, is_dataset: bool) -> None:
    document = read(json.dumps(value).encode(), "x.json")
    assert document.is_dataset is is_dataset
    assert json.loads(document.text) == value


def test_a_json_article_is_its_text() -> None:
    value = {"title": "On Peat", "text": "Peat burns.\r\nSlowly.", "authors": ["I. Turner", 5], "year": 1934}
    document = read(json.dumps(value).encode(), "x.json")
    assert (document.title, document.text, document.year) == ("On Peat", "Peat burns.\nSlowly.", 1934)
    assert document.authors == ("I. Turner",)
    assert not document.is_dataset


def test_json_lines_tell_bad_lines() -> None:
    document = read(b'{"a": 1}\n\nnope\n{"a": 2}\n', "x.jsonl")
    assert document.is_dataset
    assert document.problems == ("1 of 3 lines are not valid JSON: line 3.",)
