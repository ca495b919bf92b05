"""The gateway as a process: its exit codes, and what it must not import."""

from __future__ import annotations

import asyncio
import json
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


BAD_SETTINGS = [
    ("PRSM_GATEWAY_USER_ISSUER", "", "PRSM_GATEWAY_USER_ISSUER: "),
    ("PRSM_GATEWAY_RATE_LIMIT", "-1", "PRSM_GATEWAY_RATE_LIMIT: "),
    ("PRSM_GATEWAY_BACKENDS", "{}", "no backend is set for edge"),
    ("PRSM_GATEWAY_BACKENDS", "{", "backends"),
    ("PRSM_GATEWAY_LISTEN", "nowhere", "listen"),
    ("PRSM_GATEWAY_LOG_LEVEL", "loud", "log_level"),
    ("PRSM_GATEWAY_DESCRIPTORS", "/nonexistent", "/nonexistent"),
]
# All of them are processes of their own, but what they load is loaded once.
EACH = """
import json, os, runpy, sys, tempfile
import gateway.app, gateway.__main__
del sys.modules["gateway.__main__"]
told = []
for name, value in json.loads(sys.argv[1]):
    with tempfile.TemporaryFile() as errors:
        if not (pid := os.fork()):
            os.dup2(errors.fileno(), 2)
            os.environ[name] = value
            runpy.run_module("gateway", run_name="__main__", alter_sys=True)
            sys.exit()
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        errors.seek(0)
        told.append((code, errors.read().decode()))
print(json.dumps(told))
"""


async def test_bad_settings_are_one_clear_line(compiled: Compiled, keys: Keys) -> None:
    changes = json.dumps([(name, value) for name, value, _ in BAD_SETTINGS])
    process = await run_module("-c", EACH, changes, **environment(compiled, keys))
    output, _ = await process.communicate()
    for (name, value, words), (code, errors) in zip(BAD_SETTINGS, json.loads(output), strict=True):
        assert (code, errors.count("\n")) == (2, 1), (name, value, errors)
        assert words in errors, (name, value)


async def test_it_imports_only_what_it_needs() -> None:
    code = f"import gateway.__main__, sys; print([m for m in {UNWANTED!r} if m in sys.modules])"
    process = await run_module("-c", code)
    output, errors = await process.communicate()
    assert (output, errors) == (b"[]\n", b"")
