"""An SQLite file has one process."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from kit.auth.keys import create_key
from kit.db.sole import InUse, SoleUse
from services.billing.settings import BillingSettings


def test_a_second_one_is_turned_away_until_the_first_has_ended(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a.db'}"
    first = SoleUse(url)
    with pytest.raises(InUse, match=r"a\.db is in use by another process"):
        SoleUse(url)
    SoleUse(f"sqlite:///{tmp_path / 'b.db'}").release()
    first.release()
    SoleUse(url).release()


def test_servers_may_have_as_many_as_they_like(tmp_path: Path) -> None:
    url = "postgresql://user@host/name"
    both = SoleUse(url), SoleUse(url)
    for each in both:
        each.release()
    assert list(tmp_path.iterdir()) == []


async def test_a_second_process_says_so_and_ends(tmp_path: Path) -> None:
    create_key(tmp_path / "key", "billing")
    given = {name: "x" for name, field in BillingSettings.model_fields.items() if field.is_required()}
    given |= {
        "listen": "127.0.0.1:0",
        "nats_url": "nats://127.0.0.1:1",
        "internal_key": str(tmp_path / "key"),
        "database_url": f"sqlite:///{tmp_path / 'a.db'}",
    }
    held = SoleUse(given["database_url"])
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.billing",
        env={**os.environ, **{f"PRSM_BILLING_{name.upper()}": value for name, value in given.items()}},
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, errors = await process.communicate()
    held.release()
    assert process.returncode == 2
    assert errors.decode().startswith("PRSM_BILLING_DATABASE_URL: ")
    assert errors.count(b"\n") == 1
