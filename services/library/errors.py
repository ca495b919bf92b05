"""The library's named errors."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from kit.errors import PrsmError


class UnreadableCause(StrEnum):
    """Why a file gave no text. The values are part of the public contract (`details.reason`)."""

    EMPTY = "empty"
    ENCRYPTED = "encrypted"
    NO_TEXT = "no_text"
    CORRUPT = "corrupt"
    UNSUPPORTED_TYPE = "unsupported_type"
    TOO_LARGE = "too_large"
    TOO_MANY_PAGES = "too_many_pages"
    DECOMPRESSION_LIMIT = "decompression_limit"
    MEMORY_LIMIT = "memory_limit"
    TIMEOUT = "timeout"
    PARSER_FAILED = "parser_failed"


_UNREADABLE: dict[UnreadableCause, str] = {
    UnreadableCause.EMPTY: "The file is empty.",
    UnreadableCause.ENCRYPTED: "The file is encrypted; remove its password and upload it again.",
    UnreadableCause.NO_TEXT: "The file has no text layer (a scan, most likely); run OCR on it first.",
    UnreadableCause.CORRUPT: "The file is damaged or cut short.",
    UnreadableCause.UNSUPPORTED_TYPE: "Files of this type cannot be read.",
    UnreadableCause.TOO_LARGE: "The file or the text in it is too large.",
    UnreadableCause.TOO_MANY_PAGES: "The file has too many pages.",
    UnreadableCause.DECOMPRESSION_LIMIT: "The file unpacks to more than is allowed.",
    UnreadableCause.MEMORY_LIMIT: "Reading the file needs more memory than is allowed.",
    UnreadableCause.TIMEOUT: "Reading the file takes longer than is allowed.",
    UnreadableCause.PARSER_FAILED: "The file made its parser fail.",
}


class DocumentUnreadable(PrsmError):
    """A file that gives no usable text. `cause` says why, `detail` adds what is known of it."""

    reason = "DOCUMENT_UNREADABLE"

    def __init__(self, cause: UnreadableCause, detail: str = "") -> None:
        super().__init__(f"{_UNREADABLE[cause]} {detail}".strip(), details={"reason": cause.value})
        self.cause = cause
        self.detail = detail


class NoText(PrsmError):
    """A document that is kept although it could not be read; `problems` say why."""

    reason = "DOCUMENT_UNREADABLE"

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(" ".join(problems) or None)


class DocumentNotFound(PrsmError):
    """No document of this caller has that id."""

    reason = "DOCUMENT_NOT_FOUND"


class InvalidJson(PrsmError):
    """A body, or one line of it, that is not JSON; lines count from 1."""

    reason = "INVALID_JSON"

    def __init__(self, issue: str, *, line: int | None = None) -> None:
        where = "" if line is None else f"Line {line}: "
        super().__init__(f"{where}{issue}", details=None if line is None else {"line": line})
