"""The files of the golden reports are built as those that were looked at."""

from __future__ import annotations

from functools import cache

import pytest

from services.results.rendering.composing.report import Report
from tests.support.golden_files import files
from tests.support.golden_reports import COMMAND, FOLDER, reports
from tests.support.report_documents import DOCUMENTS


@cache
def made() -> dict[str, Report]:
    return dict(reports())


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_files_are_built_as_those_that_were_looked_at(name: str) -> None:
    for ending, text in files(made()[name], DOCUMENTS[name][2]).items():
        kept = (FOLDER / f"{name}.{ending}").read_text(encoding="utf-8")
        assert text == kept, f"{name}.{ending} changed: if it is meant, run {COMMAND} and look at it"
