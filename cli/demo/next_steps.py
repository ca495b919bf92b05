"""What to try after the guided job."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import Any

from cli.demo.job import DemoJob
from cli.demo.tour import DEMO_USER, Done
from cli.stack.datadir import DataDir

_SAMPLE_QUESTION = "How does sea water store carbon dioxide?"
_DOCS_QUESTION = "Which methods do these documents describe, and what limits do they name?"
_DATA_QUESTION = "Which values stand out, and how are the variables distributed?"


def show_next_steps(data: DataDir, url: str, job: DemoJob, done: Done) -> None:
    """Commands that work as they are printed, in this order."""
    sys.stdout.write(next_steps(data, url, job, done))
    sys.stdout.flush()


def next_steps(data: DataDir, url: str, job: DemoJob, done: Done) -> str:
    """Commands for another terminal that fit what was done."""
    api = f"{url}/api/v1"
    folder = shlex.quote(str(data.root.resolve()))
    curl = "curl -s -w '\\n' -H \"Authorization: Bearer $TOKEN\""
    subject, body = _question(job, done)
    lines = [
        "",
        f'The platform is up at {url} until Ctrl-C. This session belongs to the user "{DEMO_USER}". What to try next,',
        "in another terminal:",
        "",
        f"  # a token of {DEMO_USER}, good for a day",
        f"  TOKEN=$({_program()} token --data-dir {folder} --user {DEMO_USER} --ttl 1d)",
        "",
        "  # the session just done, with its status, cost and usage",
        f"  {curl} {api}/sessions/{done.session_id}",
        "",
        "  # its history: what was done and decided, and why",
        f"  {curl} {api}/sessions/{done.session_id}/history",
        "",
        f"  # another question to {subject}",
        f"  {curl} -H 'Content-Type: application/json' -d {shlex.quote(json.dumps(body))} {api}/sessions",
        "",
    ]
    if done.problem:
        report = f"'{api}/sessions/{done.session_id}/export?format=pdf' -o report.pdf"
        lines += ["  # the report that was not written", f"  {curl} {report}", ""]
    lines += [
        "  # your own files",
        f"  {_program()} demo --data-dir {folder} --docs FOLDER --prompt 'Your question'",
        f"  {_program()} demo --data-dir {folder} --data FILE.csv",
        "",
    ]
    return "\n".join(lines)


def _question(job: DemoJob, done: Done) -> tuple[str, dict[str, Any]]:
    """What the next question is put to, and the body that asks it."""
    if job.session_type == "analysis":
        return "the same data", {"prompt": _DATA_QUESTION, "session_type": "analysis", "inputs": done.inputs}
    prompt = _SAMPLE_QUESTION if job.on_samples else _DOCS_QUESTION
    body = {"prompt": prompt, "preferences": {"depth": "quick"}}
    return f"the library of {DEMO_USER}", body


def _program() -> str:
    beside = Path(sys.executable).parent / "prsm"
    return shlex.quote(str(beside)) if beside.exists() else f"{shlex.quote(sys.executable)} -m cli.main"
