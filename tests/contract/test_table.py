"""The table is whole: it has every public route of the protos and no other, and says of each what the protos say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from google.api import annotations_pb2
from google.protobuf.descriptor import FieldDescriptor

from prsm.billing.v1 import billing_pb2
from prsm.collab.v1 import collab_pb2
from prsm.errors.v1 import errors_pb2
from prsm.library.v1 import library_pb2
from prsm.options.v1 import options_pb2
from prsm.results.v1 import results_pb2, styles_pb2
from prsm.session.v1 import session_pb2
from tests.contract.callers import CALLERS
from tests.contract.calls import SCENARIO_MODULES
from tests.contract.scenarios.registry import SCENARIOS
from tests.contract.shapes import CHECKS
from tests.contract.table import Endpoint, load

TABLE = load()
FILES = (session_pb2, results_pb2, styles_pb2, collab_pb2, billing_pb2, library_pb2)
OVER_GRPC_ALONE = {"stale_epoch", "hold_voided", "settlement_mismatch", "session_cannot_be_requeued"}
DOCUMENTED = 12


def public_methods() -> dict[str, Any]:
    """Every method with an HTTP route, by full name."""
    return {
        f"{service.full_name}/{method.name}": method
        for file in FILES
        for service in file.DESCRIPTOR.services_by_name.values()
        for method in service.methods
        if method.GetOptions().HasExtension(annotations_pb2.http)
    }


METHODS = public_methods()


def test_every_public_route_is_in_the_table_and_the_other_way_round() -> None:
    routes = set()
    for method in METHODS.values():
        rule = method.GetOptions().Extensions[annotations_pb2.http]
        verb = rule.WhichOneof("pattern")
        routes.add((verb.upper(), getattr(rule, verb)))
    assert {(e.method, e.path) for e in TABLE.endpoints} == routes
    assert {e.rpc for e in TABLE.endpoints} == set(METHODS)


def test_no_route_lives_in_another_proto() -> None:
    """A new proto file with public routes has to be added to this test."""
    import google.protobuf.descriptor_pb2 as descriptors

    from tests.support.stack import ROOT

    files = descriptors.FileDescriptorSet.FromString(Path(ROOT / "gen" / "descriptors.binpb").read_bytes())
    found = {
        f"{file.package}.{service.name}/{method.name}"
        for file in files.file
        for service in file.service
        for method in service.method
        if method.options.HasExtension(annotations_pb2.http)
    }
    assert found == set(METHODS)


def test_the_documented_endpoints_are_twelve() -> None:
    assert len({e.heading for e in TABLE.endpoints if e.heading}) == DOCUMENTED


@pytest.mark.parametrize("endpoint", TABLE.endpoints, ids=lambda e: e.name)
def test_level_status_and_idempotency_are_those_of_the_proto(endpoint: Endpoint) -> None:
    rule = METHODS[endpoint.rpc].GetOptions().Extensions[options_pb2.rule]
    assert options_pb2.Rule.Level.Name(rule.level) == f"LEVEL_{endpoint.level.upper()}"
    assert (rule.success_status or 200) == endpoint.success
    assert rule.idempotency_key == endpoint.idempotency
    assert ("reader" in {case.caller for case in endpoint.errors}) <= (not rule.reads)


@pytest.mark.parametrize("endpoint", TABLE.endpoints, ids=lambda e: e.name)
def test_request_fields_and_parameters_are_those_of_the_message(endpoint: Endpoint) -> None:
    message = METHODS[endpoint.rpc].input_type
    if message.full_name == "google.api.HttpBody":
        return
    in_path = {part[1:-1] for part in endpoint.path.split("/") if part.startswith("{")}
    fields = {name for name in message.fields_by_name if name not in in_path}
    named = endpoint.request if endpoint.method in ("POST", "PATCH") else endpoint.query
    assert {parameter.name for parameter in named} == fields


@pytest.mark.parametrize("endpoint", TABLE.endpoints, ids=lambda e: e.name)
def test_response_fields_are_those_of_the_message(endpoint: Endpoint) -> None:
    message = METHODS[endpoint.rpc].output_type
    if message.full_name == "google.api.HttpBody":
        return
    assert _top(endpoint) == set(message.fields_by_name)
    for field in endpoint.response:
        assert _known(message, field.path), field.path


def _top(endpoint: Endpoint) -> set[str]:
    return {field.path.split(".")[0].removesuffix("[]") for field in endpoint.response}


def _known(message: Any, path: str) -> bool:
    name, _, rest = path.partition(".")
    field = message.fields_by_name.get(name.removesuffix("[]"))
    if field is None:
        return False
    inner = field.message_type
    opaque = inner is None or inner.GetOptions().map_entry or inner.full_name.startswith("google.protobuf.")
    if not rest or opaque:
        return not rest or inner is not None
    return bool(field.type == FieldDescriptor.TYPE_MESSAGE) and _known(inner, rest)


@pytest.mark.parametrize("endpoint", TABLE.endpoints, ids=lambda e: e.name)
def test_every_status_has_a_case(endpoint: Endpoint) -> None:
    cases = {case.code for case in endpoint.errors} | {endpoint.success}
    if endpoint.request or endpoint.query:
        cases.add(400)
    assert cases == set(endpoint.statuses) | (cases & {400})
    assert set(endpoint.statuses) <= cases


@pytest.mark.parametrize("endpoint", TABLE.endpoints, ids=lambda e: e.name)
def test_every_word_of_a_row_is_known(endpoint: Endpoint) -> None:
    assert SCENARIO_MODULES
    scenarios = {endpoint.given} | {case.given for case in endpoint.errors}
    scenarios |= {name for field in endpoint.response for name in (field.given, field.absent)}
    assert scenarios - {""} <= set(SCENARIOS)
    assert {case.caller for case in endpoint.errors} - {""} <= set(CALLERS)
    assert {field.type for field in endpoint.response} - {"never"} <= set(CHECKS)
    assert all(TABLE.error_codes[case.error] == case.code for case in endpoint.errors)


def test_the_error_codes_are_those_of_the_protos() -> None:
    values = errors_pb2.DESCRIPTOR.enum_types_by_name["Reason"].values
    mapped = {}
    for value in values:
        mapping = value.GetOptions().Extensions[errors_pb2.mapping]
        mapped[mapping.name] = mapping.http
    assert {name: http for name, http in mapped.items() if name not in OVER_GRPC_ALONE} == TABLE.error_codes


def test_the_common_error_codes_have_cases() -> None:
    cases = {(case.error, case.code) for endpoint in TABLE.endpoints for case in endpoint.errors}
    assert set(TABLE.common_error_codes.items()) <= cases


def test_status_values_and_session_types_are_those_of_the_proto() -> None:
    enum = session_pb2.Session.Status.DESCRIPTOR.values_by_name
    assert list(TABLE.status_values) == [name for name in enum if name != "status_unspecified"]
    types = session_pb2.Session.Type.DESCRIPTOR.values_by_name
    assert list(TABLE.session_types) == [name for name in types if name != "type_unspecified"]
