"""The linter from npm over the API's description, and over descriptions with a fault each that it has to find."""

from __future__ import annotations

import copy
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from tools.codegen import ROOT

JSON = Any

PINNED: Final = ROOT / "deploy" / "checks" / "openapi"
BUILD: Final = ROOT / "build" / "openapi"
_FILES: Final = ("package.json", "package-lock.json", "redocly.yaml")
_SESSIONS: Final = "/api/v1/sessions"


def _create(of: JSON) -> JSON:
    return of["paths"][_SESSIONS]["post"]


SEEDS: Final[Mapping[str, Callable[[JSON], object]]] = {
    "no-unresolved-refs": lambda of: of["components"]["schemas"].pop("SessionStatus"),
    "operation-operationId": lambda of: _create(of).pop("operationId"),
    "operation-operationId-unique": lambda of: _create(of).update(operationId="listSessions"),
    "operation-summary": lambda of: _create(of).pop("summary"),
    "operation-description": lambda of: _create(of).pop("description"),
    "security-defined": lambda of: of.update(security=[{"somethingElse": []}]),
    "info-license": lambda of: of["info"].pop("license"),
    "path-parameters-defined": lambda of: of["paths"][f"{_SESSIONS}/{{session_id}}"]["get"].pop("parameters"),
    "no-unused-components": lambda of: of["components"]["schemas"].update(Nobody={"type": "object"}),
    "no-enum-type-mismatch": lambda of: of["components"]["schemas"]["SessionStatus"]["enum"].append(7),
    "no-invalid-media-type-examples": lambda of: _create(of)["requestBody"]["content"]["application/json"].update(
        examples={"bad": {"value": {"prompt": 7}}}
    ),
    "rule/every-operation-with-a-token-says-how-it-fails": lambda of: _create(of)["responses"].pop("401"),
    "struct": lambda of: of.pop("info"),
}
"""By the rule that has to find it: what to do to a good description."""


class NoNode(Exception):
    """There is no Node, or no linter to run with it; the message says what helps."""


def lint(document: bytes) -> list[str]:
    """What the linter finds in the description, or fails to find in one with a known fault. Raises NoNode."""
    linter = _Linter()
    (BUILD / "openapi.json").write_bytes(document)
    found = [f"{rule}: {where}" for rule, where in linter.problems(["openapi.json"]).get("openapi.json", ())]
    seeded = []
    for number, change in enumerate(SEEDS.values()):
        changed = copy.deepcopy(json.loads(document))
        change(changed)
        seeded.append(f"seed-{number}.json")
        (BUILD / seeded[-1]).write_text(json.dumps(changed))
    problems = linter.problems(seeded)
    for name, rule in zip(seeded, SEEDS, strict=True):
        if rule not in {known for known, _ in problems.get(name, ())}:
            found.append(f"the linter does not find a seeded fault: {rule}")
    return found


class _Linter:
    """Installed from the lock into `build/` when it is not there yet."""

    def __init__(self) -> None:
        npm = _node("npm")
        self._npx = _node("npx")
        self._environment = {
            **os.environ,
            "PATH": os.pathsep.join((str(npm.parent), os.environ.get("PATH", ""))),
            "REDOCLY_TELEMETRY": "off",
            "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true",
        }
        BUILD.mkdir(parents=True, exist_ok=True)
        for name in _FILES:
            shutil.copyfile(PINNED / name, BUILD / name)
        lock = (PINNED / "package-lock.json").read_bytes()
        stamp = BUILD / "node_modules" / ".lock"
        if not stamp.exists() or stamp.read_bytes() != lock:
            install = [str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
            done = subprocess.run(install, cwd=BUILD, env=self._environment, timeout=300, check=False)
            if done.returncode:
                raise NoNode(
                    "npm could not fetch the linter; behind a proxy, NODE_EXTRA_CA_CERTS names its authorities"
                )
            stamp.write_bytes(lock)

    def problems(self, names: list[str]) -> dict[str, list[tuple[str, str]]]:
        """(rule, where) of every error and warning, by file. A warning is a fault: redocly.yaml says what is none."""
        command = [str(self._npx), "--no-install", "redocly", "lint", "--format=json", "--max-problems=1000", *names]
        done = subprocess.run(command, cwd=BUILD, env=self._environment, capture_output=True, text=True, timeout=300)
        if not done.stdout.lstrip().startswith("{"):
            raise RuntimeError(f"the linter failed: {done.stderr}")
        found: dict[str, list[tuple[str, str]]] = {}
        for problem in _all_problems(done.stdout):
            place = problem["location"][0]
            where = f"{place.get('pointer', '')}: {problem['message']}"
            found.setdefault(Path(place["source"]["ref"]).name, []).append((problem["ruleId"], where))
        return found


def _all_problems(text: str) -> Iterator[JSON]:
    """Of one report a file, one after the other."""
    decoder = json.JSONDecoder()
    while text := text.lstrip():
        report, end = decoder.raw_decode(text)
        yield from report["problems"]
        text = text[end:]


def _node(name: str) -> Path:
    own = ROOT / ".venv-deploy" / "bin" / name
    found = own if own.exists() else Path(shutil.which(name) or "")
    if not found.name:
        raise NoNode(f"{name} is needed for the linter: install Node, or the tools of requirements-deploy.lock")
    return found


def main(document: bytes) -> int:
    """Print what is found; 0 when that is nothing."""
    try:
        found = lint(document)
    except NoNode as error:
        print(error, file=sys.stderr)
        return 2
    for line in found or ["The description of the API is clean, and every seeded fault is found."]:
        print(line)
    return 1 if found else 0
