"""Results' named errors."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from kit.errors import PrsmError, ResultsNotAvailable
from services.results.domain import EXPORT_FORMATS


class InvalidExportFormat(PrsmError):
    reason = "INVALID_EXPORT_FORMAT"


def unknown_export_format(format: str) -> InvalidExportFormat:
    """The error for a format that exports do not have."""
    cure = cure_of_case(format, EXPORT_FORMATS)
    message = f"Choose one of the export formats {', '.join(EXPORT_FORMATS)}{cure}" if cure else None
    return InvalidExportFormat(message, details={"format": format[:64], "formats": list(EXPORT_FORMATS)})


def cure_of_case(given: str, choices: Collection[str]) -> str:
    """What to add where a choice is only written in other letters; "" where it is none."""
    return f"; write it in lower case, {given.lower()}" if given.lower() in choices else ""


class CitationStyleNotFound(PrsmError):
    """No citation style that this caller may use has that name or id."""

    reason = "CITATION_STYLE_NOT_FOUND"


class GrantRefused(PrsmError):
    """A worker asks for what its grant does not cover."""

    reason = "FORBIDDEN"


_ENDED_WITHOUT: Mapping[str, str] = {
    "cancelled": "The session was cancelled: it has no results",
    "failed": "The session failed: it has no results",
    "timeout": "The session timed out before anything was found: it has no results",
}
"""What is said of a session that will never have results."""


class NoResults(ResultsNotAvailable):
    """A session without results: not yet, or never. `progress` is from 0 to 100."""

    def __init__(self, status: str, progress: int) -> None:
        never = _ENDED_WITHOUT.get(status)
        message = never or f"The session has no results yet: it is {status}, at {progress} %"
        super().__init__(message, details={"status": status, **({} if never else {"progress": progress})})


_LIGHTER: Mapping[str, tuple[str, ...]] = {
    "pdf": ("markdown", "json"),
    "docx": ("markdown", "json"),
    "markdown": ("json",),
}
_BOUNDS: Mapping[str, str] = {
    "seconds": "takes longer to make than {limit} seconds",
    "memory": "takes more memory to make than {limit} bytes",
    "bytes": "has more than {limit} bytes",
    "pages": "has more than {limit} pages",
}


class ExportTooLarge(PrsmError):
    """A document beyond one of the bounds of its format. `bound` is seconds, memory, bytes or pages."""

    reason = "EXPORT_TOO_LARGE"

    def __init__(self, format: str, bound: str, limit: float, *, raw_data: bool) -> None:
        others = _LIGHTER.get(format, ())
        cures = [f"choose {' or '.join(others)}"] if others else []
        if raw_data:
            cures.append("leave include_raw_data out")
        if not cures:
            cures.append("read it by parts, with fields and limit, at /results")
        said = _BOUNDS[bound].format(limit=f"{limit:g}" if bound == "seconds" else f"{limit:,.0f}")
        super().__init__(
            f"As {format} the document {said}: {', or '.join(cures)}",
            details={"format": format, "bound": bound, "limit": limit, "formats": list(others)},
        )
