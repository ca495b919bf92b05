"""Results' named errors."""

from __future__ import annotations

from kit.errors import PrsmError


class InvalidExportFormat(PrsmError):
    reason = "INVALID_EXPORT_FORMAT"


class GrantRefused(PrsmError):
    """A worker asks for what its grant does not cover."""

    reason = "FORBIDDEN"
