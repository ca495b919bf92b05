"""A bill of materials in CycloneDX JSON: what a lock lists, as it is installed.

    python sbom.py NAME LOCK PYTHON > NAME.cdx.json

PYTHON is the interpreter of an environment that has at least what the lock lists; more is left out, so that one
development environment can tell of every image. Needs cyclonedx-bom beside its own interpreter.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

_ENTRY = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;\\]+)", flags=re.MULTILINE)


class NotInstalled(Exception):
    """The environment lacks something that the lock lists, or has another version of it."""


def canonical(name: str) -> str:
    """A distribution's name as the index compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def listed(lock: str) -> dict[str, str]:
    """Versions by canonical name."""
    return {canonical(match[1]): match[2] for match in _ENTRY.finditer(lock)}


def describe(python: Path) -> dict[str, Any]:
    """All that is installed beside an interpreter; the same for the same environment."""
    tool = [sys.executable, "-P", "-m", "cyclonedx_py", "environment", "--output-reproducible", "--of", "JSON"]
    done = subprocess.run([*tool, str(python)], check=False, capture_output=True, timeout=300)
    if done.returncode:
        raise NotInstalled(f"{python} cannot be described: {done.stderr.decode()[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def select(bom: dict[str, Any], name: str, wanted: dict[str, str]) -> dict[str, Any]:
    """The bill of what is wanted alone, with the image as its subject. Raises NotInstalled."""
    components = {canonical(c["name"]): c for c in bom["components"]}
    wrong = sorted(n for n, version in wanted.items() if components.get(n, {}).get("version") != version)
    if wrong:
        raise NotInstalled(f"{name}: not installed as locked: {', '.join(wrong)}")
    kept = [components[n] for n in sorted(wanted)]
    references = {component["bom-ref"] for component in kept}
    subject = f"prsm-{name}"
    edges = [
        {"ref": edge["ref"], "dependsOn": sorted(set(edge.get("dependsOn", ())) & references)}
        for edge in bom.get("dependencies", ())
        if edge["ref"] in references
    ]
    return {
        **{key: value for key, value in bom.items() if key in ("$schema", "bomFormat", "specVersion", "version")},
        "metadata": {"component": {"type": "container", "bom-ref": subject, "name": subject}},
        "components": kept,
        "dependencies": [{"ref": subject, "dependsOn": sorted(references)}, *sorted(edges, key=lambda e: e["ref"])],
    }


def main(name: str, lock: str, python: str) -> None:
    try:
        chosen = select(describe(Path(python)), name, listed(Path(lock).read_text()))
    except NotInstalled as error:
        sys.exit(str(error))
    sys.stdout.write(json.dumps(chosen, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:4])
