"""The guided job's pieces."""

from __future__ import annotations

import io
import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from cli.demo.job import DemoJob
from cli.demo.next_steps import next_steps
from cli.demo.report import show_results
from cli.demo.tour import Done, counted
from cli.demo.watching import ProgressLine
from cli.errors import Refused
from cli.stack.datadir import DataDir


def test_without_files_it_is_the_sample_library() -> None:
    job = DemoJob.of(docs=None, data=None, prompt="")
    assert job.session_type == "research"
    assert len(job.documents) >= 15
    assert "carbon" in job.prompt
    assert job.dataset is None


def test_a_folder_gives_its_readable_documents(tmp_path: Path) -> None:
    for name in ("b.md", "a.PDF", "sub/c.docx", "works.bib", "image.png", "t.csv", ".hidden.md", ".git/d.md"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    job = DemoJob.of(docs=tmp_path, data=None, prompt="Mine?")
    assert [path.name for path in job.documents] == ["a.PDF", "b.md", "c.docx", "works.bib"]
    assert job.left_out == ("image.png", "t.csv")
    assert job.prompt == "Mine?"


def test_a_data_file_alone_is_an_analysis_and_beside_documents_research(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.touch()
    (tmp_path / "a.md").touch()
    assert DemoJob.of(docs=None, data=table, prompt="").session_type == "analysis"
    both = DemoJob.of(docs=tmp_path, data=table, prompt="")
    assert (both.session_type, both.dataset) == ("research", table)


def test_folders_without_documents_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="holds no documents"):
        DemoJob.of(docs=tmp_path, data=None, prompt="")


def test_a_report_shows_findings_with_the_quote_that_bears_them() -> None:
    text = io.StringIO()
    console = Console(file=text, width=200)
    results = {
        "results": {
            "title": "On [brackets]",
            "partial": True,
            "key_findings": [
                {"text": "The sea takes up carbon.", "citations": ["c1", "gone"], "confidence": 0.876},
                {"text": "Air does not.", "citations": ["c2"], "confidence": 0.5},
            ],
        },
        "summary": "It is [not markup].",
        "citations": [
            {
                "id": "c1",
                "title": "Seas",
                "year": 1999.0,
                "passages": [
                    {"quote": "Something else entirely.", "page": None},
                    {"quote": "The sea\ntakes up carbon.", "page": 3.0},
                ],
            },
            {"id": "c2", "title": "Airs", "year": None, "passages": [{"quote": "The air\ndoes not.", "page": None}]},
        ],
        "confidence_score": 0.5,
    }
    metrics = {"cost_breakdown": {"charged": "1.50", "held": "2.00", "currency": "FTNS"}, "execution_time": 7}
    show_results(console, results, metrics)
    shown = text.getvalue()
    for piece in (
        "On [brackets]",
        "Partial",
        "It is [not markup].",
        "1. The sea takes up carbon.  (confidence 0.88)",
        "   verbatim in Seas (1999), p. 3",
        "2. Air does not.  (confidence 0.50)",
        "   “The air does not.”\n   Airs\n",
        "Confidence 0.50   Cost 1.50 FTNS of 2.00 held",
    ):
        assert piece in shown


def test_without_a_terminal_each_stage_is_a_line() -> None:
    text = io.StringIO()
    with ProgressLine(Console(file=text, width=80)) as line:
        for status, stage, progress in (
            ("queued", "", 0),
            ("running", "plan", 1),
            ("running", "plan", 4),
            ("running", "read", 40),
            ("completed", "write", 100),
        ):
            line.show(status, stage, progress)
    assert text.getvalue().splitlines() == [
        "    0 %  queued",
        "    1 %  plan",
        "   40 %  read",
        "  100 %  completed",
    ]


def bodies(text: str) -> list[dict[str, Any]]:
    """The request bodies among printed commands, read as a shell reads them."""
    words = [shlex.split(line) for line in text.splitlines() if "curl" in line]
    return [json.loads(line[line.index("-d") + 1]) for line in words if "-d" in line]


def test_what_to_try_next_fits_what_was_done(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.touch()
    (tmp_path / "a.md").touch()
    inputs = {"datasets": [{"document_id": "d1"}]}
    steps = {
        name: next_steps(DataDir(tmp_path), "http://127.0.0.1:1", job, Done("s1", inputs, ""))
        for name, job in {
            "samples": DemoJob.of(docs=None, data=None, prompt=""),
            "docs": DemoJob.of(docs=tmp_path, data=None, prompt=""),
            "data": DemoJob.of(docs=None, data=table, prompt=""),
        }.items()
    }
    for text in steps.values():
        assert 'belongs to the user "demo"' in text
        assert f"token --data-dir {tmp_path} --user demo --ttl 1d)" in text
        assert "not written" not in text
    (asked,) = bodies(steps["data"])
    assert (asked["session_type"], asked["inputs"]) == ("analysis", inputs)
    (asked,) = bodies(steps["samples"])
    assert "carbon" in asked["prompt"]
    (asked,) = bodies(steps["docs"])
    assert "carbon" not in asked["prompt"]


def test_a_report_that_is_missing_can_be_fetched_later(tmp_path: Path) -> None:
    job = DemoJob.of(docs=None, data=None, prompt="")
    text = next_steps(DataDir(tmp_path), "http://127.0.0.1:1", job, Done("s1", {}, "it was not written"))
    assert "http://127.0.0.1:1/api/v1/sessions/s1/export?format=pdf" in text


def test_counts_agree_with_their_nouns() -> None:
    assert [counted(count, "data set") for count in (0, 1, 2)] == ["0 data sets", "1 data set", "2 data sets"]
