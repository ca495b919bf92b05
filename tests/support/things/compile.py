"""Compiles the test's own proto into a directory: a descriptor set with the product's error reasons, and pb2 code."""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc_tools
from google.api import http_pb2
from grpc_tools import protoc

HERE = Path(__file__).parent
PROTO = Path(__file__).resolve().parents[3] / "proto"
THINGS = "edge/v1/things.proto"
REASONS = "prsm/errors/v1/errors.proto"


@dataclass(frozen=True)
class Compiled:
    """Where the descriptor set lies, and the pb2 module of the test's proto."""

    descriptors: Path
    pb2: Any


def compile_things(out: Path) -> Compiled:
    """Run protoc into the empty directory `out`. Raises RuntimeError when protoc refuses."""
    site = Path(http_pb2.__file__).parents[2]
    well_known = Path(grpc_tools.__file__).with_name("_proto")
    includes = [f"-I{root}" for root in (HERE, PROTO, site, well_known)]
    descriptors = out / "descriptors.binpb"
    whole = ["--include_imports", f"--descriptor_set_out={descriptors}", THINGS, REASONS]
    for options in (whole, [f"--python_out={out}", THINGS]):
        if protoc.main(["protoc", *includes, *options]):
            raise RuntimeError("protoc refused the test's proto")
    sys.path.insert(0, str(out))
    try:
        return Compiled(descriptors, importlib.import_module("edge.v1.things_pb2"))
    finally:
        sys.path.remove(str(out))
