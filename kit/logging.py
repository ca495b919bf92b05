"""Structured logs: one JSON object a line on standard error, with the process's name and the ids of what is worked for.

What users write or own stays out: no tokens, prompts, queries or texts of documents. Exceptions are told by their
class and place; their words only where they cannot quote what was being read.
"""

from __future__ import annotations

import io
import logging
import sys
import traceback
from collections.abc import Iterator
from typing import TextIO, cast

import structlog

from kit.telemetry import scope

_MOST_FRAMES = 30
_MOST_CAUSES = 5
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_HARMLESS = (AttributeError, TypeError, NameError, ImportError, AssertionError, OSError)
"""Their messages name code, types and files."""


class _Lossy(io.TextIOBase):
    """Standard error, without what cannot be written: on a full disk only the log may suffer."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, text: str) -> int:
        try:
            return self._file.write(text)
        except OSError:
            return 0

    def flush(self) -> None:
        try:
            self._file.flush()
        except OSError:
            pass  # As above.


def configure(service: str, level: str) -> None:
    """Set logging up for a process, its libraries included. Raises ValueError for an unknown level."""
    if level not in _LEVELS:
        raise ValueError(f"log_level must be one of {', '.join(_LEVELS)}")
    shared: list[structlog.typing.Processor] = [
        _with_scope,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _named(service),
        _tell_exception,
    ]
    output = cast(TextIO, _Lossy(sys.stderr))
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.PrintLoggerFactory(file=output),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(output)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler])


def frames(error: BaseException) -> list[str]:
    """Where an error came from, innermost first."""
    found = traceback.extract_tb(error.__traceback__)[-_MOST_FRAMES:]
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in reversed(found)]


def told(error: BaseException) -> str:
    """An error's class, with its words where they are harmless."""
    name = type(error).__name__
    return f"{name}: {error}" if isinstance(error, _HARMLESS) and str(error) else name


def _tell_exception(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    found = event.pop("exc_info", None)
    error = found[1] if isinstance(found, tuple) else sys.exc_info()[1] if found is True else found
    if isinstance(error, BaseException):
        event["exception"] = [{"error": told(each), "at": frames(each)} for each in _chain(error)]
    return event


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what it came from."""
    found: BaseException | None = error
    for _ in range(_MOST_CAUSES):
        if found is None:
            return
        yield found
        found = found.__cause__ or (None if found.__suppress_context__ else found.__context__)


def _with_scope(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Add the ids of the request, the session and the trace, where there are such."""
    found = scope.current()
    if found is None:
        return event
    if found.request_id:
        event.setdefault("request_id", found.request_id)
    if found.session_id:
        event.setdefault("session_id", found.session_id)
    if found.trace is not None:
        event["trace_id"] = found.trace.trace_id
        event["span_id"] = found.trace.span_id
    return event


def _named(service: str) -> structlog.typing.Processor:
    def add(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        event["service"] = service
        return event

    return add
