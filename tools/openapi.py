"""The API's description as a file: to write it, to lint it, to compare it with the last release's.

python -m tools.openapi write FILE    # the description of the protos as they are
python -m tools.openapi lint          # with the linter from npm that deploy/checks/openapi pins
python -m tools.openapi compare       # fails on what breaks clients of the release in docs/api
python -m tools.openapi release       # makes the description of now that of the release
"""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2

from gateway.openapi import served
from gateway.openapi.pages import OPENAPI_PATH
from tools import openapi_lint
from tools.codegen import GEN, PROTO, ROOT
from tools.openapi_diff import breaks

DESCRIPTORS = GEN / "descriptors.binpb"
RELEASE = ROOT / "docs" / "api"
RELEASED_DOCUMENT = RELEASE / "openapi.json"
RELEASED_CONTRACT = RELEASE / "contract.binpb.gz"


def written() -> bytes:
    """The description as it is served."""
    return served(DESCRIPTORS.read_bytes())[OPENAPI_PATH][1]


def contract_breaks(descriptors: Path, against: Path = RELEASED_CONTRACT) -> list[str]:
    """What `buf breaking` finds in a descriptor set, by the rules of `proto/buf.yaml`."""
    buf = str(Path(sys.executable).with_name("buf"))
    arguments = ["breaking", str(descriptors), "--against", str(against), "--config", str(PROTO / "buf.yaml")]
    done = subprocess.run([buf, *arguments], capture_output=True, text=True, timeout=120)
    if done.returncode not in (0, 100):
        raise RuntimeError(f"buf breaking: {done.stderr}")
    return done.stdout.splitlines()


def document_breaks(new: dict[str, Any]) -> list[str]:
    """What a description breaks for clients of the release."""
    return breaks(json.loads(RELEASED_DOCUMENT.read_bytes()), new)


def compare() -> int:
    """0 when clients of the release can go on."""
    found = [*document_breaks(json.loads(written())), *contract_breaks(DESCRIPTORS)]
    for line in found:
        print(line)
    return 1 if found else 0


def release() -> int:
    """Write the description, and the contract without its comments, as the release's."""
    RELEASE.mkdir(parents=True, exist_ok=True)
    RELEASED_DOCUMENT.write_bytes(written() + b"\n")
    files = descriptor_pb2.FileDescriptorSet.FromString(DESCRIPTORS.read_bytes())
    for file in files.file:
        file.ClearField("source_code_info")
    RELEASED_CONTRACT.write_bytes(gzip.compress(files.SerializeToString(deterministic=True), 9, mtime=0))
    return 0


def main() -> int:
    match sys.argv[1:]:
        case ["write", target]:
            Path(target).write_bytes(written())
            return 0
        case ["lint"]:
            return openapi_lint.main(written())
        case ["compare"]:
            return compare()
        case ["release"]:
            return release()
        case _:
            print(__doc__, file=sys.stderr)
            return 2


if __name__ == "__main__":
    sys.exit(main())
