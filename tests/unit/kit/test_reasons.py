"""Errors on the wire: one table, two forms, never more than the headers can hold."""

from __future__ import annotations

import json

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

import kit.errors
from kit.errors import Fault, PrsmError, RemoteError, ValidationError
from kit.rpc.client import named
from kit.rpc.reasons import DETAILS_KEY, ERROR_KEY, REASONS, refusal


def _subclasses(kind: type[PrsmError]) -> list[type[PrsmError]]:
    return [kind, *(s for child in kind.__subclasses__() for s in _subclasses(child))]


def test_every_error_of_the_kit_is_in_the_table() -> None:
    assert kit.errors.Unavailable in _subclasses(PrsmError)
    assert {kind.reason for kind in _subclasses(PrsmError)} <= set(REASONS)


@pytest.mark.parametrize(
    ("reason", "name", "http"),
    [
        ("SESSION_NOT_FOUND", "session_not_found", 404),
        ("SESSION_NOT_ACCESSIBLE", "session_not_accessible", 403),
        ("SESSION_CANNOT_BE_CANCELLED", "session_cannot_be_cancelled", 400),
        ("INSUFFICIENT_BALANCE", "insufficient_balance", 402),
        ("SESSION_QUOTA_EXCEEDED", "session_quota_exceeded", 429),
    ],
)
def test_the_documented_codes(reason: str, name: str, http: int) -> None:
    assert (REASONS[reason].name, REASONS[reason].http) == (name, http)


def test_both_forms_say_the_same() -> None:
    error = ValidationError([Fault("prompt", "must not be blank"), Fault("limit", "must be at most 100")])
    answer = refusal(error, now=0, request_id="r-1")
    trailing = dict(answer.trailing)
    body = json.loads(trailing[ERROR_KEY])
    assert answer.code is grpc.StatusCode.INVALID_ARGUMENT
    assert body["error"] == "validation_error"
    assert body["code"] == 400
    assert body["timestamp"] == "1970-01-01T00:00:00Z"
    assert body["request_id"] == "r-1"
    assert body["details"] == {
        "fields": [
            {"field": "prompt", "issue": "must not be blank"},
            {"field": "limit", "issue": "must be at most 100"},
        ]
    }
    packed = trailing[DETAILS_KEY]
    assert isinstance(packed, bytes)
    status = status_pb2.Status.FromString(packed)
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    assert status.details[0].Unpack(info)
    assert status.details[1].Unpack(bad)
    assert info.reason == "VALIDATION_ERROR"
    assert [v.field for v in bad.field_violations] == ["prompt", "limit"]


def test_many_and_long_faults_are_cut_and_say_so() -> None:
    error = ValidationError(Fault(f"field_{n}", "ü" * 5000) for n in range(300))
    trailing = dict(refusal(error, now=0, request_id="r").trailing)
    text = trailing[ERROR_KEY]
    assert isinstance(text, str)
    assert len(text) <= 4096
    assert text.isascii()
    details = json.loads(text)["details"]
    assert details["truncated"] is True
    assert 1 <= len(details["fields"]) <= 20
    assert sum(len(value) for value in trailing.values()) <= 8192


def test_an_unknown_error_tells_nothing() -> None:
    body = json.loads(dict(refusal(PrsmError(), now=0, request_id="r").trailing)[ERROR_KEY])
    assert body == {
        "error": "internal",
        "message": "An internal error occurred",
        "code": 500,
        "timestamp": "1970-01-01T00:00:00Z",
        "request_id": "r",
    }


def test_an_error_of_another_service_keeps_its_name() -> None:
    error = RemoteError("INSUFFICIENT_BALANCE", "Too little", details={"required": "2.00"})
    trailing = dict(refusal(error, now=0, request_id="r").trailing)
    body = json.loads(trailing[ERROR_KEY])
    assert (body["error"], body["code"], body["details"]) == ("insufficient_balance", 402, {"required": "2.00"})


def test_being_away_says_when_to_come_again() -> None:
    trailing = dict(refusal(kit.errors.Unavailable(), now=0, request_id="r").trailing)
    assert trailing["retry-after"] == "3"


@pytest.mark.parametrize(
    ("raised", "known"),
    [
        (kit.errors.Unavailable(), kit.errors.Unavailable),
        (kit.errors.DeadlineExceeded(), kit.errors.DeadlineExceeded),
        (RemoteError("INSUFFICIENT_BALANCE"), RemoteError),
    ],
)
def test_a_service_that_says_it_is_away_is_away(raised: PrsmError, known: type[PrsmError]) -> None:
    """Its database may be: callers wait for that as for a service that does not answer."""
    refused = refusal(raised, now=0, request_id="r")
    trailing = grpc.aio.Metadata(*refused.trailing)
    error = grpc.aio.AioRpcError(refused.code, grpc.aio.Metadata(), trailing)
    found = named(error, "results")
    assert type(found) is known
    assert isinstance(found, PrsmError)
    assert found.name == raised.name
