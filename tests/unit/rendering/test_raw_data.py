from __future__ import annotations

import csv
import hashlib
import io
import json
import subprocess
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import rispy
from bibtexparser.entrypoint import parse_string

from kit import results_schema
from services.results.rendering.document import ResultDocument
from services.results.rendering.packing import raw_data as raw
from services.results.rendering.packing.archives import Archive, pack
from services.results.rendering.packing.spreadsheets import csv_bytes, guarded
from services.results.rendering.render import ZIP, render
from services.results.rendering.rendition import Format, Rendition
from services.results.rendering.serializer import results_json
from tests.unit.rendering.sample import BOILS, metadata, raw_data, sample

NAME = "Pressure and the boiling point of water"


def _archive(format: Format = "markdown", source: dict[str, Any] | None = None) -> Rendition:
    return render(
        format,
        ResultDocument.parse(source or sample()),
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
    assert rendition.filename == f"{NAME}.zip"
    return zipfile.ZipFile(io.BytesIO(rendition.body))


def _table(archive: zipfile.ZipFile, path: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(archive.read(path).decode("utf-8-sig"))))


def test_everything_is_in_the_archive(archive: zipfile.ZipFile) -> None:
    assert archive.namelist() == [
        f"{NAME}.md",
        "results.json",
        "results.schema.json",
        "references.bib",
        "references.ris",
        "references.csl.json",
        "tables/table-t1.csv",
        "figures/figure-g1.vl.json",
        "figures/figure-g1.svg",
        "figures/figure-g1.png",
        "raw/passages.json",
        "raw/passages.csv",
        "raw/screening.json",
        "raw/screening.csv",
        "raw/decisions.json",
        "raw/usage.json",
        "raw/usage.csv",
        "README.txt",
        "manifest.json",
        "SHA256SUMS",
    ]
    for block in raw.RAW_BLOCKS:
        assert json.loads(archive.read(f"raw/{block}.json")) == raw_data()[block]
    assert json.loads(archive.read("figures/figure-g1.vl.json")) == sample()["figures"][0]["spec"]
    assert archive.read("figures/figure-g1.svg").startswith(b"<svg")
    assert archive.read("figures/figure-g1.png").startswith(b"\x89PNG")


@pytest.mark.parametrize("format", ["pdf", "docx"])
def test_every_document_comes_with_it(format: Format, archive: zipfile.ZipFile) -> None:
    other = zipfile.ZipFile(io.BytesIO(_archive(format).body))
    assert other.namelist() == [f"{NAME}.{format}", *archive.namelist()[1:]]
    assert other.read("raw/passages.csv") == archive.read("raw/passages.csv")


def test_the_results_lie_beside_their_schema(archive: zipfile.ZipFile) -> None:
    results = json.loads(archive.read("results.json"))
    plain = json.loads(results_json(ResultDocument.parse(sample()), metadata(), "sid"))
    assert results == plain | {"$schema": "results.schema.json", "schema_version": results_schema.SCHEMA_VERSION}
    schema = json.loads(archive.read(results["$schema"]))
    assert schema == results_schema.schema()
    jsonschema_rs.Draft202012Validator(schema).validate(results)


def test_references_are_there_for_three_kinds_of_programs(archive: zipfile.ZipFile) -> None:
    items = json.loads(archive.read("references.csl.json"))
    keys = [item["id"] for item in items]
    assert keys == ["marsh2014vapour", "tanaka2019boiling", "ruiz2003notes"]
    assert [item["custom"]["citation"] for item in items] == [item["id"] for item in sample()["citations"]]
    assert [entry.key for entry in parse_string(archive.read("references.bib").decode()).entries] == keys
    assert [record["id"] for record in rispy.loads(archive.read("references.ris").decode())] == keys


