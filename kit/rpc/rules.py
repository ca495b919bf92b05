"""The one method option, read once: who may call what. A method without a rule fails the build of its server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from google.protobuf import descriptor_pb2
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor

from kit.levels import Level
from prsm.options.v1 import options_pb2


@dataclass(frozen=True, slots=True)
class MethodRule:
    level: Level
    callers: frozenset[str]
    success_status: int
    reads: bool
    idempotency_key: bool


class MissingRule(Exception):
    """A method that nobody decided about."""


def rule_of(method: MethodDescriptor) -> MethodRule:
    options = descriptor_pb2.MethodOptions.FromString(method.GetOptions().SerializeToString())
    if not options.HasExtension(options_pb2.rule):
        raise MissingRule(f"{method.full_name} has no (prsm.options.v1.rule)")
    rule: Any = options.Extensions[options_pb2.rule]
    level = Level(rule.level)
    if level is Level.NONE or (level is Level.INTERNAL) != bool(rule.callers):
        raise MissingRule(f"{method.full_name} has an incomplete (prsm.options.v1.rule)")
    return MethodRule(
        level=level,
        callers=frozenset(rule.callers),
        success_status=rule.success_status or 200,
        reads=rule.reads,
        idempotency_key=rule.idempotency_key,
    )


def rules_of(service: ServiceDescriptor) -> dict[str, MethodRule]:
    """Rules by method name. Raises MissingRule."""
    return {method.name: rule_of(method) for method in service.methods}
