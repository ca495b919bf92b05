"""Who may call which service, as the contract says."""

from __future__ import annotations

import functools
from collections import defaultdict

from google.protobuf.descriptor_pb2 import FileDescriptorSet

from deploy.checks.model import CannotCheck
from deploy.checks.sources import ROOT
from prsm.options.v1 import options_pb2


@functools.cache
def callers() -> dict[str, frozenset[str]]:
    """Names of the services that some method of each service takes calls from. Raises CannotCheck."""
    file = ROOT / "gen" / "descriptors.binpb"
    if not file.exists():
        raise CannotCheck(f"{file} is missing: run make proto")
    found: dict[str, set[str]] = defaultdict(set)
    for proto in FileDescriptorSet.FromString(file.read_bytes()).file:
        if not proto.package.startswith("prsm."):
            continue
        for service in proto.service:
            for method in service.method:
                found[proto.package.split(".")[1]] |= set(method.options.Extensions[options_pb2.rule].callers)
    return {name: frozenset(names) for name, names in found.items()}