def test_passages_tell_where_they_stand() -> None:
    given = raw_data()
    given["passages"][0] |= {"citation": "k1", "page": 3, "sha256": "a" * 64}
    body = raw.archive(ResultDocument.parse(sample()), None, "sid", given, ("report.md", b""))
    head, first, second = _table(zipfile.ZipFile(io.BytesIO(body)), "raw/passages.csv")
    assert head == ["citation", "citation_key", "document_id", "page", "start", "end", "sha256", "quote", "score"]
    assert first == ["k1", "marsh2014vapour", "d-vapour", "3", "0", str(len(BOILS)), "a" * 64, BOILS, "11.25"]
    assert second[:2] == ["", ""]


def test_the_manifest_holds_true_sizes_and_checksums(archive: zipfile.ZipFile) -> None:
    listed = json.loads(archive.read("manifest.json"))["files"]
    assert [item["path"] for item in listed] == archive.namelist()[:-2]
    for item in listed:
        content = archive.read(item["path"])
        assert item["bytes"] == len(content)
        assert item["sha256"] == hashlib.sha256(content).hexdigest()


def test_sha256sum_accepts_the_checksums(archive: zipfile.ZipFile, tmp_path: Path) -> None:
    archive.extractall(tmp_path)
    command = ["sha256sum", "--check", "--strict", "SHA256SUMS"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert [line.rpartition(": ")[0] for line in done.stdout.splitlines()] == archive.namelist()[:-1]
    (tmp_path / "references.bib").write_text("other")
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 1


def test_the_readme_says_what_each_file_is(archive: zipfile.ZipFile) -> None:
    lines = archive.read("README.txt").decode().splitlines()
    assert lines[:2] == [NAME, "Session sid"]
    told = dict(line.split("  ", 1) for line in lines[3 : 3 + len(archive.namelist())])
    assert list(told) == archive.namelist()
    assert all(what.strip() for what in told.values())
    assert [told[path].strip() for path in ("tables/table-t1.csv", "figures/figure-g1.png")] == [
        f"Table 1 ({sample()['tables'][0]['title']}): its rows as in results.json.",
        f"Figure 1 ({sample()['figures'][0]['title']}): picture.",
    ]
    assert told["raw/usage.csv"].strip() == "What the work used and cost, item by item."


def test_an_analysis_comes_with_its_script() -> None:
    script = {"filename": "analysis.py", "media_type": "text/x-python", "text": "print('ä')\n"}
    source = sample() | {"reproduction": {"script": script, "steps": [], "seed": 1}}
    body = raw.archive(ResultDocument.parse(source), None, "sid", {}, ("report.md", b""))
    package = zipfile.ZipFile(io.BytesIO(body))
    assert package.read("analysis.py").decode() == script["text"]
    told = [line.split("  ", 1) for line in package.read("README.txt").decode().splitlines() if "  " in line]
    assert [what.strip() for name, what in told if name == "analysis.py"] == ["A program that repeats the analysis."]
    assert json.loads(package.read("raw/passages.json")) == []


def test_pictures_are_linked_as_files_of_the_archive(archive: zipfile.ZipFile) -> None:
    text = archive.read(f"{NAME}.md").decode()
    assert "](figures/figure-g1.png)" in text
    assert "data:image" not in text


def test_tables_keep_every_digit(archive: zipfile.ZipFile) -> None:
    rows = _table(archive, "tables/table-t1.csv")
    assert rows[0] == ["Altitude (m)", "Pressure (kPa)", "Remark"]
    assert [[int(row[0]), float(row[1]), row[2] or None] for row in rows[1:]] == sample()["tables"][0]["rows"]


def test_formulas_are_text_for_spreadsheets(archive: zipfile.ZipFile) -> None:
    rows = _table(archive, "raw/screening.csv")
    assert rows[0] == ["document_id", "title", "stage", "reason", "decision"]
    assert rows[2] == ["d-07", "", "", '\'=HYPERLINK("http://evil.example")', "excluded"]


def test_the_same_content_gives_the_same_archive() -> None:
    assert _archive() == _archive()


def test_large_blocks_are_not_held_a_second_time() -> None:
    passages = [
        {"citation": "k1", "document_id": f"d{index}", "start": index, "end": index + 400, "quote": "boiling " * 250}
        for index in range(4_000)
    ]
    written = sum(len(json.dumps(passage)) for passage in passages)
    tracemalloc.start()
    body = raw.archive(ResultDocument.parse({"title": "t"}), None, "sid", {"passages": passages}, ("t.md", b""))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < written / 4
    package = zipfile.ZipFile(io.BytesIO(body))
    assert json.loads(package.read("raw/passages.json")) == passages
    assert len(_table(package, "raw/passages.csv")) == 4_001


@pytest.mark.parametrize("path", ["", "/a", "../a", "a/../b", "a//b", "a\\b", "C:a", "a\nb", ".", "a/\u202eb"])
def test_no_file_leads_out_of_the_archive(path: str) -> None:
    with pytest.raises(ValueError, match="no path"):
        pack({path: b""})


def test_files_of_ids_that_differ_in_case_do_not_overwrite_each_other() -> None:
    source = sample()
    source["tables"] = [{"id": id, "columns": ["a"], "rows": []} for id in ("T", "t", "../t")]
    source["figures"] = [source["figures"][0] | {"id": id} for id in ("G", "g")]
    names = zipfile.ZipFile(io.BytesIO(_archive(source=source).body)).namelist()
    assert len({name.lower() for name in names}) == len(names)
    assert [name for name in names if name.endswith((".png", ".csv"))][:5] == [
        "tables/table-T.csv",
        "tables/table-t-2.csv",
        "tables/table-t-3.csv",
        "figures/figure-G.png",
        "figures/figure-g-2.png",
    ]


def test_no_file_is_there_twice() -> None:
    archive = Archive()
    archive.add("a", b"1")
    with pytest.raises(ValueError, match="already"):
        archive.add("a", [b"2"])


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
    assert guarded(text).startswith("'")
    assert guarded(text).replace("'", "") == text.replace("'", "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a;=cmd|' /C calc'!A0;b", "a;'=cmd|' /C calc'!A0;b"),
        ('a"; "@SUM(A1)', 'a"; "\'@SUM(A1)'),
        ("a\t+cmd", "a\t'+cmd"),
        ("r = 0.5; -0.3 to 0.9", "r = 0.5; -0.3 to 0.9"),
        ("one; - two", "one; - two"),
    ],
)
def test_a_cell_that_begins_behind_a_semicolon_does_not_run_either(text: str, expected: str) -> None:
    assert guarded(text) == expected


