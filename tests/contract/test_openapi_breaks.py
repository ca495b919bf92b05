"""What would break clients of the last release is found, in the description and in the protos; nothing else is."""

from __future__ import annotations

import copy
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import descriptor_pb2

from tests.contract.described import document
from tools.openapi import DESCRIPTORS, RELEASED_CONTRACT, RELEASED_DOCUMENT, contract_breaks, document_breaks
from tools.openapi_diff import breaks

JSON = Any
SESSIONS = "/api/v1/sessions"
SESSION = "/api/v1/sessions/{session_id}"


def schema(of: JSON, name: str) -> JSON:
    return of["components"]["schemas"][name]


def parameter(of: JSON, path: str, name: str) -> JSON:
    return next(one for one in of["paths"][path]["get"]["parameters"] if one.get("name") == name)


def _code(of: JSON) -> None:
    for response in of["components"]["responses"].values():
        for example in response["content"]["application/json"]["examples"].values():
            if example["value"]["error"] == "insufficient_balance":
                example["value"]["code"] = 403


BREAKING: dict[str, Callable[[JSON], object]] = {
    "a path is gone": lambda of: of["paths"].pop(f"{SESSION}/metrics"),
    "a method is gone": lambda of: of["paths"][SESSIONS].pop("post"),
    "an operation has another name": lambda of: of["paths"][SESSIONS]["post"].update(operationId="makeSession"),
    "success has another status": lambda of: of["paths"][SESSIONS]["post"]["responses"].update(
        {"200": of["paths"][SESSIONS]["post"]["responses"].pop("201")}
    ),
    "an error is no longer answered": lambda of: of["paths"][SESSION]["get"]["responses"].pop("404"),
    "an error has another status": _code,
    "a header is gone": lambda of: of["paths"][SESSIONS]["post"]["responses"]["201"]["headers"].pop("Location"),
    "a media type is gone": lambda of: of["paths"][f"{SESSION}/export"]["get"]["responses"]["200"]["content"].pop(
        "application/pdf"
    ),
    "a field of an answer is gone": lambda of: schema(of, "Session")["properties"].pop("progress"),
    "a field of an answer may be absent": lambda of: schema(of, "Session")["required"].remove("progress"),
    "a field of an answer has another type": lambda of: schema(of, "Session")["properties"]["progress"].update(
        type="string"
    ),
    "a field of an answer may be null": lambda of: schema(of, "Session")["properties"]["owner"].update(
        type=["string", "null"]
    ),
    "a field of an answer has lost its format": lambda of: schema(of, "Session")["properties"]["session_id"].pop(
        "format"
    ),
    "a value of an enum is gone": lambda of: schema(of, "SessionStatus")["enum"].remove("paused"),
    "a field that was sent is gone": lambda of: schema(of, "CreateSessionRequest")["properties"].pop("metadata"),
    "a field must be sent": lambda of: schema(of, "CreateSessionRequest")["required"].append("budget"),
    "a new field must be sent": lambda of: (
        schema(of, "CreateSessionRequest")["properties"].update(project={"type": "string"}),
        schema(of, "CreateSessionRequest")["required"].append("project"),
    ),
    "a text that was sent must be shorter": lambda of: schema(of, "CreateSessionRequest")["properties"][
        "prompt"
    ].update(maxLength=2000),
    "a text that was sent must have a form": lambda of: schema(of, "CreateDocumentRequest")["properties"][
        "title"
    ].update(pattern="^[A-Z]"),
    "a choice that was sent is gone": lambda of: schema(of, "PreferencesGiven")["properties"]["depth"]["enum"].remove(
        "deep"
    ),
    "a number that was sent must be smaller": lambda of: parameter(of, SESSIONS, "limit")["schema"].update(maximum=50),
    "null is no longer taken": lambda of: schema(of, "CreateSessionRequest")["properties"]["session_type"].update(
        type="string"
    ),
    "a form of an object is gone": lambda of: schema(of, "DocumentInputGiven")["oneOf"].pop(0),
    "a parameter is gone": lambda of: of["paths"][SESSIONS]["get"]["parameters"].remove(
        parameter(of, SESSIONS, "scope")
    ),
    "a parameter must be sent": lambda of: parameter(of, SESSIONS, "status").update(required=True),
    "a body must be sent": lambda of: of["paths"][f"{SESSION}/pause"]["post"]["requestBody"].update(required=True),
    "another credential is wanted": lambda of: of.update(security=[{"bearerToken": []}]),
    "a credential is wanted where none was": lambda of: of["paths"]["/health"]["get"].pop("security"),
}

