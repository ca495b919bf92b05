"""The script and the steps of an analysis: whole in JSON and archive, short in a reader's report."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from typing import Any

import pytest

from services.results.rendering.composing.reproducing import files
from services.results.rendering.document import ResultDocument
from services.results.rendering.render import render
from services.results.rendering.serializer import export_json
from tests.unit.rendering.sample import metadata, raw_data, sample

SCRIPT = "# the whole script\nprint('repeated')\n"


def reproduction(filename: str = "analysis.py") -> dict[str, Any]:
    steps = [{"n": 1, "what": "read", "dataset": "farms.csv", "parameters": {}, "rows_in": 1201, "rows_out": 1200}]
    steps += [{"n": 2, "what": "describe (asked for)", "dataset": "farms.csv", "rows_in": 1200, "rows_out": 1200}]
    return {
        "steps": steps,
        "seed": 7,
        "versions": {"numpy": "2.0", "scipy": "1.17"},
        "data": [{"name": "farms.csv", "sha256": "ab" * 32, "rows": 1200, "columns": 7}],
        "script": {"filename": filename, "media_type": "text/x-python", "text": SCRIPT},
    }


def document(**changed: Any) -> ResultDocument:
    return ResultDocument.parse({**sample(), "reproduction": reproduction(), **changed})


def test_the_json_export_has_all_of_it() -> None:
    exported = json.loads(export_json(document(), metadata(), "sid"))
    assert exported["results"]["reproduction"] == reproduction()


def test_the_archive_has_the_script_and_the_steps() -> None:
    rendition = render(
        "markdown", document(), metadata(), session_id="sid", citation_style="apa", language="en", raw_data=raw_data()
    )
    archive = zipfile.ZipFile(io.BytesIO(rendition.body))
    assert archive.read("analysis.py").decode() == SCRIPT
    steps = json.loads(archive.read("steps.json"))
    assert steps == {key: value for key, value in reproduction().items() if key != "script"}
    listed = {file["path"]: file["sha256"] for file in json.loads(archive.read("manifest.json"))["files"]}
    assert listed["analysis.py"] == hashlib.sha256(SCRIPT.encode()).hexdigest()


@pytest.mark.parametrize(
    ("language", "heading"), [("en", "Reproducing this analysis"), ("de", "Diese Analyse wiederholen")]
)
def test_the_report_has_a_short_section(language: str, heading: str) -> None:
    rendition = render("markdown", document(), None, session_id="sid", citation_style="apa", language=language)
    text = rendition.body.decode()
    section = text[text.index(heading) :]
    for told in ("analysis.py", "farms.csv", "ab" * 32, "describe (asked for)", "numpy 2.0, scipy 1.17"):
        assert told.replace("_", "\\_") in section
    assert "1201 → 1200" in section
    assert SCRIPT.splitlines()[0].removeprefix("# ") not in text


@pytest.mark.parametrize("filename", ["../analysis.py", "/etc/passwd", "a b.py", "results.json", "", "analysis.py\n"])
def test_a_script_is_only_ever_a_plain_file_of_the_archive(filename: str) -> None:
    assert files(document(reproduction=reproduction(filename))) == {}


@pytest.mark.parametrize("other", [{"note": "as you like"}, ["steps"], "by hand", {"script": "text"}, None])
def test_a_block_of_another_shape_is_no_fault(other: Any) -> None:
    made = document(reproduction=other)
    assert files(made) == {}
    assert render("markdown", made, None, session_id="sid", citation_style="apa", language="en").body
