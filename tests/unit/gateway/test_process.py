"""The gateway as a process: its exit codes, and what it must not import."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

import pytest

from tests.support.things.compile import Compiled
from tests.support.things.stack import RULES, Keys

# Not needed behind an HTTP socket; each costs start-up time and memory.
UNWANTED = ("google.protobuf", "sqlalchemy", "numpy", "scipy", "nats", "protovalidate")


async def run_module(*arguments: str, **changes: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        env={**os.environ, **changes},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


def environment(compiled: Compiled, keys: Keys) -> dict[str, str]:
    return {
        "PRSM_GATEWAY_LISTEN": "127.0.0.1:0",
        "PRSM_GATEWAY_DESCRIPTORS": str(compiled.descriptors),
        "PRSM_GATEWAY_BACKENDS": '{"edge":"127.0.0.1:1"}',
        "PRSM_GATEWAY_USER_ISSUER": RULES.issuer,
        "PRSM_GATEWAY_USER_AUDIENCE": RULES.audience,
        "PRSM_GATEWAY_USER_JWKS": str(keys.jwks),
    }


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_with_0(compiled: Compiled, keys: Keys, number: signal.Signals) -> None:
    process = await run_module("-m", "gateway", **environment(compiled, keys))
    assert process.stderr is not None
    while b"listening" not in (line := await process.stderr.readline()):
        assert line, "the gateway ended before it listened"
    process.send_signal(number)
    _, errors = await process.communicate()
    assert (process.returncode, b"Traceback" in errors) == (0, False)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"PRSM_GATEWAY_USER_ISSUER": ""}, b"PRSM_GATEWAY_USER_ISSUER: "),
        ({"PRSM_GATEWAY_RATE_LIMIT": "-1"}, b"PRSM_GATEWAY_RATE_LIMIT: "),
        ({"PRSM_GATEWAY_BACKENDS": "{}"}, b"no backend is set for edge"),
        ({"PRSM_GATEWAY_BACKENDS": "{"}, b"backends"),
        ({"PRSM_GATEWAY_LISTEN": "nowhere"}, b"listen"),
        ({"PRSM_GATEWAY_LOG_LEVEL": "loud"}, b"log_level"),
        ({"PRSM_GATEWAY_DESCRIPTORS": "/nonexistent"}, b"/nonexistent"),
    ],
)
async def test_bad_settings_are_one_clear_line(
    compiled: Compiled, keys: Keys, changes: dict[str, str], words: bytes
) -> None:
    process = await run_module("-m", "gateway", **{**environment(compiled, keys), **changes})
    _, errors = await process.communicate()
    assert process.returncode == 2
    assert words in errors
    assert errors.count(b"\n") == 1


async def test_it_imports_only_what_it_needs() -> None:
    code = f"import gateway.__main__, sys; print([m for m in {UNWANTED!r} if m in sys.modules])"
    process = await run_module("-c", code)
    output, errors = await process.communicate()
    assert (output, errors) == (b"[]\n", b"")
