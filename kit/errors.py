"""Errors with a name. A reason is a value of `prsm.errors.v1.Reason` without its prefix; the proto maps it once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar


class PrsmError(Exception):
    """Base of all errors that may leave a service.

    `message` is for the caller and holds nothing internal; `details` is the JSON object of that name in the error
    body; `retry_after` is in seconds and goes before the reason's own.
    """

    reason: ClassVar[str] = "INTERNAL"

    def __init__(
        self,
        message: str | None = None,
        *,
        details: Mapping[str, Any] | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message or self.reason.lower())
        self.message = message
        self.details = details
        self.retry_after = retry_after

    @property
    def name(self) -> str:
        """The reason that this error travels under."""
        return self.reason


class RemoteError(PrsmError):
    """An error that another service answered with; it travels on under its own reason."""

    def __init__(
        self,
        reason: str,
        message: str | None = None,
        *,
        details: Mapping[str, Any] | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message, details=details, retry_after=retry_after)
        self._name = reason

    @property
    def name(self) -> str:
        return self._name


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a request: where, and what to do about it."""

    field: str
    issue: str


class ValidationError(PrsmError):
    """A request that breaks a rule; `faults` names every one of them."""

    reason = "VALIDATION_ERROR"

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        summary = "; ".join(f"{f.field}: {f.issue}" if f.field else f.issue for f in self.faults[:3])
        fields = [{"field": f.field, "issue": f.issue} for f in self.faults]
        super().__init__(summary or None, details={"fields": fields})

    @classmethod
    def of(cls, field: str, issue: str) -> ValidationError:
        return cls([Fault(field, issue)])


class Unauthorized(PrsmError):
    reason = "UNAUTHORIZED"


class Forbidden(PrsmError):
    reason = "FORBIDDEN"


class SessionNotFound(PrsmError):
    reason = "SESSION_NOT_FOUND"


class SessionNotAccessible(PrsmError):
    reason = "SESSION_NOT_ACCESSIBLE"


class ResultsNotAvailable(PrsmError):
    reason = "RESULTS_NOT_AVAILABLE"


class Unavailable(PrsmError):
    reason = "UNAVAILABLE"


class DeadlineExceeded(PrsmError):
    reason = "DEADLINE_EXCEEDED"


class PayloadTooLarge(PrsmError):
    reason = "PAYLOAD_TOO_LARGE"


class UnsupportedMediaType(PrsmError):
    reason = "UNSUPPORTED_MEDIA_TYPE"


class IdempotencyKeyReused(PrsmError):
    reason = "IDEMPOTENCY_KEY_REUSED"


class IdempotencyKeyInUse(PrsmError):
    reason = "IDEMPOTENCY_KEY_IN_USE"
