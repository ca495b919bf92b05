"""What is asserted of answers in many places."""

from __future__ import annotations

from tests.contract.shapes import is_a
from tests.contract.table import load
from tests.support.rest import Answer

FIXED = {"error", "message", "code", "timestamp", "request_id"}


def assert_error(answer: Answer, code: int, error: str) -> None:
    """The answer is this error, in the documented shape."""
    assert answer.media_type == "application/json", answer.text
    body = answer.body
    assert (answer.status, body["error"]) == (code, error), answer.text[:500]
    assert body["code"] == answer.status
    for name, kind in load().error_body.items():
        assert is_a(kind, body[name]), f"{name} is {body[name]!r}"
    assert set(body) - FIXED <= {"details"}
    assert isinstance(body.get("details", {}), dict)
    assert answer.headers["X-Request-Id"] == body["request_id"]
    if error == "validation_error":
        assert all(set(fault) == {"field", "issue"} and fault["issue"] for fault in body["details"]["fields"])
    assert ("WWW-Authenticate" in answer.headers) == (code == 401)
