"""What to try after the guided job."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from cli.demo.tour import DEMO_USER
from cli.stack.datadir import DataDir
from cli.tokens import mint

_TOKEN_SECONDS = 24 * 3600


def show_next_steps(data: DataDir, url: str, session_id: str) -> None:
    """Commands that work as they are printed."""
    token = mint(data, DEMO_USER, name="Demo", email="demo@example.org", ttl=_TOKEN_SECONDS)
    curl = f"curl -s -w '\\n' -H 'Authorization: Bearer {token}'"
    body = '{"prompt": "How does the ocean take up carbon dioxide?", "preferences": {"depth": "quick"}}'
    lines = (
        "",
        f"The platform is up at {url} until Ctrl-C. What to try next, in another terminal (the token lives a day):",
        "",
        "  # the session just done, with its status, cost and usage",
        f"  {curl} {url}/api/v1/sessions/{session_id}",
        "",
        "  # its history: what was searched, kept and left out, and why",
        f"  {curl} {url}/api/v1/sessions/{session_id}/history",
        "",
        "  # a question of your own to the same library",
        f"  {curl} -H 'Content-Type: application/json' -d '{body}' {url}/api/v1/sessions",
        "",
        "  # your own files",
        f"  {_program()} demo --data-dir {shlex.quote(str(data.root))} --docs FOLDER --prompt 'Your question'",
        "",
    )
    sys.stdout.write("\n".join(lines))
    sys.stdout.flush()


def _program() -> str:
    beside = Path(sys.executable).parent / "prsm"
    return shlex.quote(str(beside)) if beside.exists() else "prsm"