@pytest.mark.parametrize("text", ["plain", "-2.5", "+3", "-1e-5", "a=b", "", "it's", "2-1"])
def test_other_text_and_numbers_stay(text: str) -> None:
    assert guarded(text) == text


def test_csv_cells_by_type() -> None:
    written = csv_bytes(["a", "=b"], [[None, True], [-1.5, {"k": [1]}]])
    assert written == b'\xef\xbb\xbfa,\'=b\r\n,true\r\n-1.5,"{""k"":[1]}"\r\n'


def test_a_table_of_the_strongest_pairs_comes_with_all_of_them() -> None:
    coefficients = [0.1234567890123 + i for i in range(3)]
    pairs = [{"x": "a", "y": f"b{i}", "n": 9, "pearson": {"r": r, "p": None}} for i, r in enumerate(coefficients)]
    entry = {"kind": "correlation", "dataset": "d.csv", "table": "t9", "request": {}, "result": {"pairs": pairs}}
    table = {"id": "t9", "title": "Correlations: the 1 strongest of 3 pairs", "columns": ["x"], "rows": [["a"]]}
    package = zipfile.ZipFile(io.BytesIO(_archive(source={"title": "T", "tables": [table], "analysis": [entry]}).body))
    assert _table(package, "tables/table-t9.csv") == [["x"], ["a"]]
    head, *rows = _table(package, "tables/table-t9.pairs.csv")
    assert head == ["x", "y", "n", "pearson.r", "pearson.p"]
    assert [row[3] for row in rows] == [str(r) for r in coefficients]
    assert "all pairs of the task's result, with every digit." in package.read("README.txt").decode()
