from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile

import pytest

from services.results.rendering.document import ResultDocument
from services.results.rendering.raw_data import csv_bytes, guarded
from services.results.rendering.render import ZIP, render
from services.results.rendering.rendition import Rendition
from services.results.rendering.serializer import results_json
from tests.unit.rendering.sample import metadata, raw_data, sample


def _archive() -> Rendition:
    return render(
        "markdown",
        ResultDocument.parse(sample()),
        metadata(),
        session_id="sid",
        citation_style="apa",
        language="en",
        raw_data=raw_data(),
    )


@pytest.fixture(scope="module")
def archive() -> zipfile.ZipFile:
    rendition = _archive()
    assert rendition.media_type == ZIP
    assert rendition.filename == "Pressure and the boiling point of water.zip"
    return zipfile.ZipFile(io.BytesIO(rendition.body))


def test_everything_is_in_the_archive(archive: zipfile.ZipFile) -> None:
    assert archive.namelist() == [
        "Pressure and the boiling point of water.md",
        "results.json",
        "references.csl.json",
        "tables/table-t1.csv",
        "figures/figure-g1.vl.json",
        "figures/figure-g1.png",
        "raw/passages.json",
        "raw/screening.json",
        "raw/screening.csv",
        "raw/decisions.json",
        "raw/usage.json",
        "manifest.json",
    ]
    assert archive.read("results.json") == results_json(ResultDocument.parse(sample()), metadata(), "sid")
    assert json.loads(archive.read("raw/passages.json")) == raw_data()["passages"]
    assert json.loads(archive.read("figures/figure-g1.vl.json")) == sample()["figures"][0]["spec"]
    assert json.loads(archive.read("references.csl.json"))[0] == sample()["citations"][0]["csl"]


def test_the_manifest_holds_true_checksums(archive: zipfile.ZipFile) -> None:
    listed = json.loads(archive.read("manifest.json"))["files"]
    assert [item["path"] for item in listed] == archive.namelist()[:-1]
    for item in listed:
        content = archive.read(item["path"])
        assert item["bytes"] == len(content)
        assert item["sha256"] == hashlib.sha256(content).hexdigest()


def test_pictures_are_linked_as_files_of_the_archive(archive: zipfile.ZipFile) -> None:
    text = archive.read("Pressure and the boiling point of water.md").decode()
    assert "](figures/figure-g1.png)" in text
    assert "data:image" not in text


def test_tables_keep_every_digit(archive: zipfile.ZipFile) -> None:
    rows = list(csv.reader(io.StringIO(archive.read("tables/table-t1.csv").decode())))
    assert rows[0] == ["Altitude (m)", "Pressure (kPa)", "Remark"]
    assert [[int(row[0]), float(row[1]), row[2] or None] for row in rows[1:]] == sample()["tables"][0]["rows"]


def test_formulas_are_text_for_spreadsheets(archive: zipfile.ZipFile) -> None:
    rows = list(csv.reader(io.StringIO(archive.read("raw/screening.csv").decode())))
    assert rows[2] == ["d-07", "excluded", '\'=HYPERLINK("http://evil.example")']


def test_the_same_content_gives_the_same_archive() -> None:
    assert _archive() == _archive()


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+cmd|' /C calc'!A0",
        "-2+3",
        "@SUM(A1)",
        " =1",
        "\t=1",
        "\r=1",
        "\n1",
        "＝1",
        "|calc",
        "%0A",
        "\ufeff=1",
    ],
)
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(text: str) -> None:
    assert guarded(text) == "'" + text


@pytest.mark.parametrize("text", ["plain", "-2.5", "+3", "-1e-5", "a=b", "", "it's", "2-1"])
def test_other_text_and_numbers_stay(text: str) -> None:
    assert guarded(text) == text


def test_csv_cells_by_type() -> None:
    assert csv_bytes(["a", "=b"], [[None, True], [-1.5, {"k": [1]}]]) == b'a,\'=b\r\n,true\r\n-1.5,"{""k"":[1]}"\r\n'
