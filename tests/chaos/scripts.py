"""What sessions of a rehearsal ask for, by the way they are meant to go."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from typing import Any

from tests.chaos.engine import NAME

PARKED = "parked"
"""An engine that no worker offers: its sessions stay queued until they are cancelled."""
QUOTA = 12
_TYPES = ["research", "analysis", "synthesis"]
SETTINGS: Mapping[str, str] = {
    "PRSM_SESSION_ENGINES": json.dumps({name: {"types": _TYPES} for name in (NAME, PARKED)}),
    "PRSM_BILLING_PRICES": json.dumps({"passage_read": "0.05"}),
    "PRSM_BILLING_SESSION_QUOTA": str(QUOTA),
}
"""What the parts must be told so that these sessions can be had, balances run out and quotas are reached."""
GRANT = "1000.00"
"""What accounts must start with, for the same."""
_PASSAGES = 240
"""The most that a quick research session is held for; a script that stays below pays for all it uses."""
_NAMES = ("gather", "read", "compare", "write")


def _stage(name: str, seconds: float, **use: int) -> dict[str, Any]:
    return {"name": name, "seconds": round(seconds, 2), "use": use}


def research(prompt: str, analysis: Mapping[str, Any], **preferences: Any) -> dict[str, Any]:
    """On a text of its own."""
    documents = [{"title": "A text", "text": "Salt comes to the sea with rivers."}]
    return {**_body(prompt, analysis, preferences), "inputs": {"documents": documents}}


def _analysis(prompt: str, analysis: Mapping[str, Any], **preferences: Any) -> dict[str, Any]:
    """Of a small table."""
    datasets = [{"name": "table.csv", "csv": "x,y\n1,2\n2,4\n3,7\n"}]
    return {**_body(prompt, analysis, preferences), "session_type": "analysis", "inputs": {"datasets": datasets}}


def _body(prompt: str, analysis: Mapping[str, Any], preferences: Mapping[str, Any]) -> dict[str, Any]:
    wanted = {"engine": NAME, "depth": "quick", "analysis": dict(analysis), **preferences}
    return {"prompt": prompt, "preferences": wanted, "metadata": {"rehearsal": True}}


def plain(prompt: str, rng: random.Random, *, pace: float = 1.0, **traits: Any) -> dict[str, Any]:
    """Two to four stages of up to `pace` seconds each, which the hold pays for."""
    names = _NAMES[-rng.randint(2, len(_NAMES)) :]
    tabular = rng.random() < 0.25
    stages = []
    for name in names:
        use = {"row_read": rng.randint(0, 2000)} if tabular else {"passage_read": rng.randint(0, _PASSAGES // 8)}
        stages.append(_stage(name, rng.uniform(0.1, pace), **use))
    return (_analysis if tabular else research)(prompt, {"stages": stages, **traits})


def poison(prompt: str) -> dict[str, Any]:
    """Its worker dies at the second stage, each time."""
    stages = [_stage("gather", 0.3, passage_read=10), _stage("read", 0.3, passage_read=10)]
    return research(prompt, {"stages": stages, "poison": "read"})


def overrun(prompt: str, *, stubborn: bool) -> dict[str, Any]:
    """Needs more than the minute that it may run: it writes up in time, or is timed out where it takes no notice."""
    stages = [_stage("gather", 1.0, passage_read=20), _stage("read", 120.0, passage_read=40), _stage("write", 0.5)]
    return research(prompt, {"stages": stages, "stubborn": stubborn}, time_limit_minutes=1)


def overspend(prompt: str, rng: random.Random, on_limit: str) -> dict[str, Any]:
    """Needs more than its budget."""
    stages = [
        _stage("gather", rng.uniform(0.5, 2.0), passage_read=6),
        _stage("read", rng.uniform(1.0, 4.0), passage_read=60),
        _stage("write", 0.5, passage_read=2),
    ]
    return {**research(prompt, {"stages": stages}), "budget": {"limit": "2.50", "on_limit": on_limit}}


def parked(prompt: str) -> dict[str, Any]:
    """Nobody will work on it."""
    documents = [{"title": "A text", "text": "Nobody reads it."}]
    return {
        "prompt": prompt,
        "preferences": {"engine": PARKED, "depth": "quick"},
        "inputs": {"documents": documents},
    }


def dear(prompt: str) -> dict[str, Any]:
    """Parked, and held for nearly all that a new account has."""
    body = parked(prompt)
    return {**body, "preferences": {"engine": PARKED, "depth": "deep", "max_documents": 400}}


def invalid(prompt: str) -> dict[str, Any]:
    """Refused whatever happens."""
    return {"prompt": prompt, "session_type": "divination"}