HARMLESS: dict[str, Callable[[JSON], object]] = {
    "nothing": lambda of: None,
    "a new path": lambda of: of["paths"].update({"/api/v1/new": of["paths"][SESSIONS]}),
    "a new field of an answer": lambda of: schema(of, "Session")["properties"].update(mood={"type": "string"}),
    "a field of an answer is always there": lambda of: schema(of, "Session")["required"].append("inputs"),
    "a new field that may be sent": lambda of: schema(of, "CreateSessionRequest")["properties"].update(
        mood={"type": ["string", "null"]}
    ),
    "a new value of an enum": lambda of: schema(of, "SessionStatus")["enum"].append("archived"),
    "a field need not be sent": lambda of: schema(of, "CreateSessionRequest")["required"].remove("prompt"),
    "a text may be longer": lambda of: schema(of, "CreateSessionRequest")["properties"]["prompt"].update(
        maxLength=40000
    ),
    "a new parameter": lambda of: of["paths"][SESSIONS]["get"]["parameters"].append(
        {"name": "owner", "in": "query", "required": False, "schema": {"type": "string"}}
    ),
    "other words": lambda of: of["paths"][SESSIONS]["post"].update(description="Creates."),
    "another example": lambda of: of["paths"][SESSIONS]["post"]["requestBody"]["content"]["application/json"].pop(
        "examples"
    ),
}


def test_clients_of_the_release_can_go_on() -> None:
    assert document_breaks(document()) == []
    assert contract_breaks(DESCRIPTORS) == []


def test_the_released_description_is_whole() -> None:
    released = json.loads(RELEASED_DOCUMENT.read_bytes())
    assert len(released["paths"]) >= 29
    contract = descriptor_pb2.FileDescriptorSet.FromString(gzip.decompress(RELEASED_CONTRACT.read_bytes()))
    assert "prsm/session/v1/session.proto" in {file.name for file in contract.file}


@pytest.mark.parametrize("change", BREAKING.values(), ids=BREAKING)
def test_a_break_is_found(change: Callable[[JSON], object]) -> None:
    changed = copy.deepcopy(document())
    change(changed)
    assert breaks(document(), changed)


@pytest.mark.parametrize("change", HARMLESS.values(), ids=HARMLESS)
def test_what_breaks_nobody_passes(change: Callable[[JSON], object]) -> None:
    changed = copy.deepcopy(document())
    change(changed)
    assert breaks(document(), changed) == []


def _message(files: Any, file: str, name: str) -> Any:
    found = next(one for one in files.file if one.name == f"prsm/{file}")
    return next(message for message in found.message_type if message.name == name)


def _without_field(files: Any) -> None:
    message = _message(files, "session/v1/session.proto", "Session")
    message.field.remove(next(field for field in message.field if field.name == "progress"))


def _renamed(files: Any) -> None:
    next(
        f for f in _message(files, "session/v1/session.proto", "Session").field if f.name == "progress"
    ).name = "percent"


def _retyped(files: Any) -> None:
    message = _message(files, "session/v1/session.proto", "Session")
    next(f for f in message.field if f.name == "progress").type = 9  # a string


def _without_value(files: Any) -> None:
    enum = _message(files, "session/v1/session.proto", "Session").enum_type[1]
    enum.value.remove(next(value for value in enum.value if value.name == "paused"))


def _without_method(files: Any) -> None:
    found = next(one for one in files.file if one.name == "prsm/session/v1/session.proto")
    del found.service[0].method[0]


@pytest.mark.parametrize("change", [_without_field, _renamed, _retyped, _without_value, _without_method])
def test_a_break_of_the_protos_is_found(change: Callable[[Any], None], tmp_path: Path) -> None:
    files = descriptor_pb2.FileDescriptorSet.FromString(DESCRIPTORS.read_bytes())
    change(files)
    changed = tmp_path / "changed.binpb"
    changed.write_bytes(files.SerializeToString())
    assert contract_breaks(changed)
