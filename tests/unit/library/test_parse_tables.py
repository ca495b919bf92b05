from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence

import pytest

from services.library.errors import DocumentUnreadable, UnreadableCause
from services.library.parsing.document import ParsedDocument, ParseLimits
from services.library.parsing.parse import parse
from services.library.parsing.tables import sniff_delimiter

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONSHIPS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"


def workbook(sheets: Mapping[str, Sequence[Sequence[object]]]) -> bytes:
    """A workbook written by hand, with inline strings."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        overrides = "".join(
            f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="application/'
            'vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>'
            for n in range(1, len(sheets) + 1)
        )
        archive.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" ContentType="application/'
            'vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType='
            '"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
            f"{overrides}</Types>",
        )
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r" Target="xl/workbook.xml" '
            f'Type="{_RELATIONSHIPS}/officeDocument"/></Relationships>',
        )
        names = "".join(f'<sheet name="{s}" sheetId="{n}" r:id="r{n}"/>' for n, s in enumerate(sheets, 1))
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONSHIPS}"><sheets>{names}</sheets></workbook>',
        )
        targets = "".join(
            f'<Relationship Id="r{n}" Target="worksheets/sheet{n}.xml" Type="{_RELATIONSHIPS}/worksheet"/>'
            for n in range(1, len(sheets) + 1)
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{_PACKAGE}/relationships">{targets}</Relationships>',
        )
        for n, rows in enumerate(sheets.values(), 1):
            lines = "".join(f"<row>{''.join(_cell(value) for value in row)}</row>" for row in rows)
            archive.writestr(
                f"xl/worksheets/sheet{n}.xml",
                f'<worksheet xmlns="{_MAIN}"><sheetData>{lines}</sheetData></worksheet>',
            )
    return content.getvalue()


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return f'<c t="b"><v>{int(value)}</v></c>'
    if isinstance(value, str):
        return f'<c t="inlineStr"><is><t>{value}</t></is></c>' if value else "<c/>"
    return f"<c><v>{value}</v></c>"


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
    assert document.problems == ("2 of 5 rows have not the usual 3 cells; the first is row 3.",)


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
